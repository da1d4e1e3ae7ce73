//! [`Cell`]: the kinds of cells.

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
