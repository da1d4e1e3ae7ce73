//! [`mixup`]: mixtures of two samples.

use super::in_memory::Data;
use crate::hyper::{Range, checked};
use crate::loss::MixedTarget;
use crate::system::RngKey;
use crate::types::Inputs;

/// Mixes each sample with another one (Zhang et al., 2018): inputs `(1 - share) * a + share * b` with both targets, for
/// the loss [`Mixed`](crate::loss::Mixed). The share is the smaller of `s` and `1 - s`, where `s` has the distribution
/// `Beta(alpha, alpha)`: at most one half, so that each sample is the larger part of one mixture. Usual values of `alpha`
/// are 0.1 to 0.4; with small ones most samples hardly change.
///
/// The same seed gives the same mixtures: use another one for each epoch.
///
/// # Panics
/// If `alpha` is not a finite number above 0, the numbers of inputs and targets differ, or inputs are tokens, which
/// cannot be mixed.
#[must_use]
#[track_caller]
pub fn mixup<I: Inputs, T: Copy>(
    data: &Data<I, T>,
    alpha: f64,
    seed: u64,
) -> Data<I, MixedTarget<T>> {
    let mut mixed = Data { inputs: Vec::new(), targets: Vec::new() };
    mixup_into(data, alpha, seed, &mut mixed);
    mixed
}

/// As [`mixup`], into the memory of `mixed`, whose samples are replaced.
///
/// # Panics
/// As [`mixup`].
#[track_caller]
pub fn mixup_into<I: Inputs, T: Copy>(
    data: &Data<I, T>,
    alpha: f64,
    seed: u64,
    mixed: &mut Data<I, MixedTarget<T>>,
) {
    let alpha = checked("mixup: alpha", alpha, Range::Positive);
    assert_eq!(data.inputs.len(), data.targets.len(), "one target for each input");
    assert!(I::REAL.iter().all(|real| *real), "mixup: tokens cannot be mixed");
    mixed.inputs.clear();
    // Copied first and mixed in place, since a sample may be larger than the stack.
    mixed.inputs.extend_from_slice(&data.inputs);
    mixed.targets.clear();
    mixed.targets.reserve_exact(data.len());
    let key = RngKey::new(seed);
    for (sample, (mixture, first)) in mixed.inputs.iter_mut().zip(&data.targets).enumerate() {
        let key = key.fold_in(sample as u64);
        // Uniform up to a bias of 2^-64 times the number of samples (Lemire, 2019).
        let partner = ((u128::from(key.bits(0)) * data.len() as u128) >> 64) as usize;
        let share = beta(alpha, key.fold_in(1));
        let share = share.min(1.0 - share) as f32;
        for index in 0..I::LENS.len() {
            let other = data.inputs[partner].input(index);
            for (a, b) in mixture.input_mut(index).iter_mut().zip(other) {
                *a += (b - *a) * share;
            }
        }
        MixedTarget::push(&mut mixed.targets, [first, &data.targets[partner]], share);
    }
}

/// A sample of the distribution `Beta(alpha, alpha)`, from two of the gamma distribution.
fn beta(alpha: f64, key: RngKey) -> f64 {
    let [a, b] = [0, 1].map(|i| gamma(alpha, key.fold_in(i)));
    // Both underflow for small `alpha`; then one is far smaller than the other.
    if a + b > 0.0 { a / (a + b) } else { 0.0 }
}

/// A sample of the gamma distribution with this shape (Marsaglia and Tsang, 2000).
fn gamma(shape: f64, key: RngKey) -> f64 {
    // In (0, 1], where the logarithm is finite.
    let uniform = |counter| 1.0 - f64::from(key.uniform(counter));
    if shape < 1.0 {
        return gamma(shape + 1.0, key.fold_in(0)) * uniform(0).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    // The method accepts at least 95% of its tries.
    for attempt in 0.. {
        let x = crate::init::standard_normal(key, 2 * attempt);
        let v = (1.0 + c * x).powi(3);
        let accept = uniform(4 * attempt + 3).ln();
        if v > 0.0 && accept < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
    unreachable!("the range of tries has no end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Data<[f32; 2], u32> {
        Data { inputs: (0..1000).map(|i| [i as f32, 1.0]).collect(), targets: (0..1000).collect() }
    }

    #[test]
    fn inputs_and_targets_are_mixed_alike() {
        let mixed = mixup(&data(), 0.4, 7);
        assert_eq!(mixed.len(), 1000);
        for (i, (input, target)) in mixed.inputs.iter().zip(&mixed.targets).enumerate() {
            assert_eq!(target.first as usize, i);
            let MixedTarget { first, second, share } = *target;
            assert!((0.0..=0.5).contains(&share));
            let expected = (1.0 - share) * first as f32 + share * second as f32;
            assert!((input[0] - expected).abs() < 1e-3 && input[1] == 1.0, "{input:?} {target:?}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let (one, same, other) =
            (mixup(&data(), 0.4, 1), mixup(&data(), 0.4, 1), mixup(&data(), 0.4, 2));
        assert!(one == same && one != other);
        let mut again = other;
        let memory = again.inputs.as_ptr();
        mixup_into(&data(), 0.4, 1, &mut again);
        assert!(again == one && again.inputs.as_ptr() == memory);
    }

    #[test]
    fn every_sample_may_be_a_partner() {
        let mixed = mixup(&data(), 0.4, 3);
        let tenths = mixed.targets.iter().fold([0; 10], |mut tenths, target| {
            tenths[target.second as usize / 100] += 1;
            tenths
        });
        // Standard deviation 9.5.
        assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
    }

    /// Mean 1/2 and variance 1 / (4 (2 alpha + 1)).
    #[test]
    fn shares_have_the_moments_of_their_distribution() {
        for alpha in [0.2, 1.0, 3.0] {
            let numbers: Vec<f64> =
                (0..20_000).map(|i| beta(alpha, RngKey::new(5).fold_in(i))).collect();
            let mean = numbers.iter().sum::<f64>() / 20_000.0;
            let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.04, "{alpha}: {variance} {expected}");
        }
    }

    #[test]
    #[should_panic(expected = "mixup: tokens cannot be mixed")]
    fn tokens_are_refused() {
        let _ = mixup(&Data { inputs: vec![[1_u32, 2]], targets: vec![0_u32] }, 0.4, 1);
    }
}
