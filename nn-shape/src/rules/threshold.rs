//! `Threshold`: PyTorch's `nn.Threshold`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// `x` above `threshold`, `value` elsewhere, element by element.
    pub struct Threshold {
        /// The largest input that is replaced.
        threshold: Real,
        /// The output for inputs that are not above `threshold`.
        value: Real,
    }
}

impl Threshold {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When one of them is not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(real("threshold", self.threshold, self.threshold.is_finite(), "a finite number"));
        attempt!(real("value", self.value, self.value.is_finite(), "a finite number"));
        Ok(inputs[0])
    }
}

/// The row of `Threshold`.
pub static ROW: Row = Row {
    name: "Threshold",
    stem: "threshold",
    summary: "x above threshold, value elsewhere",
    parameters: Threshold::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Threshold::from_values(values).output(inputs),
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
            Threshold { threshold: 0.0, value: 1.0 }.output(&[INPUT]),
            "Threshold",
            "",
        );
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_value_that_is_no_number() {
        let (blame, words) =
            refusal(Threshold { threshold: 0.0, value: f64::NAN }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("value"));
        assert_eq!(words, "layer `it` has `value = NaN`, but needs a finite number");
    }
}
