//! Vectors of 64-bit ARM: NEON, which every such processor with an operating system has.

use super::intrinsics::{memory, values};
use super::lanes::{Kernel, Lanes, load_rows, store_rows};
use core::arch::aarch64::*;

/// The token of NEON: four lanes.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Baseline(());

impl Lanes for Baseline {
    const COUNT: usize = 4;
    // NEON has no masked loads: a branch for each count.
    const CHEAP_TAIL: bool = false;
    const FUSED: bool = true;
    type Vector = float32x4_t;
    type Tail = usize;

    #[inline(always)]
    unsafe fn assume() -> Self {
        Self(())
    }
    #[inline(always)]
    fn tail(self, count: usize) -> usize {
        count
    }
    values! {
        fn zero(self) -> float32x4_t {
            vdupq_n_f32(0.0)
        }
        fn splat(self, x: f32) -> float32x4_t {
            vdupq_n_f32(x)
        }
        fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmaq_f32(c, a, b)
        }
        fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vaddq_f32(a, b)
        }
        fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vsubq_f32(a, b)
        }
        fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vmulq_f32(a, b)
        }
        fn clamp(self, x: float32x4_t, low: float32x4_t, high: float32x4_t) -> float32x4_t {
            // Not `vmaxq_f32`, which returns 0 for -0 and 0.
            let x = vbslq_f32(vcltq_f32(x, low), low, x);
            vbslq_f32(vcgtq_f32(x, high), high, x)
        }
        fn largest(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            // Not `vmaxq_f32`, which returns 0 for -0 and 0: of equals, pools need the first.
            let b_is_nan = vmvnq_u32(vceqq_f32(b, b));
            vbslq_f32(vorrq_u32(vcgtq_f32(b, a), b_is_nan), b, a)
        }
        fn sums(self, v: [float32x4_t; 4]) -> [f32; 4] {
            // The order of the other baselines: (0 + 2) + (1 + 3).
            let halves = v.map(|v| vadd_f32(vget_low_f32(v), vget_high_f32(v)));
            let mut out = [0.0; 4];
            vst1_f32(out.as_mut_ptr(), vpadd_f32(halves[0], halves[1]));
            vst1_f32(out.as_mut_ptr().add(2), vpadd_f32(halves[2], halves[3]));
            out
        }
    }
    memory! {
        unsafe fn load(self, from: *const f32) -> float32x4_t {
            vld1q_f32(from)
        }
        unsafe fn load_tail(self, from: *const f32, tail: usize) -> float32x4_t {
            match tail {
                0 => vdupq_n_f32(0.0),
                1 => vld1q_lane_f32::<0>(from, vdupq_n_f32(0.0)),
                2 => vcombine_f32(vld1_f32(from), vdup_n_f32(0.0)),
                3 => {
                    let pair = vcombine_f32(vld1_f32(from), vdup_n_f32(0.0));
                    vld1q_lane_f32::<2>(from.add(2), pair)
                }
                _ => vld1q_f32(from),
            }
        }
        unsafe fn store(self, to: *mut f32, v: float32x4_t) -> () {
            vst1q_f32(to, v)
        }
        unsafe fn store_tail(self, to: *mut f32, v: float32x4_t, tail: usize) -> () {
            match tail {
                0 => {}
                1 => vst1q_lane_f32::<0>(to, v),
                2 => vst1_f32(to, vget_low_f32(v)),
                3 => {
                    vst1_f32(to, vget_low_f32(v));
                    vst1q_lane_f32::<2>(to.add(2), v);
                }
                _ => vst1q_f32(to, v),
            }
        }
        unsafe fn transpose(self, from: *const f32, stride: usize, to: *mut f32, to_stride: usize) -> () {
            let [a, b, c, d] = load_rows::<Self, 4>(self, from, stride);
            let even = [vtrn1q_f32(a, b), vtrn1q_f32(c, d)].map(|v| vreinterpretq_f64_f32(v));
            let odd = [vtrn2q_f32(a, b), vtrn2q_f32(c, d)].map(|v| vreinterpretq_f64_f32(v));
            let columns = [
                vtrn1q_f64(even[0], even[1]),
                vtrn1q_f64(odd[0], odd[1]),
                vtrn2q_f64(even[0], even[1]),
                vtrn2q_f64(odd[0], odd[1]),
            ];
            store_rows::<Self, 4>(self, to, to_stride, columns.map(|v| vreinterpretq_f32_f64(v)));
        }
    }
    // Not inlined, as kernels are functions by themselves on x86-64: one copy of each.
    #[inline(never)]
    fn run(self, kernel: impl Kernel) {
        kernel.run(self);
    }
}
