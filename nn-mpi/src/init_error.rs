//! [`InitError`]: why MPI cannot be used.

use thiserror::Error;

/// Why MPI cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InitError {
    /// A second call, or a call of MPI's own initialisation before.
    #[error(
        "MPI has been initialised before: call `World::init` once, at the beginning of the program"
    )]
    AlreadyInitialised,
    /// An MPI library that was built without support for threads.
    #[error(
        "this MPI library allows its calls on the main thread only, expected at least MPI_THREAD_SERIALIZED"
    )]
    Threads,
    /// A call of MPI that failed.
    #[error("MPI fails: {0}")]
    Call(String),
}
