//! Where the values of a pass are in memory.

use crate::memory::Buffer;

/// Where one cell's values are; sizes in numbers per sample. Rows of states have the initial ones in front.
#[derive(Clone, Copy)]
pub(super) struct CellLayout {
    /// The sums from the input, then the gates, then the gradients of the sums.
    pub(super) gates: Buffer,
    /// Of a GRU: the same for the sums from the state.
    pub(super) hidden: Buffer,
    /// `h` of all steps.
    pub(super) h: Buffer,
    /// Of an LSTM: `c` of all steps.
    pub(super) c: Buffer,
}

/// Where everything is behind the order of the samples; sizes in numbers per sample.
#[derive(Clone, Copy)]
pub(super) struct StackLayout {
    /// A cell's input, packed; backward its gradient too.
    pub(super) rows: Buffer,
    /// The first cell's values.
    pub(super) cell: CellLayout,
    /// From one cell's values to the next's: nothing at inference.
    pub(super) cell_stride: usize,
    /// What the first layer gives to the second.
    pub(super) between: Buffer,
    /// How many of these there are.
    pub(super) betweens: usize,
    /// Where they end.
    pub(super) end: usize,
}

impl StackLayout {
    /// The values of cell `cell`.
    pub(super) const fn of(&self, cell: usize) -> CellLayout {
        let by = cell * self.cell_stride;
        let CellLayout { gates, hidden, h, c } = self.cell;
        CellLayout {
            gates: shifted(gates, by),
            hidden: shifted(hidden, by),
            h: shifted(h, by),
            c: shifted(c, by),
        }
    }

    /// What layer `layer` reads: nothing here for the first one, which reads the input.
    pub(super) const fn source(&self, layer: usize) -> Buffer {
        match layer {
            0 => Buffer::EMPTY,
            _ => shifted(self.between, (layer - 1) % self.betweens * self.between.len),
        }
    }
}

pub(super) const fn shifted(place: Buffer, by: usize) -> Buffer {
    Buffer { offset: place.offset + by, len: place.len }
}
