//! [`Standardizer`]: inputs of mean 0 and deviation 1.

use crate::types::Values;
use thiserror::Error;

/// Values made of `f32` alone: those that have a mean. (Token numbers do not.)
pub trait Floats: Values {}

impl Floats for f32 {}
impl<T: Floats, const N: usize> Floats for [T; N] {}

/// `(x - mean) / deviation`, learnt on the training set and kept with the model, so that training
/// and use see inputs in the same way.
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
#[cfg_attr(feature = "files", serde(try_from = "learnt::Learnt"))]
pub struct Standardizer {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardizer {
    /// One mean and one deviation for all numbers: for pictures in shades of grey.
    ///
    /// # Errors
    /// When there are no samples, or a number is not finite.
    pub fn over_all<T: Floats>(samples: &[T]) -> Result<Self, StandardizeError> {
        Self::per_channel(samples, 1)
    }

    /// A mean and a deviation for each number of a sample: for tables of measurements.
    ///
    /// # Errors
    /// When there are no samples, or a number is not finite.
    pub fn per_feature<T: Floats>(samples: &[T]) -> Result<Self, StandardizeError> {
        Self::per_channel(samples, T::LEN)
    }

    /// A mean and a deviation for each channel, the last axis: for coloured pictures and for
    /// sequences of measurements.
    ///
    /// # Errors
    /// When there are no samples, or a number is not finite.
    ///
    /// # Panics
    /// When a sample does not consist of whole runs of `channels` numbers.
    pub fn per_channel<T: Floats>(
        samples: &[T],
        channels: usize,
    ) -> Result<Self, StandardizeError> {
        check_channels::<T>(channels);
        if samples.is_empty() {
            return Err(StandardizeError::Empty);
        }
        check_finite(samples)?;
        // In two passes: the deviation is taken around the mean, where nothing cancels out.
        let mean = means(samples, channels, |x, _| x);
        let variance = means(samples, channels, |x, channel| (x - mean[channel]).powi(2));
        let deviation = mean.iter().zip(variance).map(|(mean, v)| deviation(*mean, v)).collect();
        Ok(Self { mean, deviation })
    }

    /// The means, one for each channel or feature.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The deviations (of the whole set, not estimated from a sample); 1 where nothing changes.
    #[must_use]
    pub fn deviation(&self) -> &[f64] {
        &self.deviation
    }

    /// Standardises one sample.
    ///
    /// # Panics
    /// When a sample does not consist of whole runs of as many numbers as were learnt.
    pub fn apply<T: Floats>(&self, sample: &mut T) {
        self.for_each(sample, |x, mean, deviation| (x - mean) / deviation);
    }

    /// Standardises samples.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn apply_all<T: Floats>(&self, samples: &mut [T]) {
        samples.iter_mut().for_each(|sample| self.apply(sample));
    }

    /// Takes the standardising back: for outputs of a network that learnt standardised targets.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn revert<T: Floats>(&self, sample: &mut T) {
        self.for_each(sample, |x, mean, deviation| x * deviation + mean);
    }

    fn for_each<T: Floats>(&self, sample: &mut T, f: impl Fn(f64, f64, f64) -> f64) {
        check_channels::<T>(self.mean.len());
        for run in sample.as_floats_mut().chunks_exact_mut(self.mean.len()) {
            for ((x, mean), deviation) in run.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *x = f(f64::from(*x), *mean, *deviation) as f32;
            }
        }
    }
}

/// The deviation; 1 for what never changes, which becomes 0 and would become infinite.
fn deviation(mean: f64, variance: f64) -> f64 {
    // Rounding of the mean looks like a deviation of 1e-16 or so; one that `f32`s can have, even if
    // only one of a million numbers differs from the others, is above 1e-11.
    let deviation = variance.sqrt();
    if deviation > 1e-12 * mean.abs() { deviation } else { 1.0 }
}

fn check_channels<T: Values>(channels: usize) {
    let fits = channels > 0 && T::LEN.is_multiple_of(channels);
    assert!(fits, "samples of {} numbers do not consist of runs of {channels}", T::LEN);
}

