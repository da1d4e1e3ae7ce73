//! How long the sequences of a batch are: shapes say how many steps fit, lengths how many there are.
//!
//! What lies behind a sequence's end is zero where it enters a network and where it leaves it. Layers that
//! mix steps (recurrent ones, convolutions and pools over steps) and losses leave it out: they read nothing
//! there, and write zeros, forward and backward. Layers that see one step at a time need not care.

/// How many steps of a value are valid, sample by sample.
#[derive(Clone, Copy, Debug, Default)]
pub enum Steps<'a> {
    /// All that its shape has room for.
    #[default]
    Full,
    /// So many of each sample.
    Given(&'a [u32]),
}

impl Steps<'_> {
    /// How many steps of sample `sample` are valid, where there is room for `full`.
    #[must_use]
    pub fn valid(&self, sample: usize, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Given(lengths) => (lengths[sample] as usize).min(full),
        }
    }
}
