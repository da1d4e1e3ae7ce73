//! A row times matrices, inlined into networks that take nanoseconds.
//!
//! The same sums as those of a [`Product`](super::product::Product), with all sizes known to the compiler:
//! each number is one chain of multiply-adds in the order of the terms, so that it has the same bits.

use super::inline::Instructions;
use super::isa::{Lanes, load_row};

/// Chains that take turns, in vectors: as many as registers can hold on any machine.
const MOST: usize = 8;

/// `y = b + b' + x W + x' W' + ..` of one row. `biases` have `columns` numbers or none, each of `terms` is a
/// row and a matrix of `columns` columns.
///
/// # Panics
/// When the lengths do not fit together.
#[inline(always)]
pub(crate) fn chains<I: Instructions, const T: usize>(
    _isa: I,
    columns: usize,
    biases: [&[f32]; 2],
    terms: [(&[f32], &[f32]); T],
    y: &mut [f32],
) {
    assert!(y.len() == columns, "a number for each column");
    for bias in biases {
        assert!(bias.is_empty() || bias.len() == columns, "a bias for each column, or none");
    }
    for (x, weight) in terms {
        assert!(weight.len() == x.len() * columns, "a weight for each term and column");
    }
    let sums = Chains { columns, biases, terms, y: y.as_mut_ptr() };
    // SAFETY: the machine has the instructions by the contract of `Instructions`, and the sizes fit.
    unsafe { sums.run::<I::Lanes>() }
}

struct Chains<'a, const T: usize> {
    columns: usize,
    biases: [&'a [f32]; 2],
    terms: [(&'a [f32], &'a [f32]); T],
    y: *mut f32,
}

impl<const T: usize> Chains<'_, T> {
    /// All columns, in groups of about the same number of vectors.
    ///
    /// # Safety
    /// The instructions of `L` must be there, and all sizes as [`chains`] asserts.
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let mut column = 0;
        while column < self.columns {
            let left = (self.columns - column).div_ceil(L::COUNT);
            let vectors = left.div_ceil(left.div_ceil(MOST));
            // SAFETY: the caller's; so many vectors are left.
            unsafe {
                match vectors {
                    1 => self.group::<L, 1>(column),
                    2 => self.group::<L, 2>(column),
                    3 => self.group::<L, 3>(column),
                    4 => self.group::<L, 4>(column),
                    5 => self.group::<L, 5>(column),
                    6 => self.group::<L, 6>(column),
                    7 => self.group::<L, 7>(column),
                    _ => self.group::<L, 8>(column),
                }
            }
            column += vectors * L::COUNT;
        }
    }

    /// # Safety
    /// As above; `N` vectors begin in the columns from `column` on, the last of which may end behind them.
    #[inline(always)]
    unsafe fn group<L: Lanes, const N: usize>(&self, column: usize) {
        // SAFETY: the caller's.
        unsafe {
            if column + N * L::COUNT <= self.columns {
                self.vectors::<L, N, false>(column);
            } else {
                self.vectors::<L, N, true>(column);
            }
        }
    }

    /// # Safety
    /// As above; with `EDGE` the last vector ends with the columns.
    #[inline(always)]
    unsafe fn vectors<L: Lanes, const N: usize, const EDGE: bool>(&self, column: usize) {
        // SAFETY: as many numbers are read and written as there are, by the sizes that were asserted.
        unsafe {
            let tail = L::tail((self.columns - column - (N - 1) * L::COUNT).min(L::COUNT));
            let mut sums = self.begin::<L, N, EDGE>(column, tail);
            for (x, weight) in self.terms {
                let weight = weight.as_ptr().add(column);
                let (inputs, x) = (x.len(), x.as_ptr());
                for k in 0..inputs {
                    let row = load_row::<L, N, EDGE>(weight.add(k * self.columns), tail);
                    let x = L::splat(*x.add(k));
                    for (sum, w) in sums.iter_mut().zip(row) {
                        *sum = L::mul_add(x, w, *sum);
                    }
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                let column = column + v * L::COUNT;
                L::store_first(self.y.add(column), sum, self.columns - column);
            }
        }
    }

    /// What the sums begin with.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    unsafe fn begin<L: Lanes, const N: usize, const EDGE: bool>(
        &self,
        column: usize,
        tail: L::Tail,
    ) -> [L::Vector; N] {
        // SAFETY: a bias has all columns.
        unsafe {
            let [first, second] = self.biases;
            let mut sums = [L::zero(); N];
            if !first.is_empty() {
                sums = load_row::<L, N, EDGE>(first.as_ptr().add(column), tail);
            }
            if !second.is_empty() {
                let row = load_row::<L, N, EDGE>(second.as_ptr().add(column), tail);
                for (sum, b) in sums.iter_mut().zip(row) {
                    *sum = L::mul_add(L::splat(1.0), b, *sum);
                }
            }
            sums
        }
    }
}
