//! `GlobalMaxPool`: PyTorch's `nn.AdaptiveMaxPool2d(1)` without the axes of size 1 that it leaves.

use crate::arguments::arguments;
use crate::registry::{Flow, Flows, Inputs, Needs, Row, Steps, Storage};
use crate::rules::helpers::{last_axis, row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// The largest number of each channel.
    pub struct GlobalMaxPool {}
}

impl GlobalMaxPool {
    /// `[.., C] -> [C]`
    ///
    /// # Errors
    /// When the input has the last axis only.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        last_axis(inputs[0])
    }
}

without!(GlobalMaxPool: params, buffers, macs, how);

/// The row of `GlobalMaxPool`.
pub static ROW: Row = row!(GlobalMaxPool {
    stem: "global_max_pool",
    summary: "largest number of each channel",
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
        const OUTPUT: Shape = crate::expect(GlobalMaxPool {}.output(&[INPUT]), "GlobalMaxPool", "");
        assert_eq!(OUTPUT, Shape::new(&[64]));
        assert_eq!(GlobalMaxPool {}.output(&[Shape::new(&[20, 3])]).unwrap(), Shape::new(&[3]));
    }

    #[test]
    fn refuses_a_flat_input() {
        let (blame, words) = refusal(GlobalMaxPool {}.output(&[Shape::new(&[1600])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes height x width x channels, or steps x features, but gets 1600\n  \
             = help: put it before `Flatten`, or in its place"
        );
    }
}
