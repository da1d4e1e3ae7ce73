//! [`Cell`]: the kinds of cells.

/// The formula of a cell. Gates are in PyTorch's order.
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
    /// The number of vectors of `units` elements in a cell's state: `h`, and `c` of an LSTM.
    #[must_use]
    pub const fn states(self) -> usize {
        if matches!(self, Self::Lstm) { 2 } else { 1 }
    }
}
