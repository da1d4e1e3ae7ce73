//! `GRU`: PyTorch's `nn.GRU`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Row, Streaming};
use crate::rules::recurrent::{self, Recurrent, recurrent};
pub use crate::rules::recurrent::{Names, Output};
use crate::shape::Shape;

arguments! {
    /// Gated recurrent units: layers that read a sequence step by step and keep or renew their
    /// state, by gates that they learn.
    pub struct GRU {
        /// The number of features of the state, and of the output of one direction.
        units: Number,
        /// The number of stacked layers.
        layers: Number = 1,
        /// Whether each layer also reads the sequence backwards.
        bidirectional: Flag = false,
        /// The dropout probability of the output of each layer but the last, in training.
        dropout: Real = 0.0,
        /// Whether biases are added.
        bias: Flag = true,
        /// Whether the output is that of each step, or the last state of each direction.
        output: Word(Output) = Output::Sequence,
        /// The value that `h` of all cells begins with: layer by layer, forward before backward, as in PyTorch's `h_0`.
        state: Input or "zeros",
        /// The names of the weights in files: `layer`, those of `nn.GRU`, or `cell`, those of `nn.GRUCell`, such as
        /// `weight_ih`.
        names: Word(Names) = Names::Layer,
    }
}

// Reset, update and new gate.
recurrent!(GRU, gates: 3, initial: [state]);

/// The row of `GRU`.
pub static ROW: Row = Row {
    name: "GRU",
    stem: "gru",
    summary: "gated recurrent units over steps",
    parameters: GRU::PARAMETERS,
    rule: |inputs, values| GRU::from_values(values).output(inputs),
    params: Some(|inputs, values| GRU::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| GRU::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| GRU::from_values(values).macs(inputs)),
    computed: &[|inputs, values| GRU::from_values(values).weights(inputs[0])],
    streaming: Streaming::CarriesIf(|values| GRU::from_values(values).streams()),
    ..recurrent::ROW
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn gives_and_counts_as_pytorch_does() {
        let gru = GRU {
            units: 64,
            layers: 2,
            bidirectional: true,
            dropout: 0.1,
            bias: true,
            output: Output::Last,
            state: None,
            names: Names::Layer,
        };
        let input = [Shape::new(&[20, 32])];
        assert_eq!(gru.output(&input).unwrap(), Shape::new(&[128]));
        // sum(p.numel() for p in nn.GRU(32, 64, 2, bidirectional=True).parameters())
        assert_eq!(gru.params(&input), 112_128);
    }
}
