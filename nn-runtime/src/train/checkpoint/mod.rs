//! Checkpoints: all that a run needs to continue, in a file.

mod error;
mod number;
mod record;
mod resume;
mod settings;
mod write;

pub use error::{CheckpointError, Difference};
pub(super) use settings::Checkpoints;
