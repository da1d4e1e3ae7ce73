//! [`Channel`]: messages over a communicator of MPI. All calls of MPI but its begin and end are here.
//!
//! Every message is sent from, and received into, memory that this file owns, so that a call can return an error while
//! messages of a rank that hangs are on their way: their memory is leaked.

use mpi::ffi;
use mpi::traits::Communicator;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use unrolled::distributed::DistributedError;

pub(crate) type Result<T> = std::result::Result<T, DistributedError>;

/// What a message is: its tag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Data,
    /// The sender ends with an error: its text.
    Failed,
    /// The sender has ended without an error.
    Ended,
    /// The sender waits for messages.
    Alive,
}

impl Kind {
    /// No other library sends on the same communicator, so that there are no other tags.
    const fn of_tag(tag: c_int) -> Self {
        match tag {
            0 => Self::Data,
            1 => Self::Failed,
            2 => Self::Ended,
            _ => Self::Alive,
        }
    }
}

/// A communicator of its own.
pub(crate) struct Channel {
    comm: ffi::MPI_Comm,
    pub(crate) rank: usize,
    pub(crate) size: usize,
    /// Memory that was used before, by its length.
    free: BTreeMap<usize, Vec<Vec<u8>>>,
}

// SAFETY: the communicator is a handle without thread affinity. MPI was initialised with at least MPI_THREAD_SERIALIZED
// (`World::init` checks it), and `World` keeps the only `Channel` in a mutex, so that calls do not overlap.
unsafe impl Send for Channel {}

/// A message on its way.
pub(crate) struct Pending {
    request: ffi::MPI_Request,
    /// At least `len` bytes. Leaked, unless the request is done: until then MPI reads or writes it.
    memory: ManuallyDrop<Vec<u8>>,
    len: usize,
    done: bool,
    /// The rank that sends or receives it.
    pub(crate) other: usize,
}

// SAFETY: as for `Channel`, which is in the same mutex.
unsafe impl Send for Pending {}

/// A message that has arrived, and that only [`Channel::receive`] receives.
pub(crate) struct Arrival {
    message: ffi::MPI_Message,
    len: usize,
    pub(crate) from: usize,
    pub(crate) kind: Kind,
}

impl Channel {
    pub(crate) fn new(world: &impl Communicator) -> Result<Self> {
        let mut comm = world.as_raw();
        // SAFETY: MPI is initialised, and `world` is a communicator; the duplicate is a communicator of its own, so that
        // messages of other libraries are not mistaken for these.
        check(unsafe { ffi::MPI_Comm_dup(world.as_raw(), &raw mut comm) })?;
        // SAFETY: `comm` is a communicator; errors are returned instead of ending the program.
        check(unsafe { ffi::MPI_Comm_set_errhandler(comm, ffi::RSMPI_ERRORS_RETURN) })?;
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        Ok(Self { comm, rank, size, free: BTreeMap::new() })
    }

    /// The ranks but this one.
    pub(crate) fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let rank = self.rank;
        (0..self.size).filter(move |other| *other != rank)
    }

    /// Begins to send a copy of `bytes`, fewer than 2^31.
    pub(crate) fn send(&mut self, to: usize, kind: Kind, bytes: &[u8]) -> Result<Pending> {
        let len = bytes.len();
        let mut memory = ManuallyDrop::new(self.memory(len));
        memory[..len].copy_from_slice(bytes);
        // SAFETY: a constant of the library.
        let mut request = unsafe { ffi::RSMPI_REQUEST_NULL };
        let buffer = memory.as_ptr().cast::<c_void>();
        // An error is known to have arrived: the rank that sends it ends.
        let start = if kind == Kind::Failed { ffi::MPI_Issend } else { ffi::MPI_Isend };
        // SAFETY: `buffer` points to `len` initialised bytes, which neither move nor change nor are freed until the request
        // is done: `Pending` owns them, and leaks them where it is dropped before.
        let code = unsafe {
            start(
                buffer,
                len as c_int,
                ffi::RSMPI_UINT8_T,
                to as c_int,
                kind as c_int,
                self.comm,
                &raw mut request,
            )
        };
        check(code).map(|()| Pending { request, memory, len, done: false, other: to })
    }

    /// The next message that has arrived. Those of one rank come in the order in which it sent them.
    pub(crate) fn probe(&self) -> Result<Option<Arrival>> {
        let (mut flag, mut count) = (0, 0);
        // SAFETY: a constant of the library.
        let mut message = unsafe { ffi::RSMPI_MESSAGE_NULL };
        // SAFETY: a status is numbers, for which zeros are valid.
        let mut status: ffi::MPI_Status = unsafe { std::mem::zeroed() };
        // SAFETY: all pointers are to local variables.
        check(unsafe {
            ffi::MPI_Improbe(
                ffi::RSMPI_ANY_SOURCE,
                ffi::RSMPI_ANY_TAG,
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
        let (from, kind) = (status.MPI_SOURCE as usize, Kind::of_tag(status.MPI_TAG));
        Ok(Some(Arrival { message, len: count as usize, from, kind }))
    }

    /// Begins to receive a message.
    pub(crate) fn receive(&mut self, arrival: Arrival) -> Result<Pending> {
        let Arrival { mut message, len, from, .. } = arrival;
        let mut memory = ManuallyDrop::new(self.memory(len));
        // SAFETY: a constant of the library.
        let mut request = unsafe { ffi::RSMPI_REQUEST_NULL };
        // SAFETY: the memory has at least `len` bytes, the length of the message, which stay as in `send`; and `message` is
        // from `probe`.
        let code = unsafe {
            ffi::MPI_Imrecv(
                memory.as_mut_ptr().cast::<c_void>(),
                len as c_int,
                ffi::RSMPI_UINT8_T,
                &raw mut message,
                &raw mut request,
            )
        };
        check(code).map(|()| Pending { request, memory, len, done: false, other: from })
    }

    /// Keeps the memory of a message that is done, for others.
    pub(crate) fn reuse(&mut self, pending: Pending) {
        if pending.done {
            let memory = ManuallyDrop::into_inner(pending.memory);
            self.free.entry(memory.len()).or_default().push(memory);
        }
    }

    /// Removes the messages that are done. Returns whether there were any.
    pub(crate) fn retire(&mut self, list: &mut Vec<Pending>) -> Result<bool> {
        let before = list.len();
        let mut index = 0;
        while index < list.len() {
            if list[index].is_done()? {
                self.reuse(list.swap_remove(index));
            } else {
                index += 1;
            }
        }
        Ok(list.len() < before)
    }

    /// Memory of at least `len` bytes.
    fn memory(&mut self, len: usize) -> Vec<u8> {
        // Not much more, so that short messages leave the memory of long ones to these.
        let mut lists = self.free.range_mut(len..=2 * len);
        lists.find_map(|(_, list)| list.pop()).unwrap_or_else(|| vec![0; len])
    }
}

impl Pending {
    /// Whether the message has been sent or received.
    pub(crate) fn is_done(&mut self) -> Result<bool> {
        let mut flag = 0;
        // SAFETY: the request is one that `send` or `receive` began, or the null request, into which this call turns it when
        // it is done.
        check(unsafe {
            ffi::MPI_Test(&raw mut self.request, &raw mut flag, ffi::RSMPI_STATUS_IGNORE)
        })?;
        self.done = flag != 0;
        Ok(self.done)
    }

    /// The content of a message that is done, nothing before.
    pub(crate) fn content(&self) -> &[u8] {
        if self.done { &self.memory[..self.len] } else { &[] }
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
