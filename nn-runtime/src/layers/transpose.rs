//! [`Transpose`]: PyTorch's `x.transpose(first, second)`.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::transpose;

/// Two axes exchanged: `[.., A, .., B, ..] -> [.., B, .., A, ..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Transpose;

rearrange!(Transpose, transpose::Transpose);

/// The axis that comes first, and the later one.
const fn axes<S: Spec<Arguments = transpose::Transpose>>() -> (usize, usize) {
    let transpose::Transpose { first, second } = S::ARGUMENTS;
    if first < second { (first, second) } else { (second, first) }
}

impl<S: Spec<Arguments = transpose::Transpose>> Rearrange<S> for Transpose {
    /// What is after both axes.
    const BLOCK: usize = S::INPUT.span(axes::<S>().1 + 1, S::INPUT.rank());

    #[inline(always)]
    fn source(at: usize) -> Option<usize> {
        let (before, after) = const { axes::<S>() };
        if before == after {
            return Some(at);
        }
        let (rows, columns) = (S::INPUT.dim(before), S::INPUT.dim(after));
        let middle = const { S::INPUT.span(axes::<S>().0 + 1, axes::<S>().1) };
        // `at` counts `outer, column, middle, row`.
        let (at, row) = (at / rows, at % rows);
        let (at, inner) = (at / middle, at % middle);
        let (outer, column) = (at / columns, at % columns);
        Some(((outer * rows + row) * middle + inner) * columns + column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;

    spec!(Matrix: transpose::Transpose { first: 1, second: 0 }, [&[4, 3]] -> &[3, 4]);
    spec!(Image: transpose::Transpose { first: 0, second: 1 }, [&[4, 3, 2]] -> &[3, 4, 2]);
    spec!(Outer: transpose::Transpose { first: 0, second: 2 }, [&[4, 3, 2]] -> &[2, 3, 4]);
    spec!(Last: transpose::Transpose { first: 2, second: 1 }, [&[2, 4, 3]] -> &[2, 3, 4]);
    spec!(Same: transpose::Transpose { first: 1, second: 1 }, [&[4, 3]] -> &[4, 3]);

    #[test]
    fn exchanges_axes() {
        check::<Matrix, Transpose>(0.0, |at| Some(at[1] * 3 + at[0]));
        check::<Image, Transpose>(0.0, |at| Some((at[1] * 3 + at[0]) * 2 + at[2]));
        check::<Outer, Transpose>(0.0, |at| Some((at[2] * 3 + at[1]) * 2 + at[0]));
        check::<Last, Transpose>(0.0, |at| Some((at[0] * 4 + at[2]) * 3 + at[1]));
        check::<Same, Transpose>(0.0, |at| Some(at[0] * 3 + at[1]));
    }
}
