//! The backward pass through time.

use super::args::StackBackward;
use super::cell::Cell;
use super::forward::{CellIndex, StackPass, StateRows, Weights, gather};
use super::gates::{self, LstmStates};
use super::layout::{CellLayout, StackLayout};
use super::packing::{Packing, Row, StepRows};
use super::panels;
use super::stack::Stack;
use crate::kernels::add::add_to;
use crate::kernels::column_sums::d_bias;
use crate::kernels::dense::{dense_columns, dense_d_weight};
use crate::kernels::dense_args::{ColumnsArgs, DenseDWeightArgs, RowBlocks};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Accumulate, Init};
use crate::kernels::transpose::transpose;
use crate::memory::{Buffer, take};
use unrolled_shape::rules::recurrent::CellWeights;

/// The memory of the backward pass itself; sizes are elements per sample.
#[derive(Clone, Copy)]
struct BackwardLayout {
    /// The gradients of `h` of all steps, preceded by the initial ones.
    d_h: Buffer,
    /// The gradient of `c` of the current step; empty unless the cells are LSTM cells.
    d_c: Buffer,
    /// The gradient of what is projected to `h` of the current step; empty without a projection.
    d_unprojected: Buffer,
    /// The gradients of the inputs of layers, alternately.
    between: [Buffer; 2],
}

impl BackwardLayout {
    const fn new(stack: &Stack, layout: &StackLayout) -> Self {
        let units = stack.sizes.units;
        let before = Buffer { offset: layout.end, len: 0 };
        let d_h = before.then((stack.steps + 1) * stack.sizes.outputs());
        let d_c = d_h.then(if matches!(stack.cell, Cell::Lstm) { units } else { 0 });
        let d_unprojected = d_c.then(if stack.sizes.projection > 0 { units } else { 0 });
        let gaps = stack.sizes.layers - 1;
        // Two buffers are enough: the gradient of a layer's output is read while that of its input is written.
        let first = d_unprojected.then(if gaps > 0 { layout.between.len } else { 0 });
        let second = first.then(if gaps > 1 { layout.between.len } else { 0 });
        Self { d_h, d_c, d_unprojected, between: [first, second] }
    }

    /// The gradient of the input of layer `layer`. Empty for layer 0, whose gradient is an argument.
    const fn d_source(&self, layer: usize) -> Buffer {
        if layer == 0 { Buffer::EMPTY } else { self.between[(layer - 1) % 2] }
    }
}

impl Stack {
    /// Elements per sample that the forward pass saves for the backward pass, and that the latter needs.
    #[must_use]
    pub const fn saved(&self) -> usize {
        let layout = self.layout(true);
        Packing::LEN + BackwardLayout::new(self, &layout).between[1].end()
    }

    /// Writes the transposed matrices of all cells to `transposed`, at the offsets of the matrices; those of the state
    /// in panels. The backward pass is then plain products.
    pub fn transpose(&self, weights: &[f32], transposed: &mut [f32]) {
        let isa = Isa::best();
        for layer in 0..self.sizes.layers {
            for direction in 0..self.sizes.directions {
                let CellWeights { weight_ih, weight_hh, bias_ih, weight_hr, end, .. } =
                    self.sizes.cell(layer, direction);
                let columns = self.sizes.columns();
                // A transpose has as many elements as its matrix: the same offsets, so that `Weights::of` finds it
                // there.
                let (ih, hh) = (weight_ih..weight_hh, weight_hh..bias_ih);
                transpose(isa, columns, &weights[ih.clone()], &mut transposed[ih]);
                panels::pack_transposed(isa, columns, &weights[hh.clone()], &mut transposed[hh]);
                if self.sizes.projection > 0 {
                    let (outputs, hr) = (self.sizes.outputs(), weight_hr..end);
                    transpose(isa, outputs, &weights[hr.clone()], &mut transposed[hr]);
                }
            }
        }
    }

