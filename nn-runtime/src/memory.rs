//! The memory of a pass: where each station finds what is its own.
//!
//! A training step cuts its batch into shards of a few samples. Each shard runs through the network
//! by itself, in memory that stays in cache. The size of everything is a constant per sample, so a
//! place is a constant too: `samples * offset .. samples * (offset + len)`.

use std::ops::Range;

use crate::kernels::dispatch::dispatch;
use crate::{Carried, Lengths, Spec, Station, TiedWeight};

/// A place in a run of numbers, for one sample: times the number of samples for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    /// Where it begins.
    pub offset: usize,
    /// How long it is.
    pub len: usize,
}

impl Buffer {
    /// Nothing, at the beginning.
    pub const EMPTY: Self = Self { offset: 0, len: 0 };

    /// The next `len` numbers behind this place.
    #[must_use]
    pub const fn then(self, len: usize) -> Self {
        Self { offset: self.offset + self.len, len }
    }

    /// Where it ends.
    #[must_use]
    pub const fn end(self) -> usize {
        self.offset + self.len
    }

    /// The place of `n` samples.
    #[must_use]
    pub const fn range(self, n: usize) -> Range<usize> {
        n * self.offset..n * (self.offset + self.len)
    }

    /// The place `inner` inside this one.
    #[must_use]
    pub const fn within(self, inner: Self) -> Self {
        Self { offset: self.offset + inner.offset, len: inner.len }
    }
}

/// Several places at once, for `n` samples.
///
/// # Panics
/// When two of them overlap: the memory plan would be wrong.
#[inline]
#[track_caller]
pub fn take<const K: usize>(values: &mut [f32], n: usize, places: [Buffer; K]) -> [&mut [f32]; K] {
    match values.get_disjoint_mut(places.map(|place| place.range(n))) {
        Ok(slices) => slices,
        Err(error) => panic!("memory plan: {error}"),
    }
}

/// A station's share of everything that is laid out one station behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// [`Station::SAVED`], per sample.
    pub saved: Buffer,
    /// [`Station::KEPT`], per sample.
    pub kept: Buffer,
    /// [`Station::PARTIAL`], per shard.
    pub partial: Buffer,
    /// [`Station::SHARED`], per step.
    pub shared: Buffer,
    /// [`Station::STATE`], per sample.
    pub state: Buffer,
    /// [`Weights::LEN`](crate::Weights::LEN).
    pub weights: Buffer,
    /// [`Station::GRADIENT_TASKS`].
    pub tasks: Buffer,
    /// The largest [`Station::WORK`] up to here: all use the same.
    pub work: usize,
    /// The largest [`Station::STEP_WORK`] up to here: all use the same.
    pub step_work: usize,
    /// The largest [`Station::SCRATCH`] up to here: all use the same.
    pub scratch: usize,
    /// The largest [`Station::LEAST_BATCH`] up to here.
    pub least_batch: usize,
    /// The largest [`Station::SHARD`] up to here.
    pub shard: usize,
}

impl Part {
    /// The place before the first station.
    pub const START: Self = Self {
        saved: Buffer::EMPTY,
        kept: Buffer::EMPTY,
        partial: Buffer::EMPTY,
        shared: Buffer::EMPTY,
        state: Buffer::EMPTY,
        weights: Buffer::EMPTY,
        tasks: Buffer::EMPTY,
        work: 0,
        step_work: 0,
        scratch: 0,
        least_batch: 1,
        shard: 1,
    };

    /// The share of station `T`, by itself.
    #[must_use]
    pub const fn of<S: Spec, T: Station<S>>() -> Self {
        Self {
            saved: Buffer::EMPTY.then(T::SAVED),
            kept: Buffer::EMPTY.then(T::KEPT),
            partial: Buffer::EMPTY.then(T::PARTIAL),
            shared: Buffer::EMPTY.then(T::SHARED),
            state: Buffer::EMPTY.then(T::STATE),
            weights: Buffer::EMPTY.then(T::LEN),
            tasks: Buffer::EMPTY.then(T::GRADIENT_TASKS),
            work: T::WORK,
            step_work: T::STEP_WORK,
            scratch: T::SCRATCH,
            least_batch: T::LEAST_BATCH,
            shard: T::SHARD,
        }
    }

