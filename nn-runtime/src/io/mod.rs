//! Weights in files: PyTorch's state_dicts in the safetensors format.
//!
//! Names are the paths of the layers and layouts are PyTorch's, so a network trained there runs here
//! unchanged, and the other way round:
//!
//! ```python
//! safetensors.torch.save_file(net.state_dict(), "net.safetensors")
//! net.load_state_dict(safetensors.torch.load_file("net.safetensors"))
//! ```
//!
//! Weights are written as `F32`. `F16`, `BF16` and `F64` are read too, as `load_state_dict` does:
//! the first two exactly, the last rounded to the nearest. The same weights give the same bytes.

mod atomic;
mod decode;
mod encode;
mod error;
mod header;
mod layout;
mod number;
#[cfg(test)]
mod tests;

pub use error::{LoadError, Mismatch, SaveError};

use crate::{Network, Station, Whole};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Where [`save_with`] puts what is kept with the weights, in the file's metadata.
const EXTRA: &str = "extra";

/// Writes the weights of `net` to `path`: beside it first, then renamed, so that a failure leaves an
/// older file as it was.
///
/// # Errors
/// When the file cannot be written.
pub fn save<N: Network>(net: &N, path: impl AsRef<Path>) -> Result<(), SaveError> {
    let tensors = <N as Station<Whole>>::tensors();
    encode::write(&tensors, net.as_floats(), None, path.as_ref())
}

/// As [`save`], with something that belongs to the network: the
/// [`Standardizer`](crate::data::Standardizer) of its inputs, names of its classes. It stands as JSON
/// in the file's metadata under `extra`, where PyTorch's `load_state_dict` does not mind it:
///
/// ```python
/// json.loads(safetensors.safe_open("net.safetensors", "pt").metadata()["extra"])
/// ```
///
/// # Errors
/// When the file cannot be written, or `extra` cannot be written as JSON.
pub fn save_with<N: Network, E: Serialize>(
    net: &N,
    extra: &E,
    path: impl AsRef<Path>,
) -> Result<(), SaveError> {
    let extra = serde_json::to_string(extra).map_err(SaveError::Extra)?;
    let tensors = <N as Station<Whole>>::tensors();
    encode::write(&tensors, net.as_floats(), Some(extra), path.as_ref())
}

/// A network with the weights in the file `path`, filled in place on the heap.
///
/// # Errors
/// When the file cannot be read, is no safetensors file or damaged, or does not fit the network; then
/// with all differences at once.
pub fn load<N: Network>(path: impl AsRef<Path>) -> Result<Box<N>, LoadError> {
    Ok(load_file(path.as_ref())?.0)
}

/// As [`load`], with what [`save_with`] kept with the weights.
///
/// # Errors
/// As [`load`], and when the file has no such thing or one of another kind.
pub fn load_with<N: Network, E: DeserializeOwned>(
    path: impl AsRef<Path>,
) -> Result<(Box<N>, E), LoadError> {
    let path = path.as_ref();
    let (net, extra) = load_file(path)?;
    let extra = extra.ok_or_else(|| LoadError::NoExtra { path: path.into() })?;
    let extra = serde_json::from_str(&extra)
        .map_err(|source| LoadError::Extra { path: path.into(), source })?;
    Ok((net, extra))
}

fn load_file<N: Network>(path: &Path) -> Result<(Box<N>, Option<String>), LoadError> {
    let tensors = <N as Station<Whole>>::tensors();
    let mut net = N::zeros();
    let extra = decode::read(path, &tensors, net.as_floats_mut())?;
    Ok((net, extra))
}
