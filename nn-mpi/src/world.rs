//! [`World`]: the processes that `mpirun` has started.

use crate::channel::Channel;
use crate::init_error::InitError;
use crate::messages::Messages;
use mpi::Threading;
use mpi::environment::Universe;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use unrolled::Network;
use unrolled::distributed::{DistributedError, Incoming, Outgoing, Transport, sum_gradients};

/// How long a rank waits for another one.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The processes, *ranks*, that `mpirun` has started. A program that is started without it has one rank.
///
/// When it is dropped it waits for all ranks, and ends MPI. After an error it does not, so that `mpirun` ends the ranks that do
/// not end by themselves; the process then ends up to a second after `main`, so that all ranks print their errors.
pub struct World {
    universe: Option<Universe>,
    messages: Mutex<Messages>,
    rank: usize,
    size: usize,
    timeout: Duration,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank, self.size)
    }
}

impl World {
    /// Initialises MPI. All ranks have to call it, once.
    ///
    /// # Errors
    /// If MPI is initialised already, or its library allows calls on the main thread only.
    pub fn init() -> Result<Self, InitError> {
        let Some((universe, threading)) = mpi::initialize_with_threading(Threading::Multiple)
        else {
            return Err(InitError::AlreadyInitialised);
        };
        if threading < Threading::Serialized {
            return Err(InitError::Threads);
        }
        let world = universe.world();
        let channel = Channel::new(&world).map_err(|why| InitError::Call(why.to_string()))?;
        let (rank, size) = (channel.rank, channel.size);
        let messages = Mutex::new(Messages::new(channel));
        Ok(Self { universe: Some(universe), messages, rank, size, timeout: TIMEOUT })
    }

    /// Sets how long a rank waits for another one before it ends with an error, 8 s at first. It must be longer than any rank
    /// may take longer than the others for a step, such as to write a checkpoint.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The index of this rank, from 0 to `size() - 1`.
    #[must_use]
    pub const fn rank(&self) -> usize {
        self.rank
    }

    /// The number of ranks.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Replaces `d_net` by the sum of the gradients of all ranks: see [`sum_gradients`].
    ///
    /// # Errors
    /// As [`sum_gradients`].
    pub fn sum_gradients<N: Network>(&self, d_net: &mut N) -> Result<(), DistributedError> {
        sum_gradients(self, d_net)
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(
        &self,
        sends: &[Outgoing<'_>],
        receives: &mut [Incoming<'_>],
    ) -> Result<(), DistributedError> {
        self.messages().exchange(sends, receives, self.timeout)
    }

    fn post(&self, sends: &[Outgoing<'_>]) -> Result<(), DistributedError> {
        self.messages().post(sends)
    }

    fn progress(&self) {
        // Another thread that has the lock lets them go on.
        if let Ok(mut messages) = self.messages.try_lock() {
            messages.progress();
        }
    }

    fn fail(&self, why: &str) {
        self.messages().fail(why);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let messages = self.messages.get_mut().unwrap_or_else(PoisonError::into_inner);
        if thread::panicking() {
            messages.fail("it panicked");
        }
        if !messages.end() {
            // The end of MPI waits for all ranks, of which one may hang.
            std::mem::forget(self.universe.take());
        }
    }
}
