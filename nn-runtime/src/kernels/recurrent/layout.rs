//! The layout of the memory of a pass.

use crate::memory::Buffer;

/// The values of one cell; sizes are elements per sample. Rows of states are preceded by the initial ones.
#[derive(Clone, Copy)]
pub(super) struct CellLayout {
    /// The sums from the input, then the gates, then the gradients of the sums.
    pub(super) gates: Buffer,
    /// The same for the sums from the state; empty unless the cell is a GRU.
    pub(super) hidden: Buffer,
    /// `h` of all steps.
    pub(super) h: Buffer,
    /// `c` of all steps; empty unless the cell is an LSTM.
    pub(super) c: Buffer,
    /// What is projected to `h`, of all steps; empty without a projection. No initial rows.
    pub(super) unprojected: Buffer,
}

/// The memory of a pass after the order of the samples; sizes are elements per sample.
#[derive(Clone, Copy)]
pub(super) struct StackLayout {
    /// A cell's input, packed; in the backward pass also its gradient.
    pub(super) rows: Buffer,
    /// The values of the first cell.
    pub(super) cell: CellLayout,
    /// From the values of one cell to those of the next: 0 at inference, where all cells use the same memory.
    pub(super) cell_stride: usize,
    /// The output of the first layer, which the second one reads.
    pub(super) between: Buffer,
    /// The number of such buffers.
    pub(super) betweens: usize,
    /// The end of these buffers.
    pub(super) end: usize,
}

impl StackLayout {
    /// The values of cell `cell`.
    pub(super) const fn of(&self, cell: usize) -> CellLayout {
        // All cells have equal sizes: only the inputs differ, which are not part of a cell's values.
        let by = cell * self.cell_stride;
        let CellLayout { gates, hidden, h, c, unprojected } = self.cell;
        CellLayout {
            gates: shifted(gates, by),
            hidden: shifted(hidden, by),
            h: shifted(h, by),
            c: shifted(c, by),
            unprojected: shifted(unprojected, by),
        }
    }

    /// The input of layer `layer`. Empty for the first one, which reads the input of the stack.
    pub(super) const fn source(&self, layer: usize) -> Buffer {
        match layer {
            0 => Buffer::EMPTY,
            // At inference layers alternate between two buffers; in training each has its own, which the backward pass
            // reads.
            _ => shifted(self.between, (layer - 1) % self.betweens * self.between.len),
        }
    }
}

/// The buffer, `by` elements further on.
pub(super) const fn shifted(buffer: Buffer, by: usize) -> Buffer {
    Buffer { offset: buffer.offset + by, len: buffer.len }
}
