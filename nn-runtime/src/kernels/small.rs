//! Dense layers of a few numbers, which take nanoseconds: no tiles, and little to do before the first
//! multiply-add.

use super::inline::{Instructions, in_memory};
use super::isa::{Isa, Kernel, Lanes, load_row, mul_add, store_row};

/// Sums that take turns: each multiply-add waits for the one before it in its sum.
const TURNS: usize = 4;

/// As [`dense`](super::dense()), with sums in another order.
///
/// # Panics
/// When the lengths do not fit together.
pub(crate) fn small_dense(
    isa: Isa,
    inputs: usize,
    units: usize,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    // SAFETY: the matrices have the sizes that `new` asserts.
    unsafe { isa.run(&Small::new(inputs, units, x, weight, bias, y)) }
}

/// The same, inlined.
///
/// # Panics
/// When the lengths do not fit together.
#[inline(always)]
pub(crate) fn small_dense_inlined<I: Instructions>(
    _isa: I,
    inputs: usize,
    units: usize,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    // SAFETY: the machine has the instructions by the contract of `Instructions`; sizes as above.
    unsafe { Small::new(inputs, units, x, weight, bias, y).all::<I::Lanes, true>() }
}

/// The layer: `y` has `rows * units` numbers, the others have as many as fit to it.
struct Small<'a> {
    inputs: usize,
    units: usize,
    rows: usize,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: *mut f32,
}

impl Kernel for Small<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: the caller's.
        unsafe { self.all::<L, false>() }
    }
}

impl<'a> Small<'a> {
    #[inline(always)]
    fn new(
        inputs: usize,
        units: usize,
        x: &'a [f32],
        weight: &'a [f32],
        bias: &'a [f32],
        y: &'a mut [f32],
    ) -> Self {
        let rows = y.len() / units;
        assert!(y.len() == rows * units && x.len() == rows * inputs, "whole rows");
        assert!(weight.len() == inputs * units, "a weight for each input and unit");
        assert!(bias.is_empty() || bias.len() == units, "a bias for each unit, or none");
        Self { inputs, units, rows, x, weight, bias, y: y.as_mut_ptr() }
    }

    /// All rows; `INLINED` where the compiler knows all sizes.
    ///
    /// # Safety
    /// The instructions of `L` must be there.
    #[inline(always)]
    unsafe fn all<L: Lanes, const INLINED: bool>(&self) {
        if self.units == 1 {
            for row in 0..self.rows {
                // SAFETY: the caller's; the row is there.
                unsafe { self.single::<L>(row) };
            }
            return;
        }
        for column in (0..self.units).step_by(L::COUNT) {
            for row in 0..self.rows {
                // SAFETY: the caller's; row and column are there.
                unsafe {
                    if column + L::COUNT <= self.units {
                        self.vector::<L, false, INLINED>(row, column);
                    } else {
                        self.vector::<L, true, INLINED>(row, column);
                    }
                }
            }
        }
    }

    /// The only unit of one row: the same sums, side by side in one vector.
    ///
    /// # Safety
    /// The instructions of `L` must be there.
    #[inline(always)]
    unsafe fn single<L: Lanes>(&self, row: usize) {
        let x = &self.x[row * self.inputs..][..self.inputs];
        let (all_x, rest_x) = x.as_chunks::<TURNS>();
        let (all_w, rest_w) = self.weight[..self.inputs].as_chunks::<TURNS>();
        let mut sums = [0.0; TURNS];
        sums[0] = self.bias.first().copied().unwrap_or(0.0);
        for (x, w) in all_x.iter().zip(all_w) {
            for turn in 0..TURNS {
                sums[turn] = mul_add::<L>(x[turn], w[turn], sums[turn]);
            }
        }
        for (turn, (x, w)) in rest_x.iter().zip(rest_w).enumerate() {
            sums[turn] = mul_add::<L>(*x, *w, sums[turn]);
        }
        let [a, b, c, d] = sums;
        // SAFETY: there are so many rows.
        unsafe { *self.y.add(row) = (a + b) + (c + d) };
    }

    /// The units from `column` on of one row, as many as a vector holds; at an `EDGE` those that are left.
    ///
    /// # Safety
    /// The instructions of `L` must be there.
    #[inline(always)]
    unsafe fn vector<L: Lanes, const EDGE: bool, const INLINED: bool>(
        &self,
        row: usize,
        column: usize,
    ) {
        // SAFETY: as many numbers are read and written as there are, by the sizes that were asserted.
        unsafe {
            let tail = L::tail((self.units - column).min(L::COUNT));
            let mut sums = [[L::zero()]; TURNS];
            if !self.bias.is_empty() {
                sums[0] = load_row::<L, 1, EDGE>(self.bias.as_ptr().add(column), tail);
            }
            let x = self.x.as_ptr().add(row * self.inputs);
            let x = if INLINED { in_memory(x) } else { x };
            let weight = self.weight.as_ptr().add(column);
            for first in (0..self.inputs).step_by(TURNS) {
                for (turn, [sum]) in sums.iter_mut().enumerate() {
                    let k = first + turn;
                    if k < self.inputs {
                        let [w] = load_row::<L, 1, EDGE>(weight.add(k * self.units), tail);
                        *sum = L::mul_add(L::splat(*x.add(k)), w, *sum);
                    }
                }
            }
            let one = L::splat(1.0);
            let [[a], [b], [c], [d]] = sums;
            let sum = L::mul_add(one, L::mul_add(one, a, b), L::mul_add(one, c, d));
            let y = self.y.add(row * self.units + column);
            if EDGE && INLINED {
                L::store_first(y, sum, self.units - column);
            } else {
                store_row::<L, 1, EDGE>(y, &[sum], tail);
            }
        }
    }
}
