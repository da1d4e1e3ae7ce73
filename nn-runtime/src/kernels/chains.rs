//! A row times matrices, inlined into networks that take nanoseconds.
//!
//! The same sums as those of a [`Product`](super::product::Product), with all sizes known to the compiler: each element
//! is one chain of multiply-adds in the order of the terms, so that it has the same bits.

use super::inline::Instructions;
use super::isa::{Lanes, load_row};

/// The most vectors of sums at a time: as many as registers can hold on any machine, and enough chains to hide the
/// latency of multiply-adds.
const MOST: usize = 8;

/// `y = b + b' + x W + x' W' + ..` for one row. `biases` have `columns` elements or none; each of `terms` is a row and
/// a matrix of `columns` columns.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub(crate) fn chains<I: Instructions, const T: usize>(
    isa: I,
    columns: usize,
    biases: [&[f32]; 2],
    terms: [(&[f32], &[f32]); T],
    y: &mut [f32],
) {
    assert!(y.len() == columns, "an element for each column");
    for bias in biases {
        assert!(bias.is_empty() || bias.len() == columns, "a bias for each column, or none");
    }
    for (x, weight) in terms {
        assert!(weight.len() == x.len() * columns, "a weight for each term and column");
    }
    Chains { columns, biases, terms, y: y.as_mut_ptr() }.run(isa.lanes());
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
    fn run<L: Lanes>(&self, lanes: L) {
        let mut column = 0;
        while column < self.columns {
            let left = (self.columns - column).div_ceil(L::COUNT);
            // 9 vectors are groups of 5 and 4, not of 8 and 1: more chains that hide the latency of the last group.
            let vectors = left.div_ceil(left.div_ceil(MOST));
            // SAFETY: `vectors` vectors begin in the columns from `column` on.
            unsafe {
                match vectors {
                    1 => self.group::<L, 1>(lanes, column),
                    2 => self.group::<L, 2>(lanes, column),
                    3 => self.group::<L, 3>(lanes, column),
                    4 => self.group::<L, 4>(lanes, column),
                    5 => self.group::<L, 5>(lanes, column),
                    6 => self.group::<L, 6>(lanes, column),
                    7 => self.group::<L, 7>(lanes, column),
                    _ => self.group::<L, 8>(lanes, column),
                }
            }
            column += vectors * L::COUNT;
        }
    }

    /// Computes `N` vectors from `column` on, of which the last may be partial.
    ///
    /// # Safety
    /// `N` vectors must begin in the columns from `column` on.
    #[inline(always)]
    unsafe fn group<L: Lanes, const N: usize>(&self, lanes: L, column: usize) {
        // SAFETY: `N` vectors begin there, and the edge is where the last one does not end in the columns.
        unsafe {
            // A constant condition, as all sizes are constants of the network.
            if column + N * L::COUNT <= self.columns {
                self.vectors::<L, N, false>(lanes, column);
            } else {
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
                for k in 0..inputs {
                    let row = load_row::<L, N, EDGE>(lanes, weight.add(k * self.columns), tail);
                    let x = lanes.splat(*x.add(k));
                    for (sum, w) in sums.iter_mut().zip(row) {
                        *sum = lanes.mul_add(x, w, *sum);
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
                    // `Lanes` has no addition; multiplying by 1 is exact.
                    *sum = lanes.mul_add(lanes.splat(1.0), b, *sum);
                }
            }
        }
        sums
    }
}
