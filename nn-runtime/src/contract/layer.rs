//! [`Layer`]: the trait of hand-written layers.

#[cfg(feature = "std")]
use super::graph::{Graph, GraphLayer, GraphNode, LayerWeights, first_inputs};
use super::layer_ctx::LayerCtx;
use super::network::Network;
use super::node::{Infer, Node};
use super::shaped::{Shaped, check_inputs};
use super::spec::Spec;
#[cfg(feature = "train")]
use super::train_node::{Backward, Forward, Pass, TrainNode};
use crate::system::RngKey;
#[cfg(feature = "train")]
use crate::types::Lengths;
use crate::types::{Inputs, Parameters, Values};
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor};
#[cfg(feature = "std")]
use unrolled_shape::registry::{Channels, Features};
use unrolled_shape::{Shape, ShapeError, StepsOf, expect};

/// A hand-written layer: it processes one sample at a time, as ordinary arrays.
///
/// With `#[derive(Weights)]` a `#[repr(C)]` struct of `f32` arrays becomes the layer's weights; with this trait the
/// struct can be used in a `network!` block: `mix: Mix::<64>,`. The library splits batches into samples, sums gradients
/// and uses several threads, with the same bits on any number of them.
///
/// ```
/// # use unrolled_runtime::{Layer, Parameters, RngKey, Tensor, Weights};
/// /// Multiplies each element by a trained weight: `[N] -> [N]`.
/// #[repr(C)]
/// struct Scale<const N: usize> {
///     weight: [f32; N],
/// }
/// # unsafe impl<const N: usize> Weights for Scale<N> {} // What `#[derive(Weights)]` implements.
/// # impl<const N: usize> Parameters for Scale<N> {
/// #     fn named_tensors() -> Vec<Tensor> { Vec::new() }
/// # }
///
/// impl<const N: usize> Layer for Scale<N> {
///     type Input = [f32; N];
///     type Output = [f32; N];
///
///     fn initialise(&mut self, _key: RngKey) {
///         self.weight = [1.0; N];
///     }
///
///     fn forward(&self, x: &[f32; N], y: &mut [f32; N]) {
///         for i in 0..N {
///             y[i] = self.weight[i] * x[i];
///         }
///     }
///
///     fn backward(
///         &self,
///         x: &[f32; N],
///         _y: &[f32; N],
///         d_y: &[f32; N],
///         d_x: &mut [f32; N],
///         d_self: &mut Self,
///     ) {
///         for i in 0..N {
///             d_x[i] += self.weight[i] * d_y[i];
///             d_self.weight[i] += x[i] * d_y[i];
///         }
///     }
/// }
/// ```
///
/// A layer with several inputs has a tuple of arrays as `Input` and gets a tuple of references:
/// `x: (&[f32; 3], &[f32; 5])` and `d_x: (&mut [f32; 3], &mut [f32; 5])`.
///
/// A layer that runs step by step implements [`StreamingLayer`](super::StreamingLayer), too.
pub trait Layer: Parameters {
    /// The input of one sample: an array, or a tuple of arrays. `[[[f32; C]; W]; H]` has the shape `H x W x C`.
    type Input: Inputs;
    /// The output of one sample.
    type Output: Values;

    /// Its shape rule: checks its sizes by the rules of `unrolled_shape` or with an error of its own. An error becomes a
    /// compile error on the line of the layer.
    const RULE: Result<Shape, ShapeError> = Ok(<Self::Output as Values>::SHAPE);

    /// Multiply-adds of the forward pass of one sample, for the table of `InferenceExt::summary`. Also decides, with those of
    /// other layers, from which batch size on several threads take part: a costly layer that leaves it 0 counts as one that only
    /// passes over its elements, and may run on one thread.
    const MACS: usize = 0;

    /// Elements that it remembers from one step of a sequence to the next, if it is a
    /// [`StreamingLayer`](super::StreamingLayer).
    const STATE: usize = 0;

    /// Where the first axis of its output counts the steps of an input, if it does: `Some(StepsOf::input(0))` for a layer that
    /// has one output for each step of its first input. Layers after it then know how many steps of a sample are valid.
    const OUTPUT_STEPS: Option<StepsOf> = None;

    /// Fills the weights of a new layer, which are zero before the call. `key.uniform(i)` is a random number in `[0, 1)`
    /// for each `i`.
    fn initialise(&mut self, key: RngKey) {
        let _ = key;
    }

