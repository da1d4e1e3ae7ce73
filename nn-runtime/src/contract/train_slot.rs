//! Nodes at their position in a network: what expanded code calls in training, one line per node and direction.

use super::slot::{InPlaceSlot, Slot};
use super::spec::Spec;
use super::train_node::{Backward, Forward, Pass, TiedNode, TrainInPlaceNode, TrainNode};
use crate::memory::{Buffer, Layout, Shards, TrainCtx, TrainLayout, WeightOwner};
use crate::system::RngKey;
use core::fmt;

impl TrainLayout {
    /// The training memory of node `T` alone.
    #[must_use]
    pub const fn of<S: Spec, T: TrainNode<S>>() -> Self {
        Self {
            infer: Layout::of::<S, T>(),
            saved: Buffer::EMPTY.then(T::SAVED),
            deferred: Buffer::EMPTY.then(T::DEFERRED),
            shard_sums: Buffer::EMPTY.then(T::SHARD_SUMS),
            prepared: Buffer::EMPTY.then(T::PREPARED),
            tasks: Buffer::EMPTY.then(T::GRADIENT_TASKS),
            scratch: T::TRAIN_SCRATCH,
            min_batch: T::MIN_BATCH,
            per_step: None,
        }
    }

    /// The training memory of node `T` alone, which applies an earlier node again: see [`TrainLayout::sharing`]. The gradient
    /// of its weights is part of the earlier node's tasks.
    #[must_use]
    pub const fn again<S: Spec, T: TrainNode<S>>() -> Self {
        let prepared = if prepares_again::<S, T>() { T::PREPARED } else { 0 };
        let prepared = Buffer::EMPTY.then(prepared);
        let infer = Layout::again::<S, T>();
        Self { infer, tasks: Buffer::EMPTY, prepared, ..Self::of::<S, T>() }
    }
}

/// Whether each application of a layer prepares memory of its own: the `combine_*` calls of several phases write to it, such as
/// the statistics of `BatchNorm`. Otherwise it follows from the weights alone.
const fn prepares_again<S: Spec, T: TrainNode<S>>() -> bool {
    T::PHASES > 1
}

/// A [`Slot`] with its training memory.
pub struct TrainSlot<S, T> {
    /// The node at inference.
    pub slot: Slot<S, T>,
    layout: TrainLayout,
}

impl<S, T> fmt::Debug for TrainSlot<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layout.fmt(f)
    }
}

impl<S: Spec, T: TrainNode<S>> TrainSlot<S, T> {
    /// The node with this part of the memory.
    #[must_use]
    pub const fn new(layout: TrainLayout) -> Self {
        Self { slot: Slot::new(layout.infer), layout }
    }

    /// See [`TrainNode::PHASES`].
    #[must_use]
    pub const fn phases(&self) -> usize {
        T::PHASES
    }

    /// See [`TrainNode::initialise`].
    pub fn initialise(&self, layer: &mut T, key: RngKey) {
        layer.initialise(key.of::<S>());
    }

    /// See [`TrainNode::prepare`].
    pub fn prepare(&self, layer: &T, prepared: &mut [f32]) {
        layer.prepare(self.prepared(prepared));
    }

    /// The same for a node that applies an earlier node again.
    pub fn prepare_again(&self, layer: &T, prepared: &mut [f32]) {
        if prepares_again::<S, T>() {
            self.prepare(layer, prepared);
        }
    }

    /// See [`TrainNode::forward_shard`]; with the pass and the memory of the network.
    pub fn forward(
        &self,
        layer: &T,
        pass: &Pass<'_>,
        phase: usize,
        x: &[&[f32]],
        y: &mut [f32],
        ctx: &mut TrainCtx<'_>,
    ) {
        let samples = pass.n;
        let pass = &pass.of_node(S::KEY_ID, &self.layout, ctx);
        let ctx = ctx.part(samples, &self.layout);
        layer.forward_shard(Forward { pass, phase, x, y: &mut *y, ctx });
        pass.show_value(y);
    }

    /// See [`TrainNode::combine_forward`].
    pub fn combine_forward(
        &self,
        layer: &mut T,
        phase: usize,
        shards: Shards<'_>,
        prepared: &mut [f32],
    ) {
        // The running statistics of a frozen `BatchNorm` stay.
        if !shards.frozen().contains(self.slot.layout.weights) {
            layer.combine_forward(phase, self.shards(shards), self.prepared(prepared));
        }
    }

