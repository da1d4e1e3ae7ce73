//! The contract between expanded code and layers at inference.
//!
//! A network is a graph of *nodes*: layers, and networks that are used as layers. This module needs neither `std` nor
//! an allocator and contains no training code; [`train_node`](super::train_node) adds that.

use super::spec::Spec;
use crate::kernels::{ConvLayer, Epilogue, Instructions, Normalization};
use crate::memory::InferCtx;
use crate::types::{Halves, Weights, widen};
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor};
use unrolled_shape::rules::max_pool2d::MaxPool2d;

/// The arguments of inference on one node. Values are channels last, sample after sample.
#[derive(Debug)]
pub struct Infer<'a> {
    /// The number of samples.
    pub n: usize,
    /// The inputs: `x[0]` has `n * S::IN` elements.
    pub x: &'a [&'a [f32]],
    /// Receives the output: `n * S::OUT` elements.
    pub y: &'a mut [f32],
    /// The node's memory.
    pub ctx: InferCtx<'a>,
}

/// A layer, or a whole network, as one node of a network. The associated constants say how much memory it needs.
pub trait Node<S: Spec>: Weights {
    /// Elements per sample that inference needs as working memory.
    const WORKSPACE: usize = 0;
    /// Elements that [`Streaming::step`] needs as working memory.
    const STEP_WORKSPACE: usize = Self::WORKSPACE;
    /// Elements per call that inference needs as working memory, whatever the number of samples.
    const SCRATCH: usize = 0;
    /// Elements per sample that are remembered from one chunk of a sequence to the next; see
    /// [`StateMut`](crate::memory::StateMut).
    const STATE: usize = 0;
    /// The number of samples that a shard should have at least, however much memory they fill. A layer that reads all
    /// its weights from memory for each shard should read them for several samples at once.
    const SHARD: usize = 1;

    /// The names of a layer's weights in files and their layout, offsets counted from its own first element. Those of a
    /// network follow from its [`Graph`](crate::contract::Graph).
    #[cfg(feature = "std")]
    #[must_use]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        let _ = order;
        Vec::new()
    }

    /// Checks the values of one sample before they pass through the network: token indices must be in the vocabulary.
    /// A network calls the `check` of the layers that read its own inputs. Where a layer of the registry has other inputs
    /// too, these are empty: their values are not known yet.
    ///
    /// # Errors
    /// What was expected and what was found.
    fn check(x: &[&[f32]]) -> Result<(), InputError> {
        let _ = x;
        Ok(())
    }

    /// Inference on the calling thread.
    fn infer(&self, call: Infer<'_>);

    /// Elements of memory for weights that [`infer_half`](Self::infer_half) needs.
    const WIDENED: usize = Self::LEN;

    /// As [`infer`](Self::infer) of the layer whose weights are `halves`, with the same bits. Weights become `f32`s in
    /// `widened`, which has at least [`WIDENED`](Self::WIDENED) elements: by default all of them at once.
    fn infer_half(halves: Halves<'_>, widened: &mut [f32], call: Infer<'_>) {
        widened_layer::<Self>(halves, widened).0.infer(call);
    }

    /// As [`infer`](Self::infer), with the same bits, inlined into a function that is compiled for `isa`: a network
    /// that takes nanoseconds is one such function. The default calls `infer`.
    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, isa: I, call: Infer<'_>) {
        let _ = isa;
        self.infer(call);
    }
}

/// The layer whose weights are `halves`, in the first elements of `widened`, and those after them.
pub(crate) fn widened_layer<'a, T: Weights>(
    halves: Halves<'_>,
    widened: &'a mut [f32],
) -> (&'a T, &'a mut [f32]) {
    let (floats, rest) = widened.split_at_mut(T::LEN);
    widen(halves, floats);
    (T::from_floats(floats), rest)
}

/// A layer, or a whole network, that can process a sequence step by step: its output at a step depends on this step
/// and on earlier ones, of which it remembers [`Node::STATE`] elements.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run step by step",
    note = "each layer must see one step at a time, or carry what it needs of those before; a bidirectional \
            layer, or one that looks at all steps at once, does not",
    note = "a hand-written layer implements `StreamingLayer`"
)]
pub trait Streaming<S: Spec>: Node<S> {
    /// Inference on one step of one sample: `call.n` is 1, `x` and `y` hold the values of one step each. The result has
    /// the bits that the whole sequence gives. With [`Instructions::INLINE`] it is inlined, as
    /// [`Node::infer_inlined`] is.
    #[inline(always)]
    fn step<I: Instructions>(&self, isa: I, call: Infer<'_>) {
        if I::INLINE {
            self.infer_inlined(isa, call);
        } else {
            self.infer(call);
        }
    }
}

