//! `ReLU`: PyTorch's `nn.ReLU`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Fusion, Shape, ShapeError};

arguments! {
    /// `max(x, 0)`, element by element.
    pub struct ReLU {}
}

impl ReLU {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(ReLU: params, buffers, macs, how);

/// The row of `ReLU`.
pub static ROW: Row = row!(ReLU {
    stem: "relu",
    summary: "max(x, 0)",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::InPlace,
    needs: Needs { input: false, output: true },
    crosses_batch: false,
    keeps_features: true,
})
.with_fusion(Fusion::Monotone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::expect(ReLU {}.output(&[INPUT]), "ReLU", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
