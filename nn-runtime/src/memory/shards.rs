//! [`Shards`]: what all shards of a batch have stored for the reduction over the batch.

use super::buffer::Buffer;
use super::frozen::Frozen;
use super::layout::{Layout, TrainLayout};

/// The shard sums and the deferred values of all shards of a batch, for one node.
///
/// The memory of a shard is `[shard sums of all nodes][deferred of all nodes, for capacity samples]`, and shard follows
/// shard.
#[derive(Clone, Copy, Debug)]
pub struct Shards<'a> {
    memory: &'a [f32],
    stride: usize,
    capacity: usize,
    samples: usize,
    // The offset of a shard's deferred values, which come after the shard sums of all nodes.
    deferred_base: usize,
    shard_sums: Buffer,
    deferred: Buffer,
    frozen: Frozen<'a>,
}

impl<'a> Shards<'a> {
    /// The shards of a batch of `samples`, at most `capacity` in each, every one of which has
    /// `shard_sums` elements followed by `deferred` elements for each sample.
    pub(crate) fn new(
        memory: &'a [f32],
        samples: usize,
        capacity: usize,
        shard_sums: usize,
        deferred: usize,
    ) -> Self {
        Self {
            memory,
            stride: Self::stride(capacity, shard_sums, deferred),
            capacity,
            samples,
            deferred_base: shard_sums,
            shard_sums: Buffer { offset: 0, len: shard_sums },
            deferred: Buffer { offset: 0, len: deferred },
            frozen: Frozen::NONE,
        }
    }

    /// Elements from one shard to the next.
    pub(crate) const fn stride(capacity: usize, shard_sums: usize, deferred: usize) -> usize {
        // Also a last shard with fewer samples takes the whole stride, so that all shards begin at equal distances and
        // a product over the batch can read all full ones with one stride.
        shard_sums + capacity * deferred
    }

    /// The same shards of a network with frozen layers.
    pub(crate) fn with_frozen(self, frozen: Frozen<'a>) -> Self {
        Self { frozen, ..self }
    }

    /// The layers that are not trained.
    #[must_use]
    pub fn frozen(&self) -> &Frozen<'a> {
        &self.frozen
    }

    /// The part of one node.
    #[must_use]
    pub fn part(self, layout: &Layout, train: &TrainLayout) -> Self {
        Self {
            shard_sums: self.shard_sums.within(train.shard_sums),
            deferred: self.deferred.within(train.deferred),
            frozen: self.frozen.part(layout.weights),
            ..self
        }
    }

    /// The number of shards.
    #[must_use]
    pub fn count(&self) -> usize {
        self.samples.div_ceil(self.capacity)
    }

    /// The number of samples in shard `shard`: `capacity` in all but the last, which has the rest.
    #[must_use]
    pub fn samples(&self, shard: usize) -> usize {
        self.capacity.min(self.samples - shard * self.capacity)
    }

    /// The number of samples in all shards.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.samples
    }

    /// The full shards, without a last one that has fewer samples, as one slice.
    #[must_use]
    pub fn full(&self) -> FullShards<'a> {
        let count = self.samples / self.capacity;
        let begin = self.deferred_base + self.deferred.range(self.capacity).start;
        // The slice ends with the node's own values in the last full shard, and not with the stride: whatever is after
        // them may belong to a shard that is not full.
        let last = count.saturating_sub(1) * self.stride;
        let end = begin + last + self.deferred.len * self.capacity;
        let deferred = if count == 0 { &[] } else { &self.memory[begin..end] };
        FullShards { count, samples: self.capacity, stride: self.stride, deferred }
    }

    /// [`TrainCtx::shard_sums`](super::train_ctx::TrainCtx::shard_sums) of shard `shard`.
    #[must_use]
    pub fn shard_sums(&self, shard: usize) -> &'a [f32] {
        // Per shard and not per sample, hence the range of one sample.
        &self.memory[shard * self.stride..][self.shard_sums.range(1)]
    }

    /// [`TrainCtx::deferred`](super::train_ctx::TrainCtx::deferred) of shard `shard`: [`Self::samples`] times
    /// [`TrainNode::DEFERRED`](crate::contract::TrainNode::DEFERRED) elements.
    #[must_use]
    pub fn deferred(&self, shard: usize) -> &'a [f32] {
        // The offset is multiplied by the samples that this shard has, as its own forward and backward pass did. In a
        // last shard with fewer samples nodes are therefore closer together.
        let base = shard * self.stride + self.deferred_base;
        &self.memory[base..][self.deferred.range(self.samples(shard))]
    }
}

/// The shards of a batch that have as many samples as fit.
#[derive(Clone, Copy, Debug)]
pub struct FullShards<'a> {
    /// The number of full shards; may be 0.
    pub count: usize,
    /// The number of samples in each.
    pub samples: usize,
    /// The distance of the deferred values of one shard to those of the next, in elements.
    pub stride: usize,
    /// [`TrainCtx::deferred`](super::train_ctx::TrainCtx::deferred) of all of them: that of shard `i`
    /// begins at `i * stride`.
    pub deferred: &'a [f32],
}
