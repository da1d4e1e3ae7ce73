//! [`Sequence`]: an input that may be shorter than its shape.

use super::lengths::Steps;
use super::values::{Input, Values};
use unrolled_shape::Shape;

/// Up to `MAX` steps: the input of a network whose header has `..MAX`.
///
/// ```
/// use unrolled_runtime::Sequence;
///
/// let words = Sequence::<u32, 8>::new(&[4, 17, 2])?;
/// assert_eq!(words.len(), 3);
/// assert_eq!(words.steps(), [4, 17, 2]);
/// # Ok::<(), unrolled_runtime::SequenceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequence<T, const MAX: usize> {
    len: u32,
    // Zeros after the end, so that all `MAX` steps can be copied without looking at the length, and `PartialEq`
    // compares the valid steps.
    all: [T; MAX],
}

/// Steps that are no valid sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// No steps.
    #[error("expected at least one step, found none")]
    Empty,
    /// More steps than the sequence has room for.
    #[error("expected up to {most} steps, found {found}")]
    TooLong {
        /// The largest number of steps.
        most: usize,
        /// The number of steps found.
        found: usize,
    },
}

impl<T: Values, const MAX: usize> Sequence<T, MAX> {
    /// A sequence of these steps.
    ///
    /// # Errors
    /// When there are none, or more than `MAX`.
    pub fn new(steps: &[T]) -> Result<Self, SequenceError> {
        if steps.is_empty() {
            return Err(SequenceError::Empty);
        }
        if steps.len() > MAX {
            return Err(SequenceError::TooLong { most: MAX, found: steps.len() });
        }
        let mut all = [T::zeroed(); MAX];
        all[..steps.len()].copy_from_slice(steps);
        Ok(Self { len: steps.len() as u32, all })
    }

    /// The first steps of these, as many as fit.
    ///
    /// # Errors
    /// When there are none.
    pub fn cut(steps: &[T]) -> Result<Self, SequenceError> {
        Self::new(&steps[..steps.len().min(MAX)])
    }

    /// The number of steps, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a sequence has at least one step")]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[T] {
        &self.all[..self.len()]
    }

    /// All `MAX` steps; zeros after the end.
    #[must_use]
    pub const fn all(&self) -> &[T; MAX] {
        &self.all
    }

    pub(crate) const fn lengths(&self) -> &[u32] {
        core::slice::from_ref(&self.len)
    }

    pub(crate) const fn all_mut(&mut self) -> &mut [T; MAX] {
        &mut self.all
    }

    /// A full sequence of zeros.
    pub(crate) fn zeros() -> Self {
        // Full: a sequence has at least one step.
        Self { len: MAX as u32, all: [T::zeroed(); MAX] }
    }
}

impl<T: Values, const MAX: usize> TryFrom<&[T]> for Sequence<T, MAX> {
    type Error = SequenceError;

    fn try_from(steps: &[T]) -> Result<Self, SequenceError> {
        Self::new(steps)
    }
}

impl<T: Values, const MAX: usize> Input for Sequence<T, MAX> {
    const SHAPE: Shape = <[T; MAX] as Values>::SHAPE;
    const REAL: bool = T::REAL;
    const RAGGED: bool = true;
    type Ref<'a> = &'a [T; MAX];
    type Mut<'a> = &'a mut [T; MAX];

    fn zeros() -> Self {
        Sequence::zeros()
    }
    fn floats(&self) -> &[f32] {
        self.all().as_floats()
    }
    fn floats_mut(&mut self) -> &mut [f32] {
        self.all_mut().as_floats_mut()
    }
    fn steps(&self) -> Steps<'_> {
        Steps::Given(self.lengths())
    }
    fn seen(floats: &[f32]) -> &[T; MAX] {
        Values::from_floats(floats)
    }
    fn seen_mut(floats: &mut [f32]) -> &mut [T; MAX] {
        Values::from_floats_mut(floats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_at_least_one_step_and_at_most_all() {
        type Few = Sequence<u32, 3>;
        assert_eq!(Few::new(&[]), Err(SequenceError::Empty));
        let error = Few::new(&[1, 2, 3, 4]).unwrap_err();
        assert_eq!(error.to_string(), "expected up to 3 steps, found 4");
        assert_eq!(Few::cut(&[1, 2, 3, 4]).unwrap().steps(), [1, 2, 3]);
        assert_eq!(Few::new(&[7]).unwrap().all(), &[7, 0, 0]);
    }
}
