//! `Transpose`: PyTorch's `x.transpose(first, second)`, without the batch.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Flow, Flows, Row, Steps};
use crate::rules::helpers::{attempt, axis, with_axis};
use crate::shape::Shape;

arguments! {
    /// The same elements with two axes exchanged. `torch.permute` is one or more of them.
    pub struct Transpose {
        /// An axis, counted from 0, without the batch.
        first: Number = 0,
        /// The axis that it is exchanged with.
        second: Number = 1,
    }
}

impl Transpose {
    /// `[.., A, .., B, ..] -> [.., B, .., A, ..]`
    ///
    /// # Errors
    /// When the input has no such axes.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        let first = attempt!(axis("first", self.first, input));
        let second = attempt!(axis("second", self.second, input));
        let output = with_axis(input, first, input.dim(second));
        Ok(with_axis(output, second, input.dim(first)))
    }
}

/// The row of `Transpose`.
pub static ROW: Row = Row {
    name: "Transpose",
    stem: "transpose",
    summary: "two axes exchanged",
    parameters: Transpose::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Transpose::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Compute, keeps_rank: true },
    steps: Steps::All,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[7, 5, 3]);

    #[test]
    fn exchanges_sizes() {
        const OUTPUT: Shape = crate::error::expect(
            Transpose { first: 0, second: 2 }.output(&[INPUT]),
            "Transpose",
            "",
        );
        assert_eq!(OUTPUT, Shape::new(&[3, 5, 7]));
        assert_eq!(Transpose { first: 1, second: 1 }.output(&[INPUT]).unwrap(), INPUT);
    }

    #[test]
    fn refuses_an_axis_that_is_not_there() {
        let layer = Transpose { first: 0, second: 1 };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[5])]));
        assert_eq!(blame, Blame::Argument("second"));
        assert_eq!(
            words,
            "layer `it` has `second = 1`, but its input 5 has axis 0 only\n  \
             = help: axes are counted from 0, without the batch"
        );
    }
}
