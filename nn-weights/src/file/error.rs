//! Errors of files of weights.

use crate::order::OrderConflict;
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The cause of an error: a type of another crate, which is free to change.
type Cause = Box<dyn StdError + Send + Sync>;

/// A file of weights that could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The operating system refused.
    #[error("cannot read `{path}`: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason of the operating system.
        #[source]
        why: io::Error,
    },
    /// A file of another format.
    #[error("`{path}` is not a safetensors file: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The format that it has.
        #[source]
        why: ForeignFormat,
    },
    /// A safetensors file that is truncated or inconsistent.
    #[error("`{path}` is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        #[source]
        why: Damage,
    },
    /// Many more tensors than the network has. The rest of the file is not read.
    #[error(
        "`{path}` does not fit this network: expected {expected} tensors, found more than {max}"
    )]
    TooManyTensors {
        /// The file.
        path: PathBuf,
        /// The number of the network's tensors.
        expected: usize,
        /// The number of tensors after which the header was not read any further.
        max: usize,
    },
    /// The weights of another network.
    #[error("`{path}` does not fit this network, {}", listed(mismatches))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// All differences, in the network's order.
        mismatches: Vec<Mismatch>,
    },
    /// A network whose features have an order that no PyTorch model has, and weights that were not saved by such a
    /// network.
    #[error(
        "`{path}` has weights in PyTorch's order of features, which this network does not have: {why}"
    )]
    Order {
        /// The file.
        path: PathBuf,
        /// Where the network differs from any PyTorch model.
        #[source]
        why: OrderConflict,
    },
    /// Weights of a network whose features have an order that no PyTorch model has; this network has PyTorch's order.
    #[error(
        "`{path}` has the weights of another network, whose features have another order than PyTorch's"
    )]
    OwnOrder {
        /// The file.
        path: PathBuf,
    },
    /// No value is stored with the weights.
    #[error(
        "`{path}` has no value stored with its weights: expected `extra` in its metadata, as `save_with` writes it"
    )]
    NoExtra {
        /// The file.
        path: PathBuf,
    },
    /// A value stored with the weights that has another type.
    #[error("the value stored with the weights in `{path}` has another type: {why}")]
    Extra {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        #[source]
        why: Cause,
    },
    /// A file that `FilesExt::save_optimizer` has not written.
    #[error(
        "`{path}` has no state of an optimiser: expected its name in the metadata, as `save_optimizer` writes it"
    )]
    NoState {
        /// The file.
        path: PathBuf,
    },
    /// The state of another optimiser.
    #[error("`{path}` does not fit this optimiser: {why}")]
    State {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        #[source]
        why: Cause,
    },
}

/// The format of a file that is not a safetensors file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ForeignFormat {
    /// No bytes.
    #[error("it is empty")]
    Empty,
    /// A zip archive.
    #[error("it is a zip archive, as `torch.save` writes{}", FROM_TORCH)]
    Zip,
    /// A pickle.
    #[error("it is a pickle, as old versions of `torch.save` write{}", FROM_TORCH)]
    Pickle,
    /// HDF5.
    #[error("it is an HDF5 file, as Keras writes")]
    Hdf5,
    /// GGUF.
    #[error("it is a GGUF file")]
    Gguf,
    /// A NumPy array.
    #[error("it is a NumPy array")]
    NumPy,
    /// Compressed data.
    #[error("it is compressed with gzip")]
    Gzip,
    /// A pointer to a file in Git LFS.
    #[error("it is a pointer of Git LFS; `git lfs pull` fetches the file itself")]
    GitLfs,
    /// None of these.
    #[error("it does not begin with the length of a header and a header in JSON")]
    Unknown,
}

/// How to convert a file of `torch.save`.
const FROM_TORCH: &str = "; convert it in Python: `import torch, safetensors.torch as s; \
    s.save_file(torch.load('FILE', weights_only=True), 'FILE.safetensors')`";

