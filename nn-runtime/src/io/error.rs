//! What can be wrong with a file of weights, and how it is said.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// A file of weights that could not be written. A file that was there before is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The system refused.
    #[error("cannot write `{path}`: {why}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// What should be kept with the weights cannot be written as JSON.
    #[error("what is kept with the weights cannot be written as JSON: {0}")]
    Extra(serde_json::Error),
    /// The names and shapes do not fit a header of the format.
    #[error("the weights do not fit a safetensors file: {0}")]
    Header(safetensors::SafeTensorError),
}

/// A file of weights that could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The system refused.
    #[error("cannot read `{path}`: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// It is no safetensors file.
    #[error("`{path}` is no safetensors file: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead, or why it cannot be one.
        why: String,
    },
    /// It is a safetensors file, but cut off or inconsistent.
    #[error("`{path}` is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        why: String,
    },
    /// It holds the weights of another network.
    #[error("`{path}` does not fit this network, {}", listed(mismatches))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every difference, in the network's order.
        mismatches: Vec<Mismatch>,
    },
    /// Nothing is kept with the weights.
    #[error(
        "`{path}` keeps nothing with its weights: expected `extra` in its metadata, as `save_with` writes it"
    )]
    NoExtra {
        /// The file.
        path: PathBuf,
    },
    /// What is kept with the weights is something else.
    #[error("`{path}` keeps something else with its weights: {why}")]
    Extra {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        why: serde_json::Error,
    },
}

/// One difference between a network's tensors and a file's.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The network has it, the file does not.
    #[error("missing: `{tensor}` {shape:?}{}", perhaps(near.as_ref()))]
    Missing {
        /// Its name.
        tensor: String,
        /// The shape it should have.
        shape: Vec<usize>,
        /// A tensor of this shape that only the file has and that may be meant.
        near: Option<String>,
    },
    /// The file has it, the network does not.
    #[error("unexpected: `{tensor}` {shape:?}")]
    Unexpected {
        /// Its name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// It has another shape.
    #[error("shape of `{tensor}`: expected {expected:?}, found {found:?}")]
    Shape {
        /// Its name.
        tensor: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// Two of its tensors are one weight of the network, but differ.
    #[error(
        "`{tensor}` and `{owner}` are one weight here, but differ: number {place} is {found} and {expected}"
    )]
    Differs {
        /// The name of the layer that shares the weight.
        tensor: String,
        /// The name of the layer that has it.
        owner: String,
        /// The first number that differs, in the file's order.
        place: usize,
        /// What it is in `tensor`.
        found: f32,
        /// What it is in `owner`.
        expected: f32,
    },
    /// Its numbers have a type that cannot be read as weights.
    #[error("type of `{tensor}`: expected {expected}, found {found}")]
    Element {
        /// Its name.
        tensor: String,
        /// The types that can be read.
        expected: &'static str,
        /// The file's type.
        found: String,
    },
}

/// One line for each difference.
fn listed(mismatches: &[Mismatch]) -> String {
    let s = if mismatches.len() == 1 { "" } else { "s" };
    let lines = mismatches.iter().map(|mismatch| format!("\n  {mismatch}"));
    format!("{} difference{s}:{}", mismatches.len(), lines.collect::<String>())
}

fn perhaps(near: Option<&String>) -> String {
    near.map_or(String::new(), |near| format!(" (in the file it may be `{near}`)"))
}
