//! `SiLU`: PyTorch's `nn.SiLU`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `x * sigmoid(x)`, element by element.
    pub struct SiLU {}
}

impl SiLU {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(SiLU: params, buffers, macs, how);

/// The row of `SiLU`.
pub static ROW: Row = row!(SiLU {
    stem: "silu",
    summary: "x * sigmoid(x)",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::Separate,
    needs: Needs { input: true, output: false },
    crosses_batch: false,
    keeps_features: true,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::expect(SiLU {}.output(&[INPUT]), "SiLU", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