    /// These shares one behind the other. (A chain of constants, each of which begins where another
    /// ends, would be too deep for the compiler.)
    #[must_use]
    pub const fn stack<const N: usize>(mut parts: [Self; N]) -> [Self; N] {
        let mut before = Self::START;
        let mut i = 0;
        while i < N {
            before = parts[i].behind(&before);
            parts[i] = before;
            i += 1;
        }
        parts
    }

    const fn behind(self, before: &Self) -> Self {
        Self {
            saved: before.saved.then(self.saved.len),
            kept: before.kept.then(self.kept.len),
            partial: before.partial.then(self.partial.len),
            shared: before.shared.then(self.shared.len),
            state: before.state.then(self.state.len),
            weights: before.weights.then(self.weights.len),
            tasks: before.tasks.then(self.tasks.len),
            work: larger(before.work, self.work),
            step_work: larger(before.step_work, self.step_work),
            scratch: larger(before.scratch, self.scratch),
            least_batch: larger(before.least_batch, self.least_batch),
            shard: larger(before.shard, self.shard),
        }
    }
}

/// What one station may use while one shard passes through it in training. Nothing in it is
/// initialised in any way before the first use.
pub struct Memory<'a> {
    /// From forward to backward of this shard: `n *` [`Station::SAVED`].
    pub saved: &'a mut [f32],
    /// During one call: [`Station::SCRATCH`] numbers at least.
    pub scratch: &'a mut [f32],
    /// From forward and backward to [`Station::gradient`]: `n *` [`Station::KEPT`].
    pub kept: &'a mut [f32],
    /// From forward and backward to the `combine_*` calls and [`Station::gradient`]:
    /// [`Station::PARTIAL`] numbers for this shard.
    pub partial: &'a mut [f32],
    /// The same for all shards of this step, written by [`Station::prepare`] and the `combine_*`
    /// calls: [`Station::SHARED`] numbers.
    pub shared: &'a [f32],
    /// How long the sequences are.
    pub lengths: Lengths<'a>,
    /// What each sample carries through stretches of its sequence, in forward.
    pub carried: Carried<'a>,
    /// The weight that it has from another station.
    pub tied: TiedWeight<'a>,
}

impl<'a> Memory<'a> {
    /// The share of one station for `n` samples.
    pub fn part(&mut self, n: usize, part: &Part) -> Memory<'_> {
        Memory {
            saved: &mut self.saved[part.saved.range(n)],
            scratch: self.scratch,
            kept: &mut self.kept[part.kept.range(n)],
            partial: &mut self.partial[part.partial.range(1)],
            shared: &self.shared[part.shared.range(1)],
            lengths: self.lengths,
            carried: self.carried.part(part.state),
            tied: self.tied,
        }
    }

    /// For a station that does the same in training as at inference, and needs no work memory there.
    #[must_use]
    pub fn for_inference(self) -> WorkMemory<'a> {
        let Self { scratch, lengths, carried, tied, .. } = self;
        WorkMemory { work: &mut [], scratch, lengths, carried, tied }
    }

    /// Cuts the first `len` numbers off `saved`: a network's values between its stations, before
    /// what the stations save themselves.
    #[inline]
    #[must_use]
    pub fn split_values(self, len: usize) -> (&'a mut [f32], Self) {
        let (values, saved) = self.saved.split_at_mut(len);
        (values, Memory { saved, ..self })
    }
}

/// What all shards of a batch left behind, for one station.
#[derive(Clone, Copy)]
pub struct Shards<'a> {
    memory: &'a [f32],
    stride: usize,
    capacity: usize,
    samples: usize,
    // Where a shard's memory for samples begins, behind all partial results.
    kept_base: usize,
    partial: Buffer,
    kept: Buffer,
}

impl<'a> Shards<'a> {
    /// The shards of a batch of `samples`, at most `capacity` in each, every one of which has
    /// `partial` numbers followed by `kept` for each sample.
    pub(crate) fn new(
        memory: &'a [f32],
        samples: usize,
        capacity: usize,
        partial: usize,
        kept: usize,
    ) -> Self {
        Self {
            memory,
            stride: Self::stride(capacity, partial, kept),
            capacity,
            samples,
            kept_base: partial,
            partial: Buffer { offset: 0, len: partial },
            kept: Buffer { offset: 0, len: kept },
        }
    }

