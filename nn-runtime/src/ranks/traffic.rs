//! [`Ranks`]: the messages of one run, counted, and the error that ended them.

#[cfg(feature = "files")]
use super::bytes::{bytes_of, bytes_of_mut};
use super::error::DistributedError;
#[cfg(feature = "files")]
use super::shares::Shares;
use super::transport::{Incoming, Outgoing, Transport};
use crate::system::Stopwatch;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a rank has sent and received, and how long it has waited for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Bytes sent to other ranks.
    pub sent: u64,
    /// Bytes received from other ranks.
    pub received: u64,
    /// Time between the begin and the end of exchanges.
    pub waited: Duration,
}

impl Traffic {
    /// What has been exchanged since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            received: self.received - before.received,
            waited: self.waited - before.waited,
        }
    }
}

/// The ranks of one run.
pub(crate) struct Ranks<'a> {
    transport: &'a dyn Transport,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    traffic: Traffic,
    /// The first error. The functions that combine sums return none, so that it waits here for the end of the step.
    failed: Option<DistributedError>,
}

impl fmt::Debug for Ranks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank(), self.size())
    }
}

impl<'a> Ranks<'a> {
    pub(crate) fn new(transport: &'a dyn Transport) -> Self {
        Self { transport, log: Mutex::default() }
    }

    pub(crate) fn rank(&self) -> usize {
        self.transport.rank()
    }

    pub(crate) fn size(&self) -> usize {
        self.transport.size()
    }

    /// The ranks but this one.
    pub(crate) fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let rank = self.rank();
        (0..self.size()).filter(move |other| *other != rank)
    }

    /// Sends and receives messages. After an error, which [`check`](Self::check) returns, nothing is sent, and what was to
    /// be received stays as it is.
    pub(crate) fn exchange(&self, sends: &[Outgoing<'_>], receives: &mut [Incoming<'_>]) {
        if self.check().is_err() {
            return;
        }
        let clock = Stopwatch::start();
        let result = self.transport.exchange(sends, receives);
        let mut log = self.log();
        log.traffic.waited += Duration::from_secs_f64(clock.seconds().unwrap_or_default());
        log.traffic.sent += sends.iter().map(|message| message.bytes.len() as u64).sum::<u64>();
        log.traffic.received += receives.iter().map(|m| m.bytes.len() as u64).sum::<u64>();
        log.failed = result.err();
    }

    /// Begins to send messages, without waiting. After an error nothing is sent.
    pub(crate) fn post(&self, sends: &[Outgoing<'_>]) {
        if self.check().is_err() {
            return;
        }
        let result = self.transport.post(sends);
        let mut log = self.log();
        log.traffic.sent += sends.iter().map(|message| message.bytes.len() as u64).sum::<u64>();
        log.failed = result.err();
    }

    /// Lets messages that are on their way go on.
    pub(crate) fn progress(&self) {
        self.transport.progress();
    }

    /// A copy of the bytes that rank 0 passes; others pass anything.
    #[cfg(feature = "files")]
    pub(crate) fn broadcast_vec(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut len = (bytes.len() as u64).to_le_bytes();
        self.broadcast(&mut len);
        let mut bytes = bytes;
        bytes.resize(u64::from_le_bytes(len) as usize, 0);
        self.broadcast(&mut bytes);
        bytes
    }

    /// Sends `bytes` of rank 0 to all others.
    pub(crate) fn broadcast(&self, bytes: &mut [u8]) {
        if self.rank() == 0 {
            let sends: Vec<_> = self.others().map(|to| Outgoing { to, bytes: &*bytes }).collect();
            self.exchange(&sends, &mut []);
        } else {
            self.exchange(&[], &mut [Incoming { from: 0, bytes }]);
        }
    }

    /// Collects messages of all ranks: `all` has one part of equal length for each, of which this rank has filled its own.
    pub(crate) fn gather(&self, all: &mut [u8]) {
        let each = all.len() / self.size();
        let lens = vec![each; self.size()];
        self.gather_parts(all, &lens);
    }

    /// As [`gather`](Self::gather), with a part of `lens[rank]` bytes for each rank.
    pub(crate) fn gather_parts(&self, all: &mut [u8], lens: &[usize]) {
        let (mut own, mut receives): (&[u8], _) = (&[], Vec::new());
        let mut rest = all;
        for (rank, len) in lens.iter().enumerate() {
            let (part, after) = rest.split_at_mut(*len);
            rest = after;
            if rank == self.rank() {
                own = part;
            } else if *len > 0 {
                receives.push(Incoming { from: rank, bytes: part });
            }
        }
        // Also the receivers expect no message without content.
        let others = self.others().filter(|_| !own.is_empty());
        let sends: Vec<_> = others.map(|to| Outgoing { to, bytes: own }).collect();
        self.exchange(&sends, &mut receives);
    }

    /// Collects parts on rank 0, whose `values` are all of them; those of others are their own part, one of `shares`.
    #[cfg(feature = "files")]
    pub(crate) fn collect(&self, values: &mut [f32], shares: &Shares) {
        if self.rank() > 0 {
            let parts = [Outgoing { to: 0, bytes: bytes_of(values) }];
            return self.exchange(if values.is_empty() { &[] } else { &parts }, &mut []);
        }
        let (mut receives, mut rest) = (Vec::new(), values);
        for (from, len) in shares.lens(1).into_iter().enumerate() {
            let (part, after) = rest.split_at_mut(len);
            rest = after;
            if from > 0 && len > 0 {
                receives.push(Incoming { from, bytes: bytes_of_mut(part) });
            }
        }
        self.exchange(&[], &mut receives);
    }

    /// Returns the first error of an exchange.
    pub(crate) fn check(&self) -> Result<(), DistributedError> {
        self.log().failed.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.log().traffic
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Plain numbers: a panic leaves nothing half done.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
