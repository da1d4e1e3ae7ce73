//! [`FilesExt`]: saving and loading the weights of any network.

use crate::contract::Network;
use crate::io::{self, Dtype, LoadError, LoadReport, SaveError};
#[cfg(feature = "train")]
use crate::optim::Optimizer;
use serde::{Serialize, de::DeserializeOwned};
use std::io::Read;
use std::path::Path;

/// Saves and loads the weights of any [`Network`].
pub trait FilesExt: Network {
    /// Writes the weights to `path` as a PyTorch state_dict; see [`io`].
    ///
    /// They are written to a temporary file beside `path`, `.NAME.unrolled-part`, that is then renamed, so that a failure
    /// leaves an older file unchanged. If the process is killed, the next save to `path` removes the temporary file.
    /// Symbolic links are followed. The older file's mode, owner and group stay; its ACL and other hard links do not.
    ///
    /// A file whose owner cannot be kept, or that is a mount point (a single file mounted into a container), is overwritten
    /// in place: if that fails, it is incomplete.
    ///
    /// # Errors
    /// If the file cannot be written, or `path` is a directory, device, FIFO or socket, or a link that leads nowhere.
    #[doc(alias("save_weights"))]
    fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        io::save(self, None, path.as_ref())
    }

    /// As [`save`](Self::save), with weights that are rounded to `dtype`, as `net.half()` and `net.bfloat16()` do in PyTorch:
    /// a file of half the size. Weights and running statistics are rounded to the nearest, of two to the one with an even
    /// fraction; counters stay integers. [`load`](Self::load) reads the rounded values.
    ///
    /// # Errors
    /// If the file cannot be written, or a finite weight is larger than the largest value of `dtype`.
    #[doc(alias("half", "bfloat16"))]
    fn save_as(&self, path: impl AsRef<Path>, dtype: Dtype) -> Result<(), SaveError> {
        io::save_as(self, dtype, path.as_ref())
    }

    /// As [`save`](Self::save), with a value that belongs to the weights, such as the
    /// [`Standardizer`](crate::data::Standardizer) of the inputs or the names of the classes. It is stored as JSON in the
    /// file's metadata, which PyTorch's `load_state_dict` ignores:
    ///
    /// ```python
    /// json.loads(safetensors.safe_open("net.safetensors", "pt").metadata()["extra"])
    /// ```
    ///
    /// # Errors
    /// If the file cannot be written, or `extra` cannot be written as JSON.
    fn save_with<E: Serialize>(&self, path: impl AsRef<Path>, extra: &E) -> Result<(), SaveError> {
        let extra =
            serde_json::to_value(extra).map_err(|why| SaveError::Extra { why: why.into() })?;
        io::save(self, Some(extra), path.as_ref())
    }

    /// A network with the weights in the regular file `path`, filled in place on the heap.
    ///
    /// # Errors
    /// If the file cannot be read or is no regular file, is not a safetensors file, is damaged, or does not fit the network;
    /// the error then contains all differences.
    #[doc(alias("load_weights", "from_file", "from_pretrained"))]
    fn load(path: impl AsRef<Path>) -> Result<Box<Self>, LoadError> {
        Ok(io::load(path.as_ref())?.0)
    }

    /// As [`load`](Self::load), from a reader, which errors call `name`: bytes in memory, a pipe. It must end where the
    /// weights end.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn load_from(name: &str, mut reader: impl Read) -> Result<Box<Self>, LoadError> {
        io::load_from(name, &mut reader)
    }

    /// As [`load`](Self::load), from the content of a file in memory: `Net::load_bytes(include_bytes!("net.safetensors"))`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn load_bytes(bytes: &[u8]) -> Result<Box<Self>, LoadError> {
        Self::load_from("bytes", bytes)
    }

    /// The content of the file that [`save`](Self::save) writes.
    ///
    /// # Panics
    /// If the names of the weights do not fit a header of 100 MB.
    fn to_bytes(&self) -> Vec<u8> {
        io::to_bytes(self, Dtype::F32).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The content of the file that [`save_as`](Self::save_as) writes.
    ///
    /// # Errors
    /// If a finite weight is larger than the largest value of `dtype`, or the names of the weights do not fit a header of
    /// 100 MB.
    fn to_bytes_as(&self, dtype: Dtype) -> Result<Vec<u8>, SaveError> {
        io::to_bytes(self, dtype)
    }

    /// Loads the weights that the file `path` and the network have in common, such as all but the last layer of a network
    /// with other classes. `rename` returns the network's name for a tensor of the file, or `None` to skip it. Tensors that
    /// are not in the network, or have another shape or type there, are not loaded. The report lists them, and the
    /// tensors of the network that keep their values; its `Display` is for people.
    ///
    /// ```no_run
    /// # use unrolled_runtime::{FilesExt, Network, io::LoadError};
    /// # fn f<Net: Network>(mut net: Box<Net>) -> Result<(), LoadError> {
    /// let report = net.load_matching("net.safetensors", |name| Some(name.strip_prefix("encoder.")?.into()))?;
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read or is no regular file, is not a safetensors file, or is damaged. Then some of the weights
    /// may have been loaded.
    #[doc(alias("load_state_dict"))]
    fn load_matching(
        &mut self,
        path: impl AsRef<Path>,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Result<LoadReport, LoadError> {
        io::load_matching(self, path.as_ref(), &rename)
    }

    /// Writes the state of an optimiser of this type of networks to `path`, under the guarantees of [`save`](Self::save).
    /// For each trained weight the file has tensors of its shape and layout that are named like it and like the values in
    /// PyTorch, such as `fc1.weight.exp_avg`:
    ///
    /// ```python
    /// with safetensors.safe_open("adam.safetensors", "pt") as file:
    ///     json.loads(file.metadata()["extra"])  # {"optimizer": "Adam", "steps": 1200, "values": ["exp_avg", "exp_avg_sq"]}
    ///     file.get_tensor("fc1.weight.exp_avg")
    /// ```
    ///
    /// # Errors
    /// If the file cannot be written, or the optimiser was used for a network of another length.
    #[cfg(feature = "train")]
    fn save_optimizer<O: Optimizer + ?Sized>(
        optimizer: &O,
        path: impl AsRef<Path>,
    ) -> Result<(), SaveError> {
        io::save_optimizer::<Self>(optimizer.state(), path.as_ref())
    }

    /// Replaces the state of an optimiser by that in the file `path`. With the weights of the same step, training continues
    /// to the bits of a run that was not interrupted.
    ///
    /// ```no_run
    /// # use unrolled_runtime::{FilesExt, Network, optim::{Adam, Optimizer}};
    /// # fn f<Net: Network>(net: Box<Net>, adam: Adam) -> Result<(), Box<dyn std::error::Error>> {
    /// net.save("net.safetensors")?;
    /// Net::save_optimizer(&adam, "adam.safetensors")?;
    ///
    /// let (net, mut adam) = (Net::load("net.safetensors")?, Adam::new(1e-3));
    /// Net::load_optimizer(&mut adam, "adam.safetensors")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`load`](Self::load), and if the state is that of another optimiser, or of one with other settings that need other
    /// values. The optimiser is then unchanged.
    #[cfg(feature = "train")]
    fn load_optimizer<O: Optimizer + ?Sized>(
        optimizer: &mut O,
        path: impl AsRef<Path>,
    ) -> Result<(), LoadError> {
        let path = path.as_ref();
        let state = io::load_optimizer::<Self>(path)?;
        optimizer
            .set_state(state)
            .map_err(|why| LoadError::State { path: path.into(), why: why.into() })
    }

    /// As [`load`](Self::load), with the value that [`save_with`](Self::save_with) stored with the weights.
    ///
    /// # Errors
    /// As [`load`](Self::load), and if the file has no value stored with its weights, or one of another type.
    fn load_with<E: DeserializeOwned>(path: impl AsRef<Path>) -> Result<(Box<Self>, E), LoadError> {
        let path = path.as_ref();
        let (net, extra) = io::load(path)?;
        let extra = io::extra_of(extra, path)?;
        let extra = serde_json::from_value(extra)
            .map_err(|why| LoadError::Extra { path: path.into(), why: why.into() })?;
        Ok((net, extra))
    }
}

impl<N: Network> FilesExt for N {}
