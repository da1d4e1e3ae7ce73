//! Nodes at their position in a network: what expanded code calls at inference, one line per node.
//!
//! The methods take separate arguments: a struct of them at each node would be more code for the compiler.

use super::node::{
    BoundsNode, FusedNode, InPlaceNode, Infer, InputError, Node, NormalizationNode, Streaming,
    StreamingIn, widened_layer,
};
use super::spec::Spec;
use crate::kernels::{ConvLayer, Epilogue, Instructions, Normalization};
use crate::memory::{Buffer, InferCtx, Layout};
use crate::types::{Halves, PerStep};
use core::fmt;
use core::marker::PhantomData;
use unrolled_shape::rules::max_pool2d::MaxPool2d;

// Not beside the type: `memory` does not know nodes. The same holds for `TrainLayout`.
impl Layout {
    /// The memory of node `T` alone.
    #[must_use]
    pub const fn of<S: Spec, T: Node<S>>() -> Self {
        Self {
            state: Buffer::EMPTY.then(T::STATE),
            weights: Buffer::EMPTY.then(T::LEN),
            own_weights: Buffer::EMPTY.then(T::LEN),
            workspace: T::WORKSPACE,
            step_workspace: T::STEP_WORKSPACE,
            scratch: T::SCRATCH,
            shard: T::SHARD,
        }
    }

    /// The memory of node `T` alone, which applies an earlier node again, with its weights: see [`Layout::sharing`].
    #[must_use]
    pub const fn again<S: Spec, T: Node<S>>() -> Self {
        Self { weights: Buffer::EMPTY, own_weights: Buffer::EMPTY, ..Self::of::<S, T>() }
    }
}

/// Layer `T` as the node `S` of a network, with its part of the network's memory and weights.
pub struct Slot<S, T> {
    /// Its part of the network's memory and weights.
    pub layout: Layout,
    node: PhantomData<fn() -> (S, T)>,
}

// Not derived, which would require `S: Debug` and `T: Debug`.
impl<S, T> fmt::Debug for Slot<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layout.fmt(f)
    }
}

impl<S: Spec, T: Node<S>> Slot<S, T> {
    /// The node with this part of the memory.
    #[must_use]
    pub const fn new(layout: Layout) -> Self {
        Self { layout, node: PhantomData }
    }

