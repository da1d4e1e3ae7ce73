//! Checkpoints: all that a run needs to continue, in a file.

mod number;
mod record;
mod resume;
mod settings;
mod write;
