//! Vector instructions: [`Isa`] says which ones the machine has, [`Lanes`] what kernels do with them.
//!
//! Kernels are `#[inline(always)]` functions, generic over [`Lanes`], which a function with
//! `#[target_feature]` calls: everything is compiled for those instructions, and a default build runs on any machine.
//! Closures do not inherit the instructions of the function that they are written in, so kernels use plain loops.

mod baseline;
mod detect;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
))]
mod intrinsics;
mod lanes;
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod neon;
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
    all(target_arch = "wasm32", target_feature = "simd128"),
)))]
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use baseline::Baseline;
pub use detect::Isa;
pub(crate) use lanes::{Kernel, Lanes, load_row, mul_add, store_row};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};
