//! [`Layout`] and [`TrainLayout`]: which part of a network's memory belongs to which node.
//!
//! Everything that nodes own is laid out node after node. The sizes are constants of the nodes, so the offsets are
//! constants too.

use super::buffer::Buffer;
use crate::types::PerStep;

/// The memory of one node at inference, and its weights.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// [`Node::STATE`](crate::contract::Node::STATE), per sample.
    pub state: Buffer,
    /// The weights that it uses: [`Weights::LEN`](crate::types::Weights::LEN).
    pub weights: Buffer,
    /// Those among them that no earlier node uses; none of a node that applies an earlier one again. What is before them are
    /// the weights of all earlier nodes.
    pub own_weights: Buffer,
    /// The largest [`Node::WORKSPACE`](crate::contract::Node::WORKSPACE) up to this node: all nodes use the same memory.
    pub workspace: usize,
    /// The largest [`Node::STEP_WORKSPACE`](crate::contract::Node::STEP_WORKSPACE) up to this node.
    pub step_workspace: usize,
    /// The largest [`Node::SCRATCH`](crate::contract::Node::SCRATCH) up to this node.
    pub scratch: usize,
    /// The largest [`Node::SHARD`](crate::contract::Node::SHARD) up to this node.
    pub shard: usize,
}

impl Layout {
    /// The layout before the first node.
    pub const START: Self = Self {
        state: Buffer::EMPTY,
        weights: Buffer::EMPTY,
        own_weights: Buffer::EMPTY,
        workspace: 0,
        step_workspace: 0,
        scratch: 0,
        // A shard has at least one sample.
        shard: 1,
    };

    /// Lays nodes out one after the other. (One constant per node, each defined by the one before, would exceed the
    /// compiler's recursion limit in deep networks.)
    #[must_use]
    pub const fn stack<const N: usize>(mut layouts: [Self; N]) -> [Self; N] {
        let mut before = Self::START;
        let mut i = 0;
        // A loop with an index, because iterators cannot run in a `const fn`.
        while i < N {
            before = layouts[i].after(&before);
            layouts[i] = before;
            i += 1;
        }
        layouts
    }

    /// The layout of a node that applies the node with layout `first` again: its weights are those.
    #[must_use]
    pub const fn sharing(self, first: &Self) -> Self {
        Self { weights: first.weights, ..self }
    }

    /// The layout of the same node in a `PerStep`. It remembers nothing from one step to the next.
    #[must_use]
    pub const fn per_step(self, per_step: PerStep) -> Self {
        Self {
            state: Buffer::EMPTY,
            workspace: self.workspace * per_step.samples(),
            // A step of the network is a whole sample.
            step_workspace: self.workspace * per_step.each,
            shard: self.shard.div_ceil(per_step.samples()),
            ..self
        }
    }

    /// Elements that a node uses while it runs, on one sample.
    #[must_use]
    pub const fn working(&self) -> usize {
        self.workspace + self.scratch
    }

    const fn after(self, before: &Self) -> Self {
        let weights = before.own_weights.then(self.own_weights.len);
        Self {
            // State and weights of all nodes exist at the same time: one after the other. Weights are in the order of
            // the fields of the network's struct, so that a node's range is its part of the flat slice.
            state: before.state.then(self.state.len),
            weights,
            own_weights: weights,
            // These live during one call only, and nodes are called one after the other. The layout of the last node
            // has the maximum over all nodes.
            workspace: larger(before.workspace, self.workspace),
            step_workspace: larger(before.step_workspace, self.step_workspace),
            scratch: larger(before.scratch, self.scratch),
            shard: larger(before.shard, self.shard),
        }
    }
}

/// The memory of one node in training.
#[cfg(feature = "train")]
#[derive(Clone, Copy, Debug)]
pub struct TrainLayout {
    /// That at inference, and its weights.
    pub infer: Layout,
    /// [`TrainNode::SAVED`](crate::contract::TrainNode::SAVED), per sample.
    pub saved: Buffer,
    /// [`TrainNode::DEFERRED`](crate::contract::TrainNode::DEFERRED), per sample.
    pub deferred: Buffer,
    /// [`TrainNode::SHARD_SUMS`](crate::contract::TrainNode::SHARD_SUMS), per shard.
    pub shard_sums: Buffer,
    /// [`TrainNode::PREPARED`](crate::contract::TrainNode::PREPARED), per step.
    pub prepared: Buffer,
    /// [`TrainNode::GRADIENT_TASKS`](crate::contract::TrainNode::GRADIENT_TASKS).
    pub tasks: Buffer,
    /// The largest [`TrainNode::TRAIN_SCRATCH`](crate::contract::TrainNode::TRAIN_SCRATCH) up to this node.
    pub scratch: usize,
    /// The largest [`TrainNode::MIN_BATCH`](crate::contract::TrainNode::MIN_BATCH) up to this node.
    pub min_batch: usize,
    /// Its samples, if it is in a `PerStep`. Offsets and sizes count those of the network all the same.
    pub per_step: Option<PerStep>,
}

#[cfg(feature = "train")]
impl TrainLayout {
    /// The layout before the first node.
    pub const START: Self = Self {
        infer: Layout::START,
        saved: Buffer::EMPTY,
        deferred: Buffer::EMPTY,
        shard_sums: Buffer::EMPTY,
        prepared: Buffer::EMPTY,
        tasks: Buffer::EMPTY,
        scratch: 0,
        min_batch: 1,
        per_step: None,
    };

    /// As [`Layout::sharing`]: with what was prepared for `first`, unless the node prepares something of its own.
    #[must_use]
    pub const fn sharing(self, first: &Self) -> Self {
        let prepared = if self.prepared.len == 0 { first.prepared } else { self.prepared };
        Self { infer: self.infer.sharing(&first.infer), prepared, ..self }
    }

    /// As [`Layout::per_step`].
    #[must_use]
    pub const fn per_step(self, per_step: PerStep) -> Self {
        Self {
            infer: self.infer.per_step(per_step),
            saved: self.saved.times(per_step.samples()),
            deferred: self.deferred.times(per_step.samples()),
            min_batch: self.min_batch.div_ceil(per_step.samples()),
            per_step: Some(per_step),
            ..self
        }
    }

    /// The samples of the node for each one of the network.
    #[must_use]
    pub const fn samples(&self) -> usize {
        match &self.per_step {
            Some(per_step) => per_step.samples(),
            None => 1,
        }
    }

    /// As [`Layout::stack`].
    #[must_use]
    pub const fn stack<const N: usize>(mut layouts: [Self; N]) -> [Self; N] {
        let mut before = Self::START;
        let mut i = 0;
        while i < N {
            before = layouts[i].after(&before);
            layouts[i] = before;
            i += 1;
        }
        layouts
    }

    const fn after(self, before: &Self) -> Self {
        Self {
            infer: self.infer.after(&before.infer),
            // What one node writes is read later, after other nodes have run: none of these may share memory. `tasks`
            // numbers the gradient tasks of all nodes in the same way.
            saved: before.saved.then_on_line(self.saved.len),
            deferred: before.deferred.then_on_line(self.deferred.len),
            shard_sums: before.shard_sums.then_on_line(self.shard_sums.len),
            prepared: before.prepared.then_on_line(self.prepared.len),
            tasks: before.tasks.then(self.tasks.len),
            // As in `Layout::after`: during one call only.
            scratch: larger(before.scratch, self.scratch),
            min_batch: larger(before.min_batch, self.min_batch),
            per_step: self.per_step,
        }
    }
}

// `Ord::max` cannot be called in a `const fn`.
const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
