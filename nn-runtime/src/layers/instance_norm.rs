//! [`InstanceNorm`]: PyTorch's `nn.InstanceNorm1d`, `nn.InstanceNorm2d` and `nn.InstanceNorm3d`, channels last.

use super::grouped::grouped_node;
use unrolled_shape::rules::instance_norm;

/// `(x - mean) / sqrt(variance + eps) * weight + bias`, with the mean and the variance of one channel of a sample over
/// all other axes: `[.., C] -> [.., C]` (Ulyanov, Vedaldi and Lempitsky, 2016).
///
/// Steps after the end of a sequence are ignored. There are no running averages: inference equals training, as in
/// PyTorch by default.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct InstanceNorm<const AFFINE: usize> {
    /// One for each channel, or none.
    pub weight: [f32; AFFINE],
    /// One for each channel, or none.
    pub bias: [f32; AFFINE],
}

grouped_node!(InstanceNorm, instance_norm::InstanceNorm, S => S::INPUT.last());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::Groups;
    use crate::layers::testing::{Trial, check_lengths, check_normalisation, spec};

    spec!(Image: instance_norm::InstanceNorm { eps: 1e-3, affine: true }, [&[2, 3, 4]] -> &[2, 3, 4]);
    spec!(Wide: instance_norm::InstanceNorm { eps: 1e-5, affine: false }, [&[4, 19]] -> &[4, 19]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Image, InstanceNorm<4>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Wide, InstanceNorm<0>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Image, InstanceNorm<4>>::random().check_inference();
        Trial::<Wide, InstanceNorm<0>>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        check_normalisation::<Image, InstanceNorm<4>>(
            [4, 4],
            Groups { positions: 6, channels: 4, groups: 4, centred: true, eps: 1e-3 },
        );
        check_normalisation::<Wide, InstanceNorm<0>>(
            [0, 0],
            Groups { positions: 4, channels: 19, groups: 19, centred: true, eps: 1e-5 },
        );
    }

    #[test]
    fn steps_after_the_end_are_ignored() {
        spec!(Short: instance_norm::InstanceNorm { eps: 1e-5, affine: false }, [&[3, 19]] -> &[3, 19]);
        check_lengths::<Wide, Short, InstanceNorm<0>>(3, 0);
    }
}
