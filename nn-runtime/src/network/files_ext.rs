//! [`FilesExt`]: weights of any network to files and back.

use crate::contract::Network;
use crate::io::{self, LoadError, SaveError};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// Weights of any [`Network`] to files and back.
pub trait FilesExt: Network {
    /// Writes the weights to `path` as a PyTorch state_dict; see [`io`]. They are written beside it
    /// first, then renamed, so that a failure leaves an older file as it was.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        io::save(self, None, path.as_ref())
    }

    /// As [`save`](Self::save), with something that belongs to the weights: the
    /// [`Standardizer`](crate::data::Standardizer) of the inputs, the names of the classes. It stands as
    /// JSON in the file's metadata, where PyTorch's `load_state_dict` does not mind it:
    ///
    /// ```python
    /// json.loads(safetensors.safe_open("net.safetensors", "pt").metadata()["extra"])
    /// ```
    ///
    /// # Errors
    /// When the file cannot be written, or `extra` cannot be written as JSON.
    fn save_with<E: Serialize>(&self, path: impl AsRef<Path>, extra: &E) -> Result<(), SaveError> {
        let extra = serde_json::to_value(extra).map_err(SaveError::Extra)?;
        io::save(self, Some(extra), path.as_ref())
    }

    /// A network with the weights in the file `path`, filled in place on the heap.
    ///
    /// # Errors
    /// When the file cannot be read, is no safetensors file or damaged, or does not fit the network;
    /// then with all differences at once.
    fn load(path: impl AsRef<Path>) -> Result<Box<Self>, LoadError> {
        Ok(io::load(path.as_ref())?.0)
    }

    /// As [`load`](Self::load), with what [`save_with`](Self::save_with) kept with the weights.
    ///
    /// # Errors
    /// As [`load`](Self::load), and when the file keeps nothing with its weights, or something else.
    fn load_with<E: DeserializeOwned>(path: impl AsRef<Path>) -> Result<(Box<Self>, E), LoadError> {
        let path = path.as_ref();
        let (net, extra) = io::load(path)?;
        let extra = io::extra_of(extra, path)?;
        let extra = serde_json::from_value(extra)
            .map_err(|why| LoadError::Extra { path: path.into(), why })?;
        Ok((net, extra))
    }
}

impl<N: Network> FilesExt for N {}
