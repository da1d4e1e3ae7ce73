//! `Sigmoid`: PyTorch's `nn.Sigmoid`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `1 / (1 + exp(-x))`, element by element.
    pub struct Sigmoid {}
}

impl Sigmoid {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(Sigmoid: params, buffers, macs, how);

/// The row of `Sigmoid`.
pub static ROW: Row = row!(Sigmoid {
    stem: "sigmoid",
    summary: "1 / (1 + exp(-x))",
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
        const OUTPUT: Shape = crate::expect(Sigmoid {}.output(&[INPUT]), "Sigmoid", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
