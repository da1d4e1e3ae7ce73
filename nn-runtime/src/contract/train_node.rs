//! The contract between expanded code and layers in training.
//!
//! A *phase* is a part of the forward or backward pass in which samples do not depend on each other, so that shards of
//! the batch run through it in parallel. Almost every node has one phase. BatchNorm has two: it computes sums per
//! shard, the sums of all shards are combined in fixed order, and then it normalises. Layers with spectral normalisation have
//! two: between them they make a power iteration, once per step.

use super::node::{InPlaceNode, Node};
use super::observer::Observer;
use super::spec::Spec;
use crate::kernels::sum_shards;
use crate::memory::{Shards, TrainCtx, TrainLayout, WeightLayout};
use crate::system::RngKey;

/// The samples of one shard in a training step.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The number of samples in this shard.
    pub n: usize,
    /// The index of the shard's first sample in its batch; where gradients of several batches are accumulated, among the
    /// samples of all of them.
    pub first: usize,
    /// The number of samples in the batch.
    pub batch: usize,
    /// The random key of this step.
    pub key: RngKey,
    /// Whether layers compute as in training. Otherwise, for gradients of inputs alone, they compute as at inference: without
    /// dropout, with running statistics, without the `combine_*` calls. The weight gradient is then not read.
    pub training: bool,
    /// Whether the weights of this node are frozen. Its weight gradient is then not read, and `BatchNorm` and spectral
    /// normalisation compute as at inference.
    pub frozen: bool,
    /// What sees the outputs of nodes after forward, or their gradients before backward.
    pub observer: Option<&'a Observer>,
}

impl Pass<'_> {
    /// The same samples as a node without weights sees them, with this key and `each` samples for each of them.
    #[inline(never)]
    pub(super) fn of_in_place(&self, key_id: u64, each: usize) -> Self {
        let Self { n, first, batch, .. } = *self;
        let key = self.key.fold_in(key_id);
        Self { n: n * each, first: first * each, batch: batch * each, key, ..*self }
    }

    /// Shows the node's output to the observer, if there is one.
    #[inline(never)]
    pub(super) fn show_value(&self, y: &[f32]) {
        if let Some(observer) = self.observer {
            observer.see(self.key, y, true);
        }
    }

    /// As [`show_value`](Self::show_value), the gradient of the output.
    #[inline(never)]
    pub(super) fn show_gradient(&self, d_y: &[f32]) {
        if let Some(observer) = self.observer {
            observer.see(self.key, d_y, false);
        }
    }

    /// Whether the weight gradient of this node is read.
    #[must_use]
    pub const fn trains_weights(&self) -> bool {
        self.training && !self.frozen
    }
}

/// The arguments of [`TrainNode::forward_shard`].
#[derive(Debug)]
pub struct Forward<'a> {
    /// The shard.
    pub pass: &'a Pass<'a>,
    /// Counts from 0 to `PHASES - 1`.
    pub phase: usize,
    /// The inputs.
    pub x: &'a [&'a [f32]],
    /// The output, complete after the last phase.
    pub y: &'a mut [f32],
    /// The node's memory.
    pub ctx: TrainCtx<'a>,
}

/// The arguments of [`TrainNode::backward_shard`].
#[derive(Debug)]
pub struct Backward<'a, 'd> {
    /// The shard.
    pub pass: &'a Pass<'a>,
    /// Counts down from `PHASES - 1` to 0.
    pub phase: usize,
    /// The inputs; empty slices where the registry row's `needs` excludes them.
    pub x: &'a [&'a [f32]],
    /// The output; empty where the registry row's `needs` excludes it.
    pub y: &'a [f32],
    /// The gradient of the output. It may be overwritten.
    pub d_y: &'a mut [f32],
    /// Receives the gradient of each input that is requested: written, not added, and complete after phase 0.
    pub d_x: &'a mut [Option<&'d mut [f32]>],
    /// The node's memory.
    pub ctx: TrainCtx<'a>,
}

// Compiled once in this crate, and not once per node.
impl Pass<'_> {
    /// The shard as the node with this key, these samples and these weights sees it.
    #[inline(never)]
    pub(super) fn of_node(&self, key_id: u64, layout: &TrainLayout, ctx: &TrainCtx<'_>) -> Self {
        let pass = self.of_in_place(key_id, layout.samples());
        Self { frozen: ctx.frozen.contains(layout.infer.weights), ..pass }
    }

    /// The same before the node's backward pass. At the first trained layer no input gradient is requested: layers below are
    /// frozen.
    #[inline(never)]
    pub(super) fn of_node_backward(
        &self,
        key_id: u64,
        layout: &TrainLayout,
        (d_y, d_x): (&[f32], &mut [Option<&mut [f32]>]),
        ctx: &TrainCtx<'_>,
    ) -> Self {
        let pass = self.of_node(key_id, layout, ctx);
        pass.show_gradient(d_y);
        if ctx.frozen.covers(layout.infer.own_weights.offset) {
            d_x.fill_with(|| None);
        }
        pass
    }
}

