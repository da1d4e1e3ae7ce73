//! [`Slice`]: PyTorch's `x.narrow(axis, start, end - start)`, or `x[start:end:step]`.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::slice;

/// A part of one axis: `[.., A, ..] -> [.., A', ..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice;

rearrange!(Slice, slice::Slice);

impl<S: Spec<Arguments = slice::Slice>> Rearrange<S> for Slice {
    /// All elements of one index of the axis.
    const BLOCK: usize = S::INPUT.span(S::ARGUMENTS.axis + 1, S::INPUT.rank());

    #[inline(always)]
    fn source(at: usize) -> Option<usize> {
        let slice::Slice { start, axis, step, .. } = S::ARGUMENTS;
        let (outer, index) = (at / S::OUTPUT.dim(axis), at % S::OUTPUT.dim(axis));
        Some(outer * S::INPUT.dim(axis) + start + index * step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;

    spec!(Rows: slice::Slice { start: 1, end: Some(3), axis: 0, step: 1 }, [&[4, 3, 2]] -> &[2, 3, 2]);
    spec!(Columns: slice::Slice { start: 0, end: None, axis: 1, step: 2 }, [&[4, 3, 2]] -> &[4, 2, 2]);
    spec!(Channels: slice::Slice { start: 2, end: Some(5), axis: 1, step: 2 }, [&[3, 5]] -> &[3, 2]);

    #[test]
    fn copies_a_part() {
        check::<Rows, Slice>(0.0, |at| Some(((at[0] + 1) * 3 + at[1]) * 2 + at[2]));
        check::<Columns, Slice>(0.0, |at| Some((at[0] * 3 + 2 * at[1]) * 2 + at[2]));
        check::<Channels, Slice>(0.0, |at| Some(at[0] * 5 + 2 + 2 * at[1]));
    }
}
