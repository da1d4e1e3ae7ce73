//! `Tanh`: PyTorch's `nn.Tanh`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `tanh(x)`, element by element.
    pub struct Tanh {}
}

impl Tanh {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(Tanh: params, buffers, macs, how);

/// The row of `Tanh`.
pub static ROW: Row = row!(Tanh {
    stem: "tanh",
    summary: "tanh(x)",
    positional: 0,
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

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::expect(Tanh {}.output(&[INPUT]), "Tanh", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
