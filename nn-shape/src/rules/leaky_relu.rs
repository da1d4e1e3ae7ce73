//! `LeakyReLU`: PyTorch's `nn.LeakyReLU`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// `x` above 0, `slope * x` below, element by element.
    pub struct LeakyReLU {
        /// The slope below 0; at least 0, so that the output has the sign of the input, which the backward pass reads.
        slope: Real = 0.01,
    }
}

impl LeakyReLU {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `slope` is negative or not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.slope >= 0.0 && self.slope.is_finite();
        attempt!(real("slope", self.slope, allowed, "a finite number of at least 0"));
        Ok(inputs[0])
    }
}

/// The row of `LeakyReLU`.
pub static ROW: Row = Row {
    name: "LeakyReLU",
    stem: "leaky_relu",
    summary: "x above 0, slope * x below",
    parameters: LeakyReLU::PARAMETERS,
    positional: 1,
    rule: |inputs, values| LeakyReLU::from_values(values).output(inputs),
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
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
            crate::error::expect(LeakyReLU { slope: 0.01 }.output(&[INPUT]), "LeakyReLU", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_negative_slope() {
        let (blame, words) = refusal(LeakyReLU { slope: -0.1 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("slope"));
        assert_eq!(words, "layer `it` has `slope = -0.1`, but needs a finite number of at least 0");
    }
}
