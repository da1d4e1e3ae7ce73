//! [`Recurrent`]: the sizes that `RNN`, `LSTM` and `GRU` share, and the offsets of their weights.

use crate::arguments::words;
use crate::checks::{MOST, at_most};
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::helpers::{attempt, count, few_enough_weights, real};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

words! {
    /// What a recurrent layer returns.
    pub enum Output {
        /// `sequence`: the output of each step.
        Sequence = "sequence",
        /// `last`: the last state of each direction.
        Last = "last",
    }
}

words! {
    /// The names of the weights in files.
    pub enum Names {
        /// `layer`: `weight_ih_l0`, as `nn.RNN`, `nn.LSTM` and `nn.GRU`.
        Layer = "layer",
        /// `cell`: `weight_ih`, as `nn.RNNCell`, `nn.LSTMCell` and `nn.GRUCell`.
        Cell = "cell",
    }
}

/// A stack of recurrent layers, each in one direction or in both.
///
/// A *cell* is one layer in one direction. Cells are counted layer by layer, forward before backward,
/// as in PyTorch's `h_n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrent {
    /// How many gates a cell has: 1 (`RNN`), 3 (`GRU`) or 4 (`LSTM`).
    pub gates: usize,
    /// Features of the input.
    pub inputs: usize,
    /// Features of one cell's output.
    pub units: usize,
    /// How many layers.
    pub layers: usize,
    /// 1, or 2 where each layer also runs from the end to the beginning.
    pub directions: usize,
    /// Whether biases are added.
    pub bias: bool,
    /// Features that a cell's `h` is projected to; 0 where it is not projected.
    pub projection: usize,
}

/// The offsets of one cell's weights among all.
///
/// Matrices have a row for each input and a column for each unit of each gate: the transposes of
/// PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellWeights {
    /// Features of the cell's input.
    pub inputs: usize,
    /// `[inputs, gates * units]`
    pub weight_ih: usize,
    /// `[outputs, gates * units]`
    pub weight_hh: usize,
    /// `[gates * units]`, or nothing.
    pub bias_ih: usize,
    /// `[gates * units]`, or nothing.
    pub bias_hh: usize,
    /// The projection, `[units, outputs]`, or nothing.
    pub weight_hr: usize,
    /// Where they end.
    pub end: usize,
}

impl Recurrent {
    /// `[steps, inputs] -> [steps, directions * units]`, or only `[directions * units]` of the last
    /// step.
    ///
    /// # Errors
    /// When the input is not a sequence, a count is 0, `dropout` is not a probability or has no layers to
    /// be applied between, or the sizes are too large.
    pub(crate) const fn output(
        &self,
        input: Shape,
        dropout: f64,
        output: Output,
    ) -> Result<Shape, ShapeError> {
        attempt!(sequence(input));
        attempt!(at_most(input, "gets "));
        attempt!(count("units", "units", self.units));
        attempt!(count("layers", "layers", self.layers));
        attempt!(self.dropout(dropout));
        // Two products instead of the sum of all weights, since a message shows factors: one for the input matrices of
        // the first layer, one for all others. If both are within the limit, the sum is at most 1.5 times the limit.
        let features = [self.inputs, self.units, self.directions];
        attempt!(few_enough_weights(
            "units",
            &[self.gates, 2, features[0], features[1], features[2]]
        ));
        let deep = [self.gates, 3, 2 * self.layers, self.units, self.units, self.directions];
        attempt!(few_enough_weights("units", &deep));
        let output = match output {
            Output::Sequence => input.with_last(self.width()),
            Output::Last => Shape::new(&[self.width()]),
        };
        at_most(output, "gives ")
    }

    const fn dropout(&self, p: f64) -> Result<(), ShapeError> {
        attempt!(real("dropout", p, p >= 0.0 && p <= 1.0, "a probability from 0 to 1"));
        // PyTorch only warns of it.
        if p == 0.0 || self.layers > 1 {
            return Ok(());
        }
        let message =
            Text::of("has `dropout` but one layer, and dropout is applied between layers");
        let help = Text::of("write `layers = 2` or more, or put `Dropout(").real(p);
        Err(ShapeError::argument("dropout", message).help(help.text(")` after it")))
    }

    /// Accepts a projection, given as an argument, if it has fewer features than there are units, as in PyTorch.
    pub(crate) const fn check_projection(&self) -> Result<(), ShapeError> {
        attempt!(count("units", "units", self.units));
        attempt!(count("projection", "projected features", self.projection));
        if self.projection < self.units {
            return Ok(());
        }
        let message = Text::of("projects ").number(self.units).text(" units to ");
        let message = message.number(self.projection).text(" features, but needs fewer than units");
        let help = Text::of("write a smaller `projection`, or leave it out");
        Err(ShapeError::argument("projection", message).help(help))
    }

