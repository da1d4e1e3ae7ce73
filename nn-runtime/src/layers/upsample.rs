//! [`Upsample`]: PyTorch's `nn.Upsample`, channels last.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
use crate::kernels::upsample as kernel;
use crate::types::Weights;
use unrolled_shape::rules::upsample::{self, Mode};

/// An image of another size: `[H, W, C] -> [H', W', C]`. `mode` is nearest-neighbour, bilinear or bicubic interpolation.
#[derive(Clone, Debug, PartialEq)]
pub struct Upsample;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Upsample {}

/// The sizes.
const fn sizes<S: Spec<Arguments = upsample::Upsample>>() -> kernel::Upsample {
    kernel::Upsample::new(S::INPUT, S::OUTPUT, S::ARGUMENTS.align_corners)
}

impl<S: Spec<Arguments = upsample::Upsample>> Node<S> for Upsample {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        match S::ARGUMENTS.mode {
            Mode::Bicubic => kernel::bicubic(const { &sizes::<S>() }, x[0], y),
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
            Mode::Bicubic => kernel::bicubic_backward(const { &sizes::<S>() }, d_y, d_x),
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
            spec!($Name: upsample::Upsample {
                factor: $factor, size: None, mode: Mode::$mode, align_corners: $corners
            }, [&$input] -> &$output);
        };
    }

    upsample!(Copies: Some([2, 3]), Nearest, false, [3, 2, 4] => [6, 6, 4]);
    upsample!(Edges: Some([2, 3]), Bilinear, false, [3, 4, 17] => [6, 12, 17]);
    upsample!(Corners: Some([3, 2]), Bilinear, true, [2, 3, 2] => [6, 6, 2]);
    upsample!(Pixel: Some([2, 1]), Bilinear, true, [1, 1, 3] => [2, 1, 3]);

    // The kernels read the sizes of input and output alone.
    upsample!(AnyCopies: None, Nearest, false, [3, 5, 4] => [7, 3, 4]);
    upsample!(AnySize: None, Bilinear, false, [3, 5, 2] => [7, 3, 2]);
    upsample!(Cubic: None, Bicubic, false, [3, 5, 2] => [7, 3, 2]);
    upsample!(CubicCorners: None, Bicubic, true, [5, 2, 3] => [4, 6, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<AnyCopies, Upsample>::random().check_gradients();
        Trial::<AnySize, Upsample>::random().check_gradients();
        Trial::<Cubic, Upsample>::random().check_gradients();
        Trial::<CubicCorners, Upsample>::random().check_gradients();
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
        Trial::<AnyCopies, Upsample>::random().check_inference();
        Trial::<CubicCorners, Upsample>::random().check_inference();
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
        check::<AnyCopies>();
        check::<AnySize>();
    }

    #[test]
    fn bicubic_agrees_with_the_definition() {
        /// The weight of a pixel at this distance.
        fn weight(x: f64) -> f64 {
            let (a, x) = (-0.75, x.abs());
            match x {
                x if x <= 1.0 => (a + 2.0) * x.powi(3) - (a + 3.0) * x.powi(2) + 1.0,
                x if x < 2.0 => a * (x.powi(3) - 5.0 * x.powi(2) + 8.0 * x - 4.0),
                _ => 0.0,
            }
        }
        fn check<S: Spec<Arguments = upsample::Upsample>>() {
            let trial = Trial::<S, Upsample>::random();
            let (y, [from, to]) = (trial.infer(), [S::INPUT, S::OUTPUT]);
            let place = |i: usize, axis: usize| match S::ARGUMENTS.align_corners {
                true => i as f64 * (from.dim(axis) - 1) as f64 / (to.dim(axis) - 1) as f64,
                false => (i as f64 + 0.5) * from.dim(axis) as f64 / to.dim(axis) as f64 - 0.5,
            };
            for (out, found) in y.iter().take(S::OUT).enumerate() {
                let (pixel, c) = (out / to.last(), out % to.last());
                let (row, column) = (place(pixel / to.dim(1), 0), place(pixel % to.dim(1), 1));
                let mut expected = 0.0;
                // Pixels beyond the edge are copies of the outermost ones.
                for (i, j) in (-2..9_i32).flat_map(|i| (-2..9_i32).map(move |j| (i, j))) {
                    let share = weight(row - f64::from(i)) * weight(column - f64::from(j));
                    let clamped = |i: i32, axis: usize| (i.max(0) as usize).min(from.dim(axis) - 1);
                    let at = (clamped(i, 0) * from.dim(1) + clamped(j, 1)) * from.last() + c;
                    expected += share * f64::from(trial.x[0][at]);
                }
                assert!((f64::from(*found) - expected).abs() < 2e-6, "{found} {expected}");
            }
        }
        check::<Cubic>();
        check::<CubicCorners>();
    }
}
