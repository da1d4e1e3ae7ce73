//! Causal convolutions of a chunk of a sequence, or of one step, which continue from the chunk before it: its last
//! steps, the state, take the place of the zero padding.

use super::ring::Ring;
use crate::kernels::{self, Columns, Geometry, Instructions, Isa};
#[cfg(feature = "train")]
use crate::kernels::{Accumulate, RowBlocks};
use crate::memory::StateMut;
use crate::types::Steps;

/// The arguments of [`infer_chunk`].
pub(super) struct Chunk<'a> {
    /// The weights `[1, K, C / groups, F]`.
    pub(super) weight: &'a [f32],
    /// The bias `[F]`, or nothing.
    pub(super) bias: &'a [f32],
    /// The steps before the chunk: a [`Ring`] of `extent - 1`. They become its last steps.
    pub(super) state: &'a mut [f32],
    /// The input `[T, C]`; of a step `[C]`.
    pub(super) x: &'a [f32],
    /// Receives the output `[T, F]`; of a step `[F]`.
    pub(super) y: &'a mut [f32],
    /// At least [`Geometry::padded_len`] elements.
    pub(super) scratch: &'a mut [f32],
}

/// The last steps of the input, which later outputs meet.
const fn ring(g: &Geometry) -> Ring {
    Ring { steps: g.padding[1][0], channels: g.channels }
}

/// Elements of the state.
pub(super) const fn state_len(g: &Geometry) -> usize {
    ring(g).len()
}

/// Inference on a chunk of one sequence, with the sizes `g`.
fn infer_chunk(g: &Geometry, chunk: Chunk<'_>) {
    let Chunk { weight, bias, state, x, y, scratch } = chunk;
    let all = prepend_state(g, state, x, scratch);
    kernels::conv2d(Isa::best(), &g.padded(), kernels::ConvArgs { x: all, weight, bias, y });
    ring(g).go_on(state, g.input[1], &all[x.len()..]);
}

/// The input of one sample after its state: `[T, C] -> [extent - 1 + T, C]`.
fn prepend_state<'a>(
    g: &Geometry,
    state: &[f32],
    x: &[f32],
    scratch: &'a mut [f32],
) -> &'a mut [f32] {
    let before = state_len(g) - 1;
    let all = &mut scratch[..before + x.len()];
    ring(g).copy_to(&mut all[..before], state);
    all[before..].copy_from_slice(x);
    all
}

/// Inference on one step, with the sizes `g` of the sequence.
pub(super) fn infer_step(g: &Geometry, step: Chunk<'_>) {
    let Chunk { weight, bias, state, x, y, scratch } = step;
    let (taps, [_, kernel]) = (gather(g, state, x, scratch), g.kernel);
    // The steps that the output meets, one beside the other.
    let g = Geometry {
        input: [1, kernel],
        output: [1, 1],
        padding: [[0; 2]; 2],
        dilation: [1; 2],
        ..*g
    };
    kernels::conv2d(Isa::best(), &g, kernels::ConvArgs { x: taps, weight, bias, y });
}

/// Whether [`infer_step_inlined`] has the bits of [`infer_step`]: each output is one chain of multiply-adds over all taps.
pub(super) const fn is_one_chain(g: &Geometry) -> bool {
    g.groups == 1 && g.kernel[1] * g.channels <= kernels::LONG_DENSE_SUM
}

/// As [`infer_step`], with the same bits, inlined, for `C::COLUMNS` filters.
#[inline(always)]
pub(super) fn infer_step_inlined<C: Columns, I: Instructions>(
    isa: I,
    g: &Geometry,
    step: Chunk<'_>,
) {
    let Chunk { weight, bias, state, x, y, scratch } = step;
    let taps = gather(g, state, x, scratch);
    kernels::chains::<C, I, 1>(isa, [bias, &[]], [(taps, weight)], y);
}

/// The steps that the output of one step meets, `[K, C]`; the state goes on by this step.
#[inline(always)]
fn gather<'a>(g: &Geometry, state: &mut [f32], x: &[f32], scratch: &'a mut [f32]) -> &'a [f32] {
    let taps = &mut scratch[..g.kernel[1] * g.channels];
    ring(g).step(state, x, g.dilation[1], taps);
    taps
}

