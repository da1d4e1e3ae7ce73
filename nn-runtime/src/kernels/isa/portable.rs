//! [`Baseline`] where we have no intrinsics: arrays that the compiler turns into vectors.

use super::{Kernel, Lanes};
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// Four lanes in plain Rust.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Baseline;

// SAFETY of all: no particular instructions; pointers are the caller's promise.
impl Lanes for Baseline {
    const COUNT: usize = 4;
    const CHEAP_TAIL: bool = false;
    const FUSED: bool = cfg!(target_arch = "aarch64");
    type Vector = [f32; 4];
    type Tail = usize;

    #[inline(always)]
    unsafe fn tail(count: usize) -> usize {
        count
    }
    #[inline(always)]
    unsafe fn zero() -> [f32; 4] {
        [0.0; 4]
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller's; arrays of `f32` are aligned as an `f32`.
        unsafe { from.cast::<[f32; 4]>().read() }
    }
    #[inline(always)]
    unsafe fn load_tail(from: *const f32, tail: usize) -> [f32; 4] {
        let mut v = [0.0; 4];
        for (lane, v) in v.iter_mut().enumerate() {
            if lane < tail {
                // SAFETY: the caller's.
                *v = unsafe { *from.add(lane) };
            }
        }
        v
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 4]) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; 4]>().write(v) }
    }
    #[inline(always)]
    unsafe fn store_tail(to: *mut f32, v: [f32; 4], tail: usize) {
        for (lane, v) in v.into_iter().enumerate() {
            if lane < tail {
                // SAFETY: the caller's.
                unsafe { *to.add(lane) = v };
            }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(a: [f32; 4], b: [f32; 4], mut c: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            c[lane] = if Self::FUSED {
                a[lane].mul_add(b[lane], c[lane])
            } else {
                a[lane] * b[lane] + c[lane]
            };
        }
        c
    }
    #[inline(always)]
    unsafe fn largest(mut a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        for lane in 0..4 {
            a[lane] = if b[lane] > a[lane] || b[lane].is_nan() { b[lane] } else { a[lane] };
        }
        a
    }
    #[inline(always)]
    unsafe fn sums(v: [[f32; 4]; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for i in 0..4 {
            sums[i] = (v[i][0] + v[i][2]) + (v[i][1] + v[i][3]);
        }
        sums
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        for row in 0..4 {
            for column in 0..4 {
                // SAFETY: the caller's.
                unsafe { *to.add(column * to_stride + row) = *from.add(row * stride + column) };
            }
        }
    }
    #[inline(never)]
    unsafe fn run(kernel: &impl Kernel) {
        // SAFETY: the caller's.
        unsafe { kernel.run::<Self>() }
    }
}
