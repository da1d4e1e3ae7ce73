//! Backward through time.

use super::cell::Cell;
use super::forward::{StackPass, Weights, gather, state_rows};
use super::gates;
use super::layout::{CellLayout, StackLayout};
use super::packing::{Packing, Row, StepRows};
use super::panels;
use super::stack::Stack;
use crate::kernels::add::add_to;
use crate::kernels::dense::{RowBlocks, d_bias, dense_d_weight, dense_onto};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Accumulate, Init};
use crate::kernels::transpose::transpose;
use crate::memory::{Buffer, take};
use crate::types::Steps;
use unrolled_shape::rules::recurrent::CellWeights;

/// Where backward's own values are; sizes in numbers per sample.
#[derive(Clone, Copy)]
struct BackwardLayout {
    /// The gradients of `h` of all steps, the initial ones in front.
    d_h: Buffer,
    /// Of an LSTM: the gradient of `c`, on its way back.
    d_c: Buffer,
    /// The gradient of what one layer gives to the next, for two layers by turns.
    between: [Buffer; 2],
}

impl BackwardLayout {
    const fn new(stack: &Stack, layout: &StackLayout) -> Self {
        let units = stack.sizes.units;
        let before = Buffer { offset: layout.end, len: 0 };
        let d_h = before.then((stack.steps + 1) * units);
        let d_c = d_h.then(if matches!(stack.cell, Cell::Lstm) { units } else { 0 });
        let gaps = stack.sizes.layers - 1;
        let first = d_c.then(if gaps > 0 { layout.between.len } else { 0 });
        let second = first.then(if gaps > 1 { layout.between.len } else { 0 });
        Self { d_h, d_c, between: [first, second] }
    }

    /// The gradient of what layer `layer` reads; for layer 0 it is elsewhere.
    const fn d_source(&self, layer: usize) -> Buffer {
        if layer == 0 { Buffer::EMPTY } else { self.between[(layer - 1) % 2] }
    }
}

impl Stack {
    /// Numbers per sample that forward saves for backward, and that backward needs.
    #[must_use]
    pub const fn saved(&self) -> usize {
        let layout = self.layout(true);
        Packing::LEN + BackwardLayout::new(self, &layout).between[1].end()
    }

    /// Writes the matrices of all cells to their layout in `transposed`, with rows and columns exchanged; those of the
    /// state in panels.
    pub fn transpose(&self, weights: &[f32], transposed: &mut [f32]) {
        let isa = Isa::best();
        for layer in 0..self.sizes.layers {
            for direction in 0..self.sizes.directions {
                let CellWeights { weight_ih, weight_hh, bias_ih, .. } =
                    self.sizes.cell(layer, direction);
                let columns = self.sizes.columns();
                let (ih, hh) = (weight_ih..weight_hh, weight_hh..bias_ih);
                transpose(isa, columns, &weights[ih.clone()], &mut transposed[ih]);
                panels::pack_transposed(isa, columns, &weights[hh.clone()], &mut transposed[hh]);
            }
        }
    }

    /// Backward. `transposed` is what [`Stack::transpose`] made of the weights, `saved` what forward left
    /// there, `drop` what it was given; `d_weights` and `d_x` are written.
    #[expect(clippy::too_many_arguments, reason = "weights, input, gradients, and memory")]
    pub fn backward(
        &self,
        transposed: &[f32],
        lengths: Steps<'_>,
        x: &[f32],
        d_y: &[f32],
        d_x: Option<&mut [f32]>,
        d_weights: &mut [f32],
        saved: &mut [f32],
        drop: impl Fn(usize, &mut [f32]),
    ) {
        let n = x.len() / self.input_len();
        let (order, memory) = saved.split_at_mut(n * Packing::LEN);
        let packing = Packing::again(n, self.steps, lengths, order);
        let layout = self.layout(true);
        let own = BackwardLayout::new(self, &layout);
        let pass = StackPass { stack: *self, layout, weights: transposed };
        let mut d_x = d_x;
        for layer in (0..self.sizes.layers).rev() {
            for direction in (0..self.sizes.directions).rev() {
                let back = CellBackward { pass, own, packing, layer, direction };
                back.run(x, d_y, d_x.as_deref_mut(), memory, d_weights);
            }
            if layer > 0 {
                let [d_between] = take(memory, n, [own.d_source(layer)]);
                drop(layer - 1, d_between);
            }
        }
    }
}

/// The way back through one cell. Its pass has the transposed weights.
struct CellBackward<'a> {
    pass: StackPass<'a>,
    own: BackwardLayout,
    packing: Packing<'a>,
    layer: usize,
    direction: usize,
}

