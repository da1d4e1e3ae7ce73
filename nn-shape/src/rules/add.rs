//! `Add`: PyTorch's `a + b`, for two or more branches.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{attempt, branches, row, unlike_first, without};
use crate::{Shape, ShapeError, Text};

arguments! {
    /// The sum of all branches, element by element.
    pub struct Add {}
}

impl Add {
    /// `[..], [..], .. -> [..]`
    ///
    /// # Errors
    /// When the branches differ in shape.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(branches("adds", inputs));
        let mut nth = 1;
        while nth < inputs.len() {
            if !inputs[nth].same(&inputs[0]) {
                let help = Text::of("let each branch give ").shape(inputs[0]);
                return Err(unlike_first("adds branches of one shape", inputs, nth).help(help));
            }
            nth += 1;
        }
        Ok(inputs[0])
    }
}

without!(Add: params, buffers, macs, how);

/// The row of `Add`.
pub static ROW: Row = row!(Add {
    stem: "add",
    summary: "sum of all branches",
    positional: 0,
    inputs: Inputs::Branches,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::Separate,
    needs: Needs { input: false, output: false },
    crosses_batch: false,
    keeps_features: true,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape() {
        const BRANCH: Shape = Shape::new(&[13, 13, 32]);
        const OUTPUT: Shape = crate::expect(Add {}.output(&[BRANCH; 3]), "Add", "");
        assert_eq!(OUTPUT, BRANCH);
    }

    #[test]
    fn refuses_other_shapes() {
        let inputs = [[13, 13, 32], [13, 13, 32], [11, 11, 32]].map(|axes| Shape::new(&axes));
        let (blame, words) = refusal(Add {}.output(&inputs));
        assert_eq!(blame, Blame::Branch(2));
        assert_eq!(
            words,
            "layer `it` adds branches of one shape, but branch 1 gives 13x13x32 and branch 3 gives 11x11x32\n  \
             = help: let each branch give 13x13x32"
        );
    }

    #[test]
    fn refuses_one_branch() {
        let (blame, words) = refusal(Add {}.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` adds two or more branches, but gets 1");
    }
}
