//! `ReLU`: PyTorch's `nn.ReLU`.

use crate::arguments::arguments;
use crate::registry::{Flows, Inputs, Needs, Row, Storage};
use crate::{Shape, ShapeError};

arguments! {
    /// `max(x, 0)`, element by element.
    pub struct ReLU {}
}

impl ReLU {
    /// The input's shape.
    ///
    /// # Errors
    /// Never.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }

    /// No trained numbers.
    #[must_use]
    pub const fn params(&self, _inputs: &[Shape]) -> usize {
        0
    }

    /// No multiply-adds.
    #[must_use]
    pub const fn macs(&self, _inputs: &[Shape]) -> usize {
        0
    }
}

/// The row of `ReLU`.
pub static ROW: Row = Row {
    name: "ReLU",
    stem: "relu",
    summary: "max(x, 0)",
    parameters: ReLU::PARAMETERS,
    positional: 0,
    inputs: Inputs::One,
    rule: |inputs, values| ReLU::from_values(values).output(inputs),
    params: |_, _| 0,
    macs: |_, _| 0,
    sizes: &[],
    computed: &[],
    flows: Flows::SAME,
    storage: Storage::InPlace,
    needs: Needs { input: false, output: true },
    crosses_batch: false,
    keeps_features: true,
};
