//! Causal convolutions that go on where an earlier stretch of a sequence ended, or one step at a time: in the
//! place of zeros before the first step stand the last steps before it.

use super::convolution::Convolution;
use crate::kernels::{self, Accumulate, Geometry, Isa, RowBlocks};
use crate::memory::StateMut;
use crate::types::Steps;

/// The input of one sample with the steps before it in front: `[T, C] -> [extent - 1 + T, C]`.
fn behind_state<'a>(state: &[f32], x: &[f32], memory: &'a mut [f32]) -> &'a mut [f32] {
    let all = &mut memory[..state.len() + x.len()];
    all[..state.len()].copy_from_slice(state);
    all[state.len()..].copy_from_slice(x);
    all
}

/// Inference on one stretch of one sequence, of the sizes `g`. `state` moves on to its end.
pub(super) fn infer_stretch(
    g: &Geometry,
    weight: &[f32],
    bias: &[f32],
    state: &mut [f32],
    x: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
) {
    if state.is_empty() {
        return kernels::conv2d(Isa::best(), g, kernels::ConvArgs { x, weight, bias, y });
    }
    let all = behind_state(state, x, scratch);
    kernels::conv2d(Isa::best(), &g.padded(), kernels::ConvArgs { x: all, weight, bias, y });
    state.copy_from_slice(&all[x.len()..]);
}

/// Inference on stretches of sequences that carry something.
pub(super) fn infer<L: Convolution>(
    [weight, bias]: [&[f32]; 2],
    steps: Steps<'_>,
    x: &[f32],
    y: &mut [f32],
    state: &mut StateMut<'_>,
    scratch: &mut [f32],
) {
    let full = const { L::GEOMETRY };
    let samples = x.chunks_exact(full.input_len()).zip(y.chunks_exact_mut(full.output_len()));
    for (sample, (x, y)) in samples.enumerate() {
        let g = full.of_steps(steps.valid(sample, full.input[1]));
        let (y, behind) = y.split_at_mut(g.output_len());
        behind.fill(0.0);
        if g.output_len() > 0 {
            let x = &x[..g.input_len()];
            infer_stretch(&g, weight, bias, state.sample(sample), x, y, scratch);
        }
    }
}

/// Puts what samples carry before their padded inputs, and moves it on to their ends.
pub(super) fn carry<L: Convolution>(
    steps: Steps<'_>,
    padded: &mut [f32],
    state: &mut StateMut<'_>,
) {
    let g = const { L::GEOMETRY };
    let samples = padded.chunks_exact_mut(const { L::KEPT_GEOMETRY.input_len() });
    for (sample, padded) in samples.enumerate() {
        let state = state.sample(sample);
        padded[..state.len()].copy_from_slice(state);
        let valid = steps.valid(sample, g.input[1]) * g.channels;
        state.copy_from_slice(&padded[valid..][..state.len()]);
    }
}

/// The gradient of all weights from the samples of one shard, which began with `states`.
pub(super) fn sum_gradient<L: Convolution>(
    steps: Steps<'_>,
    states: &[f32],
    x: &[f32],
    d_y: &[f32],
    shard_sums: &mut [f32],
    scratch: &mut [f32],
) {
    let (isa, full) = (Isa::best(), const { L::GEOMETRY });
    let (d_weight, d_bias) = shard_sums.split_at_mut(full.weight_len());
    let mut onto = Accumulate::Overwrite;
    let states = states.chunks_exact(states.len() / (x.len() / full.input_len()));
    let samples = x.chunks_exact(full.input_len()).zip(d_y.chunks_exact(full.output_len()));
    for (sample, ((x, d_y), state)) in samples.zip(states).enumerate() {
        let g = full.of_steps(steps.valid(sample, full.input[1]));
        if g.output_len() == 0 {
            continue;
        }
        let all = behind_state(state, &x[..g.input_len()], scratch);
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
