//! `CELU`: PyTorch's `nn.CELU`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// `x` above 0, `alpha * (exp(x / alpha) - 1)` below, element by element (Barron, 2017).
    pub struct CELU {
        /// What the output approaches far below 0, negated; above 0.
        alpha: Real = 1.0,
    }
}

impl CELU {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `alpha` is not above 0, or not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.alpha > 0.0 && self.alpha.is_finite();
        attempt!(real("alpha", self.alpha, allowed, "a finite number above 0"));
        Ok(inputs[0])
    }
}

/// The row of `CELU`.
pub static ROW: Row = Row {
    name: "CELU",
    stem: "celu",
    summary: "x above 0, alpha * (exp(x / alpha) - 1) below",
    parameters: CELU::PARAMETERS,
    positional: 1,
    rule: |inputs, values| CELU::from_values(values).output(inputs),
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
        const OUTPUT: Shape =
            crate::error::expect(CELU { alpha: 1.0 }.output(&[INPUT]), "CELU", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_an_alpha_of_0() {
        let (blame, words) = refusal(CELU { alpha: 0.0 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("alpha"));
        assert_eq!(words, "layer `it` has `alpha = 0`, but needs a finite number above 0");
    }
}
