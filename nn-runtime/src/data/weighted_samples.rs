//! [`WeightedSamples`]: samples drawn by weights.

use super::dataset::Dataset;
use crate::step::BatchError;
use crate::system::RngKey;
use thiserror::Error;

/// Samples of a data set, drawn with replacement: sample `i` with a probability in proportion to its weight. PyTorch's
/// `WeightedRandomSampler`. With [`balanced_weights`], those of rare classes are drawn as often as others.
///
/// ```
/// use unrolled_runtime::data::{Data, WeightedSamples, balanced_weights};
///
/// let train = Data { inputs: vec![[0.5]; 4], targets: vec![0_u32, 0, 0, 1] };
/// let balanced = WeightedSamples::new(&train, &balanced_weights(&train.targets))?.samples(1000);
/// # Ok::<(), unrolled_runtime::data::WeightsError>(())
/// ```
///
/// An epoch draws as many samples as the data set has, or [`samples`](Self::samples), and other ones than the epoch before.
#[derive(Clone, Debug)]
pub struct WeightedSamples<D> {
    data: D,
    /// The sums of the weights up to and including each sample.
    sums: Vec<f64>,
    samples: usize,
}

/// Weights of samples that cannot be drawn by.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// Another number of weights than of samples.
    #[error("expected one weight for each sample, found {samples} samples and {weights} weights")]
    Len {
        /// The number of samples.
        samples: usize,
        /// The number of weights.
        weights: usize,
    },
    /// A weight that is negative or not finite.
    #[error("expected finite weights of at least 0, found {found} at index {index}")]
    Weight {
        /// The index of the weight.
        index: usize,
        /// The weight.
        found: f32,
    },
    /// No weight above 0.
    #[error("expected a weight above 0, found none among {weights} weights")]
    Zero {
        /// The number of weights.
        weights: usize,
    },
}

impl<D: Dataset> WeightedSamples<D> {
    /// Samples of `data`, drawn by one weight for each.
    ///
    /// # Errors
    /// If there is not one weight for each sample, one is negative or not finite, or none is above 0.
    pub fn new(data: D, weights: &[f32]) -> Result<Self, WeightsError> {
        let (samples, mut sum) = (data.len(), 0.0);
        if weights.len() != samples {
            return Err(WeightsError::Len { samples, weights: weights.len() });
        }
        if let Some(index) =
            weights.iter().position(|weight| !(0.0..f32::INFINITY).contains(weight))
        {
            return Err(WeightsError::Weight { index, found: weights[index] });
        }
        let sums: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += f64::from(*weight);
                sum
            })
            .collect();
        if sum == 0.0 {
            return Err(WeightsError::Zero { weights: weights.len() });
        }
        Ok(Self { data, sums, samples })
    }

    /// Sets the number of samples that an epoch draws.
    #[must_use]
    pub const fn samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// The index of the sample that `key` draws.
    fn draw(&self, key: RngKey) -> usize {
        // 53 bits: the 24 of a 32-bit float are fewer than the samples of a large data set.
        let random = (key.bits(0) >> 11) as f64 / (1_u64 << 53) as f64;
        let last = self.sums.len() - 1;
        let point = random * self.sums[last];
        // The first sum above the point: samples of weight 0 are never drawn.
        self.sums.partition_point(|sum| *sum <= point).min(last)
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset> Dataset for WeightedSamples<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.samples
    }

    fn get(&self, _: usize, key: RngKey) -> (D::Input, D::Target) {
        self.data.get(self.draw(key.fold_in(0)), key.fold_in(1))
    }

    fn check(&self) -> Result<(), BatchError> {
        self.data.check()
    }
}

/// Weights of samples that make all classes equally likely, for [`WeightedSamples`]: one divided by the number of samples
/// of its class, for each sample.
#[must_use]
pub fn balanced_weights(classes: &[u32]) -> Vec<f32> {
    let mut counts = std::collections::BTreeMap::new();
    for class in classes {
        *counts.entry(class).or_insert(0_u32) += 1;
    }
    classes.iter().map(|class| 1.0 / counts[class] as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Data;
    use super::*;

    fn data(len: u32) -> Data<[f32; 1], u32> {
        (0..len).map(|i| ([i as f32], i)).collect()
    }

    /// How often each sample is drawn, of 40,000.
    fn counts(weights: &[f32]) -> Vec<i32> {
        let weighted =
            WeightedSamples::new(data(weights.len() as u32), weights).unwrap().samples(40_000);
        let mut counts = vec![0; weights.len()];
        for i in 0..weighted.len() {
            counts[weighted.get(i, RngKey::new(3).fold_in(i as u64)).1 as usize] += 1;
        }
        counts
    }

    #[test]
    fn frequencies_are_those_of_the_weights() {
        let counts = counts(&[0.0, 1.0, 2.0, 0.0, 3.0, 4.0, 0.0]);
        assert_eq!((counts[0], counts[3], counts[6]), (0, 0, 0));
        // Standard deviations up to 98.
        for (count, expected) in
            [1, 2, 4, 5].map(|i| counts[i]).into_iter().zip([4000, 8000, 12_000, 16_000])
        {
            assert!((count - expected).abs() < 400, "{counts:?}");
        }
    }

    #[test]
    fn balanced_classes_are_equally_likely() {
        let classes = [0, 0, 0, 0, 0, 0, 2, 2, 7];
        let counts = counts(&balanced_weights(&classes));
        let of = |class| -> i32 {
            counts.iter().zip(classes).filter(|(_, c)| *c == class).map(|(count, _)| *count).sum()
        };
        for class in [0, 2, 7] {
            // More than four times the standard deviation of a binomial count, 94.
            assert!((of(class) - 13_333).abs() < 400, "{counts:?}");
        }
    }

    #[test]
    fn bad_weights_are_refused() {
        let refused =
            |weights: &[f32]| WeightedSamples::new(data(2), weights).unwrap_err().to_string();
        assert_eq!(
            refused(&[1.0]),
            "expected one weight for each sample, found 2 samples and 1 weights"
        );
        assert_eq!(
            refused(&[1.0, f32::NAN]),
            "expected finite weights of at least 0, found NaN at index 1"
        );
        assert_eq!(refused(&[0.0, 0.0]), "expected a weight above 0, found none among 2 weights");
        assert_eq!(
            WeightedSamples::new(data(0), &[]).unwrap_err(),
            WeightsError::Zero { weights: 0 }
        );
    }
}
