//! [`Carried`]: what layers remember between two stretches of a sequence.

use crate::Buffer;

/// The state that each sample carries from one stretch of its sequence to the next, for one station: the
/// initial state before its pass, the last one behind it. There may be none: then sequences begin with
/// zeros, and nothing is kept.
#[derive(Debug, Default)]
pub struct Carried<'a> {
    // Sample after sample, `stride` numbers each; empty where nothing is carried.
    numbers: &'a mut [f32],
    stride: usize,
    place: Buffer,
}

impl<'a> Carried<'a> {
    /// Nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { numbers: &mut [], stride: 0, place: Buffer::EMPTY }
    }

    /// What `numbers` hold: `len` for each sample.
    #[must_use]
    pub const fn new(numbers: &'a mut [f32], len: usize) -> Self {
        Self { numbers, stride: len, place: Buffer { offset: 0, len } }
    }

    /// The share of one station.
    #[inline]
    pub fn part(&mut self, place: Buffer) -> Carried<'_> {
        Carried { numbers: self.numbers, stride: self.stride, place: self.place.within(place) }
    }

    /// The same, for a while.
    pub(crate) fn reborrow(&mut self) -> Carried<'_> {
        Carried { numbers: self.numbers, ..*self }
    }

    /// Whether nothing is carried.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// What sample `sample` carries.
    #[inline]
    pub fn sample(&mut self, sample: usize) -> &mut [f32] {
        &mut self.numbers[sample * self.stride + self.place.offset..][..self.place.len]
    }
}

/// The number of the next step, for a layer that carries how many it has seen (the bits of a `u32`), of
/// which there are now `steps` more.
pub(crate) fn count_steps(seen: &mut f32, steps: usize) -> usize {
    let before = seen.to_bits();
    *seen = f32::from_bits(before.wrapping_add(steps as u32));
    before as usize
}
