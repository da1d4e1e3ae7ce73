//! `GlobalAvgPool`: PyTorch's `nn.AdaptiveAvgPool2d(1)` without the axes of size 1 that it leaves.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::helpers::last_axis;
use crate::shape::Shape;

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

/// The row of `GlobalAvgPool`.
pub static ROW: Row = Row {
    name: "GlobalAvgPool",
    stem: "global_avg_pool",
    summary: "average of each channel over all other axes",
    rule: |inputs, values| GlobalAvgPool::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: false },
    steps: Steps::Valid,
    channels: Channels::First,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn leaves_the_channels() {
        const INPUT: Shape = Shape::new(&[8, 8, 64]);
        const OUTPUT: Shape =
            crate::error::expect(GlobalAvgPool {}.output(&[INPUT]), "GlobalAvgPool", "");
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
             = help: put it before `Flatten`, or replace `Flatten` by it"
        );
    }
}
