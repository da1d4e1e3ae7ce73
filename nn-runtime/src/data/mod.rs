//! Samples to learn from.

mod augment;
#[cfg(feature = "train")]
mod confusion;
mod idx;
#[cfg(feature = "train")]
mod mixup;
mod resize;
mod sampler;
mod standardizer;
#[cfg(feature = "csv")]
mod table;
mod text;
mod vocabulary;

pub use augment::Augment;
#[cfg(feature = "train")]
pub use confusion::Confusion;
pub use idx::{Idx, IdxError, Image};
#[cfg(feature = "train")]
pub use mixup::{mixup, mixup_into};
pub use resize::resize;
pub use sampler::Sampler;
pub use standardizer::{Floats, StandardizeError, Standardizer};
#[cfg(feature = "csv")]
pub use table::{Column, ColumnKey, Format, Table};
pub use text::{TextError, read_text};
pub use vocabulary::{Vocabulary, VocabularyBuilder, VocabularyError};

use crate::system::RngKey;

/// Inputs, and for each the target at the same place: what a loss compares the output with.
///
/// ```
/// use unrolled_runtime::data::Data;
///
/// let xor = Data { inputs: vec![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], targets: vec![0_u32, 1, 1] };
/// assert_eq!(xor.len(), 3);
/// ```
///
/// Pairs of an input and a target can be collected:
///
/// ```
/// # use unrolled_runtime::data::Data;
/// let squares: Data<[f32; 1], [f32; 1]> = (0..9).map(|i| ([i as f32], [(i * i) as f32])).collect();
/// assert_eq!(squares.targets[3], [9.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Data<Input, Target> {
    /// What the network takes, sample after sample.
    pub inputs: Vec<Input>,
    /// One for each input.
    pub targets: Vec<Target>,
}

impl<Input, Target> Data<Input, Target> {
    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Puts the samples in a random order, the same one for the same seed.
    ///
    /// # Panics
    /// When there are not as many targets as inputs.
    pub fn shuffle(&mut self, seed: u64) {
        assert_eq!(self.inputs.len(), self.targets.len(), "one target for each input");
        let key = RngKey::new(seed);
        swaps(self.inputs.len(), key, |i, j| self.inputs.swap(i, j));
        swaps(self.targets.len(), key, |i, j| self.targets.swap(i, j));
    }

    /// Takes the last samples away, `count` of them: to validate or to test with.
    ///
    /// ```
    /// # use unrolled_runtime::data::Data;
    /// let mut train = Data { inputs: vec![[0.5]; 10], targets: vec![0_u32; 10] };
    /// let valid = train.split_off(2);
    /// assert_eq!((train.len(), valid.len()), (8, 2));
    /// ```
    ///
    /// # Panics
    /// When there are fewer samples, or not as many targets as inputs.
    #[must_use]
    pub fn split_off(&mut self, count: usize) -> Self {
        assert_eq!(self.inputs.len(), self.targets.len(), "one target for each input");
        assert!(count <= self.len(), "{count} samples to take away, of {}", self.len());
        let keep = self.len() - count;
        Self { inputs: self.inputs.split_off(keep), targets: self.targets.split_off(keep) }
    }
}

impl<T: Copy, const STEPS: usize> Data<[T; STEPS], [T; STEPS]> {
    /// Cuts one long sequence, the tokens of a text or a series of numbers, into stretches, one behind the
    /// other. The targets are what comes next: at each step the following one. Steps at the end that
    /// make no stretch are left out.
    ///
    /// ```
    /// # use unrolled_runtime::data::Data;
    /// let data = Data::next_steps(&[10_u32, 11, 12, 13, 14, 15, 16, 17]);
    /// assert_eq!(data.inputs, [[10, 11, 12], [13, 14, 15]]);
    /// assert_eq!(data.targets, [[11, 12, 13], [14, 15, 16]]);
    /// ```
    #[must_use]
    pub fn next_steps(sequence: &[T]) -> Self {
        let inputs = sequence.as_chunks().0.iter();
        let targets = sequence.get(1..).unwrap_or_default().as_chunks().0.iter();
        inputs.copied().zip(targets.copied()).collect()
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

/// Calls `swap` for each exchange of a random permutation of `len` things (Fisher and Yates).
pub(crate) fn swaps(len: usize, key: RngKey, mut swap: impl FnMut(usize, usize)) {
    for i in (1..len).rev() {
        // The upper half of the product is evenly spread over 0..=i (Lemire), but for 2^-40 or less.
        let j = (u128::from(key.bits(i as u64)) * (i as u128 + 1)) >> 64;
        swap(i, j as usize);
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

    #[test]
    fn every_order_is_as_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            let mut order = [0, 1, 2];
            swaps(3, RngKey::new(seed), |i, j| order.swap(i, j));
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Standard deviation 29.
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