fn check_finite<T: Floats>(samples: &[T]) -> Result<(), StandardizeError> {
    for (sample, values) in samples.iter().enumerate() {
        if let Some(place) = values.as_floats().iter().position(|x| !x.is_finite()) {
            let found = values.as_floats()[place];
            return Err(StandardizeError::NotFinite { sample, place, found });
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

/// As it stands in a file.
#[cfg(feature = "files")]
mod learnt {
    use super::{StandardizeError, Standardizer};

    /// A standardizer as it stands in a file, not checked yet.
    #[derive(serde::Deserialize)]
    pub(super) struct Learnt {
        mean: Vec<f64>,
        deviation: Vec<f64>,
    }

    impl TryFrom<Learnt> for Standardizer {
        type Error = StandardizeError;

        fn try_from(Learnt { mean, deviation }: Learnt) -> Result<Self, StandardizeError> {
            let sound = !mean.is_empty()
                && mean.len() == deviation.len()
                && mean.iter().all(|mean| mean.is_finite())
                && deviation.iter().all(|deviation| deviation.is_finite() && *deviation > 0.0);
            sound.then_some(Self { mean, deviation }).ok_or(StandardizeError::Unsound)
        }
    }
}

/// Samples that nothing can be learnt from.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum StandardizeError {
    /// There are none.
    #[error("no samples to learn a mean from")]
    Empty,
    /// A number is infinite or not a number.
    #[error("sample {sample}, number {place}: expected a finite number, found {found}")]
    NotFinite {
        /// The number of the sample.
        sample: usize,
        /// The place of the number in the sample.
        place: usize,
        /// The number.
        found: f32,
    },
    /// What a file says is no standardizer.
    #[error("expected as many means as deviations, these positive")]
    Unsound,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_means_and_deviations_of_their_own() {
        let samples = [[[1.0, 10.0], [2.0, 10.0]], [[3.0, 10.0], [6.0, 10.0]]];
        let standardizer = Standardizer::per_channel(&samples, 2).unwrap();
        assert_eq!(standardizer.mean(), [3.0, 10.0]);
        assert_eq!(standardizer.deviation(), [3.5_f64.sqrt(), 1.0]);
        let over_all = Standardizer::over_all(&samples).unwrap();
        assert_eq!(over_all.mean(), [6.5]);
        assert_eq!(over_all.deviation(), [14.0_f64.sqrt()]);
        assert_eq!(Standardizer::per_feature(&samples).unwrap().mean(), [2.0, 10.0, 4.0, 10.0]);
    }

    #[test]
    fn standardised_samples_have_mean_0_and_deviation_1_and_go_back() {
        let samples: Vec<[f32; 3]> =
            (0..100).map(|i| [i as f32, 1e6 + (i % 7) as f32, (i * i) as f32 / -50.0]).collect();
        let standardizer = Standardizer::per_feature(&samples).unwrap();
        let mut standard = samples.clone();
        standardizer.apply_all(&mut standard);
        let learnt = Standardizer::per_feature(&standard).unwrap();
        for (mean, deviation) in learnt.mean().iter().zip(learnt.deviation()) {
            assert!(mean.abs() < 1e-6 && (deviation - 1.0).abs() < 1e-6, "{learnt:?}");
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
        assert_eq!(standardizer.deviation(), [1.0; 3]);
        standardizer.apply_all(&mut samples);
        // The means are as exact as numbers of 64 bits are.
        assert!(samples.as_flattened().iter().all(|x| x.abs() < 1e-9), "{:?}", samples[0]);
    }

    #[test]
    fn the_smallest_change_of_one_number_is_a_deviation() {
        let mut samples = vec![[1.0_f32]; 1_000_000];
        samples[7] = [1.0 + f32::EPSILON];
        assert!(Standardizer::over_all(&samples).unwrap().deviation()[0] < 1e-9);
    }

    #[test]
    fn nothing_is_learnt_from_nothing_or_from_what_is_not_finite() {
        assert_eq!(Standardizer::over_all::<[f32; 2]>(&[]), Err(StandardizeError::Empty));
        let error = Standardizer::over_all(&[[0.0, 1.0], [2.0, f32::INFINITY]]).unwrap_err();
        let said = "sample 1, number 1: expected a finite number, found inf";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn files_keep_every_bit_and_only_sound_ones_are_read() {
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