/// [`Streaming`] of the node `S` of the network `N`, as a bound that expanded code can have on a type of the user's, whether the
/// type fulfils it or not: because of the parameter `R`, the spec of the network, the compiler evaluates it where the network
/// runs step by step.
#[diagnostic::on_unimplemented(
    message = "`{N}` cannot run step by step: its layer `{Self}` does not",
    label = "`step` takes one step at a time",
    note = "a hand-written layer runs step by step if it implements `StreamingLayer`, a network if all its layers do"
)]
pub trait StreamingIn<S: Spec, R, N> {
    /// See [`Streaming::step`].
    fn step_in_network<I: Instructions>(&self, isa: I, call: Infer<'_>);
}

#[diagnostic::do_not_recommend]
impl<S: Spec, R, N, T: Streaming<S>> StreamingIn<S, R, N> for T {
    #[inline(always)]
    fn step_in_network<I: Instructions>(&self, isa: I, call: Infer<'_>) {
        self.step(isa, call);
    }
}

/// The type `N` under another name, that of a parameter: bounds on it are evaluated where a method is called.
pub trait Is<N> {}

impl<N> Is<N> for N {}

/// A convolution, which can compute the layers after it at inference before it stores its output: `Fusion::Convolution`
/// in the registry.
pub trait FusedNode<S: Spec>: Node<S> {
    /// Inference through a max pool `P` too, whose windows do not overlap: `call.y` has `n * P::OUT` elements.
    fn infer_pooled<P: Spec<Arguments = MaxPool2d>>(&self, call: Infer<'_>);

    /// Inference through the layers of `epilogue` too. `scratch` has at least [`Node::SCRATCH`] elements, without those that
    /// the normalisation of the epilogue [took](NormalizationNode::normalization).
    fn infer_with(&self, x: &[f32], y: &mut [f32], epilogue: Epilogue<'_>, scratch: &mut [f32]);

    /// As [`infer_with`](Self::infer_with) of the layer whose weights are `halves`; see [`Node::infer_half`].
    fn infer_half_with(
        (halves, widened): (Halves<'_>, &mut [f32]),
        x: &[f32],
        y: &mut [f32],
        epilogue: Epilogue<'_>,
        scratch: &mut [f32],
    ) {
        widened_layer::<Self>(halves, widened).0.infer_with(x, y, epilogue, scratch);
    }

    /// The convolution with the layers of `epilogue`.
    fn convolution<'a>(&'a self, epilogue: Epilogue<'a>) -> ConvLayer<'a>;
}

/// A layer that is a linear function of each channel at inference: `Fusion::Normalization` in the registry.
pub trait NormalizationNode<S: Spec>: Node<S> {
    /// Its factors. Takes an element for each channel off `scratch`.
    fn normalization<'a>(&'a self, scratch: &mut &'a mut [f32]) -> Normalization<'a>;
}

/// A layer that bounds each element, but leaves NaN: `Fusion::Bounds` in the registry.
pub trait BoundsNode<S: Spec>: InPlaceNode<S> {
    /// The least and the largest output.
    const BOUNDS: [f32; 2];
}

/// A layer that works in place and whose backward pass needs its output alone: `ReLU`, `Dropout`.
pub trait InPlaceNode<S: Spec>: Weights {
    /// Inference: `y` holds the input and receives the output.
    fn infer(&self, n: usize, y: &mut [f32]);

    /// The same, as [`Node::infer_inlined`].
    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, isa: I, n: usize, y: &mut [f32]) {
        let _ = isa;
        self.infer(n, y);
    }
}

/// An input that a layer refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// A token index that is outside of the vocabulary of an `Embedding`.
    Token {
        /// The path of the layer.
        layer: &'static str,
        /// The token index.
        token: u32,
        /// Its place in the input, counted from 0.
        place: usize,
        /// The size of the vocabulary.
        vocabulary: usize,
    },
    /// An index of a `Gather` that is no step of its input.
    Step {
        /// The path of the layer.
        layer: &'static str,
        /// The index.
        index: u32,
        /// Its place among the indices of the sample, counted from 0.
        place: usize,
        /// The number of steps.
        steps: usize,
    },
}

impl core::error::Error for InputError {}

impl core::fmt::Display for InputError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Token { layer, token, place, vocabulary } => write!(
                f,
                "layer `{layer}` has {vocabulary} tokens with the numbers 0 to {}, but number {place} of the input \
                 is token {token}",
                vocabulary - 1
            ),
            Self::Step { layer, index, place, steps } => write!(
                f,
                "layer `{layer}` takes indices of {steps} steps, which are 0 to {}, but number {place} of its index \
                 is {index}",
                steps - 1
            ),
        }
    }
}
