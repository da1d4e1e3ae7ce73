//! [`GaussianNoise`]: Keras's layer of that name.

use crate::contract::{InPlaceNode, Spec};
#[cfg(feature = "train")]
use crate::contract::{Pass, TrainInPlaceNode};
#[cfg(feature = "train")]
use crate::init::normal_pair;
use crate::kernels::Instructions;
use crate::types::Weights;
use unrolled_shape::rules::gaussian_noise;

/// In training, adds a random number to each element, from the normal distribution with mean 0 and standard deviation
/// `std`; the identity at inference: `[..] -> [..]`.
///
/// The noise depends only on the step, the layer, the index of the sample in the batch and the index of the element in
/// the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianNoise;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for GaussianNoise {}

impl<S: Spec<Arguments = gaussian_noise::GaussianNoise>> InPlaceNode<S> for GaussianNoise {
    fn infer(&self, _n: usize, _y: &mut [f32]) {}

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, _n: usize, _y: &mut [f32]) {}
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = gaussian_noise::GaussianNoise>> TrainInPlaceNode<S> for GaussianNoise {
    fn forward(&self, pass: &Pass, y: &mut [f32]) {
        let std = S::ARGUMENTS.std;
        if std == 0.0 || !pass.training {
            return;
        }
        for (i, sample) in y.chunks_exact_mut(S::IN).enumerate() {
            let key = pass.key.fold_in((pass.first + i) as u64);
            for (counter, elements) in sample.chunks_mut(2).enumerate() {
                for (y, noise) in elements.iter_mut().zip(normal_pair(key, counter as u64)) {
                    *y += (std * noise) as f32;
                }
            }
        }
    }

    /// The gradient passes through: the noise does not depend on the input.
    fn backward(&self, _pass: &Pass, _y: &[f32], _d: &mut [f32]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{OutOfPlace, Trial, spec};
    use crate::system::RngKey;

    spec!(Half: gaussian_noise::GaussianNoise { std: 0.5 }, [&[90, 111]] -> &[90, 111]);
    spec!(Few: gaussian_noise::GaussianNoise { std: 2.0 }, [&[7]] -> &[7]);
    spec!(Zero: gaussian_noise::GaussianNoise { std: 0.0 }, [&[7]] -> &[7]);

    /// The noise of all samples, in shards of `capacity`.
    fn noise<S: Spec<Arguments = gaussian_noise::GaussianNoise>>(capacity: usize) -> Vec<f32> {
        let mut trial = Trial::<S, OutOfPlace<GaussianNoise>>::random();
        trial.capacity = capacity;
        trial.x[0].fill(0.0);
        let outcome = trial.train();
        assert_eq!(outcome.d_x[0], trial.d_y);
        outcome.y
    }

    #[test]
    fn has_the_moments_of_the_normal_distribution() {
        let noise: Vec<f64> = noise::<Half>(2).iter().map(|y| 2.0 * f64::from(*y)).collect();
        let n = noise.len() as f64;
        let moment = |power| noise.iter().map(|z| z.powi(power)).sum::<f64>() / n;
        // The moments of the standard normal distribution, and the variances of its powers: E z^2k - (E z^k)^2.
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
        {
            let found: f64 = moment(power);
            let four_deviations = 4.0 * f64::sqrt(variance / n);
            assert!((found - expected).abs() < four_deviations, "moment {power}: {found}");
        }
        // The two numbers of a pair are independent, and so are neighbours of two pairs.
        let product = noise.windows(2).map(|z| z[0] * z[1]).sum::<f64>() / n;
        assert!(product.abs() < 4.0 / n.sqrt(), "{product}");
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut trial = Trial::<Few, OutOfPlace<GaussianNoise>>::random();
        trial.capacity = 3;
        let y = trial.train().y;
        for (i, (y, x)) in y.iter().zip(&trial.x[0]).enumerate() {
            let (sample, element) = (i / Few::IN, i % Few::IN);
            // The key of the trial's pass.
            let key = RngKey::new(5).fold_in(sample as u64);
            let noise = normal_pair(key, element as u64 / 2)[element % 2];
            assert_eq!(*y, *x + (2.0 * noise) as f32);
        }
    }

    #[test]
    fn shards_do_not_change_the_result_and_samples_differ() {
        let y = noise::<Few>(1);
        for capacity in 2..=5 {
            assert_eq!(noise::<Few>(capacity), y);
        }
        assert_ne!(y[..Few::IN], y[Few::IN..2 * Few::IN]);
    }

    #[test]
    fn steps_differ() {
        let noise = |key| {
            let mut y = vec![0.0; Few::IN];
            let pass = Pass {
                n: 1,
                first: 0,
                batch: 1,
                key,
                training: true,
                frozen: false,
                observer: None,
            };
            TrainInPlaceNode::<Few>::forward(&GaussianNoise, &pass, &mut y);
            y
        };
        let key = RngKey::new(1);
        assert_eq!(noise(key.fold_in(1)), noise(key.fold_in(1)));
        assert_ne!(noise(key.fold_in(1)), noise(key.fold_in(2)));
    }

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Few, OutOfPlace<GaussianNoise>>::random().check_gradients();
        Trial::<Zero, OutOfPlace<GaussianNoise>>::random().check_gradients();
    }

    #[test]
    fn inference_is_the_identity() {
        let trial = Trial::<Few, OutOfPlace<GaussianNoise>>::random();
        assert_eq!(trial.infer(), trial.x[0]);
        let mut never = Trial::<Zero, OutOfPlace<GaussianNoise>>::random();
        assert_eq!(never.train().y, never.x[0]);
    }
}
