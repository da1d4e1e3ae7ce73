//! Errors of files of weights.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The cause of an error: a type of another crate, which is free to change.
type Cause = Box<dyn StdError + Send + Sync>;

/// A file of weights that could not be written. A file that existed before is unchanged.
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
    /// Names and shapes that do not fit the header of the format.
    #[error("the weights do not fit a safetensors file: {why}")]
    Header {
        /// The reason of the format.
        #[source]
        why: Cause,
    },
}

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
        /// The format that it has, or why it cannot be a safetensors file.
        why: String,
    },
    /// A safetensors file that is truncated or inconsistent.
    #[error("`{path}` is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        why: String,
    },
    /// The weights of another network.
    #[error("`{path}` does not fit this network, {}", listed(mismatches))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// All differences, in the network's order.
        mismatches: Vec<Mismatch>,
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
    #[error("`{path}` has another value stored with its weights: {why}")]
    Extra {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        #[source]
        why: Cause,
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

/// The number of differences, and a line for each.
fn listed(mismatches: &[Mismatch]) -> String {
    let s = if mismatches.len() == 1 { "" } else { "s" };
    let lines = mismatches.iter().map(|mismatch| format!("\n  {mismatch}"));
    format!("{} difference{s}:{}", mismatches.len(), lines.collect::<String>())
}

fn perhaps(near: Option<&String>) -> String {
    near.map_or(String::new(), |near| format!(" (in the file it may be `{near}`)"))
}
