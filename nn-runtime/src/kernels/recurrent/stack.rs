//! [`Stack`]: the sizes of a recurrent layer.

use super::cell::Cell;
use super::layout::{CellLayout, StackLayout, shifted};
use super::packing::Packing;
use crate::memory::Buffer;
use unrolled_shape::rules::recurrent::Recurrent;

/// A recurrent layer with its sizes.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// The kind of its cells.
    pub cell: Cell,
    /// The sizes of its cells and the offsets of their weights.
    pub sizes: Recurrent,
    /// Steps of the input.
    pub steps: usize,
    /// Whether the output is the last state of each direction only.
    pub last: bool,
    /// The probability of dropping an element between two layers.
    pub dropout: f64,
}

impl Stack {
    /// The layout of memory that holds the values of all cells (`save`), or of one cell at a time.
    pub(super) const fn layout(&self, save: bool) -> StackLayout {
        let Recurrent { units, layers, projection, .. } = self.sizes;
        // One buffer of rows for all cells: later layers read the outputs of both directions.
        let widest = if layers > 1 && self.sizes.width() > self.sizes.inputs {
            self.sizes.width()
        } else {
            self.sizes.inputs
        };
        let rows = Buffer::EMPTY.then(self.steps * widest);
        let gates = rows.then(self.steps * self.sizes.columns());
        let hidden = gates.then(if matches!(self.cell, Cell::Gru) { gates.len } else { 0 });
        let h = hidden.then((self.steps + 1) * self.sizes.outputs());
        let is_lstm = matches!(self.cell, Cell::Lstm);
        let c = h.then(if is_lstm { (self.steps + 1) * units } else { 0 });
        let unprojected = c.then(if projection > 0 { self.steps * units } else { 0 });
        let cell_len = unprojected.end() - gates.offset;
        let further = if save { (self.sizes.cells() - 1) * cell_len } else { 0 };
        // At inference two buffers are enough: a layer reads one and writes the other.
        let gaps = layers - 1;
        let betweens = if save || gaps < 2 { gaps } else { 2 };
        let between_len = if gaps > 0 { self.steps * self.sizes.width() } else { 0 };
        let between = shifted(unprojected.then(between_len), further);
        StackLayout {
            rows,
            cell: CellLayout { gates, hidden, h, c, unprojected },
            cell_stride: if save { cell_len } else { 0 },
            between,
            betweens,
            end: between.offset + betweens * between.len,
        }
    }

    /// Elements of workspace per sample that inference needs.
    #[must_use]
    pub const fn workspace(&self) -> usize {
        Packing::LEN + self.layout(false).end
    }

    /// Elements per call that any pass needs: the sum of both biases, and the matrix of the state in panels.
    #[must_use]
    pub const fn scratch(&self) -> usize {
        let biases = if self.sizes.bias { self.sizes.columns() } else { 0 };
        // A size per call must suffice for any number of rows.
        self.panels(usize::MAX) + biases
    }

    /// Whether the matrix of the state is too large to stay in the first-level cache from step to step.
    const fn is_wide(&self) -> bool {
        // 64 kB: more than a first-level cache.
        const WIDE: usize = 1 << 14;
        self.state_matrix() >= WIDE
    }

    /// Elements of a cell's matrix of the state.
    const fn state_matrix(&self) -> usize {
        self.sizes.outputs() * self.sizes.columns()
    }

    /// Elements of that matrix in panels; 0 if there are too few rows to make up for the copy.
    pub(super) const fn panels(&self, rows: usize) -> usize {
        // Rows of all steps together, each of which multiplies the whole matrix.
        const ENOUGH: usize = 16;
        if self.is_wide() && rows >= ENOUGH { self.state_matrix() } else { 0 }
    }

    /// The number of samples that should share one read of that matrix in each step. It grows with the level of the
    /// cache that the matrix comes from.
    #[must_use]
    pub const fn shard(&self) -> usize {
        // 512 kB, half of a second-level cache of 1 MB.
        const LARGE: usize = 1 << 17;
        match self.is_wide() {
            false => 1,
            true if self.state_matrix() < LARGE => 8,
            true => 16,
        }
    }

    /// Elements of recurrent state per sample, from one chunk of a sequence to the next: `h` of all cells, then `c` of
    /// all cells of an LSTM.
    #[must_use]
    pub const fn state(&self) -> usize {
        let Recurrent { units, .. } = self.sizes;
        let of_cell =
            self.sizes.outputs() + if matches!(self.cell, Cell::Lstm) { units } else { 0 };
        self.sizes.cells() * of_cell
    }

    /// Elements of one sample's input.
    pub(super) const fn input_len(&self) -> usize {
        self.steps * self.sizes.inputs
    }
}
