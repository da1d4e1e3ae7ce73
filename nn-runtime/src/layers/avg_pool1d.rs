//! [`AvgPool1d`]: PyTorch's `nn.AvgPool1d`, channels last.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::avg_pool1d;

/// The average under a window: `[T, C] -> [T', C]`. `count_include_pad`: whether
/// the zeros of the padding count.
#[derive(Clone, Debug, PartialEq)]
pub struct AvgPool1d;

average_node!(
    AvgPool1d,
    avg_pool1d::AvgPool1d,
    S => Pool::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT),
    S::ARGUMENTS.count_include_pad
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};
    use unrolled_shape::StepPadding;

    spec!(By2: avg_pool1d::AvgPool1d {
        kernel: 2, stride: None, padding: StepPadding::Explicit(0), count_include_pad: true, ceil_mode: false,
    },
        [&[7, 3]] -> &[3, 3]);
    spec!(WithPadding: avg_pool1d::AvgPool1d {
        kernel: 3, stride: Some(2), padding: StepPadding::Explicit(1), count_include_pad: true, ceil_mode: false,
    },
        [&[5, 21]] -> &[3, 21]);
    spec!(WithoutPadding: avg_pool1d::AvgPool1d {
        kernel: 3, stride: Some(2), padding: StepPadding::Explicit(1), count_include_pad: false, ceil_mode: false,
    },
        [&[5, 1]] -> &[3, 1]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<By2, AvgPool1d>::random().check_gradients();
        Trial::<WithPadding, AvgPool1d>::random().check_gradients();
        Trial::<WithoutPadding, AvgPool1d>::random().check_gradients();
    }

    #[test]
    fn averages_with_and_without_padding() {
        let mut trial = Trial::<WithoutPadding, AvgPool1d>::random();
        trial.x[0][..5].copy_from_slice(&[1.0, 3.0, 5.0, 7.0, 9.0]);
        assert_eq!(trial.infer()[..3], [2.0, 5.0, 8.0]);
        trial.check_inference();
        let mut trial = Trial::<WithPadding, AvgPool1d>::random();
        trial.x[0][..5 * 21].fill(3.0);
        let y = trial.infer();
        assert_eq!([y[0], y[21], y[42]], [2.0, 3.0, 2.0]);
        trial.check_inference();
    }
}
