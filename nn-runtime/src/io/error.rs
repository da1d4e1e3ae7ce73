//! What can be wrong with a file of weights, and how it is said.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A file of weights that could not be written. A file that was there before is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum SaveError {
    /// The system refused.
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What should be kept with the weights cannot be written as JSON.
    Extra(serde_json::Error),
    /// The names and shapes do not fit a header of the format.
    Header(safetensors::SafeTensorError),
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, source } => {
                write!(f, "cannot write `{}`: {source}", path.display())
            }
            Self::Extra(source) => {
                write!(f, "what is kept with the weights cannot be written as JSON: {source}")
            }
            Self::Header(source) => {
                write!(f, "the weights do not fit a safetensors file: {source}")
            }
        }
    }
}

impl Error for SaveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            Self::Extra(source) => Some(source),
            Self::Header(_) => None,
        }
    }
}

/// A file of weights that could not be loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The system refused.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no safetensors file.
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead, or why it cannot be one.
        why: String,
    },
    /// It is a safetensors file, but cut off or inconsistent.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        why: String,
    },
    /// It holds the weights of another network.
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every difference, in the network's order.
        mismatches: Vec<Mismatch>,
    },
    /// Nothing is kept with the weights.
    NoExtra {
        /// The file.
        path: PathBuf,
    },
    /// What is kept with the weights is something else.
    Extra {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        source: serde_json::Error,
    },
}

/// One difference between a network's tensors and a file's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The network has it, the file does not.
    Missing {
        /// Its name.
        tensor: String,
        /// The shape it should have.
        shape: Vec<usize>,
        /// A tensor of this shape that only the file has and that may be meant.
        near: Option<String>,
    },
    /// The file has it, the network does not.
    Unexpected {
        /// Its name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// It has another shape.
    Shape {
        /// Its name.
        tensor: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// Its numbers have a type that cannot be read as weights.
    Element {
        /// Its name.
        tensor: String,
        /// The types that can be read.
        expected: &'static str,
        /// The file's type.
        found: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(f, "cannot read `{}`: {source}", path.display()),
            Self::Foreign { path, why } => {
                write!(f, "`{}` is no safetensors file: {why}", path.display())
            }
            Self::Damaged { path, why } => write!(f, "`{}` is damaged: {why}", path.display()),
            Self::Mismatch { path, mismatches } => {
                let count = mismatches.len();
                let s = if count == 1 { "" } else { "s" };
                let path = path.display();
                write!(f, "`{path}` does not fit this network, {count} difference{s}:")?;
                mismatches.iter().try_for_each(|mismatch| write!(f, "\n  {mismatch}"))
            }
            Self::NoExtra { path } => {
                write!(f, "`{}` keeps nothing with its weights: expected ", path.display())?;
                f.write_str("`extra` in its metadata, as `save_with` writes it")
            }
            Self::Extra { path, source } => {
                write!(f, "`{}` keeps something else with its weights: {source}", path.display())
            }
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { tensor, shape, near } => {
                write!(f, "missing: `{tensor}` {shape:?}")?;
                near.iter().try_for_each(|near| write!(f, " (did the file mean it by `{near}`?)"))
            }
            Self::Unexpected { tensor, shape } => write!(f, "unexpected: `{tensor}` {shape:?}"),
            Self::Shape { tensor, expected, found } => {
                write!(f, "shape of `{tensor}`: expected {expected:?}, found {found:?}")
            }
            Self::Element { tensor, expected, found } => {
                write!(f, "type of `{tensor}`: expected {expected}, found {found}")
            }
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Extra { source, .. } => Some(source),
            _ => None,
        }
    }
}
