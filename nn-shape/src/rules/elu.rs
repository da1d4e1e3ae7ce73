//! `ELU`: PyTorch's `nn.ELU`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{attempt, real, row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `x` above 0, `alpha * (exp(x) - 1)` below, element by element.
    pub struct ELU {
        /// What the output approaches far below 0, negated; at least 0, so that the output's sign
        /// tells the input's.
        alpha: Real = 1.0,
    }
}

impl ELU {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `alpha` is negative or not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.alpha >= 0.0 && self.alpha.is_finite();
        attempt!(real("alpha", self.alpha, allowed, "a finite number of at least 0"));
        Ok(inputs[0])
    }
}

without!(ELU: params, buffers, macs, how);

/// The row of `ELU`.
pub static ROW: Row = row!(ELU {
    stem: "elu",
    summary: "x above 0, alpha * (exp(x) - 1) below",
    positional: 1,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::InPlace,
    needs: Needs { input: false, output: true },
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
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::expect(ELU { alpha: 1.0 }.output(&[INPUT]), "ELU", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_negative_alpha() {
        let (blame, words) = refusal(ELU { alpha: -1.0 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("alpha"));
        assert_eq!(words, "layer `it` has `alpha = -1`, but needs a finite number of at least 0");
    }
}
