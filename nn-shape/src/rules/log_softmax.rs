//! `LogSoftmax`: PyTorch's `nn.LogSoftmax(dim=-1)`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{row, without};
use crate::{Shape, ShapeError};

arguments! {
    /// `x - ln(sum(exp(x)))` over the last axis.
    pub struct LogSoftmax {}
}

impl LogSoftmax {
    /// `[..] -> [..]`
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }
}

without!(LogSoftmax: params, buffers, macs, how);

/// The row of `LogSoftmax`.
pub static ROW: Row = row!(LogSoftmax {
    stem: "log_softmax",
    summary: "x - ln(sum(exp(x))) over the last axis",
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
        const OUTPUT: Shape = crate::expect(LogSoftmax {}.output(&[INPUT]), "LogSoftmax", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
