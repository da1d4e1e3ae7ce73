//! [`Upsample`]: PyTorch's `nn.Upsample`, channels last.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
use crate::kernels::upsample as kernel;
use crate::types::Weights;
use unrolled_shape::rules::upsample::{self, Mode};

/// An image that is larger by integer factors: `[H, W, C] -> [H', W', C]`. `mode` is nearest-neighbour or bilinear
/// interpolation.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsample;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Upsample {}

/// The sizes.
const fn sizes<S: Spec<Arguments = upsample::Upsample>>() -> kernel::Upsample {
    kernel::Upsample::new(S::INPUT, S::ARGUMENTS.factor, S::ARGUMENTS.align_corners)
}

impl<S: Spec<Arguments = upsample::Upsample>> Node<S> for Upsample {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        match S::ARGUMENTS.mode {
            Mode::Bilinear => kernel::bilinear(const { &sizes::<S>() }, x[0], y),
            Mode::Nearest => kernel::nearest(const { &sizes::<S>() }, x[0], y),
        }
    }
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = upsample::Upsample>> TrainNode<S> for Upsample {
    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        Node::<S>::infer(self, Infer { n: pass.n, x, y, ctx: ctx.for_inference() });
    }

    fn backward_shard(&self, Backward { d_y, d_x, .. }: Backward<'_, '_>) {
        let Some(d_x) = &mut d_x[0] else { return };
        match S::ARGUMENTS.mode {
            Mode::Bilinear => kernel::bilinear_backward(const { &sizes::<S>() }, d_y, d_x),
            Mode::Nearest => kernel::nearest_backward(const { &sizes::<S>() }, d_y, d_x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference;
    use crate::layers::testing::{Trial, spec};

    macro_rules! upsample {
        ($Name:ident: $factor:expr, $mode:ident, $corners:literal, $input:expr => $output:expr) => {
            spec!($Name: upsample::Upsample { factor: $factor, mode: Mode::$mode, align_corners: $corners },
                [&$input] -> &$output);
        };
    }

    upsample!(Copies: [2, 3], Nearest, false, [3, 2, 4] => [6, 6, 4]);
    upsample!(Edges: [2, 3], Bilinear, false, [3, 4, 17] => [6, 12, 17]);
    upsample!(Corners: [3, 2], Bilinear, true, [2, 3, 2] => [6, 6, 2]);
    upsample!(Pixel: [2, 1], Bilinear, true, [1, 1, 3] => [2, 1, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Copies, Upsample>::random().check_gradients();
        Trial::<Edges, Upsample>::random().check_gradients();
        Trial::<Corners, Upsample>::random().check_gradients();
        Trial::<Pixel, Upsample>::random().check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Copies, Upsample>::random().check_inference();
        Trial::<Edges, Upsample>::random().check_inference();
        Trial::<Corners, Upsample>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        fn check<S: Spec<Arguments = upsample::Upsample>>() {
            let mut trial = Trial::<S, Upsample>::random();
            let (mut y, mut d_x) = (vec![0.0; trial.d_y.len()], vec![0.0; trial.x[0].len()]);
            let corners =
                (S::ARGUMENTS.mode == Mode::Bilinear).then_some(S::ARGUMENTS.align_corners);
            let shapes = [S::INPUT, S::OUTPUT];
            reference::upsample(shapes, corners, &trial.x[0], &mut y);
            reference::upsample_backward(shapes, corners, &trial.d_y, &mut d_x);
            let outcome = trial.train();
            let found = outcome.y.iter().chain(&outcome.d_x[0]);
            for (found, expected) in found.zip(y.iter().chain(&d_x)) {
                assert!((found - expected).abs() < 2e-6, "{found} {expected}");
            }
        }
        check::<Copies>();
        check::<Edges>();
        check::<Corners>();
        check::<Pixel>();
    }
}
