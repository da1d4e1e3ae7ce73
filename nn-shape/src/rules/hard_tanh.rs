//! `HardTanh`: PyTorch's `nn.Hardtanh`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::fusion::Fusion;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// `x` between `min` and `max`, and the nearer of them elsewhere, element by element.
    pub struct HardTanh {
        /// The smallest output.
        min: Real = -1.0,
        /// The largest output, above `min`.
        max: Real = 1.0,
    }
}

impl HardTanh {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `max` is not above `min`, or one of them is not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(real("min", self.min, self.min.is_finite(), "a finite number"));
        let allowed = self.max > self.min && self.max.is_finite();
        attempt!(real("max", self.max, allowed, "a finite number above `min`"));
        Ok(inputs[0])
    }
}

/// The row of `HardTanh`.
pub static ROW: Row = Row {
    name: "HardTanh",
    stem: "hard_tanh",
    summary: "min(max(x, min), max)",
    parameters: HardTanh::PARAMETERS,
    positional: 2,
    rule: |inputs, values| HardTanh::from_values(values).output(inputs),
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
    fusion: Fusion::Bounds,
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
        const OUTPUT: Shape =
            crate::error::expect(HardTanh { min: -1.0, max: 1.0 }.output(&[INPUT]), "HardTanh", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_max_that_is_not_above_min() {
        let (blame, words) = refusal(HardTanh { min: 1.0, max: 1.0 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("max"));
        assert_eq!(words, "layer `it` has `max = 1`, but needs a finite number above `min`");
    }
}
