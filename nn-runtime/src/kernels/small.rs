//! Dense layers of a few elements, which take nanoseconds: no tiles, and little work before the first multiply-add.

use super::dense_args::DenseArgs;
use super::inline::{Instructions, in_memory};
use super::isa::{Isa, Kernel, Lanes, load_row, mul_add, store_row};

/// Independent partial sums of each unit. A multiply-add waits for the previous one of its sum, which takes longer than
/// all other work of such a layer.
const SUMS: usize = 4;

/// As [`dense`](super::dense::dense), with sums in another order.
///
/// # Panics
/// If the lengths do not match.
pub(crate) fn small_dense(isa: Isa, args: DenseArgs<'_>) {
    isa.run(Small::new(args));
}

/// The same, inlined, for a layer of `UNITS` units.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub(crate) fn small_dense_inlined<const UNITS: usize, I: Instructions>(
    isa: I,
    args: DenseArgs<'_>,
) {
    let small = Small::new(args);
    // `const`, so that `rustc` generates one of both only.
    if const { UNITS == 1 } {
        small.singles::<I::Lanes>();
    } else {
        small.vectors::<I::Lanes, true>(isa.lanes());
    }
}

/// A layer whose slices have the lengths that [`Small::new`] asserts; `y` has `rows * units` elements.
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
    fn run<L: Lanes>(self, lanes: L) {
        // A vector of units would have a single used lane.
        if self.units == 1 {
            self.singles::<L>();
        } else {
            self.vectors::<L, false>(lanes);
        }
    }
}

impl<'a> Small<'a> {
    #[inline(always)]
    fn new(args: DenseArgs<'a>) -> Self {
        let DenseArgs { inputs, units, x, weight, bias, y } = args;
        let rows = y.len() / units;
        assert!(y.len() == rows * units && x.len() == rows * inputs, "whole rows");
        assert!(weight.len() == inputs * units, "a weight for each input and unit");
        assert!(bias.is_empty() || bias.len() == units, "a bias for each unit, or none");
        Self { inputs, units, rows, x, weight, bias, y: y.as_mut_ptr() }
    }

    /// Computes all rows of a single unit.
    #[inline(always)]
    fn singles<L: Lanes>(&self) {
        for row in 0..self.rows {
            // SAFETY: `row` is one of the rows.
            unsafe { self.single::<L>(row) };
        }
    }

    /// Computes all rows of several units; `INLINED` where all sizes are constants.
    #[inline(always)]
    fn vectors<L: Lanes, const INLINED: bool>(&self, lanes: L) {
        for column in (0..self.units).step_by(L::COUNT) {
            for row in 0..self.rows {
                // SAFETY: `row` and `column` are below the numbers of rows and units, and the edge is where a whole
                // vector does not fit.
                unsafe {
                    if column + L::COUNT <= self.units {
                        self.vector::<L, false, INLINED>(lanes, row, column);
                    } else {
                        self.vector::<L, true, INLINED>(lanes, row, column);
                    }
                }
            }
        }
    }

    /// Computes the only unit of one row: the same partial sums, in the lanes of one vector.
    ///
    /// # Safety
    /// `row` must be one of the rows.
    #[inline(always)]
    unsafe fn single<L: Lanes>(&self, row: usize) {
        let x = &self.x[row * self.inputs..][..self.inputs];
        let (all_x, rest_x) = x.as_chunks::<SUMS>();
        let (all_w, rest_w) = self.weight[..self.inputs].as_chunks::<SUMS>();
        let mut sums = [0.0; SUMS];
        // As in `vector`: the bias begins one of the sums.
        sums[0] = self.bias.first().copied().unwrap_or(0.0);
        for (x, w) in all_x.iter().zip(all_w) {
            for i in 0..SUMS {
                sums[i] = mul_add::<L>(x[i], w[i], sums[i]);
            }
        }
        for (i, (x, w)) in rest_x.iter().zip(rest_w).enumerate() {
            sums[i] = mul_add::<L>(*x, *w, sums[i]);
        }
        let [a, b, c, d] = sums;
        // SAFETY: `y` has an element for each row.
        unsafe { *self.y.add(row) = (a + b) + (c + d) };
    }

    /// Computes the units from `column` on of one row: a vector of them, or at an `EDGE` the rest.
    ///
    /// # Safety
    /// `row` must be one of the rows, and as many units must be left.
    #[inline(always)]
    unsafe fn vector<L: Lanes, const EDGE: bool, const INLINED: bool>(
        &self,
        lanes: L,
        row: usize,
        column: usize,
    ) {
        let tail = lanes.tail((self.units - column).min(L::COUNT));
        // SAFETY: the slices have the lengths that `new` asserts, so that all inputs of the row, the units from
        // `column` on of each row of weights and of the bias, and those of the output are inside of them.
        unsafe {
            let mut sums = [[lanes.zero()]; SUMS];
            if !self.bias.is_empty() {
                // The bias is the initial value of one of the sums, which costs no addition.
                sums[0] = load_row::<L, 1, EDGE>(lanes, self.bias.as_ptr().add(column), tail);
            }
            let x = self.x.as_ptr().add(row * self.inputs);
            // Its elements are broadcast one by one, which is cheapest from memory.
            let x = if INLINED { in_memory(x) } else { x };
            let weight = self.weight.as_ptr().add(column);
            for first in (0..self.inputs).step_by(SUMS) {
                for (i, [sum]) in sums.iter_mut().enumerate() {
                    let k = first + i;
                    // The rest of the inputs is spread over the sums, as in `single`.
                    if k < self.inputs {
                        let [w] = load_row::<L, 1, EDGE>(lanes, weight.add(k * self.units), tail);
                        *sum = lanes.mul_add(lanes.splat(*x.add(k)), w, *sum);
                    }
                }
            }
            // Two by two: two additions that wait for each other, not three.
            let [[a], [b], [c], [d]] = sums;
            let sum = lanes.add(lanes.add(a, b), lanes.add(c, d));
            let y = self.y.add(row * self.units + column);
            // The count is a constant here, so that the stores are plain ones.
            if EDGE && INLINED {
                lanes.store_first(y, sum, self.units - column);
            } else {
                store_row::<L, 1, EDGE>(lanes, y, &[sum], tail);
            }
        }
    }
}
