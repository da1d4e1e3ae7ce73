//! Weights in files: PyTorch state_dicts in the safetensors format.
//!
//! Names are the paths of the layers (see the macro `network!`) and layouts are PyTorch's, so that a network trained
//! there runs here unchanged if its modules have the same names, and the other way round:
//!
//! ```python
//! safetensors.torch.save_file(net.state_dict(), "net.safetensors")
//! net.load_state_dict(safetensors.torch.load_file("net.safetensors"))
//! ```
//!
//! Weights are written as `F32`, or rounded to the nearest [`Dtype`] of two bytes. `F16`, `BF16` and `F64` are read as well,
//! as by `load_state_dict`: the first two exactly, the last rounded to the nearest. The same weights give the same bytes.
//!
//! Files are written and read tensor by tensor through a small buffer: the weights are in memory once. A header has at
//! most 100 MB, and reading it ends once it has many more tensors than the network.
//!
//! Names are also those of a network that PyTorch has wrapped: a prefix `module.` (`DataParallel`) or `_orig_mod.`
//! (`torch.compile`) before all names is ignored. `num_batches_tracked` may be missing, or of any type of numbers.
//!
//! The functions are [`FilesExt::save`](crate::FilesExt::save) and [`FilesExt::load`](crate::FilesExt::load), and with a
//! value stored beside the weights [`FilesExt::save_with`](crate::FilesExt::save_with) and
//! [`FilesExt::load_with`](crate::FilesExt::load_with); of two bytes per weight
//! [`FilesExt::save_as`](crate::FilesExt::save_as); in memory [`FilesExt::to_bytes`](crate::FilesExt::to_bytes) and
//! [`FilesExt::load_bytes`](crate::FilesExt::load_bytes); and for a part of the weights
//! [`FilesExt::load_matching`](crate::FilesExt::load_matching). With the feature `train`, `FilesExt::save_optimizer` and
//! `FilesExt::load_optimizer` do the same for the state of an optimiser.

mod atomic;
mod dtype;
mod encode;
mod error;
#[cfg(feature = "train")]
mod optimizer_file;
#[cfg(test)]
mod tests;
mod weights_file;

pub use dtype::Dtype;
pub use error::SaveError;
#[cfg(feature = "train")]
pub(crate) use optimizer_file::{load_optimizer, save_optimizer};
pub use unrolled_weights::OrderConflict;
pub(crate) use unrolled_weights::file::Arrays;
pub use unrolled_weights::file::{Damage, ForeignFormat, LoadError, LoadReport, Mismatch};
pub(crate) use weights_file::{
    extra_of, load, load_arrays, load_floats, load_from, load_matching, open_with_len,
    remove_temporary, save, save_as, save_floats, save_with_arrays, to_bytes,
};
