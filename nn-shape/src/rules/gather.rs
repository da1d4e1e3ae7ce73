//! `Gather`: PyTorch's `torch.index_select` along the steps of each sample, with indices of its own.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Flow, Flows, Inputs, Row, Steps, Streaming};
use crate::rules::helpers::{attempt, with_axis};
use crate::rules::recurrent::sequence;
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// Steps of a sequence in the order of indices: step `t` of the output is step `index[t]` of the input. An index may
    /// come several times. One of no step is an error when the network is called, as is an unknown token of an `Embedding`.
    pub struct Gather {
        /// An input of the network that holds the indices of steps, which count from 0.
        index: Input,
    }
}

impl Gather {
    /// `[T, C], [K] -> [K, C]`
    ///
    /// # Errors
    /// When the input is no sequence, or the indices have more than one axis.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(sequence(inputs[0]));
        let index = inputs[self.index];
        if index.rank() == 1 {
            return at_most(with_axis(inputs[0], 0, index.last()), "gives ");
        }
        let message = Text::of("takes indices along one axis, but its index is ").shape(index);
        let help = match index.checked_len() {
            Some(len) => Text::of("declare it as `").number(len).text("` in the header"),
            None => Text::new(),
        };
        Err(ShapeError::argument("index", message).help(help))
    }
}

/// The row of `Gather`.
pub static ROW: Row = Row {
    name: "Gather",
    stem: "gather",
    summary: "steps of a sequence in the order of indices, a second input",
    parameters: Gather::PARAMETERS,
    positional: 1,
    inputs: Inputs::OneAndIndices,
    rule: |inputs, values| Gather::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    streaming: Streaming::Whole,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const LAYER: Gather = Gather { index: 1 };

    #[test]
    fn has_a_step_for_each_index() {
        const INPUTS: [Shape; 2] = [Shape::new(&[20, 8]), Shape::new(&[3])];
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&INPUTS), "Gather", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 8]));
    }

    #[test]
    fn refuses_images_and_rows_of_indices() {
        let (blame, _) = refusal(LAYER.output(&[Shape::new(&[4, 4, 8]), Shape::new(&[3])]));
        assert_eq!(blame, Blame::Layer);
        let (blame, words) = refusal(LAYER.output(&[Shape::new(&[20, 8]), Shape::new(&[3, 2])]));
        assert_eq!(blame, Blame::Argument("index"));
        assert_eq!(
            words,
            "layer `it` takes indices along one axis, but its index is 3x2\n  \
             = help: declare it as `6` in the header"
        );
    }
}
