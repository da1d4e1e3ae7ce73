//! [`CheckpointError`]: a checkpoint that cannot be written or continued.

use crate::io::{LoadError, SaveError};
use crate::optim::StateError;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// A checkpoint that cannot be written, or that the run does not continue.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// [`resume`](crate::train::Trainer::resume) without a folder of checkpoints.
    #[error("`resume(true)` needs the folder of the checkpoints: call `checkpoint(folder)`, too")]
    NoFolder,
    /// The folder of the checkpoints cannot be used.
    #[error("cannot write checkpoints to the folder `{path}`: {why}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The reason of the operating system.
        #[source]
        why: Arc<io::Error>,
    },
    /// The file cannot be written.
    #[error("the checkpoint cannot be written: {0}")]
    Save(#[source] Arc<SaveError>),
    /// The file cannot be read, is damaged, or has the weights of another network.
    #[error("the run cannot be resumed: {0}")]
    Load(#[source] Arc<LoadError>),
    /// A file with weights that is no checkpoint, or one of another version of this library.
    #[error(
        "the run cannot be resumed: `{path}` is not a checkpoint of this version of the library: {why}"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        why: String,
    },
    /// The checkpoint of a run with other settings.
    #[error(
        "the run cannot be resumed: `{path}` is the checkpoint of another run:{}\nUse the same settings, or another \
         folder",
        listed(differences)
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// All differences.
        differences: Vec<Difference>,
    },
    /// The state of the optimiser does not fit.
    #[error("the run cannot be resumed from `{path}`: {why}")]
    Optimizer {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        #[source]
        why: StateError,
    },
}

/// A setting of a run that differs from the one in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The setting: `batch size`.
    pub setting: String,
    /// Its value in this run.
    pub expected: String,
    /// Its value in the checkpoint.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, expected, found } = self;
        write!(f, "{setting}: expected {expected}, found {found}")
    }
}

/// The number of differences that a message lists; the error contains all.
const MAX_LISTED: usize = 10;

fn listed(differences: &[Difference]) -> String {
    let lines = differences.iter().take(MAX_LISTED).map(|difference| format!("\n  {difference}"));
    let rest = match differences.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        rest => format!("\n  and {rest} more"),
    };
    lines.chain([rest]).collect()
}

/// Errors of the operating system cannot be compared: errors are equal if their messages are.
impl PartialEq for CheckpointError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl From<SaveError> for CheckpointError {
    fn from(why: SaveError) -> Self {
        Self::Save(Arc::new(why))
    }
}

impl From<LoadError> for CheckpointError {
    fn from(why: LoadError) -> Self {
        Self::Load(Arc::new(why))
    }
}
