//! `AdaptiveMaxPool2d`: PyTorch's `nn.AdaptiveMaxPool2d`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Over, adaptive_pool};
use crate::shape::Shape;

arguments! {
    /// The maximum under windows of nearly equal size that cover the input, as many as the output has
    /// pixels.
    pub struct AdaptiveMaxPool2d {
        /// Height and width of the output.
        size: Pair,
    }
}

impl AdaptiveMaxPool2d {
    /// `[H, W, C] -> [size, size, C]`. Window `i` begins at `i*H/size`, rounded down, and ends at
    /// `(i + 1)*H/size`, rounded up.
    ///
    /// # Errors
    /// When the input has another rank, or `size` is 0 or larger than the input.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        adaptive_pool(Over::Images, &self.size, inputs[0])
    }
}

/// The row of `AdaptiveMaxPool2d`.
pub static ROW: Row = Row {
    name: "AdaptiveMaxPool2d",
    stem: "adaptive_max_pool2d",
    summary: "maximum pooling to any height and width",
    parameters: AdaptiveMaxPool2d::PARAMETERS,
    positional: 1,
    rule: |inputs, values| AdaptiveMaxPool2d::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    channels: Channels::First,
    features: Features::Same,
    role: Role::Pool,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn has_the_size() {
        const LAYER: AdaptiveMaxPool2d = AdaptiveMaxPool2d { size: [3, 2] };
        const OUTPUT: Shape =
            crate::error::expect(LAYER.output(&[Shape::new(&[7, 7, 4])]), "AdaptiveMaxPool2d", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 2, 4]));
    }

    #[test]
    fn refuses_a_larger_output_and_none() {
        let (blame, words) =
            refusal(AdaptiveMaxPool2d { size: [3, 8] }.output(&[Shape::new(&[7, 7, 4])]));
        assert_eq!(blame, Blame::Argument("size"));
        assert_eq!(
            words,
            "layer `it` gives 3x8x4, which is larger than its input 7x7x4\n  \
             = help: pool to at most 7x7"
        );
        let (blame, _) =
            refusal(AdaptiveMaxPool2d { size: [3, 0] }.output(&[Shape::new(&[7, 7, 4])]));
        assert_eq!(blame, Blame::Argument("size"));
    }
}
