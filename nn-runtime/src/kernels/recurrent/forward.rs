//! The forward pass through a stack, cell by cell, for a batch of sequences.

use super::args::StackForward;
use super::cell::Cell;
use super::gates;
use super::layout::{CellLayout, StackLayout};
use super::packing::{Packing, Row, StepRows};
use super::panels;
use super::stack::Stack;
use crate::kernels::dense::dense_columns;
use crate::kernels::dense_args::ColumnsArgs;
use crate::kernels::isa::Isa;
use crate::kernels::product::Init;
use crate::memory::{StateMut, take};
use core::ops::Range;
use unrolled_shape::rules::recurrent::{CellWeights, Recurrent};

impl Stack {
    /// Inference. [`StackForward::memory`] is a workspace of [`Stack::workspace`] elements per sample.
    pub fn infer(&self, call: StackForward<'_>) {
        StackPass { stack: *self, layout: self.layout(false) }.run(call, |_, _| {});
    }

    /// The training forward pass. [`StackForward::memory`] are [`Stack::saved`] elements per sample for the backward
    /// pass. `drop(layer, values)` applies dropout to the output of `layer`, which the next layer reads.
    pub fn forward(&self, call: StackForward<'_>, drop: impl Fn(usize, &mut [f32])) {
        StackPass { stack: *self, layout: self.layout(true) }.run(call, drop);
    }

    /// `h` of some rows from what is projected to it.
    pub(super) fn project(&self, weights: &Weights<'_>, unprojected: &[f32], h: &mut [f32]) {
        let (inputs, outputs) = (self.sizes.units, self.sizes.outputs());
        let (units, stride, init) = (outputs, outputs, Init::Zero);
        let (x, weight, y) = (unprojected, weights.hr, h);
        dense_columns(Isa::best(), ColumnsArgs { inputs, units, stride, x, weight, init, y });
    }
}

/// A pass of a batch through a stack.
#[derive(Clone, Copy)]
pub(super) struct StackPass {
    pub(super) stack: Stack,
    pub(super) layout: StackLayout,
}

/// The index of a cell.
#[derive(Clone, Copy)]
pub(super) struct CellIndex {
    pub(super) layer: usize,
    /// 0 forward, 1 backward through time.
    pub(super) direction: usize,
}

impl CellIndex {
    /// The index of the cell among all cells of a stack.
    pub(super) const fn of(self, sizes: &Recurrent) -> usize {
        self.layer * sizes.directions + self.direction
    }

    /// Whether the cell reads its sequences from the end to the beginning.
    pub(super) const fn reversed(self) -> bool {
        self.direction == 1
    }
}

impl StackPass {
    /// The forward pass through all cells.
    fn run(&self, call: StackForward<'_>, drop: impl Fn(usize, &mut [f32])) {
        let StackForward { weights, lengths, x, y, initial, state, memory, scratch } = call;
        let Stack { sizes, steps, .. } = self.stack;
        let n = x.len() / self.stack.input_len();
        let (order, memory) = memory.split_at_mut(n * Packing::LEN);
        let packing = Packing::new(n, steps, lengths, order);
        let mut call = StackForward { weights, lengths, x, y, initial, state, memory, scratch };
        for layer in 0..sizes.layers {
            // Both directions of a layer write their columns of the next layer's input.
            for direction in 0..sizes.directions {
                self.run_cell(CellIndex { layer, direction }, packing, &mut call);
            }
            // Dropout between layers only, as in PyTorch.
            if layer + 1 < sizes.layers {
                let [next] = take(call.memory, n, [self.layout.source(layer + 1)]);
                drop(layer, next);
            }
        }
    }

