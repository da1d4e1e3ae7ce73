//! [`MultiHeadAttention`]: PyTorch's `nn.MultiheadAttention`.

#[cfg(feature = "train")]
use super::dense::{for_each_deferred, task_rows};
#[cfg(feature = "train")]
use super::dropout;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, Pass, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
#[cfg(feature = "train")]
use crate::init::uniform;
#[cfg(feature = "train")]
use crate::kernels::Accumulate;
use crate::kernels::Instructions;
use crate::kernels::attention::{self, Attention, Batch, CachedStep};
#[cfg(feature = "train")]
use crate::kernels::attention::{BatchBackward, DeferredShards, TrainMemory};
use crate::memory::InferCtx;
#[cfg(feature = "train")]
use crate::memory::{Shards, TrainCtx};
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{Lengths, Steps, WeightSlice, Weights};
use unrolled_shape::rules::multi_head_attention;

/// Multi-head attention (Vaswani et al., 2017): `[T, WIDTH] -> [T, WIDTH]`.
///
/// Queries are computed from the input, keys and values from the input (self-attention) or from a memory `[M, WIDTH]`
/// (cross-attention). Each head outputs `softmax(q kᵀ / sqrt(size)) v`; one more matrix maps the outputs of all heads
/// to the output. Steps after the end of a sequence, of the input or of the memory, are masked, as by PyTorch's
/// `key_padding_mask`, and zero in the output. If a memory has no valid steps, the heads output zeros.
///
/// `rotary` rotates queries and keys by angles that depend on their positions (Su et al., 2021). A pair consists of one
/// feature of the head's first half and one of its second half, as in Hugging Face's Llama.
///
/// With `kv_heads`, heads of queries share those of keys and values (Ainslie et al., 2023), as in PyTorch's
/// `scaled_dot_product_attention` with `enable_gqa`: `KV` is the number of features of all keys.
///
/// `alibi` subtracts the distance of two steps from their score, times a slope of each head's own (Press, Smith and
/// Lewis, 2022): in a causal layer only earlier steps have a distance, in others those after a step have one, too.
///
/// A causal layer also runs step by step. Its state is the keys and values of the last `T` steps; of longer sequences,
/// the oldest are forgotten. Training ignores the state: each chunk starts without earlier steps.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct MultiHeadAttention<const WIDTH: usize, const KV: usize = WIDTH, const BIAS: usize = 1> {
    /// One row per input. The transpose of PyTorch's.
    pub in_proj_weight: [Projections<WIDTH, KV>; WIDTH],
    /// One row per output of the heads, one column per output. The transpose of PyTorch's.
    pub out_proj_weight: [[f32; WIDTH]; WIDTH],
    /// One row of biases, or none.
    pub in_proj_bias: [Projections<WIDTH, KV>; BIAS],
    /// One row of biases, or none.
    pub out_proj_bias: [[f32; WIDTH]; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` and of `Weights` only.
unsafe impl<const WIDTH: usize, const KV: usize, const BIAS: usize> Weights
    for MultiHeadAttention<WIDTH, KV, BIAS>
{
}

/// An element for each feature of the queries, keys and values of a [`MultiHeadAttention`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Projections<const WIDTH: usize, const KV: usize> {
    /// Of the queries, head by head.
    pub q: [f32; WIDTH],
    /// Of the keys, head by head.
    pub k: [f32; KV],
    /// Of the values, head by head.
    pub v: [f32; KV],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const WIDTH: usize, const KV: usize> Weights for Projections<WIDTH, KV> {}

type Arguments = multi_head_attention::MultiHeadAttention;

/// The sizes and options of one spec.
const fn attention<S: Spec<Arguments = Arguments>>() -> Attention {
    let arguments = S::ARGUMENTS;
    Attention {
        heads: arguments.heads,
        kv_heads: arguments.kv_heads(),
        width: S::INPUT.last(),
        steps: S::INPUT.dim(0),
        memory: arguments.memory(S::INPUTS).dim(0),
        cross: arguments.memory.is_some(),
        causal: arguments.causal,
        rotary: arguments.rotary,
        alibi: arguments.alibi,
        drops: arguments.dropout > 0.0,
    }
}

/// The index of the input from which keys and values are computed.
const fn memory_input<S: Spec<Arguments = Arguments>>() -> usize {
    match S::ARGUMENTS.memory {
        Some(nth) => nth,
        None => 0,
    }
}

/// The valid steps of the input and of the memory.
fn lengths<'a, S: Spec<Arguments = Arguments>>(lengths: &'a Lengths<'a>) -> [Steps<'a>; 2] {
    [lengths.of::<S>(0), lengths.of::<S>(memory_input::<S>())]
}

/// Dropout of attention probabilities: a function that drops some of those of one sample and head, the same ones in the
/// forward and the backward pass.
#[cfg(feature = "train")]
fn probability_dropout<S: Spec<Arguments = Arguments>>(
    pass: &Pass,
) -> impl Fn(usize, usize, &mut [f32]) {
    let pass = *pass;
    move |sample, head, p| {
        let key = pass.key.fold_in((pass.first + sample) as u64);
        // `apply` derives a key for each sample of a pass; here for each head of a sample.
        let head = Pass { n: 1, first: head, key, ..pass };
        dropout::apply(S::ARGUMENTS.dropout, &head, p.len(), p);
    }
}

impl<const WIDTH: usize, const KV: usize, const BIAS: usize> MultiHeadAttention<WIDTH, KV, BIAS> {
    fn weights(&self) -> attention::Weights<'_> {
        attention::Weights {
            in_proj: self.in_proj_weight.as_floats(),
            in_bias: self.in_proj_bias.as_floats(),
            out_proj: self.out_proj_weight.as_floats(),
            out_bias: self.out_proj_bias.as_floats(),
        }
    }

    fn batch<'a, S>(&'a self, n: usize, all: &'a Lengths<'a>) -> Batch<'a>
    where
        S: Spec<Arguments = Arguments>,
    {
        let (attention, weights) = (const { attention::<S>() }, self.weights());
        Batch { attention, weights, n, lengths: lengths::<S>(all) }
    }
}

/// The numbers of gradient tasks of `in_proj_weight`, which come first, and of `out_proj_weight`. The last task is that
/// of the biases.
#[cfg(feature = "train")]
const fn tasks(width: usize, in_width: usize) -> [usize; 2] {
    [width.div_ceil(task_rows(in_width)), width.div_ceil(task_rows(width))]
}

impl<S, const WIDTH: usize, const KV: usize, const BIAS: usize> Node<S>
    for MultiHeadAttention<WIDTH, KV, BIAS>
where
    S: Spec<Arguments = Arguments>,
{
    const SCRATCH: usize = attention::<S>().infer_scratch();
    /// The number of steps so far, and the keys and values of the last `T` steps.
    const STATE: usize = attention::<S>().state();

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { n, x, y, ctx }: Infer<'_>) {
        let InferCtx { scratch, lengths, state, .. } = ctx;
        let x = [x[0], x[memory_input::<S>()]];
        self.batch::<S>(n, &lengths).infer(x, y, state, scratch);
    }
}

// `network!` makes only causal layers stream.
impl<S, const WIDTH: usize, const KV: usize, const BIAS: usize> Streaming<S>
    for MultiHeadAttention<WIDTH, KV, BIAS>
where
    S: Spec<Arguments = Arguments>,
{
    fn step<I: Instructions>(&self, _isa: I, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, mut state, .. } = ctx;
        let state = state.sample(0);
        let (weights, x) = (self.weights(), x[0]);
        const { attention::<S>() }.step(CachedStep { weights, state, x, y, scratch });
    }
}

#[cfg(feature = "train")]
impl<S, const WIDTH: usize, const KV: usize, const BIAS: usize> TrainNode<S>
    for MultiHeadAttention<WIDTH, KV, BIAS>
where
    S: Spec<Arguments = Arguments>,
{
    /// Queries, keys, values, and all probabilities.
    const SAVED: usize = attention::<S>().saved().probabilities.end();
    /// The inputs of all products with weights, and the gradients of their outputs.
    const DEFERRED: usize = attention::<S>().deferred().d_y.end();
    /// The transposed matrices, for backward.
    const PREPARED: usize = attention::<S>().transposed_len();
    const TRAIN_SCRATCH: usize = attention::<S>().train_scratch();
    const GRADIENT_TASKS: usize = {
        let [in_tasks, out_tasks] = tasks(WIDTH, WIDTH + 2 * KV);
        in_tasks + out_tasks + 1
    };

    /// As in PyTorch: `xavier_uniform_` for queries, keys and values, that of `Linear` for the output, biases zero.
    fn initialise(&mut self, key: RngKey) {
        let (width, in_width) = (WIDTH as f32, (WIDTH + 2 * KV) as f32);
        let of = |name| key.fold_in(RngKey::hash(name));
        let bound = (6.0 / (width + in_width)).sqrt();
        uniform(self.in_proj_weight.as_floats_mut(), bound, of("in_proj_weight"));
        let bound = 1.0 / width.sqrt();
        uniform(self.out_proj_weight.as_floats_mut(), bound, of("out_proj_weight"));
    }

    fn prepare(&self, prepared: &mut [f32]) {
        const { attention::<S>() }.transpose(self.weights(), prepared);
    }

    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        let TrainCtx { saved, deferred, scratch, lengths, .. } = ctx;
        let x = [x[0], x[memory_input::<S>()]];
        let batch = self.batch::<S>(pass.n, &lengths);
        let memory = TrainMemory { saved, deferred, scratch };
        batch.forward(x, y, memory, probability_dropout::<S>(pass));
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let TrainCtx { saved, deferred, scratch, lengths, prepared, .. } = ctx;
        let (d_x, others) = d_x.split_at_mut(1);
        // Only `memory` can be a further input.
        let d_memory = others.get_mut(0).and_then(Option::as_deref_mut);
        let d_x = [d_x[0].as_deref_mut(), d_memory];
        let batch = self.batch::<S>(pass.n, &lengths);
        let weights = batch.attention.transposed(prepared);
        let memory = TrainMemory { saved, deferred, scratch };
        let call = BatchBackward { weights, d_y, d_x, memory };
        batch.backward(call, probability_dropout::<S>(pass));
    }

    fn gradient_end(task: usize) -> usize {
        let in_width = WIDTH + 2 * KV;
        let ([in_tasks, out_tasks], done) = (tasks(WIDTH, in_width), task + 1);
        if done <= in_tasks {
            (done * task_rows(in_width)).min(WIDTH) * in_width
        } else if done <= in_tasks + out_tasks {
            let rows = ((done - in_tasks) * task_rows(WIDTH)).min(WIDTH);
            (in_width + rows) * WIDTH
        } else {
            Self::LEN
        }
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        let in_width = WIDTH + 2 * KV;
        let ([in_tasks, out_tasks], attention) =
            (tasks(WIDTH, in_width), const { attention::<S>() });
        let mut onto = Accumulate::of(&shards);
        for_each_deferred(shards, |deferred, samples, pieces| {
            let run = DeferredShards { values: deferred, samples, blocks: pieces };
            if task < in_tasks {
                attention.d_in_proj(onto, &run, task * task_rows(in_width), d_weights);
            } else if task < in_tasks + out_tasks {
                let first = (task - in_tasks) * task_rows(WIDTH);
                attention.d_out_proj(onto, &run, first, d_weights);
            } else {
                attention.d_biases(onto, &run, d_weights);
            }
            onto = Accumulate::Add;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, check_lengths, random, spec};
    use crate::memory::StateMut;
    use unrolled_shape::{Shape, StepsOf};

    const PLAIN: Arguments = Arguments {
        heads: 2,
        memory: None,
        causal: false,
        dropout: 0.0,
        rotary: false,
        names: multi_head_attention::Names::Torch,
        bias: true,
        kv_heads: None,
        alibi: false,
    };

    macro_rules! attention_specs {
        ($($Name:ident: { $($field:ident: $value:expr),* }, [$($input:expr),+] -> $output:expr;)*) => { $(
            spec!($Name: multi_head_attention::MultiHeadAttention {
                $($field: $value,)* ..PLAIN
            }, [$($input),+] -> $output);
        )* };
    }

    attention_specs! {
        Own: { heads: 2 }, [&[5, 4]] -> &[5, 4];
        Three: { heads: 2 }, [&[3, 4]] -> &[3, 4];
        Causal: { causal: true, bias: false }, [&[19, 4]] -> &[19, 4];
        CausalShort: { causal: true, bias: false }, [&[17, 4]] -> &[17, 4];
        Rotary: { heads: 1, rotary: true, causal: true }, [&[5, 6]] -> &[5, 6];
        Grouped: { heads: 4, kv_heads: Some(2), rotary: true }, [&[5, 8]] -> &[5, 8];
        GroupedCausal: { heads: 2, kv_heads: Some(1), causal: true, alibi: true, bias: false },
            [&[19, 4]] -> &[19, 4];
        GroupedCross: { kv_heads: Some(1), memory: Some(1), dropout: 0.25 }, [&[3, 4], &[5, 4]] -> &[3, 4];
        Distances: { alibi: true }, [&[5, 4]] -> &[5, 4];
        Dropping: { dropout: 0.5 }, [&[4, 4]] -> &[4, 4];
        Cross: { memory: Some(1), dropout: 0.25 }, [&[3, 4], &[5, 4]] -> &[3, 4];
    }

    /// A memory with other lengths than the input.
    struct Ragged;
    impl Spec for Ragged {
        type Arguments = Arguments;
        const ARGUMENTS: Arguments = Arguments { memory: Some(1), ..PLAIN };
        const INPUTS: &'static [Shape] = &[Shape::new(&[3, 4]), Shape::new(&[5, 4])];
        const OUTPUT: Shape = Shape::new(&[3, 4]);
        const NAME: &'static str = "it";
        const STEPS: &'static [Option<StepsOf>] = &[None, Some(StepsOf::input(0))];
    }

    fn trial<S: Spec, T: TrainNode<S>>() -> Trial<S, T> {
        Trial::random().with_step(1e-2, 1e-3)
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        trial::<Own, MultiHeadAttention<4>>().check_gradients();
        trial::<Causal, MultiHeadAttention<4, 4, 0>>().check_gradients();
        trial::<Rotary, MultiHeadAttention<6>>().check_gradients();
        trial::<Dropping, MultiHeadAttention<4>>().check_gradients();
        trial::<Grouped, MultiHeadAttention<8, 4>>().check_gradients();
        trial::<GroupedCausal, MultiHeadAttention<4, 2, 0>>().check_gradients();
        trial::<GroupedCross, MultiHeadAttention<4, 2>>().check_gradients();
        trial::<Distances, MultiHeadAttention<4>>().check_gradients();
        trial::<Cross, MultiHeadAttention<4>>().check_gradients();
    }

    #[test]
    fn gradients_of_different_lengths_agree_with_finite_differences() {
        let lengths = vec![1, 3, 2, 0, 3];
        let own = &mut trial::<Own, MultiHeadAttention<4>>();
        own.lengths.clone_from(&lengths);
        own.check_gradients();
        let ragged = &mut trial::<Ragged, MultiHeadAttention<4>>();
        ragged.lengths = lengths;
        ragged.check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        trial::<Own, MultiHeadAttention<4>>().check_inference();
        trial::<Causal, MultiHeadAttention<4, 4, 0>>().check_inference();
        trial::<Rotary, MultiHeadAttention<6>>().check_inference();
        trial::<Ragged, MultiHeadAttention<4>>().check_inference();
        trial::<Grouped, MultiHeadAttention<8, 4>>().check_inference();
        trial::<GroupedCausal, MultiHeadAttention<4, 2, 0>>().check_inference();
        trial::<Distances, MultiHeadAttention<4>>().check_inference();
    }

    #[test]
    fn a_short_sequence_has_the_bits_of_a_single_one() {
        // The biases of three projections, and that of the output.
        check_lengths::<Own, Three, MultiHeadAttention<4>>(3, 4 * 4);
        check_lengths::<Causal, CausalShort, MultiHeadAttention<4, 4, 0>>(17, 0);
    }

    #[test]
    fn chunks_have_the_bits_of_the_whole_sequence() {
        let mut trial = trial::<Causal, MultiHeadAttention<4, 4, 0>>();
        let whole = trial.infer();
        (trial.batch, trial.lengths) = (1, vec![8]);
        let mut state = vec![0.0; <MultiHeadAttention<4, 4, 0> as Node<Causal>>::STATE];
        let mut y = Vec::new();
        let x = trial.x[0].clone();
        for (begin, end) in [(0, 8), (8, 19)] {
            let mut chunk = random(Causal::IN, 3);
            chunk[..(end - begin) * 4].copy_from_slice(&x[begin * 4..end * 4]);
            let mut out = vec![f32::NAN; Causal::OUT];
            let mut scratch =
                vec![f32::NAN; <MultiHeadAttention<4, 4, 0> as Node<Causal>>::SCRATCH];
            let lengths = [Steps::Given(&[(end - begin) as u32])];
            let len = <MultiHeadAttention<4, 4, 0> as Node<Causal>>::STATE;
            let ctx = InferCtx {
                lengths: Lengths::Given(&lengths),
                state: StateMut::new(&mut state, len),
                ..InferCtx::new(&mut [], &mut scratch)
            };
            let call = Infer { n: 1, x: &[&chunk], y: &mut out, ctx };
            Node::<Causal>::infer(&*trial.node, call);
            y.extend_from_slice(&out[..(end - begin) * 4]);
        }
        assert_eq!(y, whole[..Causal::OUT]);
    }

    #[test]
    fn dropout_is_applied_in_training_only() {
        let mut trial = Trial::<Dropping, MultiHeadAttention<4>>::random();
        let (trained, inferred) = (trial.train().y, trial.infer());
        assert_ne!(trained, inferred);
        trial.capacity = 5;
        assert_eq!(trial.train().y, trained, "shards do not change the result");
    }

    #[test]
    fn is_initialised_as_in_pytorch_and_has_its_tensors() {
        let mut layer = <MultiHeadAttention<4> as Weights>::zeros();
        TrainNode::<Own>::initialise(&mut *layer, RngKey::new(0));
        let largest = |w: &[f32]| w.iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        let bound = (6.0_f32 / 16.0).sqrt();
        assert!((0.9 * bound..bound).contains(&largest(layer.in_proj_weight.as_floats())));
        assert!((0.4..0.5).contains(&largest(layer.out_proj_weight.as_floats())));
        let biases = [layer.in_proj_bias.as_floats(), layer.out_proj_bias.as_floats()];
        assert!(biases.concat().iter().all(|bias| *bias == 0.0));
        let tensors = <MultiHeadAttention<4> as Node<Own>>::file_tensors(&LayerOrder::default());
        let names: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), t.offset)).collect();
        let expected = [
            ("in_proj_weight", 0),
            ("in_proj_bias", 64),
            ("out_proj.weight", 48),
            ("out_proj.bias", 76),
        ];
        assert_eq!(names, expected);
        assert_eq!(
            <MultiHeadAttention<4, 4, 0> as Node<Causal>>::file_tensors(&LayerOrder::default())
                .len(),
            2
        );
    }
}