    /// The forward pass of one sample, in training and at inference. `y` is zero before the call.
    fn forward(&self, x: <Self::Input as Inputs>::Refs<'_>, y: &mut Self::Output);

    /// The backward pass of one sample: given the gradient `d_y` of the loss with respect to `y`, adds those with respect
    /// to `x` and to the weights to `d_x` and `d_self`. `d_x` is zero before the call; `d_self` contains the sum over
    /// earlier samples.
    fn backward(
        &self,
        x: <Self::Input as Inputs>::Refs<'_>,
        y: &Self::Output,
        d_y: &Self::Output,
        d_x: <Self::Input as Inputs>::Muts<'_>,
        d_self: &mut Self,
    );

    /// As [`forward`](Self::forward), for layers that compute differently in training, draw random numbers, or must know how
    /// many steps of a sequence are valid. The library calls this method, which calls `forward` by default. Where it is written,
    /// `forward` is `self.forward_with(x, y, &LayerCtx::INFERENCE)`.
    ///
    /// ```
    /// # use unrolled_runtime::{Layer, LayerCtx, Parameters, RngKey, Tensor, Weights};
    /// /// Adds noise in training: `[N] -> [N]`.
    /// struct Noise<const N: usize>;
    /// # unsafe impl<const N: usize> Weights for Noise<N> {} // What `#[derive(Weights)]` implements.
    /// # impl<const N: usize> Parameters for Noise<N> {
    /// #     fn named_tensors() -> Vec<Tensor> { Vec::new() }
    /// # }
    ///
    /// impl<const N: usize> Layer for Noise<N> {
    ///     type Input = [f32; N];
    ///     type Output = [f32; N];
    ///
    ///     fn forward(&self, x: &[f32; N], y: &mut [f32; N]) {
    ///         self.forward_with(x, y, &LayerCtx::INFERENCE);
    ///     }
    ///
    ///     fn forward_with(&self, x: &[f32; N], y: &mut [f32; N], ctx: &LayerCtx) {
    ///         for i in 0..N {
    ///             let noise = if ctx.training { ctx.key.uniform(i as u64) - 0.5 } else { 0.0 };
    ///             y[i] = x[i] + noise;
    ///         }
    ///     }
    ///
    ///     fn backward(&self, _: &[f32; N], _: &[f32; N], d_y: &[f32; N], d_x: &mut [f32; N], _: &mut Self) {
    ///         *d_x = *d_y;
    ///     }
    /// }
    /// ```
    fn forward_with(
        &self,
        x: <Self::Input as Inputs>::Refs<'_>,
        y: &mut Self::Output,
        ctx: &LayerCtx,
    ) {
        let _ = ctx;
        self.forward(x, y);
    }

    /// As [`backward`](Self::backward), with the `ctx` of [`forward_with`](Self::forward_with). The library calls this method,
    /// which calls `backward` by default.
    fn backward_with(
        &self,
        x: <Self::Input as Inputs>::Refs<'_>,
        y: &Self::Output,
        d_y: &Self::Output,
        d_x: <Self::Input as Inputs>::Muts<'_>,
        d_self: &mut Self,
        ctx: &LayerCtx,
    ) {
        let _ = ctx;
        self.backward(x, y, d_y, d_x, d_self);
    }
}

// Not recommended here and below: about a type that is no layer, the compiler is to report the message of the trait
// that is missing, not that the type does not implement `Layer`.
#[diagnostic::do_not_recommend]
impl<T: Layer> Shaped for T {
    const INPUTS: &'static [Shape] = <<T as Layer>::Input as Inputs>::SHAPES;
    const OUTPUT: Shape = <<T as Layer>::Output as Values>::SHAPE;
    const RULE: Result<Shape, ShapeError> = <T as Layer>::RULE;
    const OUTPUT_STEPS: Option<StepsOf> = <T as Layer>::OUTPUT_STEPS;
    const PARAMS: usize = <T as Parameters>::TRAINED;
    const MACS: usize = <T as Layer>::MACS;
    #[cfg(feature = "std")]
    const GRAPH: Graph = Graph {
        inputs: <T as Shaped>::INPUTS,
        nodes: &[GraphNode {
            name: "",
            inputs: first_inputs(<T as Shaped>::INPUTS.len()),
            output: <T as Shaped>::OUTPUT,
            layer: GraphLayer::Layer {
                features: Features::Fixed,
                channels: Channels::AsInput,
                weights: &[LayerWeights::of_root::<T>()],
            },
        }],
        output: <T as Shaped>::INPUTS.len(),
    };
}

/// A layer alone is a network of one node: it can be created, checked and trained.
impl<T: Layer> Network for T {
    type Input = <T as Layer>::Input;
    type Output = <T as Layer>::Output;

