//! What depends on the machine (threads, memory pages, cache lines, float functions without `std`), and random numbers.

mod cache_line;
#[cfg(not(feature = "std"))]
mod float_math;
mod kernel_memory;
#[cfg(feature = "std")]
pub(crate) mod pages;
#[cfg(feature = "std")]
pub mod parallel;
mod rng_key;

pub(crate) use cache_line::CacheLine;
#[cfg(not(feature = "std"))]
pub(crate) use float_math::FloatMath;
pub(crate) use kernel_memory::KernelMemory;
pub use rng_key::RngKey;