    /// The forward pass through one cell, from its input to that of the next layer or to `y`.
    fn run_cell(&self, cell: CellIndex, packing: Packing<'_>, call: &mut StackForward<'_>) {
        let Stack { sizes, .. } = self.stack;
        let StackForward { weights, x, y, initial, state, memory, scratch, .. } = call;
        let (n, layer) = (packing.n(), cell.layer);
        let CellLayout { gates, hidden, h, c, unprojected } = self.layout.of(cell.of(&sizes));
        // All buffers of the cell at once, because they are disjoint parts of one slice.
        let at = [self.layout.source(layer), self.layout.rows, gates, hidden, h, c, unprojected];
        let [source, rows, gates, hidden, h, c, unprojected] = take(memory, n, at);
        let source = if layer == 0 { x } else { &*source };
        let weights = Weights::of(&sizes, weights, cell);
        let rows = gather(packing, cell, source, weights.inputs, rows);
        self.load_state(cell, packing, (*initial, state), [&mut *h, &mut *c]);
        let values = CellValues { gates, hidden, h: &mut *h, c: &mut *c, unprojected };
        self.step_by_step(&weights, packing, rows, values, scratch);
        self.store_state(cell, packing, [&*h, &*c], state);
        if layer + 1 == sizes.layers {
            self.write_output(cell, packing, h, y);
        } else {
            let [h, next] = take(memory, n, [at[4], self.layout.source(layer + 1)]);
            scatter(packing, cell, &h[n * sizes.outputs()..], sizes, next);
        }
    }

    /// The range of a cell's `h` (0) or `c` (1) in a sample's state.
    fn state_range(&self, cell: CellIndex, which: usize) -> Range<usize> {
        let Stack { sizes, .. } = self.stack;
        let (len, cell) = (sizes.state_features(which), cell.of(&sizes));
        let begin = which * sizes.cells() * sizes.outputs() + cell * len;
        begin..begin + len
    }

