//! `Reshape`: PyTorch's `torch.reshape`, on channels-last values.

use crate::arguments::arguments;
use crate::checks::{at_most, sound};
use crate::error::{Blame, ShapeError};
use crate::row::{Features, Flows, Row, Steps, Storage};
use crate::rules::helpers::attempt;
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// The same elements, in the same order, along other axes.
    pub struct Reshape {
        /// The sizes of the axes.
        shape: Shape,
    }
}

impl Reshape {
    /// `[..] -> shape`
    ///
    /// # Errors
    /// When `shape` has another number of elements than the input, or none.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(at_most(inputs[0], "gets "));
        attempt!(match sound(self.shape, "gives ") {
            Err(error) => Err(ShapeError { blame: Blame::Argument("shape"), ..error }),
            agreed => agreed,
        });
        if self.shape.len() == input.len() { Ok(self.shape) } else { Err(self.other_count(input)) }
    }

    const fn other_count(&self, input: Shape) -> ShapeError {
        let message = Text::of("gives ").shape_and_len(self.shape).text(" values, but gets ");
        let message = message.shape_and_len(input);
        let error = ShapeError::argument("shape", message);
        let help = Text::of("write axes whose product is ").number(input.len());
        // Suggests another last axis, if one makes the product right.
        let leading = self.shape.with_last(1).len();
        if !input.len().is_multiple_of(leading) {
            return error.help(help);
        }
        let fitting = self.shape.with_last(input.len() / leading);
        error.help(help.text(", such as `").shape(fitting).text("`"))
    }
}

/// The row of `Reshape`.
pub static ROW: Row = Row {
    name: "Reshape",
    stem: "reshape",
    summary: "the same elements with another shape",
    parameters: Reshape::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Reshape::from_values(values).output(inputs),
    flows: Flows::COMPUTE,
    storage: Storage::View,
    steps: Steps::All,
    features: Features::View,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::testing::refusal;

    const fn to(axes: &[usize]) -> Reshape {
        Reshape { shape: Shape::new(axes) }
    }

    #[test]
    fn gives_the_shape() {
        const INPUT: Shape = Shape::new(&[784]);
        const OUTPUT: Shape =
            crate::error::expect(to(&[28, 28, 1]).output(&[INPUT]), "Reshape", "");
        assert_eq!(OUTPUT, Shape::new(&[28, 28, 1]));
    }

    #[test]
    fn refuses_another_count() {
        let input = Shape::new(&[12, 12, 1]);
        let (blame, words) = refusal(to(&[4, 4, 8]).output(&[input]));
        assert_eq!(blame, Blame::Argument("shape"));
        assert_eq!(
            words,
            "layer `it` gives 4x4x8 = 128 values, but gets 12x12x1 = 144\n  \
             = help: write axes whose product is 144, such as `4x4x9`"
        );
        let (_, words) = refusal(to(&[5, 30]).output(&[input]));
        assert_eq!(
            words,
            "layer `it` gives 5x30 = 150 values, but gets 12x12x1 = 144\n  \
             = help: write axes whose product is 144"
        );
    }

    #[test]
    fn refuses_shapes_without_numbers() {
        let (_, words) = refusal(to(&[4, 0, 8]).output(&[Shape::new(&[10])]));
        assert_eq!(words, "layer `it` gives 4x0x8, but every axis needs at least 1");
        let (_, words) = refusal(to(&[]).output(&[Shape::new(&[10])]));
        assert_eq!(words, "layer `it` gives a shape without axes, but needs at least one axis");
    }

    #[test]
    fn refuses_a_count_that_overflows() {
        let (_, words) = refusal(to(&[usize::MAX, 2]).output(&[Shape::new(&[10])]));
        assert_eq!(
            words,
            "layer `it` gives 18446744073709551615x2, but a value can hold at most 1099511627776 elements"
        );
    }
}
