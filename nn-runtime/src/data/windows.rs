//! [`Windows`]: parts of a long series as samples.

use super::dataset::Dataset;
use crate::hyper::at_least_one;
use crate::system::RngKey;

/// Overlapping windows of a series in memory: the input is `STEPS` consecutive steps, the target the `AHEAD` steps after
/// them. Windows are cut out when they are needed, so that a series takes its own memory only.
///
/// ```
/// use unrolled_runtime::{RngKey, data::{Dataset, Windows}};
///
/// let series: Vec<[f32; 1]> = (0..6).map(|i| [i as f32]).collect();
/// let windows = Windows::<_, 3, 1>::new(&series);
/// assert_eq!(windows.len(), 3);
/// assert_eq!(windows.get(1, RngKey::new(0)), ([[1.0], [2.0], [3.0]], [[4.0]]));
/// ```
///
/// [`Dataset::map`] chooses a part of the target, such as one column. For chunks that do not overlap, with the next step as
/// target of each step, see [`Data::next_steps`](super::Data::next_steps).
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a, T, const STEPS: usize, const AHEAD: usize> {
    series: &'a [T],
    stride: usize,
}

impl<'a, T: Copy + Sync, const STEPS: usize, const AHEAD: usize> Windows<'a, T, STEPS, AHEAD> {
    /// All windows of a series: one begins at each step. A series shorter than a window and its target has none.
    #[must_use]
    pub const fn new(series: &'a [T]) -> Self {
        Self { series, stride: 1 }
    }

    /// Sets the number of steps from one window to the next, 1 by default.
    ///
    /// # Panics
    /// If `steps` is 0.
    #[must_use]
    #[track_caller]
    pub fn stride(mut self, steps: usize) -> Self {
        self.stride = at_least_one("Windows: stride", steps);
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Copy + Sync, const STEPS: usize, const AHEAD: usize> Dataset
    for Windows<'_, T, STEPS, AHEAD>
{
    type Input = [T; STEPS];
    type Target = [T; AHEAD];

    fn len(&self) -> usize {
        match self.series.len().checked_sub(STEPS + AHEAD) {
            Some(last) => last / self.stride + 1,
            None => 0,
        }
    }

    fn get(&self, i: usize, _key: RngKey) -> ([T; STEPS], [T; AHEAD]) {
        let (input, after) = self.series[i * self.stride..].split_at(STEPS);
        let cut = "`i` is below the number of windows";
        (input.try_into().expect(cut), after[..AHEAD].try_into().expect(cut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_with_the_last_target() {
        let series: Vec<u32> = (0..10).collect();
        let windows = Windows::<_, 4, 2>::new(&series);
        let last = windows.get(windows.len() - 1, RngKey::new(0));
        assert_eq!((windows.len(), last), (5, ([4, 5, 6, 7], [8, 9])));
        let windows = windows.stride(3);
        let last = windows.get(windows.len() - 1, RngKey::new(0));
        assert_eq!((windows.len(), last), (2, ([3, 4, 5, 6], [7, 8])));
        assert_eq!(Windows::<_, 4, 2>::new(&series[..6]).len(), 1);
        assert!(Windows::<_, 4, 2>::new(&series[..5]).is_empty());
    }
}