/// The phases of a network in which a node with several phases runs.
#[derive(Clone, Copy, Debug)]
pub struct Phases {
    /// The first, in which the nodes before it run too.
    pub first: usize,
    /// The last, in which the nodes after it run too.
    pub last: usize,
}

impl Phases {
    /// The phases of consecutive nodes that take `counts` phases each.
    #[must_use]
    pub const fn stack<const N: usize>(counts: [usize; N]) -> [Self; N] {
        let mut phases = [Self { first: 0, last: 0 }; N];
        let mut first = 0;
        let mut i = 0;
        while i < N {
            phases[i] = Self { first, last: first + counts[i] - 1 };
            // The last phase of a node is the first of the next: the nodes between them run in it.
            first = phases[i].last;
            i += 1;
        }
        phases
    }

    /// Whether the node runs in phase `phase`.
    #[must_use]
    pub const fn contain(self, phase: usize) -> bool {
        self.first <= phase && phase <= self.last
    }

    /// Whether the node combines its shards between phases `phase` and `phase + 1`.
    #[must_use]
    pub const fn contain_both(self, phase: usize) -> bool {
        self.first <= phase && phase < self.last
    }
}

/// The training code of a node.
pub trait TrainNode<S: Spec>: Node<S> {
    /// The number of phases that it takes part in, forward and backward.
    const PHASES: usize = 1;
    /// The fewest samples of a training step. Statistics over the batch may need two.
    const MIN_BATCH: usize = 1;
    /// Elements per sample that forward saves for backward.
    const SAVED: usize = 0;
    /// Elements per sample that are stored until all shards are done.
    const DEFERRED: usize = 0;
    /// Elements per shard that are stored until all shards are done.
    const SHARD_SUMS: usize = 0;
    /// Elements per step that all shards read.
    const PREPARED: usize = 0;
    /// Elements per call that forward and backward need as working memory.
    const TRAIN_SCRATCH: usize = Self::SCRATCH;
    /// The number of parts in which its weight gradient is computed, each by one thread.
    const GRADIENT_TASKS: usize = Self::LEN.div_ceil(GRADIENT_PART);

    /// Fills the weights as PyTorch does for a new layer. They are zero before.
    fn initialise(&mut self, key: RngKey) {
        let _ = key;
    }

    /// Runs once before each training step: fills [`TrainNode::PREPARED`] with what all shards use, such as
    /// transposed weights, and what the `combine_*` calls would write in training.
    fn prepare(&self, prepared: &mut [f32]) {
        let _ = prepared;
    }

    /// The forward pass of one shard.
    fn forward_shard(&self, call: Forward<'_>);

    /// Runs between forward phases `phase` and `phase + 1`, once for all shards: combines their sums in fixed order
    /// and updates running statistics.
    fn combine_forward(&mut self, phase: usize, shards: Shards<'_>, prepared: &mut [f32]) {
        let _ = (phase, shards, prepared);
    }

    /// The backward pass of one shard. May run several times after one forward pass, each time with the [`TrainCtx::saved`]
    /// of forward; what forward has stored as deferred values and shard sums must stay.
    fn backward_shard(&self, call: Backward<'_, '_>);

    /// Runs between backward phases `phase` and `phase - 1`, once for all shards.
    fn combine_backward(&self, phase: usize, shards: Shards<'_>, prepared: &mut [f32]) {
        let _ = (phase, shards, prepared);
    }

    /// The end of part `task` of the weight gradient, counted in elements of the weights.
    #[must_use]
    fn gradient_end(task: usize) -> usize {
        ((task + 1) * GRADIENT_PART).min(Self::LEN)
    }

    /// Writes part `task` of the weight gradient (of the batch's mean loss; `d_y` already contains the factor
    /// `1 / batch`) after all shards have run backward, or adds it to what is there where [`Shards::adds`] says so. The default
    /// sums the first `LEN` elements of [`TrainCtx::shard_sums`] over the shards, in their order.
    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        sum_shards(shards, task * GRADIENT_PART, d_weights);
    }
}

/// Elements in one part of a gradient that is summed over shards.
pub(crate) const GRADIENT_PART: usize = 1 << 14;

/// The training code of an [`InPlaceNode`].
pub trait TrainInPlaceNode<S: Spec>: InPlaceNode<S> {
    /// The forward pass: `y` holds the input and receives the output.
    fn forward(&self, pass: &Pass, y: &mut [f32]);

    /// The backward pass: `d` holds the gradient of the output and receives the gradient of the input.
    fn backward(&self, pass: &Pass, y: &[f32], d: &mut [f32]);
}

/// A layer that uses the weight of another one, [`TrainCtx::tied`]; it owns its other weights.
pub trait TiedNode<S: Spec>: TrainNode<S> {
    /// Adds its contribution to the weight's gradient, which the owner has written: to whole rows of a weight stored
    /// as `layout`, from element `begin` on.
    fn add_gradient(layout: WeightLayout, begin: usize, shards: Shards<'_>, d_weight: &mut [f32]);
}
