//! [`Split`]: PyTorch's `x.chunk(parts, axis)[part]`.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::split;

/// One of several parts of one size, along an axis: `[.., A, ..] -> [.., A', ..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Split;

rearrange!(Split, split::Split);

impl<S: Spec<Arguments = split::Split>> Rearrange<S> for Split {
    /// The part of one index of the axes before.
    const BLOCK: usize = S::OUTPUT.span(S::ARGUMENTS.axis(S::INPUT), S::OUTPUT.rank());

    #[inline(always)]
    fn source(at: usize) -> Option<usize> {
        Some(at * S::ARGUMENTS.parts + S::ARGUMENTS.part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;

    spec!(Rows: split::Split { parts: 2, part: 1, axis: Some(0) }, [&[4, 3, 2]] -> &[2, 3, 2]);
    spec!(Columns: split::Split { parts: 3, part: 2, axis: Some(1) }, [&[2, 6, 2]] -> &[2, 2, 2]);
    spec!(Channels: split::Split { parts: 3, part: 1, axis: None }, [&[2, 6]] -> &[2, 2]);

    #[test]
    fn copies_a_part() {
        check::<Rows, Split>(0.0, |at| Some(((at[0] + 2) * 3 + at[1]) * 2 + at[2]));
        check::<Columns, Split>(0.0, |at| Some((at[0] * 6 + 4 + at[1]) * 2 + at[2]));
        check::<Channels, Split>(0.0, |at| Some(at[0] * 6 + 2 + at[1]));
    }
}
