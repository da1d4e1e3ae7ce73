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
//!
//! The functions are [`Network::save`], [`Network::load`],
//! and for what belongs to the weights [`Network::save_with`] and
//! [`Network::load_with`].

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

use crate::contract::{Network, Node, Root};
use crate::types::{Tensor, zeros_on_line};
use serde_json::Value;
use std::path::Path;

/// What is kept with the weights stands in the file's metadata under this name.
const EXTRA: &str = "extra";

// What depends on the network or on the type of what is kept with it is compiled in every program
// anew; all else is not.

/// Writes the weights of `net`, and what is kept with them as JSON, to `path`.
pub(crate) fn save<N: Network>(
    net: &N,
    extra: Option<Value>,
    path: &Path,
) -> Result<(), SaveError> {
    encode::write(&tensors::<N>(), net.as_floats(), extra, path)
}

/// A network with the weights in the file `path`, and what is kept with them.
pub(crate) fn load<N: Network>(path: &Path) -> Result<(Box<N>, Option<String>), LoadError> {
    let mut net = zeros_on_line::<N>();
    let extra = decode::read(path, &tensors::<N>(), net.as_floats_mut())?;
    Ok((net, extra))
}

/// What is kept with the weights, where something has to be.
pub(crate) fn extra_of(extra: Option<String>, path: &Path) -> Result<Value, LoadError> {
    let extra = extra.ok_or_else(|| LoadError::NoExtra { path: path.into() })?;
    serde_json::from_str(&extra).map_err(|why| LoadError::Extra { path: path.into(), why })
}

fn tensors<N: Network>() -> Vec<Tensor> {
    <N as Node<Root>>::tensors()
}