    /// Fills the initial rows of `h` and `c` from values, from the state, or with zeros.
    fn load_state(
        &self,
        cell: CellIndex,
        packing: Packing<'_>,
        (initial, state): ([Option<&[f32]>; 2], &mut StateMut<'_>),
        rows: [&mut [f32]; 2],
    ) {
        let (n, sizes) = (packing.n(), self.stack.sizes);
        for (which, rows) in rows.into_iter().take(self.stack.cell.states()).enumerate() {
            let len = sizes.state_features(which);
            for (rank, row) in rows[..n * len].chunks_exact_mut(len).enumerate() {
                let sample = packing.sample(rank);
                if let Some(initial) = initial[which] {
                    let begin = (sample * sizes.cells() + cell.of(&sizes)) * len;
                    row.copy_from_slice(&initial[begin..begin + len]);
                } else if state.is_empty() {
                    row.fill(0.0);
                } else {
                    row.copy_from_slice(&state.sample(sample)[self.state_range(cell, which)]);
                }
            }
        }
    }

    /// Writes the last rows of `h` and `c` to the state.
    fn store_state(
        &self,
        cell: CellIndex,
        packing: Packing<'_>,
        rows: [&[f32]; 2],
        state: &mut StateMut<'_>,
    ) {
        // Whole sequences: no chunk follows.
        if state.is_empty() {
            return;
        }
        for (which, rows) in rows.into_iter().take(self.stack.cell.states()).enumerate() {
            let len = self.stack.sizes.state_features(which);
            for rank in 0..packing.n() {
                let row = packing.last_row(rank) * len;
                let to = self.state_range(cell, which);
                let last = &mut state.sample(packing.sample(rank))[to];
                last.copy_from_slice(&rows[row..row + len]);
            }
        }
    }

    /// All steps of a cell, one after the other.
    fn step_by_step(
        &self,
        weights: &Weights<'_>,
        packing: Packing<'_>,
        rows: &[f32],
        values: CellValues<'_>,
        scratch: &mut [f32],
    ) {
        let Stack { cell, sizes, .. } = self.stack;
        let CellValues { gates, hidden, h, c, unprojected } = values;
        let (n, units, columns, isa) = (packing.n(), sizes.units, sizes.columns(), Isa::best());
        let outputs = sizes.outputs();
        let gates = &mut gates[..packing.rows() * columns];
        let (panels, scratch) = scratch.split_at_mut(self.stack.panels(packing.rows()));
        // Copied once, read at each step.
        panels::pack(columns, weights.hh, panels);
        let hh = StateMatrix { isa, inputs: outputs, columns, plain: weights.hh, panels };
        // The products with the input do not depend on the state: one matrix product for all steps.
        dense_columns(
            isa,
            ColumnsArgs {
                inputs: weights.inputs,
                units: columns,
                stride: columns,
                x: rows,
                weight: weights.ih,
                init: Init::bias(weights.input_bias(cell, scratch)),
                y: &mut *gates,
            },
        );
        for StepRows { first, active, before } in packing.steps() {
            let now = first * columns..(first + active) * columns;
            let range = StateRows { len: outputs, now: n + first, before, active };
            let (h_before, h) = range.split(h);
            let gates = &mut gates[now.clone()];
            match cell {
                Cell::Gru => {
                    let hidden = &mut hidden[now];
                    // The reset gate multiplies these sums, so that they cannot be added to those from the input.
                    hh.product(Init::bias(weights.bias_hh), h_before, hidden);
                    gates::gru_forward(units, gates, hidden, h_before, h);
                    continue;
                }
                // Adds to the sums from the input: the terms of both are one chain.
                _ => hh.product(Init::Accumulate, h_before, gates),
            }
            match cell {
                Cell::Tanh => gates::tanh_forward(gates, h),
                Cell::Relu => gates::relu_forward(gates, h),
                _ => {
                    let (c_before, c) = StateRows { len: units, ..range }.split(c);
                    if unprojected.is_empty() {
                        gates::lstm_forward(units, gates, c_before, c, h);
                        continue;
                    }
                    let unprojected = &mut unprojected[first * units..(first + active) * units];
                    gates::lstm_forward(units, gates, c_before, c, unprojected);
                    self.stack.project(weights, unprojected, h);
                }
            }
        }
    }

    /// Writes a cell's part of the stack's output, and zeros after the end of each sequence.
    fn write_output(&self, cell: CellIndex, packing: Packing<'_>, h: &[f32], y: &mut [f32]) {
        let Stack { sizes, steps, last, .. } = self.stack;
        let (n, outputs, width) = (packing.n(), sizes.outputs(), sizes.width());
        if last {
            for rank in 0..n {
                let row = packing.last_row(rank) * outputs;
                let to = packing.sample(rank) * width + cell.direction * outputs;
                y[to..to + outputs].copy_from_slice(&h[row..row + outputs]);
            }
            return;
        }
        scatter(packing, cell, &h[n * outputs..], sizes, y);
        for rank in 0..n {
            let sample = &mut y[packing.sample(rank) * steps * width..][..steps * width];
            // Each direction clears the same steps, also the columns of the other one, in which it writes nothing.
            sample[packing.valid(rank) * width..].fill(0.0);
        }
    }
}

/// The values of one cell, as in [`CellLayout`].
struct CellValues<'a> {
    gates: &'a mut [f32],
    hidden: &'a mut [f32],
    h: &'a mut [f32],
    c: &'a mut [f32],
    unprojected: &'a mut [f32],
}

/// The matrix that the states of all samples are multiplied with at each step.
struct StateMatrix<'a> {
    isa: Isa,
    inputs: usize,
    columns: usize,
    plain: &'a [f32],
    /// The same matrix in panels, or empty.
    panels: &'a [f32],
}

impl StateMatrix<'_> {
    /// `y = h U` plus the initial values.
    fn product(&self, init: Init<'_>, h: &[f32], y: &mut [f32]) {
        let Self { isa, inputs, columns, plain, panels } = *self;
        // A single row is faster in wider tiles than panels allow.
        let use_panels = !panels.is_empty() && h.len() != inputs;
        let (stride, weight) = (columns, if use_panels { panels } else { plain });
        let args = ColumnsArgs { inputs, units: columns, stride, x: h, weight, init, y };
        if use_panels {
            panels::product(isa, args);
        } else {
            dense_columns(isa, args);
        }
    }
}

