//! [`Messages`]: messages over a communicator of MPI, with time limits.
//!
//! Every message is sent from, and received into, memory that this file owns, so that a call can return an error while
//! messages of a rank that hangs are on their way: their memory is leaked.

use mpi::ffi;
use mpi::traits::Communicator;
use std::ffi::{c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::thread;
use std::time::{Duration, Instant};
use unrolled::distributed::{DistributedError, Incoming, Outgoing};

/// The kinds of messages: their tags.
const DATA: c_int = 0;
/// A rank ends with an error, the text of the message.
const FAILED: c_int = 1;
/// A rank has ended without an error.
const ENDED: c_int = 2;

/// The longest message that is sent at once: lengths in MPI are of 32 bits.
const LONGEST: usize = 1 << 30;

/// The longest text of an error.
const LONGEST_TEXT: usize = 4096;

/// How long an error waits for the other ranks to receive it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Time for the other ranks to report an error that they have received: `mpirun` ends them when the first rank ends.
const GRACE: Duration = Duration::from_millis(300);

type Result<T> = std::result::Result<T, DistributedError>;

/// Messages over a communicator of its own.
pub(crate) struct Messages {
    comm: ffi::MPI_Comm,
    rank: usize,
    size: usize,
    /// Memory that was used before.
    free: Vec<Vec<u8>>,
    /// The ranks that have ended.
    ended: Vec<bool>,
    /// The error after which nothing is sent.
    failed: Option<DistributedError>,
}

// SAFETY: the communicator is a handle without thread affinity. MPI was initialised with at least MPI_THREAD_SERIALIZED
// (`World::init` checks it), and `World` keeps `Messages` in a mutex, so that calls do not overlap.
unsafe impl Send for Messages {}

/// A message on its way.
struct Pending {
    request: ffi::MPI_Request,
    /// Leaked, unless the request is done: until then MPI reads or writes it.
    memory: ManuallyDrop<Vec<u8>>,
    other: usize,
}

/// A message that is expected, and the part of it that has been received.
struct Expected<'m, 'b> {
    message: &'m mut Incoming<'b>,
    received: usize,
    pending: Option<Pending>,
}

impl Expected<'_, '_> {
    fn is_complete(&self) -> bool {
        // A message without content is sent as well.
        self.pending.is_none() && self.received > 0 && self.received >= self.message.bytes.len()
    }
}

impl Messages {
    pub(crate) fn new(world: &impl Communicator) -> Result<Self> {
        let mut comm = world.as_raw();
        // SAFETY: MPI is initialised, and `world` is a communicator; the duplicate is a communicator of its own, so that
        // messages of other libraries are not mistaken for these.
        check(unsafe { ffi::MPI_Comm_dup(world.as_raw(), &raw mut comm) })?;
        // SAFETY: `comm` is a communicator; errors are returned instead of ending the program.
        check(unsafe { ffi::MPI_Comm_set_errhandler(comm, ffi::RSMPI_ERRORS_RETURN) })?;
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        Ok(Self { comm, rank, size, free: Vec::new(), ended: vec![false; size], failed: None })
    }

    /// See [`Transport::exchange`](unrolled::distributed::Transport::exchange).
    pub(crate) fn exchange(
        &mut self,
        sends: &[Outgoing<'_>],
        receives: &mut [Incoming<'_>],
        timeout: Duration,
    ) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut sending = Vec::new();
        let receives = receives.iter_mut();
        let mut receiving: Vec<_> =
            receives.map(|message| Expected { message, received: 0, pending: None }).collect();
        let result = self
            .start_all(sends, &mut sending)
            .and_then(|()| self.complete(&mut sending, &mut receiving, timeout));
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }

    fn start_all(&mut self, sends: &[Outgoing<'_>], sending: &mut Vec<Pending>) -> Result<()> {
        for Outgoing { to, bytes } in sends {
            for part in parts(bytes) {
                let pending = self.send(*to, DATA, part)?;
                sending.push(pending);
            }
        }
        Ok(())
    }

    /// Waits for all messages.
    fn complete(
        &mut self,
        sending: &mut Vec<Pending>,
        receiving: &mut [Expected<'_, '_>],
        timeout: Duration,
    ) -> Result<()> {
        let mut wait = Wait::new();
        loop {
            let mut moved = self.receive_all(receiving)?;
            let before = sending.len();
            self.retire(sending)?;
            moved |= sending.len() < before;
            let open = receiving.iter().find(|expected| !expected.is_complete());
            let other = open.map(|expected| expected.message.from);
            let Some(other) = other.or_else(|| sending.first().map(|pending| pending.other)) else {
                return Ok(());
            };
            self.check_others(other, receiving)?;
            let waited = wait.begin.elapsed();
            if waited > timeout {
                let seconds = waited.as_secs_f64();
                return Err(DistributedError::NoAnswer { rank: other, seconds });
            }
            wait.pause(moved);
        }
    }

    /// Receives what has arrived. Returns whether anything has.
    fn receive_all(&mut self, receiving: &mut [Expected<'_, '_>]) -> Result<bool> {
        let mut moved = false;
        for index in 0..receiving.len() {
            let (before, rest) = receiving.split_at_mut(index);
            let expected = &mut rest[0];
            // Messages of a rank arrive in the order in which they are expected.
            let from = expected.message.from;
            let is_next =
                before.iter().all(|other| other.message.from != from || other.is_complete());
            if is_next && !expected.is_complete() {
                moved |= self.receive(expected)?;
            }
        }
        Ok(moved)
    }

    /// Begins or ends the next part of a message. Returns whether there was something to do.
    fn receive(&mut self, expected: &mut Expected<'_, '_>) -> Result<bool> {
        let from = expected.message.from;
        let Some(pending) = &mut expected.pending else {
            let part = LONGEST.min(expected.message.bytes.len() - expected.received);
            let Some((message, len)) = self.probe(from, DATA)? else { return Ok(false) };
            expected.pending = Some(self.start_receive(message, len, from)?);
            if len != part {
                let whole = expected.message.bytes.len();
                let found = expected.received + len;
                return Err(DistributedError::Message { rank: from, expected: whole, found });
            }
            return Ok(true);
        };
        if !pending.is_done()? {
            return Ok(false);
        }
        if let Some(Pending { memory, .. }) = expected.pending.take() {
            let memory = ManuallyDrop::into_inner(memory);
            let bytes = &mut expected.message.bytes[expected.received..];
            bytes[..memory.len()].copy_from_slice(&memory);
            // A message without content counts as one byte beyond its end.
            expected.received += memory.len().max(1);
            self.free.push(memory);
        }
        Ok(true)
    }

    /// Removes the messages that have been sent.
    fn retire(&mut self, sending: &mut Vec<Pending>) -> Result<()> {
        let mut index = 0;
        while index < sending.len() {
            if sending[index].is_done()? {
                let Pending { memory, .. } = sending.swap_remove(index);
                self.free.push(ManuallyDrop::into_inner(memory));
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// Returns the error of a rank that has reported one, and one if `other`, which is waited for, has ended.
    fn check_others(&mut self, other: usize, receiving: &mut [Expected<'_, '_>]) -> Result<()> {
        for rank in (0..self.size).filter(|rank| *rank != self.rank) {
            if let Some((message, len)) = self.probe(rank, FAILED)? {
                let why = self.text(message, len, rank)?;
                return Err(DistributedError::Failed { rank, why });
            }
        }
        self.ended[other] |= self.probe(other, ENDED)?.is_some();
        if !self.ended[other] {
            return Ok(());
        }
        // What it sent before has arrived before.
        while self.receive_all(receiving)? {}
        let mut open = receiving.iter().filter(|e| e.message.from == other && !e.is_complete());
        match open.next() {
            Some(expected) if expected.pending.is_none() => {
                Err(DistributedError::Ended { rank: other })
            }
            _ => Ok(()),
        }
    }

    /// Receives a short message.
    fn text(&mut self, message: ffi::MPI_Message, len: usize, from: usize) -> Result<String> {
        let mut pending = self.start_receive(message, len, from)?;
        while !pending.is_done()? {
            thread::yield_now();
        }
        Ok(String::from_utf8_lossy(&pending.memory).into_owned())
    }

    /// Tells all other ranks that this one ends with an error, and waits a little until they have been told.
    pub(crate) fn fail(&mut self, why: &str) {
        if self.failed.is_some() {
            return;
        }
        let rank = self.rank;
        self.failed = Some(DistributedError::Failed { rank, why: why.to_owned() });
        let text = &why.as_bytes()[..why.floor_char_boundary(LONGEST_TEXT)];
        let mut sending = Vec::new();
        for other in (0..self.size).filter(|other| *other != rank) {
            sending.extend(self.send(other, FAILED, text).ok());
        }
        let mut wait = Wait::new();
        while !sending.is_empty() && wait.begin.elapsed() < FAREWELL {
            // A rank that fails as well does not listen.
            let told = |pending: &mut Pending| {
                pending.is_done().unwrap_or(true)
                    || self.probe(pending.other, FAILED).is_ok_and(|found| found.is_some())
            };
            let mut index = 0;
            while index < sending.len() {
                if told(&mut sending[index]) {
                    sending.swap_remove(index);
                } else {
                    index += 1;
                }
            }
            wait.pause(false);
        }
        thread::sleep(GRACE);
    }

    /// Tells all other ranks that this one sends nothing more.
    pub(crate) fn end(&mut self) {
        let rank = self.rank;
        for other in (0..self.size).filter(|other| *other != rank) {
            // It is short, so that MPI has sent it when the call returns. An error does not matter any more.
            let _ = self.send(other, ENDED, &[]);
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    fn send(&mut self, to: usize, tag: c_int, bytes: &[u8]) -> Result<Pending> {
        let mut memory = ManuallyDrop::new(self.memory(0));
        memory.extend_from_slice(bytes);
        // SAFETY: a constant of the library.
        let mut request = unsafe { ffi::RSMPI_REQUEST_NULL };
        let (buffer, count) = (memory.as_ptr().cast::<c_void>(), memory.len() as c_int);
        // An error is known to have arrived: the rank that sends it ends.
        let start = if tag == FAILED { ffi::MPI_Issend } else { ffi::MPI_Isend };
        // SAFETY: `buffer` points to `count` initialised bytes, which neither move nor change nor are freed until the request
        // is done: `Pending` owns them, and leaks them where it is dropped before.
        let code = unsafe {
            start(buffer, count, ffi::RSMPI_UINT8_T, to as c_int, tag, self.comm, &raw mut request)
        };
        check(code).map(|()| Pending { request, memory, other: to })
    }

    /// A message that has arrived, which no other call receives, and its length.
    fn probe(&self, from: usize, tag: c_int) -> Result<Option<(ffi::MPI_Message, usize)>> {
        let (mut flag, mut count) = (0, 0);
        // SAFETY: a constant of the library.
        let mut message = unsafe { ffi::RSMPI_MESSAGE_NULL };
        // SAFETY: a status is numbers, for which zeros are valid.
        let mut status: ffi::MPI_Status = unsafe { std::mem::zeroed() };
        // SAFETY: all pointers are to local variables.
        check(unsafe {
            ffi::MPI_Improbe(
                from as c_int,
                tag,
                self.comm,
                &raw mut flag,
                &raw mut message,
                &raw mut status,
            )
        })?;
        if flag == 0 {
            return Ok(None);
        }
        // SAFETY: the call above has set the status.
        check(unsafe {
            ffi::MPI_Get_count(&raw const status, ffi::RSMPI_UINT8_T, &raw mut count)
        })?;
        Ok(Some((message, count as usize)))
    }

    fn start_receive(
        &mut self,
        mut message: ffi::MPI_Message,
        len: usize,
        from: usize,
    ) -> Result<Pending> {
        let mut memory = ManuallyDrop::new(self.memory(len));
        // SAFETY: a constant of the library.
        let mut request = unsafe { ffi::RSMPI_REQUEST_NULL };
        // SAFETY: the memory has `len` bytes, the length of the message, which stay as in `send`; and `message` is from
        // `probe`.
        let code = unsafe {
            ffi::MPI_Imrecv(
                memory.as_mut_ptr().cast::<c_void>(),
                len as c_int,
                ffi::RSMPI_UINT8_T,
                &raw mut message,
                &raw mut request,
            )
        };
        check(code).map(|()| Pending { request, memory, other: from })
    }

    /// Memory of `len` zeros, used before if there is some.
    fn memory(&mut self, len: usize) -> Vec<u8> {
        let mut memory = self.free.pop().unwrap_or_default();
        memory.clear();
        memory.resize(len, 0);
        memory
    }
}

impl Pending {
    fn is_done(&mut self) -> Result<bool> {
        let mut flag = 0;
        // SAFETY: the request is one that `send` or `start_receive` began, or the null request, into which this call turns it
        // when it is done.
        check(unsafe {
            ffi::MPI_Test(&raw mut self.request, &raw mut flag, ffi::RSMPI_STATUS_IGNORE)
        })?;
        Ok(flag != 0)
    }
}

/// The parts of a message: at least one.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = bytes.is_empty().then_some(bytes);
    bytes.chunks(LONGEST).chain(empty)
}

/// Waits in longer and longer pauses, since ranks may share processors.
struct Wait {
    begin: Instant,
    rounds: u32,
}

impl Wait {
    /// Rounds without a pause, and rounds that let other threads run.
    const BUSY: u32 = 200;
    const YIELDING: u32 = 2000;

    fn new() -> Self {
        Self { begin: Instant::now(), rounds: 0 }
    }

    fn pause(&mut self, moved: bool) {
        self.rounds = if moved { 0 } else { self.rounds.saturating_add(1) };
        match self.rounds {
            0..Self::BUSY => std::hint::spin_loop(),
            Self::BUSY..Self::YIELDING => thread::yield_now(),
            _ => thread::sleep(Duration::from_micros(50)),
        }
    }
}

/// Returns the error of a call of MPI.
fn check(code: c_int) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    let mut text = [0_u8; 1024]; // more than MPI_MAX_ERROR_STRING of OpenMPI (256) and MPICH (512)
    let mut len = 0;
    // SAFETY: the text has room for the longest message of both libraries, and `len` is a local variable.
    let found =
        unsafe { ffi::MPI_Error_string(code, text.as_mut_ptr().cast::<c_char>(), &raw mut len) };
    let text = match found {
        0 => String::from_utf8_lossy(&text[..len as usize]).into_owned(),
        _ => format!("error {code}"),
    };
    Err(DistributedError::Library(text))
}
