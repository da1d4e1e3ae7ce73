//! [`SaveError`]: errors of writing.

use super::dtype::Dtype;
#[cfg(feature = "train")]
use crate::optim::StateError;
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The cause of an error: a type of another crate, which is free to change.
type Cause = Box<dyn StdError + Send + Sync>;

/// A file of weights that could not be written. A file that existed before is unchanged, unless the message says that it
/// is incomplete: see [`FilesExt::save`](crate::FilesExt::save).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The operating system refused.
    #[error("cannot write `{path}`: {why}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason of the operating system.
        #[source]
        why: io::Error,
    },
    /// A value stored with the weights that cannot be written as JSON.
    #[error("the value stored with the weights cannot be written as JSON: {why}")]
    Extra {
        /// The reason of the serializer.
        #[source]
        why: Cause,
    },
    /// The state of an optimiser that was used for another network.
    #[cfg(feature = "train")]
    #[error("the optimiser was used for another network: {why}")]
    State {
        /// What was expected and what was found.
        #[source]
        why: StateError,
    },
    /// Names and shapes that do not fit the header of the format.
    #[error("the weights do not fit a safetensors file: {why}")]
    Header {
        /// The reason of the format.
        #[source]
        why: Cause,
    },
    /// A finite weight that is infinite in a type of floats of two bytes.
    #[error(
        "`{tensor}` has the value {value:?}, which {dtype} cannot hold: expected values up to {:?}; write {} instead",
        dtype.max(),
        dtype.of_larger_range()
    )]
    Overflow {
        /// The name of the tensor.
        tensor: String,
        /// The weight.
        value: f32,
        /// The type that was to be written.
        dtype: Dtype,
    },
}
