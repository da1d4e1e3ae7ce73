//! Recurrent layers: a stack of cells, each of which reads a whole batch of sequences.
//!
//! A cell's input products of all steps are one matrix product; then it goes step by step. Rows are packed
//! (see `packing`), so that sequences of different lengths cost what they are long, and a sample's
//! numbers do not depend on what else is in the batch.

mod backward;
mod forward;
mod gates;
mod packing;
mod panels;
#[cfg(test)]
mod reference;
mod step;
#[cfg(test)]
mod tests;

use crate::memory::{Buffer, StateMut};
use crate::types::Steps;
use packing::Packing;
use unrolled_shape::rules::recurrent::Recurrent;

/// What a cell does with its sums; gates stand in PyTorch's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `h = tanh(x W + h' U + b)`
    Tanh,
    /// `h = max(x W + h' U + b, 0)`
    Relu,
    /// Long short-term memory, gates `i, f, g, o`.
    Lstm,
    /// Gated recurrent unit, gates `r, z, n`.
    Gru,
}

impl Cell {
    /// How many runs of `units` numbers a cell carries from step to step: `h`, and of an LSTM `c`.
    #[must_use]
    pub const fn states(self) -> usize {
        if matches!(self, Self::Lstm) { 2 } else { 1 }
    }
}

/// A recurrent layer with its sizes.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// What its cells do.
    pub cell: Cell,
    /// Its cells, and where their weights stand.
    pub sizes: Recurrent,
    /// Steps of the input.
    pub steps: usize,
    /// Whether the last state of each direction alone comes out.
    pub last: bool,
    /// The probability of dropping what a layer gives to the next.
    pub dropout: f64,
}

/// Where one cell's values are; sizes in numbers per sample. Rows of states have the initial ones in front.
#[derive(Clone, Copy)]
struct CellPlaces {
    /// The sums from the input, then the gates, then the gradients of the sums.
    gates: Buffer,
    /// Of a GRU: the same for the sums from the state.
    hidden: Buffer,
    /// `h` of all steps.
    h: Buffer,
    /// Of an LSTM: `c` of all steps.
    c: Buffer,
}

/// Where everything is behind the order of the samples; sizes in numbers per sample.
#[derive(Clone, Copy)]
struct Places {
    /// A cell's input, packed; backward its gradient too.
    rows: Buffer,
    /// The first cell's values.
    cell: CellPlaces,
    /// From one cell's values to the next's: nothing at inference.
    cell_stride: usize,
    /// What the first layer gives to the second.
    between: Buffer,
    /// How many of these there are.
    betweens: usize,
    /// Where they end.
    end: usize,
}

impl Places {
    /// The values of cell `cell`.
    const fn of(&self, cell: usize) -> CellPlaces {
        let by = cell * self.cell_stride;
        let CellPlaces { gates, hidden, h, c } = self.cell;
        CellPlaces {
            gates: moved(gates, by),
            hidden: moved(hidden, by),
            h: moved(h, by),
            c: moved(c, by),
        }
    }

    /// What layer `layer` reads: nothing here for the first one, which reads the input.
    const fn source(&self, layer: usize) -> Buffer {
        match layer {
            0 => Buffer::EMPTY,
            _ => moved(self.between, (layer - 1) % self.betweens * self.between.len),
        }
    }
}

const fn moved(place: Buffer, by: usize) -> Buffer {
    Buffer { offset: place.offset + by, len: place.len }
}

/// One passage of a batch through the stack.
#[derive(Clone, Copy)]
struct Passage<'a> {
    stack: Stack,
    places: Places,
    weights: &'a [f32],
}

