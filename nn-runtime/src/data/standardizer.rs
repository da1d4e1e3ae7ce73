//! [`Standardizer`]: inputs scaled to mean 0 and standard deviation 1.

use crate::types::Values;
use thiserror::Error;

/// Values that consist of `f32` only, and so have a mean; tokens do not. It cannot be implemented for other types.
pub trait Floats: Values + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl<T: Sealed, const N: usize> Sealed for [T; N] {}
}

impl Floats for f32 {}
impl<T: Floats, const N: usize> Floats for [T; N] {}

/// Standardisation `(x - mean) / std`, with statistics of the training set that are stored with the model, so that
/// training and inference scale inputs in the same way.
///
/// ```
/// use unrolled_runtime::data::Standardizer;
///
/// let mut train = vec![[1.0, 600.0], [3.0, 200.0]];
/// let standardizer = Standardizer::per_feature(&train)?;
/// standardizer.apply_all(&mut train);
/// assert_eq!(train, [[-1.0, 1.0], [1.0, -1.0]]);
/// # Ok::<(), unrolled_runtime::data::StandardizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "files", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "files", serde(try_from = "stored::Stored"))]
pub struct Standardizer {
    mean: Vec<f64>,
    #[cfg_attr(feature = "files", serde(rename = "deviation"))]
    std: Vec<f64>,
}

impl Standardizer {
    /// One mean and one standard deviation for all values: for grey images.
    ///
    /// # Errors
    /// If there are no samples, or a value is not finite.
    pub fn over_all<T: Floats>(samples: &[T]) -> Result<Self, StandardizeError> {
        Self::per_channel(samples, 1)
    }

    /// A mean and a standard deviation for each value of a sample: for tables.
    ///
    /// # Errors
    /// If there are no samples, or a value is not finite.
    pub fn per_feature<T: Floats>(samples: &[T]) -> Result<Self, StandardizeError> {
        Self::per_channel(samples, T::LEN)
    }

    /// A mean and a standard deviation for each channel, the last axis: for colour images and time series.
    ///
    /// # Errors
    /// If there are no samples, or a value is not finite.
    ///
    /// # Panics
    /// If the number of values of a sample is not divisible by `channels`.
    pub fn per_channel<T: Floats>(
        samples: &[T],
        channels: usize,
    ) -> Result<Self, StandardizeError> {
        check_channels::<T>(channels);
        if samples.is_empty() {
            return Err(StandardizeError::Empty);
        }
        check_finite(samples)?;
        // Two passes: the squares around the known mean do not cancel, as the mean square minus the squared mean does.
        let mean = means(samples, channels, |x, _| x);
        let variance = means(samples, channels, |x, channel| (x - mean[channel]).powi(2));
        let std = mean.iter().zip(variance).map(|(mean, v)| nonzero_std(*mean, v)).collect();
        Ok(Self { mean, std })
    }

    /// The means, one for each channel or feature.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The standard deviations, one for each channel or feature: of the population (divided by `n`, not `n - 1`), and 1 for
    /// a constant feature.
    #[must_use]
    pub fn std(&self) -> &[f64] {
        &self.std
    }

    /// Standardises one sample.
    ///
    /// # Panics
    /// If the number of values of the sample is not divisible by the number of channels.
    pub fn apply<T: Floats>(&self, sample: &mut T) {
        self.for_each(sample, |x, mean, std| (x - mean) / std);
    }

    /// Standardises samples.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn apply_all<T: Floats>(&self, samples: &mut [T]) {
        samples.iter_mut().for_each(|sample| self.apply(sample));
    }

    /// Reverts the standardisation: for outputs of a network trained on standardised targets.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn revert<T: Floats>(&self, sample: &mut T) {
        self.for_each(sample, |x, mean, std| x * std + mean);
    }

    fn for_each<T: Floats>(&self, sample: &mut T, f: impl Fn(f64, f64, f64) -> f64) {
        check_channels::<T>(self.mean.len());
        for run in sample.as_floats_mut().chunks_exact_mut(self.mean.len()) {
            for ((x, mean), std) in run.iter_mut().zip(&self.mean).zip(&self.std) {
                *x = f(f64::from(*x), *mean, *std) as f32;
            }
        }
    }
}

/// The standard deviation; 1 for a constant feature, so that it becomes 0 instead of infinite.
fn nonzero_std(mean: f64, variance: f64) -> f64 {
    // Rounding of the mean of a constant leaves about 1e-16 of it. The smallest change that `f32` can represent in one of
    // a million values is above 1e-11.
    let std = variance.sqrt();
    if std > 1e-12 * mean.abs() { std } else { 1.0 }
}

fn check_channels<T: Values>(channels: usize) {
    let fits = channels > 0 && T::LEN.is_multiple_of(channels);
    assert!(
        fits,
        "Standardizer: the {} values of a sample are not divisible by {channels} channels",
        T::LEN
    );
}

fn check_finite<T: Floats>(samples: &[T]) -> Result<(), StandardizeError> {
    for (sample, values) in samples.iter().enumerate() {
        if let Some(index) = values.as_floats().iter().position(|x| !x.is_finite()) {
            let found = values.as_floats()[index];
            return Err(StandardizeError::NotFinite { sample, index, found });
        }
    }
    Ok(())
}

