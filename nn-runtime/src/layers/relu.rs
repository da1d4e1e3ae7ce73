//! [`ReLU`]: PyTorch's `nn.ReLU`.

use crate::{InPlaceStation, Pass, Spec, Weights};
use nn_shape::rules::relu;

/// `max(x, 0)`, element by element.
pub struct ReLU;

// SAFETY: of size zero.
unsafe impl Weights for ReLU {}

impl<S: Spec<Arguments = relu::ReLU>> InPlaceStation<S> for ReLU {
    fn infer(&self, _n: usize, y: &mut [f32]) {
        for y in y {
            *y = if *y > 0.0 { *y } else { 0.0 };
        }
    }

    fn forward(&self, pass: &Pass, y: &mut [f32]) {
        InPlaceStation::<S>::infer(self, pass.n, y);
    }

    fn backward(&self, _pass: &Pass, y: &[f32], d: &mut [f32]) {
        for (d, y) in d.iter_mut().zip(y) {
            *d = if *y > 0.0 { *d } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Beside, Trial, spec};

    spec!(It: relu::ReLU {}, [&[6, 5]] -> &[6, 5]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut trial = Trial::<It, Beside<ReLU>>::random().with_step(1e-3, 1e-3);
        // Not across the kink.
        trial.x[0].retain(|x| x.abs() > 1e-2);
        trial.x[0].resize(trial.batch * It::IN, 0.5);
        trial.check_gradients();
        trial.check_inference();
    }
}
