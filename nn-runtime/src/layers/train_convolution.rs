//! [`TrainConvolution`]: the training of one convolution of a network.

use super::causal::{self, Chunks, Gradient};
use super::convolution::{Convolution, Run, runs_of};
use super::dense::task_rows;
use crate::contract::{Backward, Forward, GRADIENT_PART};
use crate::kernels::{
    self, Accumulate, Border, ConvArgs, Epilogue, Geometry, Isa, RowBlocks, Taps, sum_shards,
};
use crate::memory::{Shards, StateMut, TrainCtx};
use crate::types::Steps;

/// The training of a [`Convolution`].
///
/// The weight gradient is computed in one of two ways. With few weights each shard sums a gradient of its own. With
/// many weights, those sums would fill more memory than the samples do: inputs and output gradients are deferred, and
/// the gradient is computed from them after all shards, in tasks of some rows of the weights each.
pub(super) trait TrainConvolution: Convolution {
    /// Whether each shard sums a gradient of its own.
    const FEW_WEIGHTS: bool = {
        let values = Self::DEFERRED_GEOMETRY.input_len() + Self::GEOMETRY.output_len();
        Self::GEOMETRY.weight_len() <= 2 * values
    };
    /// The sizes for deferred inputs. Those of causal convolutions are stored with their padding, so that a state can
    /// take its place.
    const DEFERRED_GEOMETRY: Geometry =
        if Self::STATE > 0 { Self::GEOMETRY.padded() } else { Self::GEOMETRY };
    /// Elements of the weights and the bias.
    const LEN: usize = Self::GEOMETRY.weight_len() + Self::BIAS;

    /// With few weights: their gradient.
    const SHARD_SUMS: usize = if Self::FEW_WEIGHTS { Self::LEN } else { 0 };
    /// With many weights: the inputs and the gradients of the outputs.
    const DEFERRED: usize = if Self::FEW_WEIGHTS {
        0
    } else {
        Self::DEFERRED_GEOMETRY.input_len() + Self::GEOMETRY.output_len()
    };
    /// With many weights: some channels of one kernel element in each task, and the bias in the last one.
    const GRADIENT_TASKS: usize = if Self::FEW_WEIGHTS {
        Self::LEN.div_ceil(GRADIENT_PART)
    } else {
        let g = Self::GEOMETRY;
        g.taps() * g.group_channels().div_ceil(task_rows(g.filters)) + 1
    };
    /// The flipped and transposed weights, for the gradient of the input.
    const PREPARED: usize = Self::GEOMETRY.weight_len();
    /// With few weights: an input with its state or its padding. What the forward kernel needs.
    const TRAIN_SCRATCH: usize = {
        let padded = if !Self::FEW_WEIGHTS {
            0
        } else if Self::STATE > 0 {
            Self::GEOMETRY.padded_len()
        } else {
            Self::GEOMETRY.scratch_len()
        };
        let forward = Self::GEOMETRY.winograd_len();
        if forward > padded { forward } else { padded }
    };

    /// Writes the flipped and transposed weights.
    fn prepare(weight: &[f32], prepared: &mut [f32]) {
        kernels::conv3d_flip(Isa::best(), const { &Self::GEOMETRY }, weight, prepared);
    }

    /// The forward pass of one shard.
    fn forward(weight: &[f32], bias: &[f32], steps: Steps<'_>, call: Forward<'_>) {
        let Forward { x, y, ctx, .. } = call;
        let TrainCtx { saved, scratch, deferred, mut state, .. } = ctx;
        let x = x[0];
        if Self::STATE > 0 {
            save_states(Self::STATE, &mut state, saved);
        }
        if Self::FEW_WEIGHTS {
            let state = &mut state;
            return Self::infer_chunks(Chunks { weight, bias, steps, x, y, state, scratch });
        }
        let samples = x.len() / const { Self::GEOMETRY.input_len() };
        let len = const { Self::DEFERRED_GEOMETRY.input_len() };
        let inputs = &mut deferred[..samples * len];
        defer_inputs(const { &Self::GEOMETRY }, steps, x, len, inputs);
        if Self::STATE > 0 && !state.is_empty() {
            causal::insert_states(const { &Self::GEOMETRY }, steps, inputs, &mut state);
        }
        // From the deferred copies, in which states have taken the place of the padding.
        let (g, x) = (const { &Self::DEFERRED_GEOMETRY }, &*inputs);
        let args = ConvArgs { x, weight, bias, y: &mut *y };
        kernels::conv_forward(Isa::best(), g, args, Epilogue::NONE, scratch);
        clear_outputs(const { &Self::GEOMETRY }, steps, y);
    }

