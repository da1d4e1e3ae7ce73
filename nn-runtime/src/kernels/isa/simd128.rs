//! Vectors of WebAssembly: the proposal `simd128`, which browsers have since 2021 (Safari since 2023).
//!
//! Compiled with `-C target-feature=+simd128`. A module is validated as a whole when it is loaded, so that its
//! intrinsics are safe functions.

use super::lanes::{Kernel, Lanes, load_rows, store_rows};
use core::arch::wasm32::*;

/// The token of `simd128`: four lanes.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Baseline(());

impl Lanes for Baseline {
    const COUNT: usize = 4;
    // There are no masked loads: a branch for each count.
    const CHEAP_TAIL: bool = false;
    // `relaxed_madd` of the later proposal rounds once or twice, as the processor likes: other bits on other machines.
    const FUSED: bool = false;
    type Vector = v128;
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
    fn zero(self) -> v128 {
        f32x4_splat(0.0)
    }
    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }
    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }
    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
    #[inline(always)]
    fn clamp(self, x: v128, low: v128, high: v128) -> v128 {
        // `pmax` is `a < b ? b : a` and `pmin` is `b < a ? b : a`: `x` where it is NaN.
        f32x4_pmin(f32x4_pmax(x, low), high)
    }
    #[inline(always)]
    fn largest(self, a: v128, b: v128) -> v128 {
        // `pmax` is `a < b ? b : a`: the first of equals, and `a` where `b` is NaN, which is corrected. (`f32x4_max`
        // returns 0 for -0 and 0.)
        v128_bitselect(b, f32x4_pmax(a, b), f32x4_ne(b, b))
    }
    #[inline(always)]
    fn sums(self, v: [v128; 4]) -> [f32; 4] {
        // The order of the other baselines.
        let [a, b, c, d] = transposed(v);
        let sums = f32x4_add(f32x4_add(a, c), f32x4_add(b, d));
        [
            f32x4_extract_lane::<0>(sums),
            f32x4_extract_lane::<1>(sums),
            f32x4_extract_lane::<2>(sums),
            f32x4_extract_lane::<3>(sums),
        ]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: `from` is valid for four elements, and the instruction needs no alignment.
        unsafe { v128_load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn load_tail(self, from: *const f32, tail: usize) -> v128 {
        // SAFETY: `from` is valid for `tail` elements, and the instructions need no alignment.
        unsafe {
            match tail {
                0 => self.zero(),
                1 => v128_load32_zero(from.cast()),
                2 => v128_load64_zero(from.cast()),
                3 => v128_load32_lane::<2>(v128_load64_zero(from.cast()), from.add(2).cast()),
                _ => v128_load(from.cast()),
            }
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: v128) {
        // SAFETY: `to` is valid for four elements, and the instruction needs no alignment.
        unsafe { v128_store(to.cast(), v) }
    }
    #[inline(always)]
    unsafe fn store_tail(self, to: *mut f32, v: v128, tail: usize) {
        // SAFETY: `to` is valid for `tail` elements, and the instructions need no alignment.
        unsafe {
            match tail {
                0 => {}
                1 => v128_store32_lane::<0>(v, to.cast()),
                2 => v128_store64_lane::<0>(v, to.cast()),
                3 => {
                    v128_store64_lane::<0>(v, to.cast());
                    v128_store32_lane::<2>(v, to.add(2).cast());
                }
                _ => v128_store(to.cast(), v),
            }
        }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: both squares have four valid rows and columns.
        unsafe {
            let rows = load_rows::<Self, 4>(self, from, stride);
            store_rows::<Self, 4>(self, to, to_stride, transposed(rows));
        }
    }
    // Not inlined, as kernels are functions by themselves on x86-64: one copy of each.
    #[inline(never)]
    fn run(self, kernel: impl Kernel) {
        kernel.run(self);
    }
}

/// The columns of a square of four rows.
#[inline(always)]
fn transposed([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
    let (ab2, cd2) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    [
        i64x2_shuffle::<0, 2>(ab, cd),
        i64x2_shuffle::<1, 3>(ab, cd),
        i64x2_shuffle::<0, 2>(ab2, cd2),
        i64x2_shuffle::<1, 3>(ab2, cd2),
    ]
}
