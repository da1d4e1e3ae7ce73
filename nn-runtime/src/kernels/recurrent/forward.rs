//! Forward through a stack, cell by cell, for a whole batch of sequences.

use super::packing::{Packing, Row, StepRows};
use super::{Cell, CellPlaces, Passage, Stack, gates, panels};
use crate::kernels::product::{Begin, Product, Walk};
use crate::kernels::{Isa, dense_columns};
use crate::memory::{StateMut, take};
use crate::types::Steps;
use unrolled_shape::rules::recurrent::{CellWeights, Recurrent};

impl Passage<'_> {
    /// Forward through all cells.
    #[expect(clippy::too_many_arguments, reason = "as `Stack::infer`")]
    pub(super) fn run(
        &self,
        lengths: Steps<'_>,
        x: &[f32],
        y: &mut [f32],
        mut carried: StateMut<'_>,
        memory: &mut [f32],
        scratch: &mut [f32],
        drop: impl Fn(usize, &mut [f32]),
    ) {
        let Stack { sizes, steps, .. } = self.stack;
        let n = x.len() / self.stack.input_len();
        let (order, memory) = memory.split_at_mut(n * Packing::LEN);
        let packing = Packing::new(n, steps, lengths, order);
        for layer in 0..sizes.layers {
            for direction in 0..sizes.directions {
                self.run_cell(layer, direction, packing, x, y, &mut carried, memory, scratch);
            }
            if layer + 1 < sizes.layers {
                let [next] = take(memory, n, [self.places.source(layer + 1)]);
                drop(layer, next);
            }
        }
    }

    /// Forward through one cell: from its source to the next layer's, or to `y`.
    #[expect(clippy::too_many_arguments, reason = "as `Stack::infer`, and which cell")]
    fn run_cell(
        &self,
        layer: usize,
        direction: usize,
        packing: Packing<'_>,
        x: &[f32],
        y: &mut [f32],
        carried: &mut StateMut<'_>,
        memory: &mut [f32],
        scratch: &mut [f32],
    ) {
        let Stack { sizes, .. } = self.stack;
        let (n, backward) = (packing.n(), direction == 1);
        let cell = layer * sizes.directions + direction;
        let CellPlaces { gates, hidden, h, c } = self.places.of(cell);
        let at = [self.places.source(layer), self.places.rows, gates, hidden, h, c];
        let [source, rows, gates, hidden, h, c] = take(memory, n, at);
        let source = if layer == 0 { x } else { source };
        let cell_weights = self.cell_weights(layer, direction);
        let rows = gather(packing, backward, source, cell_weights.inputs, rows);
        self.begin(cell, packing, carried, h, c);
        self.step_by_step(&cell_weights, packing, rows, [gates, hidden, h, c], scratch);
        self.finish(cell, packing, h, c, carried);
        if layer + 1 == sizes.layers {
            self.give(direction, packing, h, y);
        } else {
            let [h, next] = take(memory, n, [at[4], self.places.source(layer + 1)]);
            scatter(packing, backward, &h[n * sizes.units..], direction, sizes, next);
        }
    }

    pub(super) fn cell_weights(&self, layer: usize, direction: usize) -> Weights<'_> {
        Weights::of(&self.stack.sizes, self.weights, layer, direction)
    }

    /// Where a cell's `h` (0) or `c` (1) is in a sample's carried state.
    fn carried(&self, cell: usize, which: usize) -> core::ops::Range<usize> {
        let Stack { sizes, .. } = self.stack;
        let begin = (which * sizes.cells() + cell) * sizes.units;
        begin..begin + sizes.units
    }

    /// Fills the initial rows: with what was carried here, or with zeros.
    fn begin(
        &self,
        cell: usize,
        packing: Packing<'_>,
        carried: &mut StateMut<'_>,
        h: &mut [f32],
        c: &mut [f32],
    ) {
        let (n, units) = (packing.n(), self.stack.sizes.units);
        let states = [h, c].into_iter().take(self.stack.cell.states()).enumerate();
        for (which, state) in states {
            let initial = &mut state[..n * units];
            if carried.is_empty() {
                initial.fill(0.0);
                continue;
            }
            for (rank, row) in initial.chunks_exact_mut(units).enumerate() {
                let from = self.carried(cell, which);
                row.copy_from_slice(&carried.sample(packing.sample(rank))[from]);
            }
        }
    }

    /// Carries the last states away.
    fn finish(
        &self,
        cell: usize,
        packing: Packing<'_>,
        h: &[f32],
        c: &[f32],
        carried: &mut StateMut<'_>,
    ) {
        if carried.is_empty() {
            return;
        }
        let units = self.stack.sizes.units;
        for (which, state) in [h, c].into_iter().take(self.stack.cell.states()).enumerate() {
            for rank in 0..packing.n() {
                let row = packing.last_row(rank) * units;
                let to = self.carried(cell, which);
                let carried = &mut carried.sample(packing.sample(rank))[to];
                carried.copy_from_slice(&state[row..row + units]);
            }
        }
    }

    /// All steps of a cell, one after the other. `states` are its gates, hidden sums, `h` and `c`.
    fn step_by_step(
        &self,
        weights: &Weights<'_>,
        packing: Packing<'_>,
        rows: &[f32],
        [gates, hidden, h, c]: [&mut [f32]; 4],
        scratch: &mut [f32],
    ) {
        let Stack { cell, sizes, .. } = self.stack;
        let (n, units, columns, isa) = (packing.n(), sizes.units, sizes.columns(), Isa::best());
        let gates = &mut gates[..packing.rows() * columns];
        let (panels, scratch) = scratch.split_at_mut(self.stack.panels(packing.rows()));
        panels::pack(columns, weights.hh, panels);
        let hh = StateMatrix { isa, units, columns, plain: weights.hh, panels };
        let bias = weights.input_bias(cell, scratch);
        let ih = weights.ih;
        dense_columns(isa, weights.inputs, columns, columns, rows, ih, Begin::bias(bias), gates);
        for StepRows { first, active, before } in packing.steps() {
            let now = first * columns..(first + active) * columns;
            let (h_before, h) = state_rows(h, units, n + first, before, active);
            let gates = &mut gates[now.clone()];
            match cell {
                Cell::Gru => {
                    let hidden = &mut hidden[now];
                    hh.product(Begin::bias(weights.bias_hh), h_before, hidden);
                    gates::gru_forward(units, gates, hidden, h_before, h);
                    continue;
                }
                _ => hh.product(Begin::Add, h_before, gates),
            }
            match cell {
                Cell::Tanh => gates::tanh_forward(gates, h),
                Cell::Relu => gates::relu_forward(gates, h),
                _ => {
                    let (c_before, c) = state_rows(c, units, n + first, before, active);
                    gates::lstm_forward(units, gates, c_before, c, h);
                }
            }
        }
    }

    /// Writes a cell's part of the stack's output, and zeros behind the end of each sequence.
    fn give(&self, direction: usize, packing: Packing<'_>, h: &[f32], y: &mut [f32]) {
        let Stack { sizes, steps, last, .. } = self.stack;
        let (n, units, width) = (packing.n(), sizes.units, sizes.width());
        if last {
            for rank in 0..n {
                let row = packing.last_row(rank) * units;
                let to = packing.sample(rank) * width + direction * units;
                y[to..to + units].copy_from_slice(&h[row..row + units]);
            }
            return;
        }
        scatter(packing, direction == 1, &h[n * units..], direction, sizes, y);
        for rank in 0..n {
            let sample = &mut y[packing.sample(rank) * steps * width..][..steps * width];
            sample[packing.valid(rank) * width..].fill(0.0);
        }
    }
}