    /// The offset of its weights among the network's.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.layout.weights.offset
    }

    /// See [`Node::check`].
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn check(&self, x: &[&[f32]]) -> Result<(), InputError> {
        T::check(x)
    }

    /// See [`Node::infer`] and [`Node::infer_inlined`]; with the memory of the network.
    #[inline(always)]
    pub fn infer<I: Instructions>(
        &self,
        isa: I,
        layer: &T,
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        ctx: &mut InferCtx<'_>,
    ) {
        let call = Infer { n, x, y, ctx: ctx.part(n * T::WORKSPACE, &self.layout) };
        if I::INLINE {
            layer.infer_inlined(isa, call);
        } else {
            layer.infer(call);
        }
    }

    /// See [`Node::infer_half`]; with the memory and the weights of the network.
    pub fn infer_half(
        &self,
        (halves, widened): (Halves<'_>, &mut [f32]),
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        ctx: &mut InferCtx<'_>,
    ) {
        let ctx = ctx.part(n * T::WORKSPACE, &self.layout);
        T::infer_half(&halves[self.layout.weights.range(1)], widened, Infer { n, x, y, ctx });
    }

    /// The layer whose weights are its part of the network's `halves`, in the first elements of `widened`, and those after
    /// them.
    #[must_use]
    pub fn widen<'a>(&self, halves: Halves<'_>, widened: &'a mut [f32]) -> (&'a T, &'a mut [f32]) {
        widened_layer(&halves[self.layout.weights.range(1)], widened)
    }

    /// See [`FusedNode::infer_pooled`]; with the memory of the network and the spec of the pool.
    pub fn infer_pooled<P: Spec<Arguments = MaxPool2d>>(
        &self,
        layer: &T,
        n: usize,
        x: &[&[f32]],
        y: &mut [f32],
        ctx: &mut InferCtx<'_>,
    ) where
        T: FusedNode<S>,
    {
        let ctx = ctx.part(n * T::WORKSPACE, &self.layout);
        layer.infer_pooled::<P>(Infer { n, x, y, ctx });
    }

    /// See [`FusedNode::infer_with`].
    pub fn infer_with(
        &self,
        layer: &T,
        x: &[f32],
        y: &mut [f32],
        epilogue: Epilogue<'_>,
        scratch: &mut [f32],
    ) where
        T: FusedNode<S>,
    {
        layer.infer_with(x, y, epilogue, scratch);
    }

    /// See [`FusedNode::infer_half_with`]; with the weights of the network.
    pub fn infer_half_with(
        &self,
        (halves, widened): (Halves<'_>, &mut [f32]),
        x: &[f32],
        y: &mut [f32],
        epilogue: Epilogue<'_>,
        scratch: &mut [f32],
    ) where
        T: FusedNode<S>,
    {
        let halves = &halves[self.layout.weights.range(1)];
        T::infer_half_with((halves, widened), x, y, epilogue, scratch);
    }

    /// See [`FusedNode::convolution`].
    pub fn convolution<'a>(&self, layer: &'a T, epilogue: Epilogue<'a>) -> ConvLayer<'a>
    where
        T: FusedNode<S>,
    {
        layer.convolution(epilogue)
    }

    /// See [`NormalizationNode::normalization`].
    pub fn normalization<'a>(&self, layer: &'a T, scratch: &mut &'a mut [f32]) -> Normalization<'a>
    where
        T: NormalizationNode<S>,
    {
        layer.normalization(scratch)
    }

    /// See [`Streaming::step`]; with the memory of the network.
    #[inline(always)]
    pub fn step<I: Instructions>(
        &self,
        isa: I,
        layer: &T,
        x: &[&[f32]],
        y: &mut [f32],
        ctx: &mut InferCtx<'_>,
    ) where
        T: Streaming<S>,
    {
        let ctx = ctx.part(T::STEP_WORKSPACE, &self.layout);
        layer.step(isa, Infer { n: 1, x, y, ctx });
    }

    /// As [`step`](Self::step), of a type of the user's.
    #[inline(always)]
    pub fn step_own<R, N, I: Instructions>(
        &self,
        isa: I,
        layer: &T,
        x: &[&[f32]],
        y: &mut [f32],
        ctx: &mut InferCtx<'_>,
    ) where
        T: StreamingIn<S, R, N>,
    {
        let ctx = ctx.part(T::STEP_WORKSPACE, &self.layout);
        layer.step_in_network(isa, Infer { n: 1, x, y, ctx });
    }
}

/// Layer `T`, which works in place and has no memory of its own, as the node `S` of a network.
pub struct InPlaceSlot<S, T> {
    /// Its samples for each sample of the network.
    pub(super) samples: usize,
    node: PhantomData<fn() -> (S, T)>,
}

impl<S, T> fmt::Debug for InPlaceSlot<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InPlaceSlot")
    }
}

impl<S: Spec, T: InPlaceNode<S>> InPlaceSlot<S, T> {
    /// The node with one sample for each sample of the network.
    pub const NEW: Self = Self { samples: 1, node: PhantomData };

    /// The same node in a `PerStep`.
    #[must_use]
    pub const fn per_step(per_step: PerStep) -> Self {
        Self { samples: per_step.samples(), ..Self::NEW }
    }

    /// See [`BoundsNode::BOUNDS`].
    #[must_use]
    pub const fn bounds(&self) -> [f32; 2]
    where
        T: BoundsNode<S>,
    {
        T::BOUNDS
    }

    /// See [`InPlaceNode::infer`] and [`InPlaceNode::infer_inlined`].
    #[inline(always)]
    pub fn infer<I: Instructions>(&self, isa: I, layer: &T, n: usize, y: &mut [f32]) {
        if I::INLINE {
            layer.infer_inlined(isa, n, y);
        } else {
            layer.infer(n, y);
        }
    }
}