/// How a safetensors file is damaged. Numbers are bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Damage {
    /// Fewer bytes than the length of the header has.
    #[error("expected the length of the header, 8 bytes, found {found}: it is truncated")]
    NoLength {
        /// The length of the file.
        found: usize,
    },
    /// A header that ends too early.
    #[error("expected a header of {expected} bytes, found {found}: it is truncated")]
    ShortHeader {
        /// The length that the file states.
        expected: u64,
        /// The rest of the file.
        found: u64,
    },
    /// A header that is not JSON of the expected form, or whose tensors do not cover the data.
    #[error("its header cannot be read: {why}")]
    Header {
        /// The reason of the parser.
        #[source]
        why: Cause,
    },
    /// Two entries of one name.
    #[error("its header has two entries `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A name that is too long.
    #[error("expected names of at most {max} bytes in its header, found one of {found}")]
    LongName {
        /// The longest name that is read.
        max: usize,
        /// The length of the name.
        found: usize,
    },
    /// A tensor with too many dimensions.
    #[error("expected tensors of at most {max} dimensions, found {found} in `{name}`")]
    ManyDimensions {
        /// The name of the tensor.
        name: String,
        /// The largest number that is read.
        max: usize,
        /// The number of the tensor's dimensions.
        found: usize,
    },
    /// Fewer bytes than the header describes.
    #[error("expected {expected} bytes of tensors, found {found}: it is truncated")]
    ShortTensors {
        /// The length that the header describes.
        expected: usize,
        /// The rest of the file.
        found: usize,
    },
    /// More bytes than the header describes.
    #[error("expected {expected} bytes of tensors, found more: it has bytes after them")]
    LongTensors {
        /// The length that the header describes.
        expected: usize,
    },
}

/// One difference between a network's tensors and a file's.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// A tensor that only the network has.
    #[error("missing: `{tensor}` {shape:?}{}", perhaps(near.as_ref()))]
    Missing {
        /// The name of the tensor.
        tensor: String,
        /// The shape that the network expects.
        shape: Vec<usize>,
        /// A tensor of this shape that only the file has, and that may be the same.
        near: Option<String>,
    },
    /// A tensor that only the file has.
    #[error("unexpected: `{tensor}` {shape:?}")]
    Unexpected {
        /// The name of the tensor.
        tensor: String,
        /// The shape of the tensor.
        shape: Vec<usize>,
    },
    /// A tensor of another shape.
    #[error("shape of `{tensor}`: expected {expected:?}, found {found:?}")]
    Shape {
        /// The name of the tensor.
        tensor: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// Two different tensors for one shared weight of the network.
    #[error(
        "`{tensor}` and `{owner}` share one weight here, but differ: value {index} is {found} and {expected}"
    )]
    Differs {
        /// The tensor of the layer that shares the weight.
        tensor: String,
        /// The tensor of the layer that owns the weight.
        owner: String,
        /// The index of the first different value, in the file's order.
        index: usize,
        /// The value in `tensor`.
        found: f32,
        /// The value in `owner`.
        expected: f32,
    },
    /// A tensor whose element type cannot be read as weights.
    #[error("type of `{tensor}`: expected {expected}, found {found}")]
    Element {
        /// The name of the tensor.
        tensor: String,
        /// The types that can be read.
        expected: &'static str,
        /// The file's type.
        found: String,
    },
}

impl Mismatch {
    /// The name of the tensor.
    #[must_use]
    pub fn tensor(&self) -> &str {
        match self {
            Self::Missing { tensor, .. }
            | Self::Unexpected { tensor, .. }
            | Self::Shape { tensor, .. }
            | Self::Differs { tensor, .. }
            | Self::Element { tensor, .. } => tensor,
        }
    }
}

/// The number of differences, and a line for each.
pub(super) fn listed(mismatches: &[Mismatch]) -> String {
    let s = if mismatches.len() == 1 { "" } else { "s" };
    let lines = mismatches.iter().take(MAX_LISTED).map(|mismatch| format!("\n  {mismatch}"));
    let rest = match mismatches.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        rest => format!("\n  and {rest} more"),
    };
    format!("{} difference{s}:{}{rest}", mismatches.len(), lines.collect::<String>())
}

/// The number of differences that a message lists; the error contains all.
const MAX_LISTED: usize = 30;

fn perhaps(near: Option<&String>) -> String {
    near.map_or(String::new(), |near| format!(" (in the file it may be `{near}`)"))
}