/// The weights of one cell.
pub(super) struct Weights<'a> {
    pub(super) inputs: usize,
    pub(super) ih: &'a [f32],
    pub(super) hh: &'a [f32],
    pub(super) bias_ih: &'a [f32],
    pub(super) bias_hh: &'a [f32],
    /// The projection, or empty.
    pub(super) hr: &'a [f32],
}

impl<'a> Weights<'a> {
    /// The weights of one cell among those of all cells.
    #[inline]
    pub(super) fn of(sizes: &Recurrent, weights: &'a [f32], cell: CellIndex) -> Self {
        let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, end } =
            sizes.cell(cell.layer, cell.direction);
        Self {
            inputs,
            ih: &weights[weight_ih..weight_hh],
            hh: &weights[weight_hh..bias_ih],
            bias_ih: &weights[bias_ih..bias_hh],
            bias_hh: &weights[bias_hh..weight_hr],
            hr: &weights[weight_hr..end],
        }
    }

    /// The initial value of the sums from the input: the sum of both biases, except in a GRU, which multiplies one of
    /// them by the gate `r` first.
    pub(super) fn input_bias<'b>(&self, cell: Cell, scratch: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        if cell == Cell::Gru || self.bias_ih.is_empty() {
            return self.bias_ih;
        }
        // Added once per call instead of once per row and step.
        let both = &mut scratch[..self.bias_ih.len()];
        for (both, (ih, hh)) in both.iter_mut().zip(self.bias_ih.iter().zip(self.bias_hh)) {
            *both = ih + hh;
        }
        both
    }
}

/// The rows of the previous step and of this step among rows of states.
#[derive(Clone, Copy)]
pub(super) struct StateRows {
    /// Elements of a row.
    pub(super) len: usize,
    /// The first row of this step.
    pub(super) now: usize,
    /// The first row of the previous step.
    pub(super) before: usize,
    /// The number of rows.
    pub(super) active: usize,
}

impl StateRows {
    /// The rows of the previous step, and those of this step.
    pub(super) fn split(self, states: &mut [f32]) -> (&mut [f32], &mut [f32]) {
        let Self { len, now, before, active } = self;
        // The previous step's rows precede this step's, so that both can be borrowed: `before + active <= now`.
        let (past, rest) = states.split_at_mut(now * len);
        (&mut past[before * len..(before + active) * len], &mut rest[..active * len])
    }
}

/// Copies the valid steps of `[n, steps, len]` to rows.
pub(super) fn gather<'a>(
    packing: Packing<'_>,
    cell: CellIndex,
    source: &[f32],
    len: usize,
    rows: &'a mut [f32],
) -> &'a mut [f32] {
    let steps = source.len() / (packing.n() * len);
    for Row { row, sample, time } in packing.all(cell.reversed()) {
        let from = &source[(sample * steps + time) * len..][..len];
        rows[row * len..(row + 1) * len].copy_from_slice(from);
    }
    &mut rows[..packing.rows() * len]
}

/// Copies rows of a cell's outputs to the part of `[n, steps, width]` that belongs to the cell's direction.
fn scatter(
    packing: Packing<'_>,
    cell: CellIndex,
    rows: &[f32],
    sizes: Recurrent,
    values: &mut [f32],
) {
    let (outputs, width) = (sizes.outputs(), sizes.width());
    let steps = values.len() / (packing.n() * width);
    for Row { row, sample, time } in packing.all(cell.reversed()) {
        let to = (sample * steps + time) * width + cell.direction * outputs;
        values[to..to + outputs].copy_from_slice(&rows[row * outputs..(row + 1) * outputs]);
    }
}