    /// Accepts the names of a single cell if there is one cell, without a projection.
    pub(crate) const fn check_names(&self, names: Names) -> Result<(), ShapeError> {
        let argument = match names {
            Names::Cell if self.layers > 1 => "layers",
            Names::Cell if self.directions > 1 => "bidirectional",
            Names::Cell if self.projection > 0 => "projection",
            _ => return Ok(()),
        };
        let message = Text::of("has `names = cell`, the names of a single cell, but also `");
        let help = Text::of("leave out `names` or `").text(argument).text("`");
        Err(ShapeError::argument("names", message.text(argument).text("`")).help(help))
    }

    /// Accepts the value of `argument`, with which `h` (`which` = 0) or `c` (1) of all cells begin.
    pub(crate) const fn check_initial(
        &self,
        argument: &'static str,
        which: usize,
        value: Shape,
    ) -> Result<(), ShapeError> {
        let features = self.state_features(which);
        let len = self.cells().saturating_mul(features);
        if value.rank() == 1 && value.last() == len {
            return Ok(());
        }
        let mut message = Text::of("begins with a `").text(argument).text("` of ");
        if self.cells() > 1 {
            message = message.number(self.cells()).text("*").number(features).text(" = ");
        }
        let message = message.number(len).text(" values, but gets ").shape(value);
        let help = if value.rank() == 1 {
            Text::of("put `Dense(").number(len).text(")` after that value")
        } else {
            Text::of(
                "name a value without steps, as that of a recurrent layer with `output = last`",
            )
        };
        Err(ShapeError::argument(argument, message).help(help))
    }

    /// The number of cells.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.layers * self.directions
    }

    /// The columns of a cell's matrices.
    #[inline]
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.gates * self.units
    }

    /// The number of features of a cell's `h`, which is its output.
    #[inline]
    #[must_use]
    pub const fn outputs(&self) -> usize {
        if self.projection > 0 { self.projection } else { self.units }
    }

    /// The number of features of a cell's `h` (0) or `c` (1).
    #[inline]
    #[must_use]
    pub const fn state_features(&self, which: usize) -> usize {
        if which == 0 { self.outputs() } else { self.units }
    }

    /// The number of output features of all cells of a layer.
    #[inline]
    #[must_use]
    pub const fn width(&self) -> usize {
        self.directions * self.outputs()
    }

    /// The number of input features of each cell of layer `layer`.
    #[inline]
    #[must_use]
    pub const fn inputs_of(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.width() }
    }

    #[inline]
    const fn cell_len(&self, layer: usize) -> usize {
        let biases = if self.bias { 2 } else { 0 };
        let columns = (self.inputs_of(layer) + self.outputs() + biases) * self.columns();
        columns + self.projection * self.units
    }

    /// The offsets of a cell's weights.
    #[inline]
    #[must_use]
    pub const fn cell(&self, layer: usize, direction: usize) -> CellWeights {
        let inputs = self.inputs_of(layer);
        let columns = self.columns();
        let before = match layer {
            0 => 0,
            // All layers after the first have the sizes of layer 1.
            _ => self.directions * (self.cell_len(0) + (layer - 1) * self.cell_len(1)),
        };
        let weight_ih = before + direction * self.cell_len(layer);
        let weight_hh = weight_ih + inputs * columns;
        let bias_ih = weight_hh + self.outputs() * columns;
        let bias_hh = bias_ih + if self.bias { columns } else { 0 };
        let weight_hr = bias_hh + if self.bias { columns } else { 0 };
        let end = weight_ih + self.cell_len(layer);
        CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, end }
    }

    /// The number of values in all weights.
    #[must_use]
    pub const fn weights(&self) -> usize {
        self.directions * (self.cell_len(0) + (self.layers - 1) * self.cell_len(1))
    }

    /// The tensors under PyTorch's names: `weight_ih_l0`, `bias_hh_l1_reverse`; `weight_ih` of a cell.
    pub(crate) fn tensors(&self, names: Names, sink: &mut TensorSink<'_>) {
        let (units, outputs, columns) = (self.units, self.outputs(), self.columns());
        let gates = LayerAxis::plain(columns, 1);
        for layer in 0..self.layers {
            for (direction, suffix) in
                ["", "_reverse"].into_iter().take(self.directions).enumerate()
            {
                let cell = self.cell(layer, direction);
                let inputs = match layer {
                    0 => LayerAxis::inputs(cell.inputs, columns),
                    _ => LayerAxis::plain(cell.inputs, columns),
                };
                let mut add = |name: &str, offset, axes: &[LayerAxis]| match names {
                    Names::Layer => {
                        sink.floats(format_args!("{name}_l{layer}{suffix}"), offset, axes);
                    }
                    Names::Cell => sink.floats(name, offset, axes),
                };
                add("weight_ih", cell.weight_ih, &[gates, inputs]);
                add("weight_hh", cell.weight_hh, &[gates, LayerAxis::plain(outputs, columns)]);
                if self.bias {
                    add("bias_ih", cell.bias_ih, &[gates]);
                    add("bias_hh", cell.bias_hh, &[gates]);
                }
                if self.projection > 0 {
                    let axes = [LayerAxis::plain(outputs, 1), LayerAxis::plain(units, outputs)];
                    add("weight_hr", cell.weight_hr, &axes);
                }
            }
        }
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub(crate) const fn macs(&self, steps: usize) -> usize {
        let biases = if self.bias { 2 * self.columns() * self.cells() } else { 0 };
        steps.saturating_mul(self.weights() - biases)
    }
}

