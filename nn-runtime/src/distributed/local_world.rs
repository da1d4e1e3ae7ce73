//! [`LocalWorld`]: ranks that are threads of one process.

use super::sum_gradients::sum_gradients;
use crate::contract::Network;
use crate::ranks::{DistributedError, Incoming, Outgoing, Transport};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a rank waits for another one.
const TIMEOUT: Duration = Duration::from_secs(8);

/// One of several ranks that are threads of one process, for tests, and as an example of a [`Transport`]. A single process with
/// several threads is faster.
///
/// ```
/// use std::thread;
/// use unrolled_runtime::distributed::{LocalWorld, Transport};
///
/// thread::scope(|scope| {
///     for world in LocalWorld::ranks(3) {
///         // Each thread has a network and an optimiser of its own, and calls
///         // `Trainer::new(..).distributed(&world).fit(..)`.
///         scope.spawn(move || assert!(world.rank() < world.size()));
///     }
/// });
/// ```
#[derive(Debug)]
pub struct LocalWorld {
    rank: usize,
    timeout: Duration,
    shared: Arc<Shared>,
}

/// What all ranks share.
#[derive(Debug)]
struct Shared {
    mail: Mutex<Mail>,
    changed: Condvar,
}

#[derive(Debug)]
struct Mail {
    /// The messages from each rank to each rank: from rank `i` to rank `j` at `i * size + j`.
    queues: Vec<VecDeque<Vec<u8>>>,
    /// The ranks that have ended.
    ended: Vec<Option<End>>,
}

/// How a rank has ended.
#[derive(Clone, Debug)]
enum End {
    Done,
    Failed(String),
}

impl LocalWorld {
    /// All ranks of a world of `size`, one for each thread.
    ///
    /// # Panics
    /// If `size` is 0.
    #[must_use]
    #[track_caller]
    pub fn ranks(size: usize) -> Vec<Self> {
        assert!(size > 0, "LocalWorld: expected at least 1 rank, found 0");
        let mail = Mail { queues: vec![VecDeque::new(); size * size], ended: vec![None; size] };
        let shared = Arc::new(Shared { mail: Mutex::new(mail), changed: Condvar::new() });
        let rank = |rank| Self { rank, timeout: TIMEOUT, shared: shared.clone() };
        (0..size).map(rank).collect()
    }

    /// Sets how long a rank waits for another one before it ends with an error, 8 s at first.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Replaces `d_net` by the sum of the gradients of all ranks: see [`sum_gradients`].
    ///
    /// # Errors
    /// As [`sum_gradients`].
    pub fn sum_gradients<N: Network>(&self, d_net: &mut N) -> Result<(), DistributedError> {
        sum_gradients(self, d_net)
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        // Each change of the queues is complete before anything can panic.
        self.shared.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        self.mail().ended[self.rank].get_or_insert(end);
        self.shared.changed.notify_all();
    }

