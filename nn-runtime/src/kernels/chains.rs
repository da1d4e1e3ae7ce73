//! A row times matrices, inlined into networks that take nanoseconds.
//!
//! The same sums as those of a [`Product`](super::product::Product), with all sizes known to the compiler: each element
//! is one chain of multiply-adds in the order of the terms, or a sum of such chains, so that it has the same bits.

use super::inline::Instructions;
use super::isa::{Lanes, load_row};
use super::product::{LONG_DENSE_SUM, PARTIAL_SUM};

/// The most vectors of sums at a time: as many as registers can hold on any machine, and enough chains to hide the
/// latency of multiply-adds.
const MOST: usize = 8;

/// A number of columns that is a constant of a type.
///
/// `rustc` generates no code for a branch that a constant of type parameters excludes. With an argument that becomes a
/// constant once the kernel is inlined, it would generate groups of all sizes, and LLVM would inline each of them before
/// it removed all but one or two.
pub(crate) trait Columns {
    /// The number of columns.
    const COLUMNS: usize;
}

/// `N` columns.
pub(crate) struct Count<const N: usize>;

impl<const N: usize> Columns for Count<N> {
    const COLUMNS: usize = N;
}

/// `y = b + b' + x W + x' W' + ..` for one row of `C` columns. `biases` have an element for each column, or none; each
/// of `terms` is a row and a matrix of as many columns.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub(crate) fn chains<C: Columns, I: Instructions, const T: usize>(
    isa: I,
    biases: [&[f32]; 2],
    terms: [(&[f32], &[f32]); T],
    y: &mut [f32],
) {
    let columns = C::COLUMNS;
    assert!(y.len() == columns, "an element for each column");
    for bias in biases {
        assert!(bias.is_empty() || bias.len() == columns, "a bias for each column, or none");
    }
    for (x, weight) in terms {
        assert!(weight.len() == x.len() * columns, "a weight for each term and column");
    }
    Chains { columns, biases, terms, y: y.as_mut_ptr() }.run::<C, _>(isa.lanes());
}

/// The number of vectors in the next group, where `left` columns are left and a vector has `lanes` elements.
const fn next_group(left: usize, lanes: usize) -> usize {
    let left = left.div_ceil(lanes);
    // 9 vectors are groups of 5 and 4, not of 8 and 1: more chains that hide the latency of the last group.
    left.div_ceil(left.div_ceil(MOST))
}

/// Whether `columns` have a group of `vectors`, of which the last one is whole or, at an `edge`, partial.
const fn has_group(columns: usize, lanes: usize, vectors: usize, edge: bool) -> bool {
    let mut column = 0;
    while column < columns {
        let group = next_group(columns - column, lanes);
        column += group * lanes;
        if group == vectors && (column > columns) == edge {
            return true;
        }
    }
    false
}

/// A row whose slices have the lengths that [`chains`] asserts; `y` has `columns` elements.
struct Chains<'a, const T: usize> {
    columns: usize,
    biases: [&'a [f32]; 2],
    terms: [(&'a [f32], &'a [f32]); T],
    y: *mut f32,
}