/// What the states of all samples are multiplied with at each step.
struct StateMatrix<'a> {
    isa: Isa,
    units: usize,
    columns: usize,
    plain: &'a [f32],
    /// The same, or nothing.
    panels: &'a [f32],
}

impl StateMatrix<'_> {
    /// `y = h U`, and what it begins with.
    fn product(&self, begin: Begin<'_>, h: &[f32], y: &mut [f32]) {
        let Self { isa, units, columns, plain, panels } = *self;
        // A single row is faster in wider tiles.
        if panels.is_empty() || h.len() == units {
            dense_columns(isa, units, columns, columns, h, plain, begin, y);
        } else {
            panels::product(isa, units, columns, begin, h, panels, y);
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
}

impl<'a> Weights<'a> {
    /// Those of one cell, where `weights` are those of all.
    #[inline]
    pub(super) fn of(
        sizes: &Recurrent,
        weights: &'a [f32],
        layer: usize,
        direction: usize,
    ) -> Self {
        let CellWeights { inputs, weight_ih, weight_hh, bias_ih, bias_hh, end } =
            sizes.cell(layer, direction);
        Self {
            inputs,
            ih: &weights[weight_ih..weight_hh],
            hh: &weights[weight_hh..bias_ih],
            bias_ih: &weights[bias_ih..bias_hh],
            bias_hh: &weights[bias_hh..end],
        }
    }

    /// What the sums from the input begin with: both biases, except in a GRU, where the gate `r` stands
    /// between them.
    pub(super) fn input_bias<'b>(&self, cell: Cell, scratch: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        if cell == Cell::Gru || self.bias_ih.is_empty() {
            return self.bias_ih;
        }
        let both = &mut scratch[..self.bias_ih.len()];
        for (both, (ih, hh)) in both.iter_mut().zip(self.bias_ih.iter().zip(self.bias_hh)) {
            *both = ih + hh;
        }
        both
    }
}

/// The rows of the step before, and those of this one, among rows of states.
pub(super) fn state_rows(
    states: &mut [f32],
    units: usize,
    now: usize,
    before: usize,
    active: usize,
) -> (&mut [f32], &mut [f32]) {
    let (past, rest) = states.split_at_mut(now * units);
    (&mut past[before * units..(before + active) * units], &mut rest[..active * units])
}

/// `y = y + x W`
pub(super) fn add_product(
    isa: Isa,
    inputs: usize,
    units: usize,
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
) {
    let product = Product {
        rows: Walk::line(y.len() / units, inputs, units),
        terms: Walk::line(inputs, 1, units),
        columns: units,
        begin: Begin::Add,
    };
    product.compute(isa, x, weight, y);
}

/// Copies the valid steps of `[n, steps, len]` to rows.
pub(super) fn gather<'a>(
    packing: Packing<'_>,
    backward: bool,
    source: &[f32],
    len: usize,
    rows: &'a mut [f32],
) -> &'a mut [f32] {
    let steps = source.len() / (packing.n() * len);
    for Row { row, sample, time } in packing.all(backward) {
        let from = &source[(sample * steps + time) * len..][..len];
        rows[row * len..(row + 1) * len].copy_from_slice(from);
    }
    &mut rows[..packing.rows() * len]
}

/// Copies rows of `units` numbers to the part of `[n, steps, width]` that belongs to `direction`.
fn scatter(
    packing: Packing<'_>,
    backward: bool,
    rows: &[f32],
    direction: usize,
    sizes: Recurrent,
    values: &mut [f32],
) {
    let (units, width) = (sizes.units, sizes.width());
    let steps = values.len() / (packing.n() * width);
    for Row { row, sample, time } in packing.all(backward) {
        let to = (sample * steps + time) * width + direction * units;
        values[to..to + units].copy_from_slice(&rows[row * units..(row + 1) * units]);
    }
}