    /// Waits for a message.
    fn receive(&self, message: &mut Incoming<'_>, begin: Instant) -> Result<(), DistributedError> {
        let rank = message.from;
        let mut mail = self.mail();
        loop {
            if let Some(bytes) = mail.queue(rank, self.rank).pop_front() {
                let (expected, found) = (message.bytes.len(), bytes.len());
                if expected != found {
                    return Err(DistributedError::Message { rank, expected, found });
                }
                message.bytes.copy_from_slice(&bytes);
                return Ok(());
            }
            mail.check(self.rank)?;
            if mail.ended[rank].is_some() {
                return Err(DistributedError::Ended { rank });
            }
            let waited = begin.elapsed();
            let Some(left) = self.timeout.checked_sub(waited) else {
                return Err(DistributedError::NoAnswer { rank, seconds: waited.as_secs_f64() });
            };
            let wait = self.shared.changed.wait_timeout(mail, left);
            mail = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Mail {
    fn queue(&mut self, from: usize, to: usize) -> &mut VecDeque<Vec<u8>> {
        let size = self.ended.len();
        &mut self.queues[from * size + to]
    }

    /// Returns the error of the first other rank that failed.
    fn check(&self, own: usize) -> Result<(), DistributedError> {
        for (rank, end) in self.ended.iter().enumerate().filter(|(rank, _)| *rank != own) {
            if let Some(End::Failed(why)) = end {
                return Err(DistributedError::Failed { rank, why: why.clone() });
            }
        }
        Ok(())
    }
}

impl Transport for LocalWorld {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.mail().ended.len()
    }

    fn exchange(
        &self,
        sends: &[Outgoing<'_>],
        receives: &mut [Incoming<'_>],
    ) -> Result<(), DistributedError> {
        let begin = Instant::now();
        self.post(sends)?;
        receives.iter_mut().try_for_each(|message| self.receive(message, begin))
    }

    fn post(&self, sends: &[Outgoing<'_>]) -> Result<(), DistributedError> {
        let mut mail = self.mail();
        for message in sends {
            mail.queue(self.rank, message.to).push_back(message.bytes.to_vec());
        }
        drop(mail);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn fail(&self, why: &str) {
        self.end(End::Failed(why.to_owned()));
    }
}

/// A thread that ends before the others, or panics, ends them, too.
impl Drop for LocalWorld {
    fn drop(&mut self) {
        let panicked = thread::panicking();
        self.end(if panicked { End::Failed("it panicked".to_owned()) } else { End::Done });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    /// Runs `f` for each rank on a thread of its own.
    fn on_ranks<R: Send>(size: usize, f: impl Fn(LocalWorld) -> R + Sync) -> Vec<R> {
        thread::scope(|scope| {
            let f = &f;
            let ranks = LocalWorld::ranks(size).into_iter();
            let threads: Vec<_> = ranks.map(|world| scope.spawn(move || f(world))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        })
    }

    fn receive(world: &LocalWorld, from: usize) -> Result<u8, DistributedError> {
        let mut bytes = [0];
        world.exchange(&[], &mut [Incoming { from, bytes: &mut bytes }])?;
        Ok(bytes[0])
    }

    #[test]
    fn messages_arrive_in_order() {
        let sums = on_ranks(3, |world| {
            let rank = world.rank();
            let (next, before) = ((rank + 1) % 3, (rank + 2) % 3);
            let content = [[rank as u8], [10 + rank as u8]];
            let sends = content.each_ref().map(|bytes| Outgoing { to: next, bytes });
            world.exchange(&sends, &mut []).unwrap();
            [receive(&world, before).unwrap(), receive(&world, before).unwrap()]
        });
        assert_eq!(sums, [[2, 12], [0, 10], [1, 11]]);
    }

    #[test]
    fn a_rank_that_fails_ends_the_others() {
        let results = on_ranks(3, |world| {
            if world.rank() == 1 {
                world.fail("no space left");
            }
            receive(&world, 0).err()
        });
        let failed = DistributedError::Failed { rank: 1, why: "no space left".to_owned() };
        assert_eq!(results[2], Some(failed));
    }

    #[test]
    fn a_rank_that_ends_or_hangs_is_named() {
        let results = on_ranks(2, |world| (world.rank() == 1).then(|| receive(&world, 0)));
        assert_eq!(results[1], Some(Err(DistributedError::Ended { rank: 0 })));
        let waited = Barrier::new(2);
        let results = on_ranks(2, |world| {
            let world = world.timeout(Duration::from_millis(20));
            let error = (world.rank() == 1).then(|| receive(&world, 0).err()).flatten();
            // Rank 0 is there until the other one has waited.
            waited.wait();
            error
        });
        let Some(DistributedError::NoAnswer { rank: 0, seconds }) = results[1] else {
            panic!("{results:?}")
        };
        assert!(seconds >= 0.02);
    }

    #[test]
    fn a_message_of_another_length_is_an_error() {
        let results = on_ranks(2, |world| {
            if world.rank() == 0 {
                world.exchange(&[Outgoing { to: 1, bytes: &[1, 2] }], &mut []).unwrap();
                return None;
            }
            receive(&world, 0).err()
        });
        assert_eq!(results[1], Some(DistributedError::Message { rank: 0, expected: 1, found: 2 }));
    }
}
