//! [`Messages`]: messages of a run, with time limits, and what ends it.

use crate::channel::{Channel, Kind, Pending, Result};
use crate::late_exit::exit_after;
use crate::wait::{Patience, Wait};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use unrolled::distributed::{DistributedError, Incoming, Outgoing};

/// The longest message that is sent at once. Lengths in MPI are of 32 bits; and a rank that receives parts is known to be
/// there.
const LONGEST: usize = 1 << 26;

/// The longest text of an error: libraries send messages of up to about 4000 bytes without asking the receiver.
const LONGEST_TEXT: usize = 2048;

/// How long an error waits for the other ranks to receive it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long the rank with the first error, and one that has heard of it, wait before their processes end.
const FIRST_EXIT: Duration = Duration::from_millis(300);
const EXIT: Duration = Duration::from_secs(1);

/// Messages over a communicator of its own.
pub(crate) struct Messages {
    channel: Channel,
    sending: Vec<Pending>,
    /// Messages without content that are being sent, for which nothing waits.
    signs: Vec<Pending>,
    /// The messages of each rank that have arrived, or are arriving, and that no call has received.
    inbox: Vec<VecDeque<Pending>>,
    /// The ranks that have ended.
    ended: Vec<bool>,
    /// When a message of each rank arrived last.
    heard: Vec<Instant>,
    /// The error after which nothing is sent.
    failed: Option<DistributedError>,
}

/// A message that is expected.
struct Expected<'m, 'b> {
    message: &'m mut Incoming<'b>,
    /// The parts that have been received.
    parts: usize,
}

impl Messages {
    pub(crate) fn new(channel: Channel) -> Self {
        let inbox = (0..channel.size).map(|_| VecDeque::new()).collect();
        let (ended, heard) = (vec![false; channel.size], vec![Instant::now(); channel.size]);
        Self { channel, sending: Vec::new(), signs: Vec::new(), inbox, ended, heard, failed: None }
    }

