//! [`Baseline`] of targets without intrinsics here: arrays that the compiler turns into vectors where the target has any.

use super::lanes::{Kernel, Lanes, load_rows, store_rows};

/// The token of four lanes in plain Rust.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Baseline(());

impl Lanes for Baseline {
    // 128 bits, as the vectors of the other baselines: the same bits where these do not fuse either.
    const COUNT: usize = 4;
    // Tails are accessed element by element.
    const CHEAP_TAIL: bool = false;
    // Processors may have the instruction (Cortex-M4 does), but `f32::mul_add` may be a call, and without `std` it is.
    const FUSED: bool = false;
    type Vector = [f32; 4];
    type Tail = usize;

    #[inline(always)]
    unsafe fn assume() -> Self {
        Self(())
    }
    #[inline(always)]
    fn tail(self, count: usize) -> usize {
        count
    }
    #[inline(always)]
    fn zero(self) -> [f32; 4] {
        [0.0; 4]
    }
    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    fn mul_add(self, a: [f32; 4], b: [f32; 4], mut c: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            c[lane] += a[lane] * b[lane];
        }
        c
    }
    #[inline(always)]
    fn add(self, mut a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            a[lane] += b[lane];
        }
        a
    }
    #[inline(always)]
    fn sub(self, mut a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            a[lane] -= b[lane];
        }
        a
    }
    #[inline(always)]
    fn mul(self, mut a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            a[lane] *= b[lane];
        }
        a
    }
    #[inline(always)]
    fn clamp(self, mut x: [f32; 4], low: [f32; 4], high: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            // Not `f32::clamp`, which panics if `low` is above `high`.
            x[lane] = if x[lane] < low[lane] { low[lane] } else { x[lane] };
            x[lane] = if x[lane] > high[lane] { high[lane] } else { x[lane] };
        }
        x
    }
    #[inline(always)]
    fn largest(self, mut a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        // Not `f32::max`, which returns the other number if one is NaN.
        for lane in 0..4 {
            a[lane] = if b[lane] > a[lane] || b[lane].is_nan() { b[lane] } else { a[lane] };
        }
        a
    }
    #[inline(always)]
    fn sums(self, v: [[f32; 4]; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for i in 0..4 {
            // The order of the baseline of x86-64.
            sums[i] = (v[i][0] + v[i][2]) + (v[i][1] + v[i][3]);
        }
        sums
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; 4] {
        // SAFETY: `from` is valid for four elements; an array has the alignment of its elements.
        unsafe { from.cast::<[f32; 4]>().read() }
    }
    #[inline(always)]
    unsafe fn load_tail(self, from: *const f32, tail: usize) -> [f32; 4] {
        let mut v = [0.0; 4];
        for (lane, v) in v.iter_mut().enumerate() {
            if lane < tail {
                // SAFETY: `from` is valid for `tail` elements.
                *v = unsafe { *from.add(lane) };
            }
        }
        v
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: [f32; 4]) {
        // SAFETY: `to` is valid for four elements; an array has the alignment of its elements.
        unsafe { to.cast::<[f32; 4]>().write(v) }
    }
    #[inline(always)]
    unsafe fn store_tail(self, to: *mut f32, v: [f32; 4], tail: usize) {
        for (lane, v) in v.into_iter().enumerate() {
            if lane < tail {
                // SAFETY: `to` is valid for `tail` elements.
                unsafe { *to.add(lane) = v };
            }
        }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: both squares have four valid rows and columns.
        unsafe {
            let rows = load_rows::<Self, 4>(self, from, stride);
            let columns = [0, 1, 2, 3].map(|column| rows.map(|row| row[column]));
            store_rows::<Self, 4>(self, to, to_stride, columns);
        }
    }
    // Not inlined, as kernels are functions by themselves on x86-64: one copy of each.
    #[inline(never)]
    fn run(self, kernel: impl Kernel) {
        kernel.run(self);
    }
}