impl CellBackward<'_> {
    fn run(
        &self,
        x: &[f32],
        d_y: &[f32],
        d_x: Option<&mut [f32]>,
        memory: &mut [f32],
        d_weights: &mut [f32],
    ) {
        let StackPass { stack, layout, .. } = self.pass;
        let (n, packing) = (self.packing.n(), self.packing);
        let weights = self.pass.cell_weights(self.layer, self.direction);
        let CellLayout { gates, hidden, h, c } =
            layout.of(self.layer * stack.sizes.directions + self.direction);
        let own = &self.own;
        let is_last = self.layer + 1 == stack.sizes.layers;
        let (d_output, d_source) = (
            if is_last { Buffer::EMPTY } else { own.d_source(self.layer + 1) },
            own.d_source(self.layer),
        );
        // Nothing where it is elsewhere, and then at the beginning, where it overlaps nothing.
        let source = layout.source(self.layer);
        let at = [source, d_output, d_source, layout.rows, gates, hidden, h, c, own.d_h, own.d_c];
        let [source, d_output, d_source, rows, gates, hidden, h, c, d_h, d_c] = take(memory, n, at);
        let d_output = if is_last { d_y } else { d_output };
        self.begin(is_last && stack.last, d_output, d_h);
        d_c.fill(0.0);
        self.step_by_step(&weights, [gates, hidden], [h, c], [d_h, d_c]);
        let gates = &*gates;
        let hidden = if stack.cell == Cell::Gru { &*hidden } else { gates };
        let source = if self.layer == 0 { x } else { source };
        let rows = gather(packing, self.direction == 1, source, weights.inputs, rows);
        self.d_weights(rows, gates, hidden, h, d_weights);
        let d_source = if self.layer > 0 { Some(d_source) } else { d_x };
        if let Some(d_source) = d_source {
            self.d_source(&weights, gates, rows, d_source);
        }
    }

    /// Fills the gradients of `h` with what comes from the cell's output.
    fn begin(&self, only_last: bool, d_output: &[f32], d_h: &mut [f32]) {
        let sizes = self.pass.stack.sizes;
        let (n, units, width) = (self.packing.n(), sizes.units, sizes.width());
        let column = self.direction * units;
        d_h.fill(0.0);
        if only_last {
            for rank in 0..n {
                let from = &d_output[self.packing.sample(rank) * width + column..][..units];
                d_h[self.packing.last_row(rank) * units..][..units].copy_from_slice(from);
            }
            return;
        }
        let steps = self.pass.stack.steps;
        for Row { row, sample, time } in self.packing.all(self.direction == 1) {
            let from = &d_output[(sample * steps + time) * width + column..][..units];
            d_h[(n + row) * units..][..units].copy_from_slice(from);
        }
    }

    /// All steps of the cell, the last one first: gates become gradients of sums.
    fn step_by_step(
        &self,
        weights: &Weights<'_>,
        [gates, hidden]: [&mut [f32]; 2],
        [h, c]: [&mut [f32]; 2],
        [d_h, d_c]: [&mut [f32]; 2],
    ) {
        let Stack { cell, sizes, .. } = self.pass.stack;
        let (n, units, columns) = (self.packing.n(), sizes.units, sizes.columns());
        for StepRows { first, active, before } in self.packing.steps_backward() {
            let now = first * columns..(first + active) * columns;
            let gates = &mut gates[now.clone()];
            let (d_h_before, d_h) = state_rows(d_h, units, n + first, before, active);
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
                    let (c_before, c) = state_rows(c, units, n + first, before, active);
                    let d_c = &mut d_c[..active * units];
                    gates::lstm_backward(units, gates, c_before, c, d_h, d_c);
                    gates
                }
                Cell::Gru => {
                    let (h_before, _) = state_rows(h, units, n + first, before, active);
                    let hidden = &mut hidden[now];
                    gates::gru_backward(units, gates, hidden, h_before, d_h, d_h_before);
                    hidden
                }
            };
            let (isa, panels) = (Isa::best(), weights.hh);
            panels::product(isa, columns, units, Init::Accumulate, sums, panels, d_h_before);
        }
    }

    /// The gradients of the cell's weights.
    fn d_weights(
        &self,
        rows: &[f32],
        gates: &[f32],
        hidden: &[f32],
        h: &[f32],
        d_weights: &mut [f32],
    ) {
        let sizes = self.pass.stack.sizes;
        let (isa, units, columns) = (Isa::best(), sizes.units, sizes.columns());
        let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, end } =
            sizes.cell(self.layer, self.direction);
        let all = RowBlocks::one(self.packing.rows());
        let d_ih = &mut d_weights[weight_ih..weight_hh];
        dense_d_weight(isa, inputs, columns, Accumulate::Overwrite, all, 0, rows, gates, d_ih);
        let d_hh = &mut d_weights[weight_hh..bias_ih];
        let mut accumulate = Accumulate::Overwrite;
        for StepRows { first, active, before } in self.packing.steps_in_runs() {
            let (h, hidden) = (&h[before * units..], &hidden[first * columns..]);
            dense_d_weight(
                isa,
                units,
                columns,
                accumulate,
                RowBlocks::one(active),
                0,
                h,
                hidden,
                d_hh,
            );
            accumulate = Accumulate::Add;
        }
        if accumulate == Accumulate::Overwrite {
            // All sequences are empty.
            d_hh.fill(0.0);
        }
        d_bias(isa, Accumulate::Overwrite, all, gates, &mut d_weights[bias_ih..bias_hh]);
        d_bias(isa, Accumulate::Overwrite, all, hidden, &mut d_weights[bias_hh..end]);
    }

    /// The gradient of what the cell reads: of the first cell it is written, of the other direction's added.
    fn d_source(
        &self,
        weights: &Weights<'_>,
        gates: &[f32],
        rows: &mut [f32],
        d_source: &mut [f32],
    ) {
        let sizes = self.pass.stack.sizes;
        let (inputs, columns) = (weights.inputs, sizes.columns());
        let gates = &gates[..self.packing.rows() * columns];
        dense_onto(Isa::best(), columns, inputs, Accumulate::Overwrite, gates, weights.ih, rows);
        if self.direction + 1 == sizes.directions {
            d_source.fill(0.0);
        }
        let steps = self.pass.stack.steps;
        for Row { row, sample, time } in self.packing.all(self.direction == 1) {
            let to = &mut d_source[(sample * steps + time) * inputs..][..inputs];
            add_to(to, &rows[row * inputs..(row + 1) * inputs]);
        }
    }
}
