//! `Dense`: PyTorch's `nn.Linear`.

use crate::arguments::arguments;
use crate::registry::{Flow, Flows, Inputs, Needs, Row, Size, Storage};
use crate::{Shape, ShapeError, Text};

arguments! {
    /// A fully connected layer on the last axis.
    pub struct Dense {
        /// How many outputs.
        units: Number,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

impl Dense {
    /// `[.., IN] -> [.., units]`
    ///
    /// # Errors
    /// When `units` is 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        if self.units == 0 {
            let message = Text::of("has 0 units, but needs at least 1");
            return Err(ShapeError::argument("units", message));
        }
        Ok(inputs[0].with_last(self.units))
    }

    /// Trained numbers: a weight for each pair of input and output, a bias for each output.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        inputs[0].last() * self.units + if self.bias { self.units } else { 0 }
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len() * self.units
    }
}

/// The row of `Dense`.
pub static ROW: Row = Row {
    name: "Dense",
    stem: "dense",
    summary: "fully connected layer on the last axis",
    parameters: Dense::PARAMETERS,
    positional: 1,
    inputs: Inputs::One,
    rule: |inputs, values| Dense::from_values(values).output(inputs),
    params: |inputs, values| Dense::from_values(values).params(inputs),
    macs: |inputs, values| Dense::from_values(values).macs(inputs),
    sizes: &[Size::InputLast, Size::Argument("units"), Size::Unless("bias")],
    computed: &[],
    flows: Flows { leading: Flow::Keep, last: Flow::Argument("units"), keeps_rank: true },
    storage: Storage::Separate,
    needs: Needs { input: true, output: false },
    crosses_batch: false,
    keeps_features: false,
};
