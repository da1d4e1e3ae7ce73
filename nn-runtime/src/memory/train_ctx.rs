//! [`TrainCtx`]: what one node may use while a shard passes through it in training.

use super::frozen::Frozen;
use super::infer_ctx::InferCtx;
use super::layout::TrainLayout;
use super::state_mut::StateMut;
use super::weight_tying::{TiedWeight, WeightOwner};
use crate::types::Lengths;

/// Memory and further arguments of one node in training. The content of its memory is arbitrary before first use.
#[derive(Debug)]
pub struct TrainCtx<'a> {
    /// From forward to backward of this shard: `n *` [`TrainNode::SAVED`](crate::contract::TrainNode::SAVED).
    pub saved: &'a mut [f32],
    /// During one call: at least [`TrainNode::TRAIN_SCRATCH`](crate::contract::TrainNode::TRAIN_SCRATCH) elements.
    pub scratch: &'a mut [f32],
    /// From forward and backward to [`TrainNode::gradient`](crate::contract::TrainNode::gradient): `n *`
    /// [`TrainNode::DEFERRED`](crate::contract::TrainNode::DEFERRED).
    pub deferred: &'a mut [f32],
    /// From forward and backward to the `combine_*` calls and
    /// [`TrainNode::gradient`](crate::contract::TrainNode::gradient):
    /// [`TrainNode::SHARD_SUMS`](crate::contract::TrainNode::SHARD_SUMS) elements for this shard.
    pub shard_sums: &'a mut [f32],
    /// The same for all shards of this step, written by [`TrainNode::prepare`](crate::contract::TrainNode::prepare)
    /// and the `combine_*` calls: [`TrainNode::PREPARED`](crate::contract::TrainNode::PREPARED) elements.
    pub prepared: &'a [f32],
    /// The lengths of ragged sequences.
    pub lengths: Lengths<'a>,
    /// What each sample remembers from one chunk of its sequence to the next; forward only.
    pub state: StateMut<'a>,
    /// The weight that the node uses of another one.
    pub tied: TiedWeight<'a>,
    /// The layers that are not trained.
    pub frozen: Frozen<'a>,
}

impl<'a> TrainCtx<'a> {
    /// The part of one node, for `n` samples of the network.
    // Compiled once in this crate, and not inlined into the code of each node.
    #[inline(never)]
    #[must_use]
    pub(crate) fn part<'b>(&'b mut self, n: usize, layout: &'b TrainLayout) -> TrainCtx<'b> {
        TrainCtx {
            saved: &mut self.saved[layout.saved.range(n)],
            scratch: self.scratch,
            deferred: &mut self.deferred[layout.deferred.range(n)],
            // Per shard and per step, not per sample: the range of one sample.
            shard_sums: &mut self.shard_sums[layout.shard_sums.range(1)],
            prepared: &self.prepared[layout.prepared.range(1)],
            lengths: match &layout.per_step {
                Some(per_step) => self.lengths.of_each_step(per_step),
                None => self.lengths,
            },
            state: self.state.reborrow().part(layout.infer.state),
            tied: self.tied,
            frozen: self.frozen.part(&layout.infer),
        }
    }

    /// The same, borrowed for a shorter time.
    pub fn reborrow(&mut self) -> TrainCtx<'_> {
        TrainCtx {
            saved: self.saved,
            scratch: self.scratch,
            deferred: self.deferred,
            shard_sums: self.shard_sums,
            prepared: self.prepared,
            lengths: self.lengths,
            state: self.state.reborrow(),
            tied: self.tied,
            frozen: self.frozen,
        }
    }

    /// As [`reborrow`](Self::reborrow), with the weight of `owner`.
    pub fn tied_to<'b, O: WeightOwner>(&'b mut self, owner: &'b O) -> TrainCtx<'b> {
        TrainCtx { tied: TiedWeight::of(owner), ..self.reborrow() }
    }

    /// For a node whose training forward pass is the one of inference, and that needs no workspace there.
    #[must_use]
    pub fn for_inference(self) -> InferCtx<'a> {
        let Self { scratch, lengths, state, tied, .. } = self;
        // `saved` stays unused: such a node has nothing to save.
        InferCtx { workspace: &mut [], scratch, lengths, state, tied }
    }

    /// Cuts the first `len` elements off `saved`: a network's values between its nodes, which come before what the
    /// nodes save themselves.
    #[inline]
    #[must_use]
    pub fn split_values(self, len: usize) -> (&'a mut [f32], Self) {
        let (values, saved) = self.saved.split_at_mut(len);
        (values, Self { saved, ..self })
    }
}
