//! [`StateMut`]: what layers remember between two chunks of a sequence.

use super::buffer::Buffer;

/// The recurrent state of each sample, as one node sees it: before a forward pass the initial state, after it the
/// final one. It may be absent: then sequences begin with zeros, and the final state is dropped.
#[derive(Debug, Default)]
pub struct StateMut<'a> {
    // Sample after sample, `stride` elements each, of which `buffer` is the part of this node; empty where there is no
    // state.
    values: &'a mut [f32],
    stride: usize,
    buffer: Buffer,
}

impl<'a> StateMut<'a> {
    /// No state.
    #[must_use]
    pub const fn none() -> Self {
        Self { values: &mut [], stride: 0, buffer: Buffer::EMPTY }
    }

    /// The state in `values`: `len` elements per sample.
    #[must_use]
    pub const fn new(values: &'a mut [f32], len: usize) -> Self {
        Self { values, stride: len, buffer: Buffer { offset: 0, len } }
    }

    /// The part of one node; no state for one without any, such as a layer that is applied to each step by itself.
    #[inline]
    #[must_use]
    pub(crate) const fn part(self, buffer: Buffer) -> Self {
        if buffer.len == 0 {
            return Self::none();
        }
        Self { values: self.values, stride: self.stride, buffer: self.buffer.within(buffer) }
    }

    /// The same state, borrowed for a shorter time.
    #[inline]
    pub(crate) const fn reborrow(&mut self) -> StateMut<'_> {
        StateMut { values: self.values, stride: self.stride, buffer: self.buffer }
    }

    /// Whether there is no state.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The state of sample `sample`.
    #[inline]
    pub fn sample(&mut self, sample: usize) -> &mut [f32] {
        // Unlike a `Buffer` in a workspace, the state is stored sample after sample with all nodes of a sample
        // together: a sample's state is one slice that a caller can keep or replace.
        &mut self.values[sample * self.stride + self.buffer.offset..][..self.buffer.len]
    }
}

/// The index of the next step, for a layer whose state counts the steps so far (as the bits of a `u32`); `steps`
/// more are added to the count.
pub(crate) const fn count_steps(seen: &mut f32, steps: usize) -> usize {
    // As bits: an `f32` that is counted up by 1 stops at 2^24. The initial state of zeros is a count of 0.
    let before = seen.to_bits();
    *seen = f32::from_bits(before.wrapping_add(steps as u32));
    before as usize
}
