//! The memory of passes, and its division among threads.

use crate::contract::{Network, Node, Root};
use crate::memory::StateMut;
use crate::system::Workspace;
use std::cell::RefCell;

thread_local! {
    /// The memory of a thread's passes, kept from one to the next.
    static WORKSPACE: RefCell<Workspace> = const { RefCell::new(Workspace::new()) };
}

/// Calls `f` with `len` elements, the first of which begins a cache line. A repeated call does not allocate.
pub(super) fn with_workspace<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    // Taken out while in use: a network that a hand-written layer runs inside of another's pass finds an empty one.
    let mut space = WORKSPACE.take();
    let result = f(space.get(len));
    WORKSPACE.set(space);
    result
}

/// Memory cut into equal chunks, each used by one task at a time.
pub(crate) struct Chunks<T> {
    base: *mut T,
    len: usize,
    count: usize,
}

// SAFETY: a shared reference hands out chunks through `unsafe` methods only, whose contracts keep them disjoint between
// threads; `T: Send` lets a thread other than the owner write them.
unsafe impl<T: Send> Sync for Chunks<T> {}

impl<T> Chunks<T> {
    pub(crate) fn new(memory: &mut [T], len: usize) -> Self {
        // Chunks without elements, such as those of a network without weights: any number of them.
        let count = memory.len().checked_div(len).unwrap_or(usize::MAX);
        Self { base: memory.as_mut_ptr(), len, count }
    }

    /// Chunk `index`.
    ///
    /// # Safety
    /// The memory must still be borrowed by the caller of `new`, and no other reference to this chunk
    /// may be alive.
    #[expect(clippy::mut_from_ref, reason = "chunks are disjoint, and each has one user")]
    pub(crate) unsafe fn chunk(&self, index: usize) -> &mut [T] {
        assert!(index < self.count, "chunk {index} of {}", self.count);
        // SAFETY: in bounds, because `index < count` and `count * len` elements were given to `new`; borrowed and without
        // another reference by the contract of this function.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(index * self.len), self.len) }
    }

    /// Chunks `first` to `first + count - 1` as one slice.
    ///
    /// # Safety
    /// As for [`Self::chunk`], for each of them.
    #[expect(clippy::mut_from_ref, reason = "as for `chunk`")]
    pub(super) unsafe fn chunks(&self, first: usize, count: usize) -> &mut [T] {
        assert!(
            first + count <= self.count,
            "chunks {first} to {} of {}",
            first + count,
            self.count
        );
        // SAFETY: in bounds, because `first + count <= self.count` and `self.count * len` elements were given to `new`;
        // borrowed and without another reference by the contract of this function.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(first * self.len), count * self.len) }
    }

    /// The first `chunks` chunks as one slice.
    ///
    /// # Safety
    /// The memory must still be borrowed by the caller of `new`, and nothing may write to it.
    pub(super) unsafe fn all(&self, chunks: usize) -> &[T] {
        // SAFETY: in bounds, because at most `self.count` chunks are taken, whose elements were given to `new`;
        // borrowed and not written by the contract of this function.
        unsafe { std::slice::from_raw_parts(self.base, self.len * chunks.min(self.count)) }
    }
}

/// The recurrent states of a batch, if its samples have any.
pub(super) struct BatchStates(Option<Chunks<f32>>);

impl BatchStates {
    /// No states: layers begin with zeros.
    #[cfg(feature = "train")]
    pub(super) const fn none() -> Self {
        Self(None)
    }

    pub(super) fn new<N: Network>(states: &mut [f32]) -> Self {
        // Without states, or for a network that has none: layers begin with zeros.
        Self((!states.is_empty()).then(|| Chunks::new(states, <N as Node<Root>>::STATE)))
    }

    /// The states of `n` samples from `first` on.
    ///
    /// # Safety
    /// As for [`Chunks::chunks`].
    pub(super) unsafe fn of<N: Network>(&self, first: usize, n: usize) -> StateMut<'_> {
        match &self.0 {
            // SAFETY: the contract of this function is that of `Chunks::chunks`, with one chunk per sample.
            Some(states) => StateMut::new(unsafe { states.chunks(first, n) }, N::STATE),
            None => StateMut::none(),
        }
    }
}
