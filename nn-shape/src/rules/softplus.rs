//! `Softplus`: PyTorch's `nn.Softplus`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// `ln(1 + exp(beta * x)) / beta`, element by element; `x` itself where `beta * x > threshold`.
    pub struct Softplus {
        /// How sharp the bend at 0 is.
        beta: Real = 1.0,
        /// The value of `beta * x` above which the output is `x`.
        threshold: Real = 20.0,
    }
}

impl Softplus {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `beta` is not above 0, or one of them is not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.beta > 0.0 && self.beta.is_finite();
        attempt!(real("beta", self.beta, allowed, "a finite number above 0"));
        attempt!(real("threshold", self.threshold, self.threshold.is_finite(), "a finite number"));
        Ok(inputs[0])
    }
}

/// The row of `Softplus`.
pub static ROW: Row = Row {
    name: "Softplus",
    stem: "softplus",
    summary: "ln(1 + exp(beta * x)) / beta",
    parameters: Softplus::PARAMETERS,
    rule: |inputs, values| Softplus::from_values(values).output(inputs),
    needs: Needs::INPUT,
    role: Role::Activation(Activation::Smooth),
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
        const OUTPUT: Shape = crate::error::expect(
            Softplus { beta: 1.0, threshold: 20.0 }.output(&[INPUT]),
            "Softplus",
            "",
        );
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_beta_of_0() {
        let (blame, words) =
            refusal(Softplus { beta: 0.0, threshold: 20.0 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("beta"));
        assert_eq!(words, "layer `it` has `beta = 0`, but needs a finite number above 0");
    }

    #[test]
    fn refuses_a_threshold_that_is_no_number() {
        let (blame, words) =
            refusal(Softplus { beta: 1.0, threshold: f64::NAN }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("threshold"));
        assert_eq!(words, "layer `it` has `threshold = NaN`, but needs a finite number");
    }
}
