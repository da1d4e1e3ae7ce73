//! `GaussianNoise`: Keras's layer of that name.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Row, Storage};
use crate::rules::helpers::{attempt, real};
use crate::shape::Shape;

arguments! {
    /// In training, adds a random number to each element, from the normal distribution with mean 0 and the
    /// standard deviation `std`. The identity at inference.
    pub struct GaussianNoise {
        /// The standard deviation of the noise.
        std: Real,
    }
}

impl GaussianNoise {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// When `std` is negative or not finite.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.std >= 0.0 && self.std.is_finite();
        attempt!(real("std", self.std, allowed, "a finite number of at least 0"));
        Ok(inputs[0])
    }
}

/// The row of `GaussianNoise`.
pub static ROW: Row = Row {
    name: "GaussianNoise",
    stem: "gaussian_noise",
    summary: "adds normally distributed noise, in training",
    parameters: GaussianNoise::PARAMETERS,
    positional: 1,
    rule: |inputs, values| GaussianNoise::from_values(values).output(inputs),
    storage: Storage::InPlace,
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
            crate::error::expect(GaussianNoise { std: 0.1 }.output(&[INPUT]), "GaussianNoise", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(GaussianNoise { std: 0.0 }.output(&[INPUT]).unwrap(), INPUT);
    }

    #[test]
    fn refuses_a_negative_standard_deviation() {
        let (blame, words) = refusal(GaussianNoise { std: -0.5 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("std"));
        assert_eq!(words, "layer `it` has `std = -0.5`, but needs a finite number of at least 0");
    }
}