    const CHECKS: () = {
        let _ = expect(check_inputs(&T::SIGNATURE, <T as Shaped>::INPUTS), T::NAME, "");
    };
}

/// The elements of sample `sample`, of `len` each.
fn sample_of(values: &[f32], sample: usize, len: usize) -> &[f32] {
    &values[sample * len..][..len]
}

/// As [`sample_of`], mutable.
fn sample_of_mut(values: &mut [f32], sample: usize, len: usize) -> &mut [f32] {
    &mut values[sample * len..][..len]
}

/// Sample `sample` of all inputs.
fn refs_of<'a, I: Inputs>(x: &[&'a [f32]], sample: usize) -> I::Refs<'a> {
    I::refs(x.iter().zip(I::LENS).map(|(x, &len)| sample_of(x, sample, len)))
}

/// Sample `sample` of the gradients of all inputs, zeroed; in `unrequested` those that are not requested.
#[cfg(feature = "train")]
fn muts_of<'a, I: Inputs>(
    d_x: &'a mut [Option<&mut [f32]>],
    sample: usize,
    mut unrequested: &'a mut [f32],
) -> I::Muts<'a> {
    I::muts(d_x.iter_mut().zip(I::LENS).map(move |(d_x, &len)| {
        let d_x = match d_x {
            Some(d_x) => sample_of_mut(d_x, sample, len),
            // `Layer::backward` always gets a slice: hand-written layers need no case for gradients without a reader.
            None => unrequested.split_off_mut(..len).expect("as long as all inputs"),
        };
        d_x.fill(0.0);
        d_x
    }))
}

/// The number of elements of all inputs.
#[cfg(feature = "train")]
const fn inputs_len<I: Inputs>() -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < I::LENS.len() {
        sum += I::LENS[i];
        i += 1;
    }
    sum
}

#[diagnostic::do_not_recommend]
impl<S: Spec, T: Layer> Node<S> for T {
    const STATE: usize = <T as Layer>::STATE;

    #[cfg(feature = "std")]
    fn file_tensors(_order: &LayerOrder) -> Vec<Tensor> {
        T::named_tensors()
    }

    fn infer(&self, Infer { n, x, y, ctx }: Infer<'_>) {
        let of_sample = |i| LayerCtx::INFERENCE.of::<S, T::Input>(&ctx.lengths, i);
        forward_all(self, n, x, y, of_sample);
    }
}

/// `n` samples through a layer, one by one.
fn forward_all<T: Layer>(
    layer: &T,
    n: usize,
    x: &[&[f32]],
    y: &mut [f32],
    ctx: impl Fn(usize) -> LayerCtx,
) {
    y.fill(0.0);
    for i in 0..n {
        let y = <<T as Layer>::Output as Values>::from_floats_mut(sample_of_mut(
            y,
            i,
            <<T as Layer>::Output as Values>::LEN,
        ));
        layer.forward_with(refs_of::<T::Input>(x, i), y, &ctx(i));
    }
}

/// Sample `sample` of a shard in training.
#[cfg(feature = "train")]
fn ctx_of<S: Spec, T: Layer>(pass: &Pass<'_>, lengths: &Lengths<'_>, sample: usize) -> LayerCtx {
    let surroundings = LayerCtx::INFERENCE.of::<S, T::Input>(lengths, sample);
    if !pass.training {
        return surroundings;
    }
    let key = pass.key.fold_in((pass.first + sample) as u64);
    LayerCtx { training: true, key, ..surroundings }
}

/// Each shard sums its gradients in [`TrainCtx::shard_sums`](crate::TrainCtx::shard_sums).
#[cfg(feature = "train")]
#[diagnostic::do_not_recommend]
impl<S: Spec, T: Layer> TrainNode<S> for T {
    /// For input gradients that are not requested.
    const TRAIN_SCRATCH: usize = inputs_len::<T::Input>();
    const SHARD_SUMS: usize = T::LEN;

    fn initialise(&mut self, key: RngKey) {
        Layer::initialise(self, key);
    }

    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        let of_sample = |i| ctx_of::<S, T>(pass, &ctx.lengths, i);
        forward_all(self, pass.n, x, y, of_sample);
    }

    fn backward_shard(&self, Backward { pass, x, y, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let lengths = ctx.lengths;
        ctx.shard_sums.fill(0.0);
        let d_self = T::from_floats_mut(ctx.shard_sums);
        for i in 0..pass.n {
            let y = <<T as Layer>::Output as Values>::from_floats(sample_of(
                y,
                i,
                <<T as Layer>::Output as Values>::LEN,
            ));
            let d_y = <<T as Layer>::Output as Values>::from_floats(sample_of(
                d_y,
                i,
                <<T as Layer>::Output as Values>::LEN,
            ));
            let d_x = muts_of::<T::Input>(d_x, i, ctx.scratch);
            let ctx = ctx_of::<S, T>(pass, &lengths, i);
            let x = refs_of::<T::Input>(x, i);
            Layer::backward_with(self, x, y, d_y, d_x, d_self, &ctx);
        }
    }
}