/// The mean of `f(x, channel)` for each channel.
fn means<T: Floats>(samples: &[T], channels: usize, f: impl Fn(f64, usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for sample in samples {
        for (i, x) in sample.as_floats().iter().enumerate() {
            sums[i % channels] += f(f64::from(*x), i % channels);
        }
    }
    let count = (samples.len() * T::LEN / channels) as f64;
    sums.into_iter().map(|sum| sum / count).collect()
}

/// The form in files.
#[cfg(feature = "files")]
mod stored {
    use super::{StandardizeError, Standardizer};

    /// A standardizer in a file, before its checks.
    #[derive(serde::Deserialize)]
    pub(super) struct Stored {
        mean: Vec<f64>,
        #[serde(rename = "deviation")]
        std: Vec<f64>,
    }

    impl TryFrom<Stored> for Standardizer {
        type Error = StandardizeError;

        fn try_from(Stored { mean, std }: Stored) -> Result<Self, StandardizeError> {
            let sound = !mean.is_empty()
                && mean.len() == std.len()
                && mean.iter().all(|mean| mean.is_finite())
                && std.iter().all(|std| std.is_finite() && *std > 0.0);
            sound.then_some(Self { mean, std }).ok_or(StandardizeError::Unsound)
        }
    }
}

/// Samples without a mean and a standard deviation.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum StandardizeError {
    /// No samples.
    #[error("there are no samples: expected at least one")]
    Empty,
    /// A value that is infinite or NaN.
    #[error("sample {sample}: expected finite values, found {found} at index {index}")]
    NotFinite {
        /// The index of the sample.
        sample: usize,
        /// The index of the value in the sample.
        index: usize,
        /// The value.
        found: f32,
    },
    /// Statistics in a file that are not finite, or do not fit each other.
    #[error("expected finite means and as many standard deviations above 0")]
    Unsound,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_their_own_statistics() {
        let samples = [[[1.0, 10.0], [2.0, 10.0]], [[3.0, 10.0], [6.0, 10.0]]];
        let standardizer = Standardizer::per_channel(&samples, 2).unwrap();
        assert_eq!(standardizer.mean(), [3.0, 10.0]);
        assert_eq!(standardizer.std(), [3.5_f64.sqrt(), 1.0]);
        let over_all = Standardizer::over_all(&samples).unwrap();
        assert_eq!(over_all.mean(), [6.5]);
        assert_eq!(over_all.std(), [14.0_f64.sqrt()]);
        assert_eq!(Standardizer::per_feature(&samples).unwrap().mean(), [2.0, 10.0, 4.0, 10.0]);
    }

    #[test]
    fn standardised_samples_have_mean_0_and_standard_deviation_1_and_are_reverted() {
        let samples: Vec<[f32; 3]> =
            (0..100).map(|i| [i as f32, 1e6 + (i % 7) as f32, (i * i) as f32 / -50.0]).collect();
        let standardizer = Standardizer::per_feature(&samples).unwrap();
        let mut standard = samples.clone();
        standardizer.apply_all(&mut standard);
        let learnt = Standardizer::per_feature(&standard).unwrap();
        for (mean, std) in learnt.mean().iter().zip(learnt.std()) {
            assert!(mean.abs() < 1e-6 && (std - 1.0).abs() < 1e-6, "{learnt:?}");
        }
        for (sample, standard) in samples.iter().zip(&mut standard) {
            standardizer.revert(standard);
            for (x, back) in sample.iter().zip(standard.iter()) {
                assert!((x - back).abs() <= x.abs() * 1e-6 + 1e-5, "{x} {back}");
            }
        }
    }

    #[test]
    fn constant_features_become_zero() {
        let mut samples = vec![[0.1_f32, -1e6, 0.0]; 1001];
        let standardizer = Standardizer::per_feature(&samples).unwrap();
        assert_eq!(standardizer.std(), [1.0; 3]);
        standardizer.apply_all(&mut samples);
        // Means are exact to the precision of `f64`.
        assert!(samples.as_flattened().iter().all(|x| x.abs() < 1e-9), "{:?}", samples[0]);
    }

    #[test]
    fn the_smallest_change_of_one_value_has_a_standard_deviation() {
        let mut samples = vec![[1.0_f32]; 1_000_000];
        samples[7] = [1.0 + f32::EPSILON];
        assert!(Standardizer::over_all(&samples).unwrap().std()[0] < 1e-9);
    }

    #[test]
    fn empty_sets_and_values_that_are_not_finite_are_refused() {
        assert_eq!(Standardizer::over_all::<[f32; 2]>(&[]), Err(StandardizeError::Empty));
        let error = Standardizer::over_all(&[[0.0, 1.0], [2.0, f32::INFINITY]]).unwrap_err();
        let message = "sample 1: expected finite values, found inf at index 1";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn files_store_every_bit_and_only_valid_ones_are_read() {
        let standardizer = Standardizer::per_feature(&[[0.1, 1e-30], [0.7, 3e30]]).unwrap();
        let text = serde_json::to_string(&standardizer).unwrap();
        assert_eq!(serde_json::from_str::<Standardizer>(&text).unwrap(), standardizer);
        for text in [
            r#"{"mean":[1.0],"deviation":[]}"#,
            r#"{"mean":[],"deviation":[]}"#,
            r#"{"mean":[1.0],"deviation":[0.0]}"#,
            r#"{"mean":[1e999],"deviation":[1.0]}"#,
            r#"{"mean":[1.0]}"#,
        ] {
            assert!(serde_json::from_str::<Standardizer>(text).is_err(), "{text}");
        }
    }
}
