//! `AdaptiveMaxPool1d`: PyTorch's `nn.AdaptiveMaxPool1d`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::window::{Over, adaptive_pool};
use crate::shape::Shape;

arguments! {
    /// The maximum under windows of nearly equal size that cover the input, as many as the output has
    /// steps.
    pub struct AdaptiveMaxPool1d {
        /// The number of steps of the output.
        size: Number,
    }
}

impl AdaptiveMaxPool1d {
    /// `[T, C] -> [size, C]`. Window `i` begins at `i*T/size`, rounded down, and ends at
    /// `(i + 1)*T/size`, rounded up.
    ///
    /// # Errors
    /// When the input has another rank, or `size` is 0 or larger than the input.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        adaptive_pool(Over::Steps, &[self.size], inputs[0])
    }
}

/// The row of `AdaptiveMaxPool1d`.
pub static ROW: Row = Row {
    name: "AdaptiveMaxPool1d",
    stem: "adaptive_max_pool1d",
    summary: "maximum pooling to any number of steps",
    parameters: AdaptiveMaxPool1d::PARAMETERS,
    positional: 1,
    rule: |inputs, values| AdaptiveMaxPool1d::from_values(values).output(inputs),
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
        const LAYER: AdaptiveMaxPool1d = AdaptiveMaxPool1d { size: 3 };
        const OUTPUT: Shape =
            crate::error::expect(LAYER.output(&[Shape::new(&[7, 4])]), "AdaptiveMaxPool1d", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 4]));
    }

    #[test]
    fn refuses_a_larger_output_and_none() {
        let (blame, words) = refusal(AdaptiveMaxPool1d { size: 8 }.output(&[Shape::new(&[7, 4])]));
        assert_eq!(blame, Blame::Argument("size"));
        assert_eq!(
            words,
            "layer `it` gives 8x4, which is larger than its input 7x4\n  \
             = help: pool to at most 7"
        );
        let (blame, _) = refusal(AdaptiveMaxPool1d { size: 0 }.output(&[Shape::new(&[7, 4])]));
        assert_eq!(blame, Blame::Argument("size"));
    }
}
