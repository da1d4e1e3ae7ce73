//! `Softmax`: PyTorch's `nn.Softmax(dim=-1)`, or over another axis.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Features, Needs, Row, Steps, Streaming};
use crate::rules::helpers::{attempt, axis};
use crate::shape::Shape;

arguments! {
    /// `exp(x) / sum(exp(x))` over one axis.
    pub struct Softmax {
        /// The axis, counted from 0, without the batch.
        axis: Number or "last",
    }
}

impl Softmax {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When the input has no such axis.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(axis("axis", self.axis(inputs[0]), inputs[0]));
        Ok(inputs[0])
    }

    /// The axis.
    #[must_use]
    pub const fn axis(&self, input: Shape) -> usize {
        match self.axis {
            Some(axis) => axis,
            None => input.rank() - 1,
        }
    }
}

/// The row of `Softmax`.
pub static ROW: Row = Row {
    name: "Softmax",
    stem: "softmax",
    summary: "exp(x) / sum(exp(x)) over one axis",
    parameters: Softmax::PARAMETERS,
    rule: |inputs, values| Softmax::from_values(values).output(inputs),
    needs: Needs::OUTPUT,
    // Over the steps, those after the end are left out.
    steps: Steps::Valid,
    streaming: Streaming::CarriesIf(|values| Softmax::from_values(values).axis.is_none()),
    features: Features::Same,
    role: Role::Softmax,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape =
            crate::error::expect(Softmax { axis: None }.output(&[INPUT]), "Softmax", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(Softmax { axis: Some(0) }.output(&[INPUT]).unwrap(), INPUT);
    }

    #[test]
    fn refuses_an_axis_that_is_not_there() {
        let (blame, words) = refusal(Softmax { axis: Some(2) }.output(&[Shape::new(&[7, 5])]));
        assert_eq!(blame, Blame::Argument("axis"));
        assert_eq!(
            words,
            "layer `it` has `axis = 2`, but its input 7x5 has the axes 0 to 1 only\n  \
             = help: axes are counted from 0, without the batch"
        );
    }
}
