//! [`GELU`]: PyTorch's `nn.GELU`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::{normal, sigmoid};
use crate::kernels::{Lanes, mul_add};
use crate::types::Weights;
use unrolled_shape::rules::gelu;

/// `x * P(X <= x)` of a standard normal `X`, element by element: `[..] -> [..]` (Hendrycks and Gimpel, 2016).
#[derive(Clone, Debug, PartialEq)]
pub struct GELU;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for GELU {}

impl<S: Spec<Arguments = gelu::GELU>> Node<S> for GELU {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        match S::ARGUMENTS.approximate {
            gelu::Approximate::Tanh => approximate(x[0], y),
            gelu::Approximate::None => exact(x[0], y),
        }
    }
}

impl<S: Spec<Arguments = gelu::GELU>> Streaming<S> for GELU {}

// Forward computes the slopes at almost no cost. Backward would have to compute the normal distribution again.
#[cfg(feature = "train")]
impl<S: Spec<Arguments = gelu::GELU>> TrainNode<S> for GELU {
    /// The slopes.
    const SAVED: usize = S::IN;

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        match S::ARGUMENTS.approximate {
            gelu::Approximate::Tanh => approximate_with_slopes(x[0], y, ctx.saved),
            gelu::Approximate::None => exact_with_slopes(x[0], y, ctx.saved),
        }
    }

    fn backward_shard(&self, Backward { d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        if let Some(d_x) = &mut d_x[0] {
            products(ctx.saved, d_y, d_x);
        }
    }
}

/// `sqrt(2 / pi)`
const SLOPE: f32 = 0.797_884_6;
/// `1 / sqrt(2 pi)`
#[cfg(feature = "train")]
const DENSITY_AT_0: f32 = 0.398_942_3;
/// The coefficient of `x^3` in the approximation by `tanh`.
const CUBIC: f32 = 0.044_715;

/// `P(X <= x)`, approximately: `(1 + tanh(u)) / 2`, computed as `sigmoid(2 u)`, which does not cancel.
#[inline(always)]
fn approximate_probability<L: Lanes>(x: f32) -> f32 {
    sigmoid::<L>(2.0 * SLOPE * mul_add::<L>(CUBIC * x * x, x, x))
}

dispatch! {
    fn exact<L>(x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * normal::<L>(x).0;
        }
    }

    fn approximate<L>(x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * approximate_probability::<L>(x);
        }
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn exact_with_slopes<L>(x: &[f32], y: &mut [f32], slopes: &mut [f32]) {
        for ((y, slope), &x) in y.iter_mut().zip(slopes).zip(x) {
            let (probability, density) = normal::<L>(x);
            *y = x * probability;
            // Not `x * density` of an infinite `x`, which would be NaN.
            *slope = match density == 0.0 {
                true => probability,
                false => mul_add::<L>(x, DENSITY_AT_0 * density, probability),
            };
        }
    }

    fn approximate_with_slopes<L>(x: &[f32], y: &mut [f32], slopes: &mut [f32]) {
        for ((y, slope), &x) in y.iter_mut().zip(slopes).zip(x) {
            let p = approximate_probability::<L>(x);
            *y = x * p;
            let inner = 2.0 * SLOPE * mul_add::<L>(3.0 * CUBIC * x, x, 1.0);
            // `inner` overflows where `p` is 0 or 1 and no longer changes.
            let slope_of_p = p * (1.0 - p);
            *slope = if slope_of_p == 0.0 { p } else { mul_add::<L>(x * slope_of_p, inner, p) };
        }
    }

    fn products(a: &[f32], b: &[f32], y: &mut [f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = a * b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    #[cfg(feature = "train")]
    #[test]
    fn slopes_of_huge_values_are_their_limits() {
        let x = [1e10, 1e20, 1e30, f32::INFINITY, -1e10, -1e20, -1e30, f32::NEG_INFINITY];
        for with_slopes in [approximate_with_slopes, exact_with_slopes] {
            let (mut y, mut slopes) = ([0.0; 8], [0.0; 8]);
            with_slopes(&x, &mut y, &mut slopes);
            assert_eq!(slopes, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
            assert_eq!(y[..3], x[..3]);
            assert_eq!(y[4..7], [0.0; 3]);
        }
    }

    pytorch_test! {
        agrees_with_pytorch: GELU, gelu::GELU { approximate: gelu::Approximate::None },
        outputs: [
            0.0, -0.000814201777, -0.00404969409, -0.158655254, -0.154268769, -0.000499601058,
            0.0, 0.149676581, 0.841344746, 2.48447584, 2.99595031, 9.0,
        ],
        slopes: [
            -1.10418967e-86, -0.00282176035, -0.0119456472, -0.0833154706, 0.132504875,
            0.499202116, 0.5, 0.695373355, 1.08331547, 1.03761109, 1.01194565, 1.0,
        ],
    }

    pytorch_test! {
        agrees_with_pytorch_approximately: GELU, gelu::GELU { approximate: gelu::Approximate::Tanh },
        outputs: [
            0.0, -0.000616197655, -0.00363739208, -0.158808009, -0.15428599, -0.000499601058,
            0.0, 0.149675351, 0.841191991, 2.48491573, 2.99636261, 9.0,
        ],
        slopes: [
            0.0, -0.00242264376, -0.0115841666, -0.0829640838, 0.132630096, 0.499202116, 0.5,
            0.695354095, 1.08296408, 1.03795158, 1.01158417, 1.0,
        ],
    }
}
