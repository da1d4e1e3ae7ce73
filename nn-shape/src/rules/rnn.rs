//! `RNN`: PyTorch's `nn.RNN`.

use crate::arguments::{arguments, words};
use crate::error::ShapeError;
use crate::row::{Row, Streaming};
use crate::rules::recurrent::{self, Recurrent, recurrent};
pub use crate::rules::recurrent::{Names, Output};
use crate::shape::Shape;

words! {
    /// The function of a cell's weighted sum.
    pub enum Nonlinearity {
        /// `tanh`
        Tanh = "tanh",
        /// `relu`: `max(x, 0)`.
        Relu = "relu",
    }
}

arguments! {
    /// Elman's recurrent network: layers that read a sequence step by step, `h' = tanh(W x + U h + b)`.
    pub struct RNN {
        /// The number of features of the state, and of the output of one direction.
        units: Number,
        /// The number of stacked layers.
        layers: Number = 1,
        /// The function applied to the sum.
        nonlinearity: Word(Nonlinearity) = Nonlinearity::Tanh,
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
        /// The names of the weights in files: `layer`, those of `nn.RNN`, or `cell`, those of `nn.RNNCell`, such as
        /// `weight_ih`.
        names: Word(Names) = Names::Layer,
    }
}

recurrent!(RNN, gates: 1, initial: [state]);

/// The row of `RNN`.
pub static ROW: Row = Row {
    name: "RNN",
    stem: "rnn",
    summary: "Elman recurrent network over steps",
    parameters: RNN::PARAMETERS,
    rule: |inputs, values| RNN::from_values(values).output(inputs),
    params: Some(|inputs, values| RNN::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| RNN::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| RNN::from_values(values).macs(inputs)),
    computed: &[|inputs, values| RNN::from_values(values).weights(inputs[0])],
    streaming: Streaming::CarriesIf(|values| RNN::from_values(values).streams()),
    ..recurrent::ROW
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn gives_and_counts_as_pytorch_does() {
        let rnn = RNN {
            units: 64,
            layers: 2,
            nonlinearity: Nonlinearity::Relu,
            bidirectional: false,
            dropout: 0.1,
            bias: false,
            output: Output::Sequence,
            state: None,
            names: Names::Layer,
        };
        let input = [Shape::new(&[20, 32])];
        assert_eq!(rnn.output(&input).unwrap(), Shape::new(&[20, 64]));
        // sum(p.numel() for p in nn.RNN(32, 64, 2, bias=False).parameters())
        assert_eq!(rnn.params(&input), 14_336);
        assert_eq!((rnn.nonlinearity.word().text, rnn.output.word().text), ("relu", "sequence"));
    }
}
