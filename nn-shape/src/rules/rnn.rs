//! `RNN`: PyTorch's `nn.RNN`.

use crate::arguments::arguments;
use crate::registry::Row;
use crate::rules::recurrent::{recurrent, recurrent_row};

arguments! {
    /// Elman's recurrent network: layers that read a sequence step by step, `h' = tanh(W x + U h + b)`.
    pub struct RNN {
        /// Features of the state, and of the output of one direction.
        units: Number,
        /// How many layers, one upon the other.
        layers: Number = 1,
        /// What the sum goes through.
        nonlinearity: Word("tanh", "relu") = "tanh",
        /// Whether each layer also reads from the end to the beginning.
        bidirectional: Flag = false,
        /// The probability of becoming 0 for what one layer gives to the next, in training.
        dropout: Real = 0.0,
        /// Whether biases are added.
        bias: Flag = true,
        /// Each step's output, or the last state of each direction alone.
        output: Word("sequence", "last") = "sequence",
    }
}

recurrent!(RNN, gates: 1);

impl RNN {
    /// Whether the nonlinearity is `relu`.
    #[must_use]
    pub const fn is_relu(&self) -> bool {
        self.nonlinearity.as_bytes()[0] == b'r'
    }
}

/// The row of `RNN`.
pub static ROW: Row =
    recurrent_row!(RNN { stem: "rnn", summary: "plain recurrent network over steps" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn gives_and_counts_as_pytorch_does() {
        let rnn = RNN {
            units: 64,
            layers: 2,
            nonlinearity: "relu",
            bidirectional: false,
            dropout: 0.1,
            bias: false,
            output: "sequence",
        };
        let input = [Shape::new(&[20, 32])];
        assert_eq!(rnn.output(&input).unwrap(), Shape::new(&[20, 64]));
        // sum(p.numel() for p in nn.RNN(32, 64, 2, bias=False).parameters())
        assert_eq!(rnn.params(&input), 14_336);
        assert!(rnn.is_relu() && !rnn.gives_last());
    }
}
