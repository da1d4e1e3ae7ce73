//! [`PositionalEncoding`]: the sine waves of Vaswani et al. (2017).

use crate::{InPlaceStation, Pass, Spec, Weights};
use nn_shape::rules::positional_encoding;

/// Adds `sin(t / 10000^(2i/C))` to feature `2i` of step `t`, and `cos` of the same to feature `2i + 1`:
/// `[T, C] -> [T, C]`.
pub struct PositionalEncoding;

// SAFETY: of size zero.
unsafe impl Weights for PositionalEncoding {}

impl<S: Spec<Arguments = positional_encoding::PositionalEncoding>> InPlaceStation<S>
    for PositionalEncoding
{
    fn infer(&self, _n: usize, y: &mut [f32]) {
        add_waves(S::OUTPUT.dim(0), S::OUTPUT.dim(1), y);
    }

    fn forward(&self, _pass: &Pass, y: &mut [f32]) {
        add_waves(S::OUTPUT.dim(0), S::OUTPUT.dim(1), y);
    }

    fn backward(&self, _pass: &Pass, _y: &[f32], _d: &mut [f32]) {}
}

/// Adds the waves to samples of `steps` times `features` numbers. Each wave is turned on from step to
/// step, in `f64`, which is exact enough for a million steps.
fn add_waves(steps: usize, features: usize, y: &mut [f32]) {
    for feature in (0..features).step_by(2) {
        let speed = 10_000_f64.powf(-(feature as f64) / features as f64);
        let (turn_sin, turn_cos) = speed.sin_cos();
        let (mut sin, mut cos) = (0.0_f64, 1.0_f64);
        for step in 0..steps {
            let place = step * features + feature;
            let pair = features - feature;
            for y in y.chunks_exact_mut(steps * features) {
                y[place] += sin as f32;
                if pair > 1 {
                    y[place + 1] += cos as f32;
                }
            }
            (sin, cos) = (sin * turn_cos + cos * turn_sin, cos * turn_cos - sin * turn_sin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Beside, Trial, spec};

    spec!(Text: positional_encoding::PositionalEncoding {}, [&[4, 6]] -> &[4, 6]);
    spec!(Odd: positional_encoding::PositionalEncoding {}, [&[3, 5]] -> &[3, 5]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Text, Beside<PositionalEncoding>>::random().check_gradients();
        Trial::<Odd, Beside<PositionalEncoding>>::random().check_gradients();
        Trial::<Odd, Beside<PositionalEncoding>>::random().check_inference();
    }

    #[test]
    fn adds_the_waves_of_the_paper() {
        for (steps, features) in [(4, 6), (3, 5), (5000, 10)] {
            let mut y = vec![0.0; 2 * steps * features];
            add_waves(steps, features, &mut y);
            for (place, y) in y.iter().enumerate() {
                let (step, feature) = (place / features % steps, place % features);
                let exponent = (feature / 2 * 2) as f64 / features as f64;
                let angle = step as f64 / 10_000_f64.powf(exponent);
                let wave = if feature % 2 == 0 { angle.sin() } else { angle.cos() };
                assert!((f64::from(*y) - wave).abs() < 1e-7, "{place}: {y} {wave}");
            }
        }
    }
}
