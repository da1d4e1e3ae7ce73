//! `Flatten`: PyTorch's `nn.Flatten`, channels last.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{attempt, row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// The same numbers along one axis.
    pub struct Flatten {}
}

impl Flatten {
    /// `[A, B, ..] -> [A * B * ..]`
    ///
    /// # Errors
    /// When the count of numbers is absurd.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(at_most(inputs[0], "gets "));
        Ok(Shape::new(&[input.len()]))
    }
}

without!(Flatten: params, buffers, macs, how);

/// The row of `Flatten`.
pub static ROW: Row = row!(Flatten {
    stem: "flatten",
    summary: "the same numbers along one axis",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::COMPUTE,
    storage: Storage::View,
    needs: Needs { input: false, output: false },
    crosses_batch: false,
    keeps_features: false,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn multiplies_all_axes() {
        const INPUT: Shape = Shape::new(&[5, 5, 64]);
        const OUTPUT: Shape = crate::expect(Flatten {}.output(&[INPUT]), "Flatten", "");
        assert_eq!(OUTPUT, Shape::new(&[1600]));
        assert_eq!(Flatten {}.output(&[OUTPUT]).unwrap(), OUTPUT);
    }

    #[test]
    fn refuses_a_count_that_overflows() {
        let (blame, words) = refusal(Flatten {}.output(&[Shape::new(&[usize::MAX, 2])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` gets 18446744073709551615x2, but a value can hold at most 1099511627776 numbers"
        );
    }
}