    /// See [`Transport::exchange`](unrolled::distributed::Transport::exchange).
    pub(crate) fn exchange(
        &mut self,
        sends: &[Outgoing<'_>],
        receives: &mut [Incoming<'_>],
        timeout: Duration,
    ) -> Result<()> {
        self.unless_failed(|messages| {
            messages.start(sends)?;
            messages.complete(receives, timeout)
        })
    }

    /// See [`Transport::post`](unrolled::distributed::Transport::post).
    pub(crate) fn post(&mut self, sends: &[Outgoing<'_>]) -> Result<()> {
        self.unless_failed(|messages| messages.start(sends))
    }

    /// See [`Transport::progress`](unrolled::distributed::Transport::progress). The next call that returns one returns the
    /// error.
    pub(crate) fn progress(&mut self) {
        let _ = self.unless_failed(|messages| messages.advance().map(drop));
    }

    /// Ends this rank with an error, which it sends to all others.
    pub(crate) fn fail(&mut self, why: &str) {
        if self.failed.is_none() {
            let (rank, why) = (self.channel.rank, why.to_owned());
            self.end_with(DistributedError::Failed { rank, why });
        }
    }

    /// Tells all other ranks that this one sends nothing more, and waits until they have ended, too, however long they take.
    /// Returns whether no rank has failed.
    pub(crate) fn end(&mut self) -> bool {
        self.unless_failed(|messages| {
            messages.send_sign(Kind::Ended)?;
            let mut wait = Wait::new();
            loop {
                let moved = messages.advance()?;
                let all_ended = messages.channel.others().all(|other| messages.ended[other]);
                if all_ended && messages.signs.is_empty() {
                    return Ok(());
                }
                wait.pause(moved);
            }
        })
        .is_ok()
    }

    /// Calls `f`, whose error ends this rank.
    fn unless_failed(&mut self, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        f(self).inspect_err(|error| self.end_with(error.clone()))
    }

    fn end_with(&mut self, error: DistributedError) {
        match &error {
            // All ranks know.
            DistributedError::Failed { rank, .. } if *rank != self.channel.rank => {
                exit_after(EXIT);
            }
            DistributedError::Failed { why, .. } => self.tell(why, None),
            DistributedError::NoAnswer { rank, .. } => self.tell(&error.to_string(), Some(*rank)),
            _ => self.tell(&error.to_string(), None),
        }
        self.failed = Some(error);
    }

    /// Tells the other ranks that this one ends with an error, and waits a little until they have received it. `deaf` does not
    /// receive messages.
    fn tell(&mut self, why: &str, deaf: Option<usize>) {
        exit_after(FIRST_EXIT);
        let text = &why.as_bytes()[..why.floor_char_boundary(LONGEST_TEXT)];
        let mut telling = Vec::new();
        for other in self.channel.others().filter(|other| Some(*other) != deaf) {
            telling.extend(self.channel.send(other, Kind::Failed, text).ok());
        }
        let mut wait = Wait::new();
        while !telling.is_empty() && wait.pause(false) < FAREWELL {
            telling.retain_mut(|pending| !pending.is_done().unwrap_or(true));
            // A rank that fails as well tells all others, too, which then do not listen any more.
            if matches!(self.advance(), Err(DistributedError::Failed { .. })) {
                return;
            }
        }
    }

    /// Begins to send a message without content to all other ranks.
    fn send_sign(&mut self, kind: Kind) -> Result<()> {
        for other in self.channel.others() {
            let pending = self.channel.send(other, kind, &[])?;
            self.signs.push(pending);
        }
        Ok(())
    }

    /// Begins to send messages.
    fn start(&mut self, sends: &[Outgoing<'_>]) -> Result<()> {
        for Outgoing { to, bytes } in sends {
            // Also a message without content has a part.
            let empty = bytes.is_empty().then_some(*bytes);
            for part in bytes.chunks(LONGEST).chain(empty) {
                let pending = self.channel.send(*to, Kind::Data, part)?;
                self.sending.push(pending);
            }
        }
        Ok(())
    }

    /// Waits until all messages have been sent and received.
    fn complete(&mut self, receives: &mut [Incoming<'_>], timeout: Duration) -> Result<()> {
        let receives = receives.iter_mut();
        let mut open: Vec<_> = receives.map(|message| Expected { message, parts: 0 }).collect();
        let mut wait = Wait::new();
        let mut patience = Patience::new(timeout);
        loop {
            let mut moved = self.advance()?;
            moved |= self.receive(&mut open)?;
            if open.is_empty() && self.sending.is_empty() {
                return Ok(());
            }
            self.check_ended(&open)?;
            let waited = wait.pause(moved);
            if patience.is_sign_due(waited) {
                self.send_sign(Kind::Alive)?;
            }
            self.check_silent(&open, patience, waited)?;
        }
    }

    /// Returns an error if a rank that this one waits for hangs. One that waits as well, for a rank that hangs, sends signs.
    fn check_silent(
        &self,
        open: &[Expected<'_, '_>],
        patience: Patience,
        waited: Duration,
    ) -> Result<()> {
        if !patience.is_exceeded(waited) {
            return Ok(());
        }
        let senders = open.iter().map(|expected| expected.message.from);
        let awaited = senders.chain(self.sending.iter().map(|pending| pending.other));
        let silent = awaited.map(|rank| (self.heard[rank].elapsed(), rank)).max();
        match silent {
            Some((silence, rank)) if patience.is_over(waited, silence) => {
                Err(DistributedError::NoAnswer { rank, seconds: waited.as_secs_f64() })
            }
            _ => Ok(()),
        }
    }

    /// Lets messages that are on their way go on. Returns whether one has been sent, or has arrived, and the error of a rank
    /// that has failed.
    fn advance(&mut self) -> Result<bool> {
        let mut moved = self.channel.retire(&mut self.sending)?;
        self.channel.retire(&mut self.signs)?;
        while let Some(arrival) = self.channel.probe()? {
            let (from, kind) = (arrival.from, arrival.kind);
            self.heard[from] = Instant::now();
            let mut pending = self.channel.receive(arrival)?;
            match kind {
                Kind::Data => self.inbox[from].push_back(pending),
                Kind::Failed => {
                    let why = text(&mut pending)?;
                    return Err(DistributedError::Failed { rank: from, why });
                }
                // What it sent before has arrived before.
                Kind::Ended => self.ended[from] = pending.is_done()?,
                Kind::Alive => {
                    pending.is_done()?;
                    continue;
                }
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Copies what has arrived, and removes the messages that are complete. Returns whether anything has arrived.
    fn receive(&mut self, open: &mut Vec<Expected<'_, '_>>) -> Result<bool> {
        let mut moved = false;
        let mut result = Ok(());
        // Messages of a rank arrive in the order in which they are expected.
        let mut waiting = vec![false; self.channel.size];
        open.retain_mut(|expected| {
            let from = expected.message.from;
            while result.is_ok() && !waiting[from] && !expected.is_complete() {
                result = self.receive_part(expected).map(|received| {
                    waiting[from] = !received;
                    moved |= received;
                });
            }
            !expected.is_complete()
        });
        result.map(|()| moved)
    }

    /// Copies the next part of a message, if it has arrived. Returns whether it has.
    fn receive_part(&mut self, expected: &mut Expected<'_, '_>) -> Result<bool> {
        let from = expected.message.from;
        let Some(mut pending) = self.inbox[from].pop_front() else { return Ok(false) };
        if !pending.is_done()? {
            self.inbox[from].push_front(pending);
            return Ok(false);
        }
        expected.take(pending.content())?;
        self.channel.reuse(pending);
        Ok(true)
    }

    /// Returns an error if a message is expected of a rank that has ended.
    fn check_ended(&self, open: &[Expected<'_, '_>]) -> Result<()> {
        let mut senders = open.iter().map(|expected| expected.message.from);
        let ended = senders.find(|rank| self.ended[*rank] && self.inbox[*rank].is_empty());
        ended.map_or(Ok(()), |rank| Err(DistributedError::Ended { rank }))
    }
}

/// The text of an error.
fn text(pending: &mut Pending) -> Result<String> {
    let mut wait = Wait::new();
    while !pending.is_done()? && wait.pause(false) < FAREWELL {}
    Ok(String::from_utf8_lossy(pending.content()).into_owned())
}

impl Expected<'_, '_> {
    fn is_complete(&self) -> bool {
        // Also a message without content has a part.
        self.parts == self.message.bytes.len().div_ceil(LONGEST).max(1)
    }

    /// Copies the next part.
    fn take(&mut self, part: &[u8]) -> Result<()> {
        let (rank, expected) = (self.message.from, self.message.bytes.len());
        let begin = self.parts * LONGEST;
        let bytes = &mut self.message.bytes[begin..];
        let len = bytes.len().min(LONGEST);
        if part.len() != len {
            return Err(DistributedError::Message { rank, expected, found: begin + part.len() });
        }
        bytes[..len].copy_from_slice(part);
        self.parts += 1;
        Ok(())
    }
}