/// Refuses an input that is not a sequence.
pub(crate) const fn sequence(input: Shape) -> Result<(), ShapeError> {
    if input.rank() == 2 {
        return Ok(());
    }
    let message = Text::of("takes steps x features, but gets ").shape(input);
    let error = ShapeError::layer(message);
    if input.rank() < 2 {
        let help = Text::of("write a sequence of one feature per step as `");
        return Err(error.help(help.shape(input).text("x1`")));
    }
    let steps = input.dim(0);
    let rows = match input.checked_len() {
        Some(len) if steps > 0 && len <= MOST => Shape::new(&[steps, len / steps]),
        _ => return Err(error),
    };
    let help = Text::of("put `Reshape(").shape(rows).text(")` before it to read it row by row");
    Err(error.help(help))
}

/// What the rows of recurrent layers have in common.
pub(crate) const ROW: Row = Row {
    positional: 1,
    sizes: &[Size::Computed("weights")],
    flows: Flows { leading: Flow::Keep, last: Flow::Compute, keeps_rank: false },
    needs: Needs::INPUT,
    steps: Steps::Valid,
    channels: Channels::Last,
    features: Features::AnyInput,
    role: Role::Positions,
    ..Row::BASE
};

/// Defines the methods of a recurrent layer's arguments, all of which follow from [`Recurrent`].
macro_rules! recurrent {
    ($Name:ident, gates: $gates:literal, initial: [$($initial:ident),+] $(, projection: $projection:ident)?) => {
        impl $Name {
            /// `[steps, features] -> [steps, units]`; twice as many where `bidirectional`; without
            /// the steps where `output = last`; of an `LSTM` with a `projection`, as many features as that.
            ///
            /// # Errors
            /// When the input is not a sequence, a count is 0, `dropout` is not a probability or there is one
            /// layer only, an initial state has another shape, a `projection` is not below `units`, the names are those
            /// of one cell and there are more, or the sizes are too large.
            pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                let sizes = self.sizes(inputs[0]);
                $(if self.$projection.is_some() {
                    $crate::rules::helpers::attempt!(sizes.check_projection());
                })?
                let output = sizes.output(inputs[0], self.dropout, self.output);
                let output = $crate::rules::helpers::attempt!(output);
                $crate::rules::helpers::attempt!(sizes.check_names(self.names));
                let (arguments, initial) = ([$(stringify!($initial)),+], self.initial());
                let mut which = 0;
                while which < arguments.len() {
                    if let Some(nth) = initial[which] {
                        let checked = sizes.check_initial(arguments[which], which, inputs[nth]);
                        $crate::rules::helpers::attempt!(checked);
                    }
                    which += 1;
                }
                Ok(output)
            }

            /// The inputs that `h`, and `c` of an LSTM, begin with; `None` where they begin with zeros, or with what
            /// the layer remembers.
            #[must_use]
            pub const fn initial(&self) -> [Option<usize>; 2] {
                let initial: &[Option<usize>] = &[$(self.$initial),+];
                match initial {
                    [h, c] => [*h, *c],
                    [h, ..] => [*h, None],
                    [] => [None, None],
                }
            }

            /// Whether a step can begin where the previous one ended.
            #[must_use]
            pub const fn streams(&self) -> bool {
                !self.bidirectional && matches!(self.initial(), [None, None])
            }

            /// The sizes for an input of this shape.
            #[must_use]
            pub const fn sizes(&self, input: Shape) -> Recurrent {
                Recurrent {
                    gates: $gates,
                    inputs: input.last(),
                    units: self.units,
                    layers: self.layers,
                    directions: if self.bidirectional { 2 } else { 1 },
                    bias: self.bias,
                    projection: 0 $(+ match self.$projection {
                        Some(projection) => projection,
                        None => 0,
                    })?,
                }
            }

            /// The number of values in all weights, for an input of this shape.
            #[must_use]
            pub const fn weights(&self, input: Shape) -> usize {
                self.sizes(input).weights()
            }

            /// The number of trained parameters: all weights.
            #[must_use]
            pub const fn params(&self, inputs: &[Shape]) -> usize {
                self.weights(inputs[0])
            }

            /// The tensors of its weights in files.
            pub fn tensors(&self, inputs: &[Shape], sink: &mut $crate::tensors::TensorSink<'_>) {
                self.sizes(inputs[0]).tensors(self.names, sink);
            }

            /// Multiply-adds of one sample.
            #[must_use]
            pub const fn macs(&self, inputs: &[Shape]) -> usize {
                self.sizes(inputs[0]).macs(inputs[0].dim(0))
            }
        }
    };
}

pub(crate) use recurrent;
