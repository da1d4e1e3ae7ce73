//! [`GlobalAvgPool`]: PyTorch's `nn.AdaptiveAvgPool2d(1)` followed by `flatten`.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::global_avg_pool;

/// The average of each channel over all other axes: `[.., C] -> [C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct GlobalAvgPool;

average_node!(
    GlobalAvgPool,
    global_avg_pool::GlobalAvgPool,
    S => Pool::global(S::INPUT),
    // There is no padding.
    true
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Image: global_avg_pool::GlobalAvgPool {}, [&[3, 4, 21]] -> &[21]);
    spec!(Steps: global_avg_pool::GlobalAvgPool {}, [&[4, 2]] -> &[2]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Image, GlobalAvgPool>::random().check_gradients();
        Trial::<Steps, GlobalAvgPool>::random().check_gradients();
    }

    #[test]
    fn averages_each_channel() {
        let mut trial = Trial::<Steps, GlobalAvgPool>::random();
        trial.x[0][..8].copy_from_slice(&[1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 6.0, -10.0]);
        assert_eq!(trial.infer()[..2], [3.0, -4.0]);
        trial.check_inference();
    }
}
