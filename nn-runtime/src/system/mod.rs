//! What depends on the machine (threads, memory pages, cache lines, kinds of files, float functions without `std`), and
//! random numbers.

mod cache_line;
#[cfg(not(feature = "std"))]
mod float_math;
mod kernel_memory;
#[cfg(feature = "std")]
pub(crate) mod pages;
#[cfg(feature = "std")]
pub mod parallel;
#[cfg(feature = "std")]
mod regular_file;
mod rng_key;
#[cfg(feature = "train")]
mod stopwatch;
#[cfg(feature = "std")]
mod work;
#[cfg(feature = "std")]
mod workspace;

pub(crate) use cache_line::CacheLine;
#[cfg(not(feature = "std"))]
pub(crate) use float_math::FloatMath;
pub(crate) use kernel_memory::KernelMemory;
#[cfg(feature = "files")]
pub(crate) use regular_file::check_regular;
#[cfg(feature = "std")]
pub(crate) use regular_file::open_regular;
pub use rng_key::RngKey;
#[cfg(feature = "train")]
pub(crate) use stopwatch::Stopwatch;
#[cfg(feature = "std")]
pub(crate) use work::time;
#[cfg(feature = "std")]
pub(crate) use workspace::Workspace;
