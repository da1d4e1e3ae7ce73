//! `ELU`: PyTorch's `nn.ELU`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// `x` above 0, `alpha * (exp(x) - 1)` below, element by element.
    pub struct ELU {
        /// What the output approaches far below 0, negated; at least 0, so that the output's sign
        /// is the input's.
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

/// The row of `ELU`.
pub static ROW: Row = Row {
    name: "ELU",
    stem: "elu",
    summary: "x above 0, alpha * (exp(x) - 1) below",
    parameters: ELU::PARAMETERS,
    positional: 1,
    rule: |inputs, values| ELU::from_values(values).output(inputs),
    needs: Needs::INPUT,
    role: Role::Activation(Activation::Rectifier),
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::error::expect(ELU { alpha: 1.0 }.output(&[INPUT]), "ELU", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_negative_alpha() {
        let (blame, words) = refusal(ELU { alpha: -1.0 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("alpha"));
        assert_eq!(words, "layer `it` has `alpha = -1`, but needs a finite number of at least 0");
    }
}
