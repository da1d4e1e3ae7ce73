//! `LeakyReLU`: PyTorch's `nn.LeakyReLU`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{attempt, real, row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `x` above 0, `slope * x` below, element by element.
    pub struct LeakyReLU {
        /// The slope below 0; at least 0, so that the output's sign tells the input's.
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

without!(LeakyReLU: params, buffers, macs, how);

/// The row of `LeakyReLU`.
pub static ROW: Row = row!(LeakyReLU {
    stem: "leaky_relu",
    summary: "x above 0, slope * x below",
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
        const OUTPUT: Shape =
            crate::expect(LeakyReLU { slope: 0.01 }.output(&[INPUT]), "LeakyReLU", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_a_negative_slope() {
        let (blame, words) = refusal(LeakyReLU { slope: -0.1 }.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("slope"));
        assert_eq!(words, "layer `it` has `slope = -0.1`, but needs a finite number of at least 0");
    }
}
