//! `LSTM`: PyTorch's `nn.LSTM`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Row, Streaming};
use crate::rules::recurrent::{self, Recurrent, recurrent};
pub use crate::rules::recurrent::{Names, Output};
use crate::shape::Shape;

arguments! {
    /// Long short-term memory: layers that read a sequence step by step and remember, by gates that
    /// they learn.
    pub struct LSTM {
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
        /// The number of features that the state `h` is projected to, below `units`: PyTorch's `proj_size` (Sak et al.,
        /// 2014).
        projection: Number or "none",
        /// The value that `h` of all cells begins with: layer by layer, forward before backward, as in PyTorch's `h_0`.
        state: Input or "zeros",
        /// The value that `c` of all cells begins with, in the same order: PyTorch's `c_0`.
        cell: Input or "zeros",
        /// The names of the weights in files: `layer`, those of `nn.LSTM`, or `cell`, those of `nn.LSTMCell`, such as
        /// `weight_ih`.
        names: Word(Names) = Names::Layer,
    }
}

// Input, forget, cell and output gate.
recurrent!(LSTM, gates: 4, initial: [state, cell], projection: projection);

/// The row of `LSTM`.
pub static ROW: Row = Row {
    name: "LSTM",
    stem: "lstm",
    summary: "long short-term memory over steps",
    parameters: LSTM::PARAMETERS,
    rule: |inputs, values| LSTM::from_values(values).output(inputs),
    params: Some(|inputs, values| LSTM::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| LSTM::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| LSTM::from_values(values).macs(inputs)),
    computed: &[|inputs, values| LSTM::from_values(values).weights(inputs[0])],
    streaming: Streaming::CarriesIf(|values| LSTM::from_values(values).streams()),
    ..recurrent::ROW
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;
    use crate::rules::recurrent::CellWeights;
    use crate::shape::Shape;
    use crate::tensors::TensorSink;
    use std::string::ToString;

    const PLAIN: LSTM = LSTM {
        units: 64,
        layers: 1,
        bidirectional: false,
        dropout: 0.0,
        bias: true,
        output: Output::Sequence,
        state: None,
        projection: None,
        cell: None,
        names: Names::Layer,
    };

    #[test]
    fn gives_its_units_for_each_step_or_for_the_last() {
        const INPUT: Shape = Shape::new(&[20, 32]);
        const OUTPUT: Shape = crate::error::expect(PLAIN.output(&[INPUT]), "lstm", "");
        assert_eq!(OUTPUT, Shape::new(&[20, 64]));
        let both = LSTM { bidirectional: true, ..PLAIN };
        assert_eq!(both.output(&[INPUT]).unwrap(), Shape::new(&[20, 128]));
        let last = LSTM { output: Output::Last, ..both };
        assert_eq!(last.output(&[INPUT]).unwrap(), Shape::new(&[128]));
    }

    #[test]
    fn counts_as_pytorch_does() {
        // sum(p.numel() for p in nn.LSTM(32, 64, ..).parameters())
        let input = [Shape::new(&[20, 32])];
        assert_eq!(PLAIN.params(&input), 25_088);
        assert_eq!(LSTM { bias: false, ..PLAIN }.params(&input), 24_576);
        let deep = LSTM { layers: 3, bidirectional: true, ..PLAIN };
        assert_eq!(deep.params(&input), 248_832);
        assert_eq!(PLAIN.macs(&input), 20 * 4 * 64 * (32 + 64));
    }

    #[test]
    fn weights_stand_cell_by_cell() {
        let sizes =
            LSTM { units: 2, layers: 2, bidirectional: true, ..PLAIN }.sizes(Shape::new(&[5, 3]));
        let first = CellWeights {
            inputs: 3,
            weight_ih: 0,
            weight_hh: 24,
            bias_ih: 40,
            bias_hh: 48,
            weight_hr: 56,
            end: 56,
        };
        assert_eq!(sizes.cell(0, 0), first);
        assert_eq!(sizes.cell(0, 1).weight_ih, first.end);
        assert_eq!(sizes.cell(1, 0).weight_ih, 2 * first.end);
        assert_eq!(sizes.cell(1, 0).inputs, 4);
        assert_eq!(sizes.cell(1, 1).weight_ih, sizes.cell(1, 0).end);
        assert_eq!(sizes.cell(1, 1).end, sizes.weights());
    }

    #[test]
    fn a_projection_makes_the_state_smaller() {
        let projected = LSTM { projection: Some(16), ..PLAIN };
        let input = [Shape::new(&[20, 32])];
        assert_eq!(projected.output(&input).unwrap(), Shape::new(&[20, 16]));
        // sum(p.numel() for p in nn.LSTM(32, 64, proj_size=16, ..).parameters())
        assert_eq!(projected.params(&input), 13_824);
        let deep = LSTM { layers: 2, bidirectional: true, ..projected };
        assert_eq!(deep.params(&input), 55_296);
        assert_eq!(deep.output(&input).unwrap(), Shape::new(&[20, 32]));
        for (projection, expected) in [
            (0, "layer `it` has 0 projected features, but needs at least 1"),
            (
                64,
                "layer `it` projects 64 units to 64 features, but needs fewer than units\n  \
                 = help: write a smaller `projection`, or leave it out",
            ),
        ] {
            let layer = LSTM { projection: Some(projection), ..PLAIN };
            let (blame, words) = refusal(layer.output(&input));
            assert_eq!((blame, words.as_str()), (Blame::Argument("projection"), expected));
        }
    }

    #[test]
    fn states_of_all_cells_begin_with_values() {
        let deep = LSTM { layers: 2, bidirectional: true, projection: Some(16), ..PLAIN };
        let given = LSTM { state: Some(1), cell: Some(2), ..deep };
        let inputs = |h, c| [Shape::new(&[20, 32]), Shape::new(h), Shape::new(c)];
        assert!(given.output(&inputs(&[64], &[256])).is_ok());
        assert!(!deep.streams() && !given.streams() && PLAIN.streams());
        assert!(!LSTM { cell: Some(1), ..PLAIN }.streams());
        let (blame, words) = refusal(given.output(&inputs(&[256], &[256])));
        assert_eq!(blame, Blame::Argument("state"));
        assert_eq!(
            words,
            "layer `it` begins with a `state` of 4*16 = 64 values, but gets 256\n  \
             = help: put `Dense(64)` after that value"
        );
        let one = LSTM { cell: Some(2), ..PLAIN };
        let (blame, words) = refusal(one.output(&inputs(&[64], &[20, 64])));
        assert_eq!(blame, Blame::Argument("cell"));
        assert_eq!(
            words,
            "layer `it` begins with a `cell` of 64 values, but gets 20x64\n  \
             = help: name a value without steps, as that of a recurrent layer with `output = last`"
        );
    }

    #[test]
    fn the_names_of_a_cell_are_those_of_one_cell() {
        let cell = LSTM { names: Names::Cell, ..PLAIN };
        let input = [Shape::new(&[20, 32])];
        assert!(cell.output(&input).is_ok());
        let names = |layer: LSTM| {
            let mut names = std::vec::Vec::new();
            let mut receive =
                |tensor: crate::tensors::LayerTensor<'_>| names.push(tensor.name.to_string());
            layer.tensors(&input, &mut TensorSink::new(&mut receive));
            names
        };
        assert_eq!(names(cell), ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]);
        assert_eq!(names(PLAIN), ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]);
        for (layer, argument) in [
            (LSTM { layers: 2, ..cell }, "layers"),
            (LSTM { bidirectional: true, ..cell }, "bidirectional"),
            (LSTM { projection: Some(16), ..cell }, "projection"),
        ] {
            let (blame, words) = refusal(layer.output(&input));
            assert_eq!(blame, Blame::Argument("names"));
            let expected = std::format!(
                "layer `it` has `names = cell`, the names of a single cell, but also `{argument}`\n  \
                 = help: leave out `names` or `{argument}`"
            );
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn takes_sequences() {
        let (blame, words) = refusal(PLAIN.output(&[Shape::new(&[784])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes steps x features, but gets 784\n  \
             = help: write a sequence of one feature per step as `784x1`"
        );
        let (_, words) = refusal(PLAIN.output(&[Shape::new(&[28, 28, 3])]));
        assert_eq!(
            words,
            "layer `it` takes steps x features, but gets 28x28x3\n  \
             = help: put `Reshape(28x84)` before it to read it row by row"
        );
    }

    #[test]
    fn refuses_counts_of_zero() {
        let input = [Shape::new(&[20, 32])];
        let (blame, words) = refusal(LSTM { units: 0, ..PLAIN }.output(&input));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(words, "layer `it` has 0 units, but needs at least 1");
        let (blame, words) = refusal(LSTM { layers: 0, ..PLAIN }.output(&input));
        assert_eq!(blame, Blame::Argument("layers"));
        assert_eq!(words, "layer `it` has 0 layers, but needs at least 1");
    }

    #[test]
    fn refuses_dropout_without_layers_to_stand_between() {
        let input = [Shape::new(&[20, 32])];
        let (blame, words) = refusal(LSTM { dropout: 0.25, ..PLAIN }.output(&input));
        assert_eq!(blame, Blame::Argument("dropout"));
        assert_eq!(
            words,
            "layer `it` has `dropout` but one layer, and dropout is applied between layers\n  \
             = help: write `layers = 2` or more, or put `Dropout(0.25)` after it"
        );
        let deep = LSTM { dropout: 2.0, layers: 2, ..PLAIN };
        let (_, words) = refusal(deep.output(&input));
        assert_eq!(words, "layer `it` has `dropout = 2`, but needs a probability from 0 to 1");
    }

    #[test]
    fn refuses_absurd_sizes() {
        let input = [Shape::new(&[20, 32])];
        let (blame, _) = refusal(LSTM { units: 1 << 30, ..PLAIN }.output(&input));
        assert_eq!(blame, Blame::Argument("units"));
        let (_, words) = refusal(LSTM { layers: usize::MAX, ..PLAIN }.output(&input));
        assert!(words.contains("can have at most"), "{words}");
    }
}
