//! [`Init`]: the initial value of a product's sums.

#[cfg(feature = "train")]
use crate::memory::Shards;
#[cfg(feature = "std")]
use core::ops::Range;

/// Whether a kernel overwrites its output or adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// The output is overwritten; its previous values are not read.
    Overwrite,
    /// The result is added to the output.
    Add,
}

#[cfg(feature = "train")]
impl Accumulate {
    /// What a weight gradient of these shards begins with.
    pub(crate) const fn of(shards: &Shards<'_>) -> Self {
        if shards.adds() { Self::Add } else { Self::Overwrite }
    }
}

/// The initial value of the sums of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Init<'a> {
    /// `C = A B`
    Zero,
    /// `C = A B + b`, with the same `b` for each row.
    Bias(&'a [f32]),
    /// `C = C + A B`: each sum continues that of `C`, term by term.
    Accumulate,
    /// The same, but the sum of `A B` begins with zero, and is added to `C` as a whole.
    Partial,
}

impl From<Accumulate> for Init<'_> {
    fn from(accumulate: Accumulate) -> Self {
        match accumulate {
            Accumulate::Overwrite => Self::Zero,
            Accumulate::Add => Self::Accumulate,
        }
    }
}

impl<'a> Init<'a> {
    /// The bias, or zero if `bias` is empty.
    pub(crate) const fn bias(bias: &'a [f32]) -> Self {
        if bias.is_empty() { Self::Zero } else { Self::Bias(bias) }
    }

    /// The same for these columns alone.
    #[cfg(feature = "std")]
    pub(crate) fn of_columns(self, columns: &Range<usize>) -> Self {
        if let Self::Bias(bias) = self { Self::Bias(&bias[columns.clone()]) } else { self }
    }
}
