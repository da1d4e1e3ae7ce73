//! [`Data`]: samples in memory.

use super::shuffle::{for_each_swap, swap_in_place};
use crate::system::RngKey;

/// Samples in memory: inputs and, at the same indices, their targets, which a loss compares outputs with.
///
/// ```
/// use unrolled_runtime::data::Data;
///
/// let xor = Data { inputs: vec![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], targets: vec![0_u32, 1, 1] };
/// assert_eq!(xor.len(), 3);
/// ```
///
/// It collects from pairs of an input and a target:
///
/// ```
/// # use unrolled_runtime::data::Data;
/// let squares: Data<[f32; 1], [f32; 1]> = (0..9).map(|i| ([i as f32], [(i * i) as f32])).collect();
/// assert_eq!(squares.targets[3], [9.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Data<Input, Target> {
    /// The inputs of the network, one for each sample.
    pub inputs: Vec<Input>,
    /// The targets, one for each input.
    pub targets: Vec<Target>,
}

impl<Input, Target> Data<Input, Target> {
    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Shuffles the samples. The same seed gives the same order.
    ///
    /// # Panics
    /// If the numbers of inputs and targets differ.
    pub fn shuffle(&mut self, seed: u64) {
        assert_eq!(self.inputs.len(), self.targets.len(), "one target for each input");
        let key = RngKey::new(seed);
        for_each_swap(self.inputs.len(), key, |i, j| swap_in_place(&mut self.inputs, i, j));
        for_each_swap(self.targets.len(), key, |i, j| swap_in_place(&mut self.targets, i, j));
    }

    /// Removes and returns the last `count` samples, for validation or a test.
    ///
    /// ```
    /// # use unrolled_runtime::data::Data;
    /// let mut train = Data { inputs: vec![[0.5]; 10], targets: vec![0_u32; 10] };
    /// let valid = train.split_off(2);
    /// assert_eq!((train.len(), valid.len()), (8, 2));
    /// ```
    ///
    /// # Panics
    /// If there are fewer samples, or the numbers of inputs and targets differ.
    #[must_use]
    pub fn split_off(&mut self, count: usize) -> Self {
        assert_eq!(self.inputs.len(), self.targets.len(), "one target for each input");
        assert!(count <= self.len(), "cannot split off {count} of {} samples", self.len());
        let keep = self.len() - count;
        Self { inputs: self.inputs.split_off(keep), targets: self.targets.split_off(keep) }
    }
}

impl<T: Copy, const STEPS: usize> Data<[T; STEPS], [T; STEPS]> {
    /// Cuts one long sequence, the tokens of a text or a time series, into consecutive chunks. The target of a step is the
    /// next step. Steps at the end that do not fill a chunk are left out.
    ///
    /// ```
    /// # use unrolled_runtime::data::Data;
    /// let data = Data::next_steps(&[10_u32, 11, 12, 13, 14, 15, 16, 17]);
    /// assert_eq!(data.inputs, [[10, 11, 12], [13, 14, 15]]);
    /// assert_eq!(data.targets, [[11, 12, 13], [14, 15, 16]]);
    /// ```
    #[must_use]
    pub fn next_steps(sequence: &[T]) -> Self {
        let targets = sequence.get(1..).unwrap_or_default().as_chunks().0;
        let inputs = &sequence.as_chunks().0[..targets.len()];
        Self { inputs: inputs.to_vec(), targets: targets.to_vec() }
    }
}

impl<Input, Target> Default for Data<Input, Target> {
    fn default() -> Self {
        Self { inputs: Vec::new(), targets: Vec::new() }
    }
}

impl<Input, Target> FromIterator<(Input, Target)> for Data<Input, Target> {
    fn from_iter<I: IntoIterator<Item = (Input, Target)>>(pairs: I) -> Self {
        let (inputs, targets) = pairs.into_iter().unzip();
        Self { inputs, targets }
    }
}

impl<Input, Target> Extend<(Input, Target)> for Data<Input, Target> {
    fn extend<I: IntoIterator<Item = (Input, Target)>>(&mut self, pairs: I) {
        for (input, target) in pairs {
            self.inputs.push(input);
            self.targets.push(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_keeps_inputs_with_their_targets() {
        let mut data = Data { inputs: (0..1000).collect(), targets: (0..1000).collect() };
        let before = data.clone();
        data.shuffle(1);
        assert_ne!(data, before);
        assert_eq!(data.inputs, data.targets);
        data.inputs.sort_unstable();
        assert_eq!(data.inputs, before.inputs);
    }
}
