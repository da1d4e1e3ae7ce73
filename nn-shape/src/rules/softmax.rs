//! `Softmax`: PyTorch's `nn.Softmax(dim=-1)`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `exp(x) / sum(exp(x))` over the last axis.
    pub struct Softmax {}
}

impl Softmax {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(Softmax: params, buffers, macs, how);

/// The row of `Softmax`.
pub static ROW: Row = row!(Softmax {
    stem: "softmax",
    summary: "exp(x) / sum(exp(x)) over the last axis",
    positional: 0,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::Separate,
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
        const OUTPUT: Shape = crate::expect(Softmax {}.output(&[INPUT]), "Softmax", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