    /// The gradient of the values that the bias is added to, and the number of their channels: one of the two deferred
    /// arrays, the inputs and the gradients of the outputs of this convolution.
    fn d_biased<'a>(x: &'a [f32], d_y: &'a [f32]) -> (&'a [f32], usize) {
        let _ = x;
        (d_y, Self::GEOMETRY.filters)
    }

    /// The backward pass of one shard.
    fn backward(steps: Steps<'_>, call: Backward<'_, '_>) {
        let Backward { pass, x, d_y, d_x, mut ctx, .. } = call;
        if pass.trains_weights() {
            Self::weight_gradient(steps, x[0], &mut *d_y, ctx.reborrow());
        }
        let Some(d_x) = d_x[0].as_deref_mut() else { return };
        input_gradient(const { &Self::GEOMETRY }, steps, d_y, ctx.prepared, d_x);
    }

    /// The gradient of the weights of one shard: its sums, or the deferred values that it is computed from.
    fn weight_gradient(steps: Steps<'_>, x: &[f32], d_y: &mut [f32], ctx: TrainCtx<'_>) {
        let TrainCtx { scratch, shard_sums, deferred, saved, .. } = ctx;
        // A state of zeros is the same as the zero padding, for which one call takes all samples.
        let has_state = Self::STATE > 0 && has_value(saved);
        if Self::FEW_WEIGHTS && has_state {
            let gradient = Gradient { steps, states: saved, x, d_y, shard_sums, scratch };
            causal::sum_gradient(const { &Self::GEOMETRY }, gradient);
        } else if Self::FEW_WEIGHTS {
            sum_gradient(const { &Self::GEOMETRY }, steps, [x, d_y], shard_sums, scratch);
        } else {
            clear_outputs(const { &Self::GEOMETRY }, steps, d_y);
            let samples = d_y.len() / const { Self::GEOMETRY.output_len() };
            let inputs = samples * const { Self::DEFERRED_GEOMETRY.input_len() };
            deferred[inputs..].copy_from_slice(d_y);
        }
    }

    /// See [`TrainNode::gradient_end`](crate::contract::TrainNode::gradient_end).
    fn gradient_end(task: usize) -> usize {
        if Self::FEW_WEIGHTS {
            return Self::LEN.min((task + 1) * GRADIENT_PART);
        }
        if task + 1 == Self::GRADIENT_TASKS {
            return Self::LEN;
        }
        let g = const { Self::GEOMETRY };
        let (tap, channel) = task_begin(task, &g);
        let channels = g.group_channels();
        (tap * channels + channels.min(channel + task_rows(g.filters))) * g.filters
    }

    /// See [`TrainNode::gradient`](crate::contract::TrainNode::gradient).
    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        if Self::FEW_WEIGHTS {
            return sum_shards(shards, task * GRADIENT_PART, d_weights);
        }
        let (isa, g) = (Isa::best(), const { Self::DEFERRED_GEOMETRY });
        let is_bias = task + 1 == Self::GRADIENT_TASKS;
        let (tap, channel) = task_begin(task, &g);
        let mut onto = Accumulate::of(&shards);
        for shard in 0..shards.count() {
            let (x, d_y) = shards.deferred(shard).split_at(shards.samples(shard) * g.input_len());
            if is_bias {
                let (d_y, channels) = Self::d_biased(x, d_y);
                kernels::d_bias(isa, onto, RowBlocks::one(d_y.len() / channels), d_y, d_weights);
            } else {
                let some = Some(Taps { tap, channel });
                let args = kernels::ConvDWeightArgs {
                    part: some,
                    accumulate: onto,
                    x,
                    d_y,
                    d_weight: &mut *d_weights,
                    scratch: &mut [],
                };
                kernels::conv3d_d_weight(isa, &g, args);
            }
            onto = Accumulate::Add;
        }
    }
}