    /// Numbers from one shard to the next.
    pub(crate) const fn stride(capacity: usize, partial: usize, kept: usize) -> usize {
        partial + capacity * kept
    }

    /// The view of one station.
    #[must_use]
    pub fn part(self, part: &Part) -> Self {
        Self {
            partial: self.partial.within(part.partial),
            kept: self.kept.within(part.kept),
            ..self
        }
    }

    /// How many shards.
    #[must_use]
    pub fn count(&self) -> usize {
        self.samples.div_ceil(self.capacity)
    }

    /// How many samples shard `shard` has: all have as many as fit, the last one the rest.
    #[must_use]
    pub fn samples(&self, shard: usize) -> usize {
        self.capacity.min(self.samples - shard * self.capacity)
    }

    /// How many samples there are in all shards.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.samples
    }

    /// The shards that are full, all but a last one with fewer samples, as one run of numbers.
    #[must_use]
    pub fn full(&self) -> FullShards<'a> {
        let count = self.samples / self.capacity;
        let begin = self.kept_base + self.kept.range(self.capacity).start;
        let last = count.saturating_sub(1) * self.stride;
        let end = begin + last + self.kept.len * self.capacity;
        let kept = if count == 0 { &[] } else { &self.memory[begin..end] };
        FullShards { count, samples: self.capacity, stride: self.stride, kept }
    }

    /// [`Memory::partial`] of shard `shard`.
    #[must_use]
    pub fn partial(&self, shard: usize) -> &'a [f32] {
        &self.memory[shard * self.stride..][self.partial.range(1)]
    }

    /// Adds up what all shards left in [`Memory::partial`], in their order, from number `begin` on.
    pub fn sum(&self, begin: usize, sum: &mut [f32]) {
        let range = begin..begin + sum.len();
        sum.copy_from_slice(&self.partial(0)[range.clone()]);
        for shard in 1..self.count() {
            add_to(sum, &self.partial(shard)[range.clone()]);
        }
    }

    /// [`Memory::kept`] of shard `shard`: [`Self::samples`] times [`Station::KEPT`] numbers.
    #[must_use]
    pub fn kept(&self, shard: usize) -> &'a [f32] {
        let base = shard * self.stride + self.kept_base;
        &self.memory[base..][self.kept.range(self.samples(shard))]
    }
}

/// The shards of a batch that have as many samples as fit.
#[derive(Clone, Copy, Debug)]
pub struct FullShards<'a> {
    /// How many there are, maybe none.
    pub count: usize,
    /// How many samples each has.
    pub samples: usize,
    /// Numbers from what one left behind to what the next did.
    pub stride: usize,
    /// [`Memory::kept`] of all of them: that of shard `i` begins at `i * stride`.
    pub kept: &'a [f32],
}

/// What one station may use at inference.
pub struct WorkMemory<'a> {
    /// `n *` [`Station::WORK`] numbers; for a step [`Station::STEP_WORK`].
    pub work: &'a mut [f32],
    /// [`Station::SCRATCH`] numbers at least.
    pub scratch: &'a mut [f32],
    /// How long the sequences are.
    pub lengths: Lengths<'a>,
    /// What each sample carries through stretches of its sequence.
    pub carried: Carried<'a>,
    /// The weight that it has from another station.
    pub tied: TiedWeight<'a>,
}

impl<'a> WorkMemory<'a> {
    /// The share of one station that needs so many numbers of work memory: all use the same, one after the
    /// other.
    #[inline]
    pub fn part(&mut self, work: usize, part: &Part) -> WorkMemory<'_> {
        WorkMemory {
            work: &mut self.work[..work],
            scratch: self.scratch,
            lengths: self.lengths,
            carried: self.carried.part(part.state),
            tied: self.tied,
        }
    }

    /// Cuts the first `len` numbers off `work`: a network's values between its stations.
    #[inline]
    #[must_use]
    pub fn split_values(self, len: usize) -> (&'a mut [f32], Self) {
        let (values, work) = self.work.split_at_mut(len);
        (values, WorkMemory { work, ..self })
    }
}

const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

dispatch! {
    /// Adds one more contribution to a gradient: a value that several layers read has several.
    pub fn add_to(sum: &mut [f32], contribution: &[f32]) {
        for (sum, contribution) in sum.iter_mut().zip(contribution) {
            *sum += contribution;
        }
    }
}
