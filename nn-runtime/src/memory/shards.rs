//! [`Shards`]: what all shards of a batch have stored for the reduction over the batch.

use super::buffer::Buffer;
use super::frozen::Frozen;
use super::layout::TrainLayout;
use super::shard_cut::ShardCut;
use super::touched_rows::{PartRows, TaskRows};
use crate::ranks::{Division, TreeSum};
use crate::system::CacheLine;
use std::sync::MutexGuard;

/// The shard sums and the deferred values of all shards of a batch, for one node.
///
/// The memory of a shard is `[shard sums of all nodes][deferred of all nodes, for capacity samples]`, and shard follows
/// shard.
///
/// In distributed training these are the shards of this rank; [`sum_leaves`](Self::sum_leaves) combines those of all.
#[derive(Clone, Copy, Debug)]
pub struct Shards<'a> {
    memory: &'a [f32],
    stride: usize,
    cut: ShardCut,
    division: Division<'a>,
    // The offset of a shard's deferred values, which come after the shard sums of all nodes.
    deferred_base: usize,
    shard_sums: Buffer,
    // Counted, as the cut is, for a sample of the outermost network.
    deferred: Buffer,
    // The samples of the node for each of those: several in a `PerStep`.
    each: usize,
    frozen: Frozen<'a>,
    adds: bool,
    rows: Option<&'a PartRows>,
}

impl<'a> Shards<'a> {
    /// The shards of a cut, every one of which has `shard_sums` elements followed by `deferred` elements for each sample.
    pub(crate) fn new(
        memory: &'a [f32],
        cut: ShardCut,
        division: Division<'a>,
        shard_sums: usize,
        deferred: usize,
    ) -> Self {
        Self {
            memory,
            stride: Self::stride(cut.capacity, shard_sums, deferred),
            cut,
            division,
            deferred_base: Self::deferred_base(shard_sums),
            shard_sums: Buffer { offset: 0, len: shard_sums },
            deferred: Buffer { offset: 0, len: deferred },
            each: 1,
            frozen: Frozen::NONE,
            adds: false,
            rows: None,
        }
    }

    /// Where a shard's deferred values begin: after `shard_sums` elements.
    pub(crate) const fn deferred_base(shard_sums: usize) -> usize {
        shard_sums.next_multiple_of(CacheLine::LEN)
    }

    /// Elements from one shard to the next.
    pub(crate) const fn stride(capacity: usize, shard_sums: usize, deferred: usize) -> usize {
        // Also a last shard with fewer samples takes the whole stride, so that all shards begin at equal distances and
        // a product over the batch can read all full ones with one stride.
        let end = Self::deferred_base(shard_sums) + capacity * deferred;
        end.next_multiple_of(CacheLine::LEN)
    }

    /// The same shards of a network with frozen layers.
    pub(crate) fn with_frozen(self, frozen: Frozen<'a>) -> Self {
        Self { frozen, ..self }
    }

    /// The same shards of a node whose weights have a gradient from an earlier application.
    pub(crate) fn adding(self) -> Self {
        Self { adds: true, ..self }
    }

    /// The same shards for a gradient task whose touched rows are recorded.
    pub(crate) fn recording(self, rows: Option<&'a PartRows>) -> Self {
        Self { rows, ..self }
    }

    /// What the gradient task has touched so far, if that is recorded. Without a call all of it counts as touched.
    pub(crate) fn touched_rows(&self) -> Option<MutexGuard<'a, TaskRows>> {
        self.rows.map(PartRows::lock)
    }

    /// Whether a weight gradient is added to what is there, and not written: that of a layer that is applied again.
    #[must_use]
    pub const fn adds(&self) -> bool {
        self.adds
    }

    /// The layers that are not trained.
    #[must_use]
    pub fn frozen(&self) -> &Frozen<'a> {
        &self.frozen
    }

    /// The part of one node.
    #[must_use]
    pub fn part(self, layout: &TrainLayout) -> Self {
        Self {
            shard_sums: self.shard_sums.within(layout.shard_sums),
            deferred: self.deferred.within(layout.deferred.times(self.each)),
            each: self.each * layout.samples(),
            frozen: self.frozen.part(&layout.infer),
            ..self
        }
    }

    /// The shards of a leaf of the reduction tree, counted over all ranks.
    pub(crate) fn leaf(self, leaf: usize) -> Self {
        let (first, cut) = self.cut.leaf(leaf);
        let memory = &self.memory[first * self.stride..][..cut.shards() * self.stride];
        Self { memory, cut, division: Division::WHOLE, ..self }
    }

    /// Combines sums over all shards of the batch, of all ranks, in an order that depends on neither ranks nor threads:
    /// `write(shards, sums)` computes `len` sums of the shards of a leaf of the reduction tree, which are zeros before,
    /// `merge(left, right)` combines those of neighbouring leaves, and `done` receives those of all leaves. A leaf may have
    /// no shards with samples.
    pub fn sum_leaves(
        &self,
        len: usize,
        mut write: impl FnMut(Self, &mut [f64]),
        merge: impl Fn(&mut [f64], &[f64]),
        done: impl FnOnce(&[f64]),
    ) {
        let sum = TreeSum { division: self.division, len };
        sum.run(|leaf, sums| write(self.leaf(leaf), sums), merge, done);
    }

    /// The number of shards.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cut.shards()
    }

    /// The number of samples in shard `shard`: as many as fit in all but the last of a leaf of the reduction tree, which has
    /// the rest.
    #[must_use]
    pub fn samples(&self, shard: usize) -> usize {
        self.cut.samples_of(shard).1 * self.each
    }

    /// The number of samples in all shards.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.cut.samples() * self.each
    }

    /// The full shards, without a last one that has fewer samples, as one slice. For the shards of one leaf, such as those
    /// that [`TrainNode::gradient`](crate::contract::TrainNode::gradient) receives.
    #[must_use]
    pub fn full(&self) -> FullShards<'a> {
        let capacity = self.cut.capacity;
        let count = self.cut.samples() / capacity;
        let begin = self.deferred_base + self.deferred.range(capacity).start;
        // The slice ends with the node's own values in the last full shard, and not with the stride: whatever is after
        // them may belong to a shard that is not full.
        let last = count.saturating_sub(1) * self.stride;
        let end = begin + last + self.deferred.len * capacity;
        let deferred = if count == 0 { &[] } else { &self.memory[begin..end] };
        FullShards { count, samples: capacity * self.each, stride: self.stride, deferred }
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
        &self.memory[base..][self.deferred.range(self.cut.samples_of(shard).1)]
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
