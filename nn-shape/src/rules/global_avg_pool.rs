//! `GlobalAvgPool`: PyTorch's `nn.AdaptiveAvgPool2d(1)` without the axes of size 1 that it leaves.

use crate::arguments::arguments;
use crate::registry::{Flow, Flows, Inputs, Needs, Row, Steps, Storage};
use crate::rules::helpers::{last_axis, row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// The average of each channel.
    pub struct GlobalAvgPool {}
}

impl GlobalAvgPool {
    /// `[.., C] -> [C]`
    ///
    /// # Errors
    /// When the input has the last axis only.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        last_axis(inputs[0])
    }
}

without!(GlobalAvgPool: params, buffers, macs, how);

/// The row of `GlobalAvgPool`.
pub static ROW: Row = row!(GlobalAvgPool {
    stem: "global_avg_pool",
    summary: "average of each channel",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: false },
    storage: Storage::Separate,
    needs: Needs { input: false, output: false },
    crosses_batch: false,
    keeps_features: false,
})
.with_steps(Steps::Valid);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn leaves_the_channels() {
        const INPUT: Shape = Shape::new(&[8, 8, 64]);
        const OUTPUT: Shape = crate::expect(GlobalAvgPool {}.output(&[INPUT]), "GlobalAvgPool", "");
        assert_eq!(OUTPUT, Shape::new(&[64]));
        assert_eq!(GlobalAvgPool {}.output(&[Shape::new(&[20, 3])]).unwrap(), Shape::new(&[3]));
    }

    #[test]
    fn refuses_a_flat_input() {
        let (blame, words) = refusal(GlobalAvgPool {}.output(&[Shape::new(&[1600])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes height x width x channels, or steps x features, but gets 1600\n  \
             = help: put it before `Flatten`, or in its place"
        );
    }
}
