//! `Flatten`: PyTorch's `nn.Flatten`, channels last.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Features, Flows, Row, Steps, Storage};
use crate::rules::helpers::attempt;
use crate::shape::Shape;

arguments! {
    /// The same elements along one axis.
    pub struct Flatten {}
}

impl Flatten {
    /// `[A, B, ..] -> [A * B * ..]`
    ///
    /// # Errors
    /// When there are too many elements.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(at_most(inputs[0], "gets "));
        Ok(Shape::new(&[input.len()]))
    }
}

/// The row of `Flatten`.
pub static ROW: Row = Row {
    name: "Flatten",
    stem: "flatten",
    summary: "flattens all axes into one",
    rule: |inputs, values| Flatten::from_values(values).output(inputs),
    flows: Flows::COMPUTE,
    storage: Storage::View,
    steps: Steps::All,
    features: Features::View,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn multiplies_all_axes() {
        const INPUT: Shape = Shape::new(&[5, 5, 64]);
        const OUTPUT: Shape = crate::error::expect(Flatten {}.output(&[INPUT]), "Flatten", "");
        assert_eq!(OUTPUT, Shape::new(&[1600]));
        assert_eq!(Flatten {}.output(&[OUTPUT]).unwrap(), OUTPUT);
    }

    #[test]
    fn refuses_a_count_that_overflows() {
        let (blame, words) = refusal(Flatten {}.output(&[Shape::new(&[usize::MAX, 2])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` gets 18446744073709551615x2, but a value can hold at most 1099511627776 elements"
        );
    }
}