impl Stack {
    /// Where things are in memory that keeps the values of all cells, or of one at a time.
    const fn places(&self, keep: bool) -> Places {
        let Recurrent { units, layers, .. } = self.sizes;
        let widest = if layers > 1 && self.sizes.width() > self.sizes.inputs {
            self.sizes.width()
        } else {
            self.sizes.inputs
        };
        let rows = Buffer::EMPTY.then(self.steps * widest);
        let gates = rows.then(self.steps * self.sizes.columns());
        let hidden = gates.then(if matches!(self.cell, Cell::Gru) { gates.len } else { 0 });
        let h = hidden.then((self.steps + 1) * units);
        let c = h.then(if matches!(self.cell, Cell::Lstm) { h.len } else { 0 });
        let cell_len = c.end() - gates.offset;
        let further = if keep { (self.sizes.cells() - 1) * cell_len } else { 0 };
        let gaps = layers - 1;
        let betweens = if keep || gaps < 2 { gaps } else { 2 };
        let between =
            moved(c.then(if gaps > 0 { self.steps * self.sizes.width() } else { 0 }), further);
        Places {
            rows,
            cell: CellPlaces { gates, hidden, h, c },
            cell_stride: if keep { cell_len } else { 0 },
            between,
            betweens,
            end: between.offset + betweens * between.len,
        }
    }

    /// Numbers per sample that inference needs.
    #[must_use]
    pub const fn work(&self) -> usize {
        Packing::LEN + self.places(false).end
    }

    /// Numbers per call that any pass needs: both biases in one, and the matrix of the state in panels.
    #[must_use]
    pub const fn scratch(&self) -> usize {
        let biases = if self.sizes.bias { self.sizes.columns() } else { 0 };
        self.panels(usize::MAX) + biases
    }

    /// Whether the matrix of the state does not stay in the first cache, where each step would find it.
    const fn is_wide(&self) -> bool {
        const WIDE: usize = 1 << 14;
        self.state_matrix() >= WIDE
    }

    /// Numbers of a cell's matrix of the state.
    const fn state_matrix(&self) -> usize {
        self.sizes.units * self.sizes.columns()
    }

    /// Numbers of that matrix in panels, or nothing where so few rows do not make up for the copy.
    const fn panels(&self, rows: usize) -> usize {
        const ENOUGH: usize = 16;
        if self.is_wide() && rows >= ENOUGH { self.state_matrix() } else { 0 }
    }

    /// How many samples should share what each step reads of that matrix: the more, the farther away it is.
    #[must_use]
    pub const fn shard(&self) -> usize {
        const LARGE: usize = 1 << 17;
        match self.is_wide() {
            false => 1,
            true if self.state_matrix() < LARGE => 8,
            true => 16,
        }
    }

    /// Numbers per sample that are carried from one stretch of a sequence to the next: `h` of all cells,
    /// then of an LSTM `c` of all cells.
    #[must_use]
    pub const fn state(&self) -> usize {
        self.sizes.cells() * self.cell.states() * self.sizes.units
    }

    /// Numbers of one sample's input.
    const fn input_len(&self) -> usize {
        self.steps * self.sizes.inputs
    }

    /// Inference. `x` is `[n, steps, inputs]`, `y` `[n, steps, width]` or `[n, width]`; `carried` has
    /// [`Stack::state`] numbers for each sample, or none.
    #[expect(
        clippy::too_many_arguments,
        reason = "weights, input, output, and memory of three kinds"
    )]
    pub fn infer(
        &self,
        weights: &[f32],
        lengths: Steps<'_>,
        x: &[f32],
        y: &mut [f32],
        carried: StateMut<'_>,
        work: &mut [f32],
        scratch: &mut [f32],
    ) {
        let passage = Passage { stack: *self, places: self.places(false), weights };
        passage.run(lengths, x, y, carried, work, scratch, |_, _| {});
    }

    /// The training forward pass; `saved` holds [`Stack::saved`] numbers per sample for backward.
    /// `drop(layer, values)` drops some of what `layer` gives to the next.
    #[expect(clippy::too_many_arguments, reason = "as `infer`")]
    pub fn forward(
        &self,
        weights: &[f32],
        lengths: Steps<'_>,
        x: &[f32],
        y: &mut [f32],
        carried: StateMut<'_>,
        saved: &mut [f32],
        scratch: &mut [f32],
        drop: impl Fn(usize, &mut [f32]),
    ) {
        let passage = Passage { stack: *self, places: self.places(true), weights };
        passage.run(lengths, x, y, carried, saved, scratch, drop);
    }
}