    /// The backward pass. `drop` is that of the forward pass.
    pub fn backward(&self, call: StackBackward<'_>, drop: impl Fn(usize, &mut [f32])) {
        let StackBackward { transposed, lengths, x, d_y, d_x, d_initial, d_weights, saved } = call;
        let n = x.len() / self.input_len();
        let (order, memory) = saved.split_at_mut(n * Packing::LEN);
        // The order of the samples was saved with the values of the forward pass, since its rows are in that order.
        let packing = Packing::again(n, self.steps, lengths, order);
        let layout = self.layout(true);
        let own = BackwardLayout::new(self, &layout);
        let pass = StackPass { stack: *self, layout };
        let saved = &mut *memory;
        let mut call =
            StackBackward { transposed, lengths, x, d_y, d_x, d_initial, d_weights, saved };
        // Layers in reverse. Directions too: `d_source` clears the gradient in the last direction, and adds in the
        // other one.
        for layer in (0..self.sizes.layers).rev() {
            for direction in (0..self.sizes.directions).rev() {
                let cell = CellIndex { layer, direction };
                CellBackward { pass, own, packing, cell }.run(&mut call);
            }
            if layer > 0 {
                let [d_between] = take(call.saved, n, [own.d_source(layer)]);
                drop(layer - 1, d_between);
            }
        }
    }
}

/// The backward pass through one cell.
struct CellBackward<'a> {
    pass: StackPass,
    own: BackwardLayout,
    packing: Packing<'a>,
    cell: CellIndex,
}

/// The values of one cell, and their gradients.
struct CellValues<'a> {
    gates: &'a mut [f32],
    hidden: &'a mut [f32],
    h: &'a mut [f32],
    c: &'a mut [f32],
    d_h: &'a mut [f32],
    d_c: &'a mut [f32],
    d_unprojected: &'a mut [f32],
}