    /// See [`TrainNode::backward_shard`]; with the pass and the memory of the network.
    #[expect(
        clippy::too_many_arguments,
        reason = "as a struct, they cost compile time at each node"
    )]
    pub fn backward(
        &self,
        layer: &T,
        pass: &Pass<'_>,
        phase: usize,
        x: &[&[f32]],
        y: &[f32],
        d_y: &mut [f32],
        d_x: &mut [Option<&mut [f32]>],
        ctx: &mut TrainCtx<'_>,
    ) {
        let samples = pass.n;
        let pass = &pass.of_node_backward(S::KEY_ID, &self.layout, (d_y, d_x), ctx);
        let ctx = ctx.part(samples, &self.layout);
        layer.backward_shard(Backward { pass, phase, x, y, d_y, d_x, ctx });
    }

    /// See [`TrainNode::combine_backward`].
    pub fn combine_backward(
        &self,
        layer: &T,
        phase: usize,
        shards: Shards<'_>,
        prepared: &mut [f32],
    ) {
        let (frozen, layout) = (shards.frozen(), &self.slot.layout);
        // Of nodes below the first trained layer the backward pass has not run, and there is nothing to combine.
        if !frozen.contains(layout.weights) && !frozen.covers(layout.own_weights.end()) {
            layer.combine_backward(phase, self.shards(shards), self.prepared(prepared));
        }
    }

    /// Whether the layer and all layers before it are frozen: the backward pass ends here.
    #[must_use]
    pub fn ends_backward(&self, ctx: &TrainCtx<'_>) -> bool {
        ctx.frozen.covers(self.layout.infer.weights.end())
    }

    /// Whether task `task` of the network belongs to this node or to an earlier one.
    #[must_use]
    pub const fn reaches_task(&self, task: usize) -> bool {
        task < self.layout.tasks.end()
    }

    /// See [`TrainNode::gradient_end`]; `task` and the end are counted over the network.
    #[must_use]
    pub fn gradient_end(&self, task: usize) -> usize {
        self.slot.offset() + T::gradient_end(task - self.layout.tasks.offset)
    }

    /// Where part `task` of the gradient begins among the node's own weights; `task` is counted over the network.
    fn gradient_begin(&self, task: usize) -> usize {
        // Tasks follow each other without gaps: each begins where the one before ends.
        match task - self.layout.tasks.offset {
            0 => 0,
            task => T::gradient_end(task - 1),
        }
    }

    /// See [`TrainNode::gradient`]; `task` is counted over the network.
    pub fn gradient(&self, task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        T::gradient(task - self.layout.tasks.offset, self.shards(shards), d_weights);
    }

    /// Adds to part `task` of the gradient of `first`, which the node applies again.
    pub fn add_gradient_to<O: Spec>(
        &self,
        first: &TrainSlot<O, T>,
        task: usize,
        shards: Shards<'_>,
        d_weights: &mut [f32],
    ) {
        // Both nodes have the same shapes, and so the same tasks.
        let task = task - first.layout.tasks.offset;
        T::gradient(task, self.shards(shards.adding()), d_weights);
    }

    fn shards<'a>(&self, shards: Shards<'a>) -> Shards<'a> {
        shards.part(&self.layout)
    }

    fn prepared<'a>(&self, prepared: &'a mut [f32]) -> &'a mut [f32] {
        &mut prepared[self.layout.prepared.range(1)]
    }
}

impl<S: Spec, T: TiedNode<S>> TrainSlot<S, T> {
    /// Adds to part `task` of the gradient of `owner`, whose weight the node uses: see [`TiedNode::add_gradient`].
    pub fn add_gradient<O: Spec, W: TrainNode<O> + WeightOwner>(
        &self,
        owner: &TrainSlot<O, W>,
        task: usize,
        shards: Shards<'_>,
        d_weights: &mut [f32],
    ) {
        let begin = owner.gradient_begin(task);
        // The owner's other weights, such as its bias, come after the shared one.
        let len = W::WEIGHT_LEN.saturating_sub(begin).min(d_weights.len());
        if len > 0 {
            T::add_gradient(W::LAYOUT, begin, self.shards(shards), &mut d_weights[..len]);
            if let Some(mut touched) = shards.touched_rows() {
                touched.touch_all();
            }
        }
    }
}

impl<S: Spec, T: TrainInPlaceNode<S>> InPlaceSlot<S, T> {
    /// See [`TrainInPlaceNode::forward`].
    pub fn forward(&self, layer: &T, pass: &Pass, y: &mut [f32]) {
        let pass = pass.of_in_place(S::KEY_ID, self.samples);
        layer.forward(&pass, y);
        pass.show_value(y);
    }

    /// See [`TrainInPlaceNode::backward`].
    pub fn backward(&self, layer: &T, pass: &Pass, y: &[f32], d: &mut [f32]) {
        let pass = pass.of_in_place(S::KEY_ID, self.samples);
        pass.show_gradient(d);
        layer.backward(&pass, y, d);
    }
}