// What follows has the sizes as arguments: as part of the trait, a network would contain it once for each layer.

/// Copies the inputs for a gradient that is computed after all shards, with zeros after the end of each sequence. Each copy
/// has `len` elements, its padding included if they are more than those of an input.
fn defer_inputs(full: &Geometry, steps: Steps<'_>, x: &[f32], len: usize, deferred: &mut [f32]) {
    for Run { samples, g, x: x_range, .. } in runs_of(full, steps, x.len()) {
        let border = if len > full.input_len() { g.border() } else { Border::NONE };
        let copies = &mut deferred[samples.valid(len, len)];
        if x_range.is_empty() {
            copies.fill(0.0);
            continue;
        }
        let inputs = x[x_range].chunks_exact(g.input_len());
        for (x, copy) in inputs.zip(copies.chunks_exact_mut(len)) {
            // A volume, which has no border here, is as many lines as its planes have.
            let size = [g.depth.input * g.input[0], g.input[1]];
            let copied = border.add(size, g.channels, x, copy).len();
            copy[copied..].fill(0.0);
        }
    }
}

/// The gradient of the input.
fn input_gradient(
    full: &Geometry,
    steps: Steps<'_>,
    d_y: &[f32],
    prepared: &[f32],
    d_x: &mut [f32],
) {
    for run in runs_of(full, steps, d_x.len()) {
        d_x[run.x_after_end].fill(0.0);
        if run.y.is_empty() {
            d_x[run.x].fill(0.0);
        } else {
            let (d_y, d_x) = (&d_y[run.y], &mut d_x[run.x]);
            kernels::conv3d_d_x(Isa::best(), &run.g, d_y, prepared, d_x);
        }
    }
}

/// The gradient of all weights, summed over the samples of one shard without a state.
fn sum_gradient(
    full: &Geometry,
    steps: Steps<'_>,
    [x, d_y]: [&[f32]; 2],
    shard_sums: &mut [f32],
    scratch: &mut [f32],
) {
    let isa = Isa::best();
    let mut onto = Accumulate::Overwrite;
    for Run { g, x: x_range, y: y_range, .. } in runs_of(full, steps, x.len()) {
        if y_range.is_empty() {
            continue;
        }
        let (x, d_y) = (&x[x_range], &d_y[y_range]);
        let (d_weight, d_bias) = shard_sums.split_at_mut(g.weight_len());
        let args = kernels::ConvDWeightArgs {
            part: None,
            accumulate: onto,
            x,
            d_y,
            d_weight,
            scratch: &mut *scratch,
        };
        kernels::conv3d_d_weight(isa, &g, args);
        kernels::d_bias(isa, onto, RowBlocks::one(d_y.len() / g.filters), d_y, d_bias);
        onto = Accumulate::Add;
    }
    if onto == Accumulate::Overwrite {
        shard_sums.fill(0.0);
    }
}

/// Writes zeros after the end of each sequence of outputs.
fn clear_outputs(full: &Geometry, steps: Steps<'_>, y: &mut [f32]) {
    let inputs = y.len() / full.output_len() * full.input_len();
    for run in runs_of(full, steps, inputs) {
        y[run.y_after_end].fill(0.0);
    }
}

/// Saves the states with which the samples begin, `len` elements each: zeros if they have none.
fn save_states(len: usize, state: &mut StateMut<'_>, saved: &mut [f32]) {
    for (sample, saved) in saved.chunks_exact_mut(len).enumerate() {
        match state.is_empty() {
            true => saved.fill(0.0),
            false => saved.copy_from_slice(state.sample(sample)),
        }
    }
}

/// Whether a value of the states is not zero.
fn has_value(states: &[f32]) -> bool {
    states.iter().any(|value| *value != 0.0)
}

/// The kernel element and the first channel of gradient task `task`.
const fn task_begin(task: usize, g: &Geometry) -> (usize, usize) {
    let rows = task_rows(g.filters);
    let tasks = g.group_channels().div_ceil(rows);
    (task / tasks, task % tasks * rows)
}
