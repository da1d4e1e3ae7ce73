//! `AdaptiveMaxPool3d`: PyTorch's `nn.AdaptiveMaxPool3d`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Over, adaptive_pool};
use crate::shape::Shape;

arguments! {
    /// The maximum under windows of nearly equal size that cover the input, as many as the output has
    /// elements per channel.
    pub struct AdaptiveMaxPool3d {
        /// Depth, height and width of the output.
        size: Triple,
    }
}

impl AdaptiveMaxPool3d {
    /// `[D, H, W, C] -> [size, size, size, C]`. Window `i` begins at `i*D/size`, rounded down, and ends at
    /// `(i + 1)*D/size`, rounded up.
    ///
    /// # Errors
    /// When the input has another rank, or `size` is 0 or larger than the input.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        adaptive_pool(Over::Volumes, &self.size, inputs[0])
    }
}

/// The row of `AdaptiveMaxPool3d`.
pub static ROW: Row = Row {
    name: "AdaptiveMaxPool3d",
    stem: "adaptive_max_pool3d",
    summary: "maximum pooling to any depth, height and width",
    parameters: AdaptiveMaxPool3d::PARAMETERS,
    positional: 1,
    rule: |inputs, values| AdaptiveMaxPool3d::from_values(values).output(inputs),
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
        const LAYER: AdaptiveMaxPool3d = AdaptiveMaxPool3d { size: [3, 2, 1] };
        const OUTPUT: Shape = crate::error::expect(
            LAYER.output(&[Shape::new(&[7, 6, 5, 4])]),
            "AdaptiveMaxPool3d",
            "",
        );
        assert_eq!(OUTPUT, Shape::new(&[3, 2, 1, 4]));
    }

    #[test]
    fn refuses_a_larger_output_and_none() {
        let input = [Shape::new(&[7, 6, 5, 4])];
        let (blame, words) = refusal(AdaptiveMaxPool3d { size: [3, 2, 6] }.output(&input));
        assert_eq!(blame, Blame::Argument("size"));
        assert_eq!(
            words,
            "layer `it` gives 3x2x6x4, which is larger than its input 7x6x5x4\n  \
             = help: pool to at most 7x6x5"
        );
        let (blame, _) = refusal(AdaptiveMaxPool3d { size: [3, 0, 2] }.output(&input));
        assert_eq!(blame, Blame::Argument("size"));
    }
}
