//! Safetensors files.

mod compare;
mod dtype;
mod error;
mod header;
mod input;
mod json;
pub mod layout;
mod read;
mod report;

pub use error::{Damage, ForeignFormat, LoadError, Mismatch};
pub use header::{EXTRA, MAX_LEN, ORDER, OWN_ORDER};
pub use read::{ARRAYS, Arrays, read, read_arrays, read_extra, read_matching};
pub use report::LoadReport;
