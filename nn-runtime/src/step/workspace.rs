//! The memory that passes run in, and what several threads have of it.

use crate::loss::Tallies;
use crate::{Carried, Network, pages};
use std::cell::RefCell;

/// The memory that a thread keeps for its next pass.
#[derive(Default)]
struct Workspace {
    numbers: Vec<f32>,
    tallies: Vec<Tallies>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// Calls `f` with at least `len` numbers, the first of which begins a cache line, and `tallies` sums.
/// Memory only grows, so that a repeated call does not allocate.
pub(super) fn with_workspace<R>(
    len: usize,
    tallies: usize,
    f: impl FnOnce(&mut [f32], &mut [Tallies]) -> R,
) -> R {
    const LINE: usize = 16;
    // A network that is used inside of another's pass (by a hand-written layer) finds an empty one.
    let mut space = WORKSPACE.take();
    if space.numbers.len() < len + LINE {
        // What stands there nobody needs again: a larger place is not filled with it.
        space.numbers = Vec::new();
        space.numbers.reserve_exact(len + LINE);
        pages::prefer_large(space.numbers.spare_capacity_mut());
        space.numbers.resize(len + LINE, 0.0);
    }
    if space.tallies.len() < tallies {
        space.tallies.resize(tallies, Tallies::default());
    }
    let skip = space.numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let result = f(&mut space.numbers[skip..skip + len], &mut space.tallies[..tallies]);
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
pub(super) struct CarriedOfAll(Option<Chunks<f32>>);

impl CarriedOfAll {
    pub(super) fn new<N: Network>(carried: &mut [f32]) -> Self {
        Self((!carried.is_empty()).then(|| Chunks::new(carried, N::STATE)))
    }

    /// What `n` samples from `first` on carry.
    ///
    /// # Safety
    /// As for [`Chunks::chunks`].
    pub(super) unsafe fn of<N: Network>(&self, first: usize, n: usize) -> Carried<'_> {
        match &self.0 {
            // SAFETY: the caller's promise.
            Some(carried) => Carried::new(unsafe { carried.chunks(first, n) }, N::STATE),
            None => Carried::nothing(),
        }
    }
}
