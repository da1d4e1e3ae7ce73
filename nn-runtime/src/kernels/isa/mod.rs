//! Vector instructions: [`Isa`] says which ones the machine has, [`Lanes`] what kernels do with them.
//!
//! Kernels are `#[inline(always)]` functions, generic over [`Lanes`], which a function with
//! `#[target_feature]` calls: everything is compiled for those instructions, and a default build runs on any machine.
//! Closures do not inherit the instructions of the function that they are written in, so kernels use plain loops.

mod detect;
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use detect::Isa;
pub(crate) use lanes::{Kernel, Lanes, load_row, mul_add, store_row};
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::Baseline;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Baseline};
