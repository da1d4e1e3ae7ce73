//! The memory that passes run in, and how several threads share it.

use crate::contract::{Network, Node, Root};
use crate::memory::StateMut;
use crate::system::pages;
use std::cell::RefCell;

thread_local! {
    /// The memory that a thread keeps for its next pass.
    static WORKSPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Elements in a cache line.
const LINE: usize = 16;

/// Calls `f` with `len` elements, the first of which begins a cache line. Memory only grows, so that a repeated call
/// does not allocate.
pub(super) fn with_workspace<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    // A network that is used inside of another's pass (by a hand-written layer) finds an empty one.
    let mut space = WORKSPACE.take();
    if space.len() < len + LINE {
        // The old content is not needed: allocate anew instead of copying it.
        space = Vec::new();
        space.reserve_exact(len + LINE);
        pages::prefer_large(space.spare_capacity_mut());
        space.resize(len + LINE, 0.0);
    }
    let skip = space.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let result = f(&mut space[skip..skip + len]);
    WORKSPACE.set(space);
    result
}

/// Memory cut into equal chunks, each used by one task at a time.
pub(crate) struct Chunks<T> {
    base: *mut T,
    len: usize,
    count: usize,
}

// SAFETY: it is an address; `chunk` says who may use what.
unsafe impl<T: Send> Sync for Chunks<T> {}

impl<T> Chunks<T> {
    pub(crate) fn new(memory: &mut [T], len: usize) -> Self {
        let count = memory.len().checked_div(len).unwrap_or(usize::MAX);
        Self { base: memory.as_mut_ptr(), len, count }
    }

    /// # Safety
    /// The memory must still be borrowed by the caller of `new`, and no other reference to this chunk
    /// may be alive.
    #[expect(clippy::mut_from_ref, reason = "chunks are disjoint; the caller keeps each to itself")]
    pub(crate) unsafe fn chunk(&self, index: usize) -> &mut [T] {
        assert!(index < self.count, "chunk {index} of {}", self.count);
        // SAFETY: inside the memory by the assertion, unique and alive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(index * self.len), self.len) }
    }

    /// Chunks `first` to `first + count - 1` in one.
    ///
    /// # Safety
    /// As for [`Self::chunk`], for each of them.
    #[expect(clippy::mut_from_ref, reason = "as for `chunk`")]
    unsafe fn chunks(&self, first: usize, count: usize) -> &mut [T] {
        assert!(
            first + count <= self.count,
            "chunks {first} to {} of {}",
            first + count,
            self.count
        );
        // SAFETY: inside the memory by the assertion, unique and alive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(first * self.len), count * self.len) }
    }

    /// # Safety
    /// The memory must still be borrowed by the caller of `new`, and nothing may write to it.
    pub(super) unsafe fn all(&self, chunks: usize) -> &[T] {
        // SAFETY: inside the memory, since it has `count` chunks; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.base, self.len * chunks.min(self.count)) }
    }
}

/// What the samples of a batch carry, if anything.
pub(super) struct StatesOfAll(Option<Chunks<f32>>);

impl StatesOfAll {
    pub(super) fn new<N: Network>(states: &mut [f32]) -> Self {
        Self((!states.is_empty()).then(|| Chunks::new(states, <N as Node<Root>>::STATE)))
    }

    /// What `n` samples from `first` on carry.
    ///
    /// # Safety
    /// As for [`Chunks::chunks`].
    pub(super) unsafe fn of<N: Network>(&self, first: usize, n: usize) -> StateMut<'_> {
        match &self.0 {
            // SAFETY: the caller's promise.
            Some(states) => StateMut::new(unsafe { states.chunks(first, n) }, N::STATE),
            None => StateMut::none(),
        }
    }
}