impl<const T: usize> Chains<'_, T> {
    /// Computes all columns, in groups of about the same number of vectors.
    #[inline(always)]
    fn run<C: Columns, L: Lanes>(&self, lanes: L) {
        let mut column = 0;
        while column < C::COLUMNS {
            let vectors = next_group(C::COLUMNS - column, L::COUNT);
            // SAFETY: `vectors` vectors begin in the columns from `column` on, and `self` has `C::COLUMNS` columns.
            unsafe {
                match vectors {
                    1 => self.group::<C, L, 1>(lanes, column),
                    2 => self.group::<C, L, 2>(lanes, column),
                    3 => self.group::<C, L, 3>(lanes, column),
                    4 => self.group::<C, L, 4>(lanes, column),
                    5 => self.group::<C, L, 5>(lanes, column),
                    6 => self.group::<C, L, 6>(lanes, column),
                    7 => self.group::<C, L, 7>(lanes, column),
                    _ => self.group::<C, L, 8>(lanes, column),
                }
            }
            column += vectors * L::COUNT;
        }
    }

    /// Computes `N` vectors from `column` on, of which the last may be partial: one of the groups of `C` columns.
    ///
    /// # Safety
    /// `N` vectors must begin in the columns from `column` on, and `self` must have `C::COLUMNS` columns.
    #[inline(always)]
    unsafe fn group<C: Columns, L: Lanes, const N: usize>(&self, lanes: L, column: usize) {
        // SAFETY: `N` vectors begin there, and the edge is where the last one does not end in the columns.
        unsafe {
            let whole = column + N * L::COUNT <= C::COLUMNS;
            // `const`, so that `rustc` generates only the groups that these columns have.
            if const { has_group(C::COLUMNS, L::COUNT, N, false) } && whole {
                self.vectors::<L, N, false>(lanes, column);
            }
            if const { has_group(C::COLUMNS, L::COUNT, N, true) } && !whole {
                self.vectors::<L, N, true>(lanes, column);
            }
        }
    }

    /// # Safety
    /// As for [`Self::group`]; without `EDGE` all vectors must be whole.
    #[inline(always)]
    unsafe fn vectors<L: Lanes, const N: usize, const EDGE: bool>(&self, lanes: L, column: usize) {
        let tail = lanes.tail((self.columns - column - (N - 1) * L::COUNT).min(L::COUNT));
        // SAFETY: the rows of all matrices, the biases and `y` have `columns` elements, and of the last vector of an
        // edge only those that are left are accessed.
        unsafe {
            let mut sums = self.init::<L, N, EDGE>(lanes, column, tail);
            // The `N` chains are independent and hide the latency of multiply-adds; each has its terms in order.
            for (x, weight) in self.terms {
                let weight = weight.as_ptr().add(column);
                let (inputs, x) = (x.len(), x.as_ptr());
                // Constants: networks without long sums have one loop.
                let part = if inputs > LONG_DENSE_SUM { PARTIAL_SUM } else { inputs.max(1) };
                for first in (0..inputs).step_by(part) {
                    let before = sums;
                    if first > 0 {
                        sums = [lanes.zero(); N];
                    }
                    for k in first..inputs.min(first + part) {
                        let row = load_row::<L, N, EDGE>(lanes, weight.add(k * self.columns), tail);
                        let x = lanes.splat(*x.add(k));
                        for (sum, w) in sums.iter_mut().zip(row) {
                            *sum = lanes.mul_add(x, w, *sum);
                        }
                    }
                    if first > 0 {
                        for (sum, before) in sums.iter_mut().zip(before) {
                            *sum = lanes.add(*sum, before);
                        }
                    }
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                let column = column + v * L::COUNT;
                // The number of columns is a constant, so that this is a plain store: the next layer loads the elements
                // soon, and only plain stores are forwarded to loads.
                lanes.store_first(self.y.add(column), sum, self.columns - column);
            }
        }
    }

    /// The initial sums: both biases.
    ///
    /// # Safety
    /// As for [`Self::vectors`].
    #[inline(always)]
    unsafe fn init<L: Lanes, const N: usize, const EDGE: bool>(
        &self,
        lanes: L,
        column: usize,
        tail: L::Tail,
    ) -> [L::Vector; N] {
        let [first, second] = self.biases;
        let mut sums = [lanes.zero(); N];
        // SAFETY: a bias that is not empty has `columns` elements.
        unsafe {
            if !first.is_empty() {
                sums = load_row::<L, N, EDGE>(lanes, first.as_ptr().add(column), tail);
            }
            if !second.is_empty() {
                let row = load_row::<L, N, EDGE>(lanes, second.as_ptr().add(column), tail);
                for (sum, b) in sums.iter_mut().zip(row) {
                    *sum = lanes.add(b, *sum);
                }
            }
        }
        sums
    }
}