/// The arguments of [`infer`].
pub(super) struct Chunks<'a, 's> {
    /// The weights, as in [`Chunk`].
    pub(super) weight: &'a [f32],
    /// The bias, as in [`Chunk`].
    pub(super) bias: &'a [f32],
    /// The valid steps of the samples.
    pub(super) steps: Steps<'a>,
    /// The inputs.
    pub(super) x: &'a [f32],
    /// Receives the outputs, with zeros after the end of a sequence.
    pub(super) y: &'a mut [f32],
    /// The states, which move on to the ends of the chunks.
    pub(super) state: &'a mut StateMut<'s>,
    /// As in [`Chunk`].
    pub(super) scratch: &'a mut [f32],
}

/// Inference on chunks of several sequences; `full` are the sizes of a chunk of full length.
pub(super) fn infer(full: &Geometry, chunks: Chunks<'_, '_>) {
    let Chunks { weight, bias, steps, x, y, state, scratch } = chunks;
    let samples = x.chunks_exact(full.input_len()).zip(y.chunks_exact_mut(full.output_len()));
    for (sample, (x, y)) in samples.enumerate() {
        let g = full.of_steps(steps.valid(sample, full.input[1]));
        let (y, after_end) = y.split_at_mut(g.output_len());
        after_end.fill(0.0);
        if g.output_len() > 0 {
            let (x, state) = (&x[..g.input_len()], state.sample(sample));
            infer_chunk(&g, Chunk { weight, bias, state, x, y, scratch });
        }
    }
}

/// Copies each sample's state in front of its input, which is padded already, and moves the states on to the ends of
/// the chunks.
#[cfg(feature = "train")]
pub(super) fn insert_states(
    full: &Geometry,
    steps: Steps<'_>,
    padded: &mut [f32],
    state: &mut StateMut<'_>,
) {
    let before = state_len(full) - 1;
    for (sample, padded) in padded.chunks_exact_mut(full.padded().input_len()).enumerate() {
        let state = state.sample(sample);
        ring(full).copy_to(&mut padded[..before], state);
        let valid = steps.valid(sample, full.input[1]);
        ring(full).go_on(state, valid, &padded[valid * full.channels..][..before]);
    }
}

/// The arguments of [`sum_gradient`].
#[cfg(feature = "train")]
pub(super) struct Gradient<'a> {
    /// The valid steps of the samples.
    pub(super) steps: Steps<'a>,
    /// The states with which the samples began.
    pub(super) states: &'a [f32],
    /// The inputs.
    pub(super) x: &'a [f32],
    /// The gradient of the outputs.
    pub(super) d_y: &'a [f32],
    /// Receives the gradient of the weights and the bias.
    pub(super) shard_sums: &'a mut [f32],
    /// As in [`Chunk`].
    pub(super) scratch: &'a mut [f32],
}

/// The gradient of all weights, summed over the samples of one shard.
#[cfg(feature = "train")]
pub(super) fn sum_gradient(full: &Geometry, gradient: Gradient<'_>) {
    let Gradient { steps, states, x, d_y, shard_sums, scratch } = gradient;
    let isa = Isa::best();
    let (d_weight, d_bias) = shard_sums.split_at_mut(full.weight_len());
    let mut onto = Accumulate::Overwrite;
    let states = states.chunks_exact(states.len() / (x.len() / full.input_len()));
    let samples = x.chunks_exact(full.input_len()).zip(d_y.chunks_exact(full.output_len()));
    for (sample, ((x, d_y), state)) in samples.zip(states).enumerate() {
        let g = full.of_steps(steps.valid(sample, full.input[1]));
        if g.output_len() == 0 {
            continue;
        }
        let all = prepend_state(&g, state, &x[..g.input_len()], scratch);
        let d_y = &d_y[..g.output_len()];
        kernels::conv2d_d_weight(
            isa,
            &g.padded(),
            kernels::ConvDWeightArgs {
                part: None,
                accumulate: onto,
                x: all,
                d_y,
                d_weight: &mut *d_weight,
                scratch: &mut [],
            },
        );
        kernels::d_bias(isa, onto, RowBlocks::one(d_y.len() / g.filters), d_y, d_bias);
        onto = Accumulate::Add;
    }
    if onto == Accumulate::Overwrite {
        shard_sums.fill(0.0);
    }
}