impl CellBackward<'_> {
    /// Computes the gradients of the cell's weights and of its input.
    fn run(&self, call: &mut StackBackward<'_>) {
        let StackBackward { transposed, x, d_y, d_x, d_initial, d_weights, saved: memory, .. } =
            call;
        let StackPass { stack, layout } = self.pass;
        let (n, layer) = (self.packing.n(), self.cell.layer);
        let weights = Weights::of(&stack.sizes, transposed, self.cell);
        let CellLayout { gates, hidden, h, c, unprojected } = layout.of(self.cell.of(&stack.sizes));
        let own = &self.own;
        let is_last = layer + 1 == stack.sizes.layers;
        let (d_output, d_source) =
            (if is_last { Buffer::EMPTY } else { own.d_source(layer + 1) }, own.d_source(layer));
        // Buffers of arguments are empty here, and at the beginning, where they overlap nothing.
        let source = layout.source(layer);
        let at = [
            source,
            d_output,
            d_source,
            layout.rows,
            gates,
            hidden,
            h,
            c,
            unprojected,
            own.d_h,
            own.d_c,
            own.d_unprojected,
        ];
        let [
            source,
            d_output,
            d_source,
            rows,
            gates,
            hidden,
            h,
            c,
            unprojected,
            d_h,
            d_c,
            d_unprojected,
        ] = take(memory, n, at);
        let d_output = if is_last { d_y } else { &*d_output };
        self.load_d_output(is_last && stack.last, d_output, d_h);
        // No gradient reaches the last `c` of a sequence from later steps; the chunk after it is not part of the graph.
        d_c.fill(0.0);
        self.step_by_step(
            &weights,
            CellValues {
                gates: &mut *gates,
                hidden: &mut *hidden,
                h: &mut *h,
                c,
                d_h: &mut *d_h,
                d_c: &mut *d_c,
                d_unprojected,
            },
        );
        self.write_d_initial([&*d_h, &*d_c], d_initial);
        let gates = &*gates;
        // Except in a GRU, both sums have the same gradient, because they are added.
        let hidden = if stack.cell == Cell::Gru { &*hidden } else { gates };
        let source = if layer == 0 { x } else { &*source };
        // Gathered again: all cells share this buffer, so that it holds another cell's rows.
        let rows = gather(self.packing, self.cell, source, weights.inputs, rows);
        if !d_weights.is_empty() {
            self.d_weights(rows, [gates, hidden], h, d_weights);
            let (outputs, rows) = (stack.sizes.outputs(), self.packing.rows());
            self.d_projection(unprojected, &d_h[n * outputs..(n + rows) * outputs], d_weights);
        }
        let d_source = if layer > 0 { Some(d_source) } else { d_x.as_deref_mut() };
        if let Some(d_source) = d_source {
            self.d_source(&weights, gates, rows, d_source);
        }
    }

    /// Initialises the gradients of `h` with the gradient of the cell's output.
    fn load_d_output(&self, only_last: bool, d_output: &[f32], d_h: &mut [f32]) {
        let sizes = self.pass.stack.sizes;
        let (n, outputs, width) = (self.packing.n(), sizes.outputs(), sizes.width());
        let column = self.cell.direction * outputs;
        // All rows, since steps add to the rows of the step before.
        d_h.fill(0.0);
        if only_last {
            for rank in 0..n {
                let from = &d_output[self.packing.sample(rank) * width + column..][..outputs];
                d_h[self.packing.last_row(rank) * outputs..][..outputs].copy_from_slice(from);
            }
            return;
        }
        let steps = self.pass.stack.steps;
        for Row { row, sample, time } in self.packing.all(self.cell.reversed()) {
            let from = &d_output[(sample * steps + time) * width + column..][..outputs];
            d_h[(n + row) * outputs..][..outputs].copy_from_slice(from);
        }
    }

    /// Writes the gradients of the values that `h` and `c` begin with, from those of their initial rows.
    fn write_d_initial(&self, rows: [&[f32]; 2], d_initial: &mut [Option<&mut [f32]>; 2]) {
        let sizes = self.pass.stack.sizes;
        for (which, (rows, d_initial)) in rows.into_iter().zip(d_initial).enumerate() {
            let (len, cell) = (sizes.state_features(which), self.cell.of(&sizes));
            let Some(d_initial) = d_initial else { continue };
            for (rank, row) in rows.chunks_exact(len).take(self.packing.n()).enumerate() {
                let begin = (self.packing.sample(rank) * sizes.cells() + cell) * len;
                d_initial[begin..begin + len].copy_from_slice(row);
            }
        }
    }

    /// All steps of the cell, the last one first: gates become gradients of sums.
    fn step_by_step(&self, weights: &Weights<'_>, values: CellValues<'_>) {
        let CellValues { gates, hidden, h, c, d_h, d_c, d_unprojected } = values;
        let Stack { cell, sizes, .. } = self.pass.stack;
        let (n, units, columns) = (self.packing.n(), sizes.units, sizes.columns());
        let outputs = sizes.outputs();
        for StepRows { first, active, before } in self.packing.steps_backward() {
            let now = first * columns..(first + active) * columns;
            let range = StateRows { len: outputs, now: n + first, before, active };
            let gates = &mut gates[now.clone()];
            // `d_h` is complete here: the output's gradient, and what the later step has added.
            let (d_h_before, d_h) = range.split(d_h);
            let sums = match cell {
                Cell::Tanh => {
                    gates::tanh_backward(gates, d_h);
                    gates
                }
                Cell::Relu => {
                    gates::relu_backward(gates, d_h);
                    gates
                }
                Cell::Lstm => {
                    let (c_before, c) = StateRows { len: units, ..range }.split(c);
                    let d_h: &[f32] = if sizes.projection == 0 {
                        d_h
                    } else {
                        let d_unprojected = &mut d_unprojected[..active * units];
                        self.d_unprojected(weights, d_h, d_unprojected);
                        d_unprojected
                    };
                    let states = LstmStates { c_before, c, d_h };
                    // Sequences that end at this step come after the others, with rows of `d_c` that are still zero.
                    gates::lstm_backward(units, states, gates, &mut d_c[..active * units]);
                    gates
                }
                Cell::Gru => {
                    let (h_before, _) = range.split(h);
                    let hidden = &mut hidden[now];
                    gates::gru_backward(units, [h_before, d_h], gates, hidden, d_h_before);
                    hidden
                }
            };
            panels::product(
                Isa::best(),
                ColumnsArgs {
                    inputs: columns,
                    units: outputs,
                    stride: outputs,
                    x: sums,
                    weight: weights.hh,
                    init: Init::Accumulate,
                    y: d_h_before,
                },
            );
        }
    }

    /// The gradient of what was projected to `h`.
    fn d_unprojected(&self, weights: &Weights<'_>, d_h: &[f32], d_unprojected: &mut [f32]) {
        let sizes = self.pass.stack.sizes;
        let (inputs, units, stride) = (sizes.outputs(), sizes.units, sizes.units);
        let (x, weight, init, y) = (d_h, weights.hr, Init::Zero, d_unprojected);
        dense_columns(Isa::best(), ColumnsArgs { inputs, units, stride, x, weight, init, y });
    }

    /// The gradient of the projection, if the cell has one.
    fn d_projection(&self, unprojected: &[f32], d_h: &[f32], d_weights: &mut [f32]) {
        let sizes = self.pass.stack.sizes;
        if sizes.projection == 0 {
            return;
        }
        let CellWeights { weight_hr, end, .. } = sizes.cell(self.cell.layer, self.cell.direction);
        dense_d_weight(
            Isa::best(),
            DenseDWeightArgs {
                inputs: sizes.units,
                units: sizes.outputs(),
                accumulate: Accumulate::Overwrite,
                blocks: RowBlocks::one(self.packing.rows()),
                first: 0,
                x: unprojected,
                d_y: d_h,
                d_weight: &mut d_weights[weight_hr..end],
            },
        );
    }

    /// The gradients of the cell's weights but the projection. `[gates, hidden]` are the gradients of the sums from the input and the
    /// state.
    fn d_weights(
        &self,
        rows: &[f32],
        [gates, hidden]: [&[f32]; 2],
        h: &[f32],
        d_weights: &mut [f32],
    ) {
        let sizes = self.pass.stack.sizes;
        let (isa, outputs, columns) = (Isa::best(), sizes.outputs(), sizes.columns());
        let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, .. } =
            sizes.cell(self.cell.layer, self.cell.direction);
        let all = RowBlocks::one(self.packing.rows());
        dense_d_weight(
            isa,
            DenseDWeightArgs {
                inputs,
                units: columns,
                accumulate: Accumulate::Overwrite,
                blocks: all,
                first: 0,
                x: rows,
                d_y: gates,
                d_weight: &mut d_weights[weight_ih..weight_hh],
            },
        );
        // Not within the steps: for full sequences, one product over all rows reads and writes the matrix once.
        let d_hh = &mut d_weights[weight_hh..bias_ih];
        let mut accumulate = Accumulate::Overwrite;
        // The state before each row: contiguous for all steps of full sequences, otherwise step by step.
        for StepRows { first, active, before } in self.packing.steps_in_runs() {
            dense_d_weight(
                isa,
                DenseDWeightArgs {
                    inputs: outputs,
                    units: columns,
                    accumulate,
                    blocks: RowBlocks::one(active),
                    first: 0,
                    x: &h[before * outputs..],
                    d_y: &hidden[first * columns..],
                    d_weight: &mut *d_hh,
                },
            );
            accumulate = Accumulate::Add;
        }
        if accumulate == Accumulate::Overwrite {
            // All sequences are empty.
            d_hh.fill(0.0);
        }
        let overwrite = Accumulate::Overwrite;
        d_bias(isa, overwrite, all, gates, &mut d_weights[bias_ih..bias_hh]);
        d_bias(isa, overwrite, all, hidden, &mut d_weights[bias_hh..weight_hr]);
    }

    /// The gradient of the cell's input. Directions are run from the last to the first: the last one overwrites it, the
    /// other one adds to it.
    fn d_source(
        &self,
        weights: &Weights<'_>,
        gates: &[f32],
        rows: &mut [f32],
        d_source: &mut [f32],
    ) {
        let sizes = self.pass.stack.sizes;
        let (inputs, columns) = (weights.inputs, sizes.columns());
        dense_columns(
            Isa::best(),
            ColumnsArgs {
                inputs: columns,
                units: inputs,
                stride: inputs,
                x: &gates[..self.packing.rows() * columns],
                weight: weights.ih,
                init: Init::Zero,
                y: &mut *rows,
            },
        );
        if self.cell.direction + 1 == sizes.directions {
            d_source.fill(0.0);
        }
        let steps = self.pass.stack.steps;
        for Row { row, sample, time } in self.packing.all(self.cell.reversed()) {
            let to = &mut d_source[(sample * steps + time) * inputs..][..inputs];
            add_to(to, &rows[row * inputs..(row + 1) * inputs]);
        }
    }
}
