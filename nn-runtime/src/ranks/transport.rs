//! [`Transport`]: messages between ranks.

use super::error::DistributedError;

/// A message to another rank.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The rank that receives it.
    pub to: usize,
    /// Its content.
    pub bytes: &'a [u8],
}

/// A message from another rank.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The rank that sends it.
    pub from: usize,
    /// Receives its content, which has exactly this length.
    pub bytes: &'a mut [u8],
}

/// Messages between the ranks of a distributed run: all processes (or threads) that train the same network.
///
/// Implemented by `World` of the crate `unrolled-mpi`, and by [`LocalWorld`](crate::distributed::LocalWorld), whose ranks
/// are threads of one process.
///
/// Calls of different threads must not be mixed up: an implementation either allows any thread or locks itself.
pub trait Transport: Sync {
    /// The index of this rank, from 0 to `size() - 1`.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn size(&self) -> usize;

    /// Sends and receives messages, none of them to or from this rank itself, and returns when all have been sent and
    /// received. Messages from one rank to another arrive in the order in which they are sent.
    ///
    /// All ranks send and receive at the same time: no call may wait for a receiver before it receives.
    ///
    /// # Errors
    /// If another rank ends, does not answer in time, has called [`fail`](Self::fail), or sends a message of another
    /// length. No further message is exchanged after an error.
    fn exchange(
        &self,
        sends: &[Outgoing<'_>],
        receives: &mut [Incoming<'_>],
    ) -> Result<(), DistributedError>;

    /// Begins to send messages, and returns without waiting for their receivers; the content may change then. They arrive before
    /// the messages of later calls.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    fn post(&self, sends: &[Outgoing<'_>]) -> Result<(), DistributedError>;

    /// Lets messages that are on their way go on, for libraries that do so only while they are called. Called from several
    /// threads while these compute gradients; must not wait. Does nothing by default.
    fn progress(&self) {}

    /// Tells all other ranks that this one ends because of an error: their calls of [`exchange`](Self::exchange) return
    /// [`DistributedError::Failed`].
    fn fail(&self, why: &str);
}
