//! [`AvgPool2d`]: PyTorch's `nn.AvgPool2d`, channels last.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::avg_pool2d;

/// The average under a window: `[H, W, C] -> [H', W', C]`. `count_include_pad`: whether
/// the zeros of the padding count.
#[derive(Clone, Debug, PartialEq)]
pub struct AvgPool2d;

average_node!(
    AvgPool2d,
    avg_pool2d::AvgPool2d,
    S => Pool::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT),
    S::ARGUMENTS.count_include_pad
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Infer, Node};
    use crate::layers::testing::{Trial, spec};
    use crate::memory::InferCtx;
    use unrolled_shape::Padding;

    spec!(By2: avg_pool2d::AvgPool2d {
        kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), count_include_pad: true, ceil_mode: false,
    },
        [&[5, 7, 3]] -> &[2, 3, 3]);
    spec!(WithPadding: avg_pool2d::AvgPool2d {
        kernel: [3, 2], stride: Some([1, 2]), padding: Padding::Explicit([1; 2]), count_include_pad: true, ceil_mode: false,
    },
        [&[4, 5, 21]] -> &[4, 3, 21]);
    spec!(WithoutPadding: avg_pool2d::AvgPool2d {
        kernel: [3, 2], stride: Some([1, 2]), padding: Padding::Explicit([1; 2]), count_include_pad: false, ceil_mode: false,
    },
        [&[4, 5, 6]] -> &[4, 3, 6]);
    spec!(Image: avg_pool2d::AvgPool2d {
        kernel: [3; 2], stride: Some([2; 2]), padding: Padding::Explicit([1; 2]), count_include_pad: false, ceil_mode: false,
    },
        [&[3, 3, 1]] -> &[2, 2, 1]);
    spec!(ImageWithPadding: avg_pool2d::AvgPool2d {
        kernel: [3; 2], stride: Some([2; 2]), padding: Padding::Explicit([1; 2]), count_include_pad: true, ceil_mode: false,
    },
        [&[3, 3, 1]] -> &[2, 2, 1]);

    spec!(RoundedUp: avg_pool2d::AvgPool2d {
        kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), count_include_pad: true, ceil_mode: true,
    },
        [&[3, 3, 1]] -> &[2, 2, 1]);
    spec!(RoundedUpWithPadding: avg_pool2d::AvgPool2d {
        kernel: [3; 2], stride: Some([2; 2]), padding: Padding::Explicit([1; 2]), count_include_pad: true, ceil_mode: true,
    },
        [&[4, 6, 2]] -> &[3, 4, 2]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<RoundedUpWithPadding, AvgPool2d>::random().check_gradients();
        Trial::<By2, AvgPool2d>::random().check_gradients();
        Trial::<WithPadding, AvgPool2d>::random().check_gradients();
        Trial::<WithoutPadding, AvgPool2d>::random().check_gradients();
    }

    #[test]
    fn zeros_of_ceil_mode_do_not_count() {
        let x: Vec<f32> = (1_u8..=9).map(f32::from).collect();
        let x = [&x[..]];
        let mut y = [0.0; 4];
        // 1 2 4 5, 3 6, 7 8, and 9 alone: nn.AvgPool2d(2, ceil_mode=True).
        Node::<RoundedUp>::infer(&AvgPool2d, call(&x, &mut y));
        assert_eq!(y, [3.0, 4.5, 7.5, 9.0]);
    }

    #[test]
    fn inference_equals_training() {
        Trial::<By2, AvgPool2d>::random().check_inference();
        Trial::<WithPadding, AvgPool2d>::random().check_inference();
        Trial::<WithoutPadding, AvgPool2d>::random().check_inference();
    }

    fn call<'a>(x: &'a [&'a [f32]], y: &'a mut [f32]) -> Infer<'a> {
        Infer { n: 1, x, y, ctx: InferCtx::new(&mut [], &mut []) }
    }

    #[test]
    fn averages_with_and_without_padding() {
        let x: Vec<f32> = (1_u8..=9).map(f32::from).collect();
        let x = [&x[..]];
        let mut y = [0.0; 4];
        // The corners: 1 2 4 5, 2 3 5 6, 4 5 7 8, 5 6 8 9.
        Node::<Image>::infer(&AvgPool2d, call(&x, &mut y));
        assert_eq!(y, [3.0, 4.0, 6.0, 7.0]);
        Node::<ImageWithPadding>::infer(&AvgPool2d, call(&x, &mut y));
        assert_eq!(y, [12.0 / 9.0, 16.0 / 9.0, 24.0 / 9.0, 28.0 / 9.0]);
    }

    #[test]
    fn pixels_after_the_last_window_are_ignored() {
        let mut trial = Trial::<By2, AvgPool2d>::random();
        for pixel in trial.x[0].chunks_exact_mut(5 * 7 * 3) {
            pixel[4 * 7 * 3..].fill(f32::NAN);
        }
        assert!(trial.train().y.iter().all(|y| y.is_finite()));
    }
}
