//! `GELU`: PyTorch's `nn.GELU`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `x * P(X <= x)` of a normal `X`, element by element: `x/2 * (1 + erf(x / sqrt(2)))`, or with
    /// `tanh` `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`.
    pub struct GELU {
        /// Which formula.
        approximate: Word("none", "tanh") = "none",
    }
}

impl GELU {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(GELU: params, buffers, macs, how);

/// The row of `GELU`.
pub static ROW: Row = row!(GELU {
    stem: "gelu",
    summary: "x * P(X <= x) of a normal X",
    positional: 0,
    inputs: Inputs::One,
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

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape =
            crate::expect(GELU { approximate: "none" }.output(&[INPUT]), "GELU", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
