//! What the convolutions share: from the sizes of one to the functions of a node.

use super::causal;
use super::dense::task_rows;
use super::ragged::{Run, for_each_run};
#[cfg(feature = "train")]
use crate::contract::GRADIENT_PART;
#[cfg(feature = "train")]
use crate::kernels::sum_shards;
use crate::kernels::{self, Border, Geometry, Isa, Onto, Pieces, Taps};
use crate::memory::StateMut;
#[cfg(feature = "train")]
use crate::memory::{Shards, TrainCtx};
use crate::types::Steps;
use core::ops::Range;

/// A convolution of known sizes, whose weights `[KH, KW, CG, F]` stand before its biases `[F]`.
///
/// Where sequences end before their shape does, each is as a picture that is less wide; `steps` are those of
/// the input. Behind the end of the output, and of the input's gradient, are zeros.
pub(super) trait Convolution: Sized {
    /// Its sizes.
    const GEOMETRY: Geometry;
    /// Numbers in its bias.
    const BIAS: usize;
    /// Numbers per sample that it carries from one stretch of a sequence to the next.
    const STATE: usize = 0;

    /// The same over an input as it is kept: with its padding where something may stand in its place.
    const KEPT_GEOMETRY: Geometry =
        if Self::STATE > 0 { Self::GEOMETRY.padded() } else { Self::GEOMETRY };
    /// Whether each shard can add up a gradient of its own. With many weights these would fill more
    /// memory than the samples do; then the gradient is computed in the end, part by part.
    const FEW_WEIGHTS: bool = {
        let values = Self::KEPT_GEOMETRY.input_len() + Self::GEOMETRY.output_len();
        Self::GEOMETRY.weight_len() <= 2 * values
    };
    /// All its numbers.
    const LEN: usize = Self::GEOMETRY.weight_len() + Self::BIAS;

    /// The gradient of its weights, where these are few.
    const SHARD_SUMS: usize = if Self::FEW_WEIGHTS { Self::LEN } else { 0 };
    /// Where they are many: its input and the gradient of its output.
    const DEFERRED: usize = if Self::FEW_WEIGHTS {
        0
    } else {
        Self::KEPT_GEOMETRY.input_len() + Self::GEOMETRY.output_len()
    };
    /// Parts of the gradient.
    #[cfg(feature = "train")]
    const GRADIENT_TASKS: usize = if Self::FEW_WEIGHTS {
        Self::LEN.div_ceil(GRADIENT_PART)
    } else {
        let g = Self::GEOMETRY;
        g.kernel[0] * g.kernel[1] * g.group_channels().div_ceil(task_rows(g.filters)) + 1
    };
    /// The weights turned around, for the input's gradient.
    const PREPARED: usize = Self::GEOMETRY.weight_len();
    /// A padded input.
    const SCRATCH: usize =
        if Self::STATE > 0 { Self::GEOMETRY.padded_len() } else { Self::GEOMETRY.scratch_len() };

    fn infer(weight: &[f32], bias: &[f32], steps: Steps<'_>, x: &[f32], y: &mut [f32]) {
        Self::for_each_run(steps, x.len(), |run, g| {
            let (x_run, y_run) = Self::places(&run, g);
            if g.output_len() > 0 {
                let Geometry { channels, filters, groups, .. } = const { Self::GEOMETRY };
                // Constants also where a sequence is short, by which `conv2d` leaves out a kernel.
                let g = &Geometry { channels, filters, groups, ..*g };
                kernels::conv2d(Isa::best(), g, &x[x_run], weight, bias, &mut y[y_run]);
            }
            y[run.behind(g.output_len(), const { Self::GEOMETRY.output_len() })].fill(0.0);
        });
    }

    fn prepare(weight: &[f32], prepared: &mut [f32]) {
        kernels::conv2d_turn(Isa::best(), const { &Self::GEOMETRY }, weight, prepared);
    }

    #[cfg(feature = "train")]
    fn forward(
        weight: &[f32],
        bias: &[f32],
        steps: Steps<'_>,
        x: &[f32],
        y: &mut [f32],
        ctx: TrainCtx<'_>,
    ) {
        let TrainCtx { saved, scratch, mut state, .. } = ctx;
        if Self::STATE > 0 {
            save_states(Self::STATE, &mut state, saved);
        }
        let carries = Self::STATE > 0 && !state.is_empty();
        if Self::FEW_WEIGHTS {
            if carries {
                return causal::infer::<Self>([weight, bias], steps, x, y, &mut state, scratch);
            }
            return Self::infer(weight, bias, steps, x, y);
        }
        let samples = x.len() / const { Self::GEOMETRY.input_len() };
        let deferred = &mut ctx.deferred[..samples * const { Self::KEPT_GEOMETRY.input_len() }];
        Self::keep(steps, x, deferred);
        if carries {
            causal::carry::<Self>(steps, deferred, &mut state);
        }
        kernels::conv2d(Isa::best(), const { &Self::KEPT_GEOMETRY }, deferred, weight, bias, y);
        Self::clear_output(steps, y);
    }

    /// Copies pictures, with zeros behind their ends.
    fn keep(steps: Steps<'_>, x: &[f32], deferred: &mut [f32]) {
        let len = const { Self::KEPT_GEOMETRY.input_len() };
        Self::for_each_run(steps, x.len(), |run, g| {
            let border = if Self::STATE > 0 { g.border() } else { Border::NONE };
            let (x_run, _) = Self::places(&run, g);
            let copies = &mut deferred[run.valid(len, len)];
            if x_run.is_empty() {
                return copies.fill(0.0);
            }
            for (x, copy) in x[x_run].chunks_exact(g.input_len()).zip(copies.chunks_exact_mut(len))
            {
                let copied = border.add(g.input, g.channels, x, copy).len();
                copy[copied..].fill(0.0);
            }
        });
    }

    /// Of what was kept, the gradient of what the bias was added to, and how many channels it has.
    fn biased<'a>(x: &'a [f32], d_y: &'a [f32]) -> (&'a [f32], usize) {
        let _ = x;
        (d_y, Self::GEOMETRY.filters)
    }

    #[cfg(feature = "train")]
    fn backward(
        steps: Steps<'_>,
        x: &[f32],
        d_y: &mut [f32],
        d_x: Option<&mut [f32]>,
        ctx: TrainCtx<'_>,
    ) {
        let TrainCtx { scratch, shard_sums, prepared, deferred, saved, .. } = ctx;
        // With zeros in front it is as any other convolution.
        let began = Self::STATE > 0 && saved.iter().any(|state| *state != 0.0);
        if Self::FEW_WEIGHTS && began {
            causal::sum_gradient::<Self>(steps, saved, x, d_y, shard_sums, scratch);
        } else if Self::FEW_WEIGHTS {
            Self::sum_gradient(steps, x, d_y, shard_sums, scratch);
        } else {
            Self::clear_output(steps, d_y);
            let samples = d_y.len() / const { Self::GEOMETRY.output_len() };
            deferred[samples * const { Self::KEPT_GEOMETRY.input_len() }..].copy_from_slice(d_y);
        }
        let Some(d_x) = d_x else { return };
        Self::for_each_run(steps, d_x.len(), |run, g| {
            let (x_run, y_run) = Self::places(&run, g);
            let behind = run.behind(g.input_len(), const { Self::GEOMETRY.input_len() });
            d_x[behind].fill(0.0);
            if g.output_len() > 0 {
                kernels::conv2d_d_x(Isa::best(), g, &d_y[y_run], prepared, &mut d_x[x_run]);
            } else {
                d_x[x_run].fill(0.0);
            }
        });
    }

    /// The gradient of all weights from the samples of one shard.
    fn sum_gradient(
        steps: Steps<'_>,
        x: &[f32],
        d_y: &[f32],
        shard_sums: &mut [f32],
        scratch: &mut [f32],
    ) {
        let isa = Isa::best();
        let mut onto = Onto::Nothing;
        Self::for_each_run(steps, x.len(), |run, g| {
            if g.output_len() == 0 {
                return;
            }
            let (x_run, y_run) = Self::places(&run, g);
            let (x, d_y) = (&x[x_run], &d_y[y_run]);
            let (d_weight, d_bias) = shard_sums.split_at_mut(g.weight_len());
            kernels::conv2d_d_weight(isa, g, None, onto, x, d_y, d_weight, scratch);
            kernels::d_bias(isa, onto, Pieces::one(d_y.len() / g.filters), d_y, d_bias);
            onto = Onto::Sum;
        });
        if onto == Onto::Nothing {
            shard_sums.fill(0.0);
        }
    }

    /// Calls `f` with runs of samples, and the sizes of these, for inputs of `len` numbers.
    fn for_each_run(steps: Steps<'_>, len: usize, mut f: impl FnMut(Run, &Geometry)) {
        let full = const { Self::GEOMETRY };
        for_each_run(steps, len / full.input_len(), full.input[1], |run| {
            let g = if run.valid == full.input[1] { full } else { full.of_steps(run.valid) };
            f(run, &g);
        });
    }

    /// Where inputs and outputs of a run stand.
    fn places(run: &Run, g: &Geometry) -> (Range<usize>, Range<usize>) {
        let full = const { Self::GEOMETRY };
        let x = run.valid(g.input_len(), full.input_len());
        (x, run.valid(g.output_len(), full.output_len()))
    }

    /// Writes zeros behind the end of each output.
    fn clear_output(steps: Steps<'_>, y: &mut [f32]) {
        let full = const { Self::GEOMETRY };
        let inputs = y.len() / full.output_len() * full.input_len();
        Self::for_each_run(steps, inputs, |run, g| {
            y[run.behind(g.output_len(), full.output_len())].fill(0.0);
        });
    }

    #[cfg(feature = "train")]
    fn gradient_end(task: usize) -> usize {
        if Self::FEW_WEIGHTS {
            return Self::LEN.min((task + 1) * GRADIENT_PART);
        }
        if task + 1 == Self::GRADIENT_TASKS {
            return Self::LEN;
        }
        let g = const { Self::GEOMETRY };
        let (tap, channel) = part_of_gradient(task, &g);
        let channels = g.group_channels();
        (tap * channels + channels.min(channel + task_rows(g.filters))) * g.filters
    }

    #[cfg(feature = "train")]
    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        if Self::FEW_WEIGHTS {
            return sum_shards(shards, task * GRADIENT_PART, d_weights);
        }
        let (isa, g) = (Isa::best(), const { Self::KEPT_GEOMETRY });
        let is_bias = task + 1 == Self::GRADIENT_TASKS;
        let (tap, channel) = part_of_gradient(task, &g);
        let mut onto = Onto::Nothing;
        for shard in 0..shards.count() {
            let (x, d_y) = shards.deferred(shard).split_at(shards.samples(shard) * g.input_len());
            if is_bias {
                let (d_y, channels) = Self::biased(x, d_y);
                kernels::d_bias(isa, onto, Pieces::one(d_y.len() / channels), d_y, d_weights);
            } else {
                let some = Some(Taps { tap, channel });
                kernels::conv2d_d_weight(isa, &g, some, onto, x, d_y, d_weights, &mut []);
            }
            onto = Onto::Sum;
        }
    }
}

/// Remembers with what the samples begin, `len` numbers each: zeros where they carry nothing.
fn save_states(len: usize, state: &mut StateMut<'_>, saved: &mut [f32]) {
    for (sample, saved) in saved.chunks_exact_mut(len).enumerate() {
        match state.is_empty() {
            true => saved.fill(0.0),
            false => saved.copy_from_slice(state.sample(sample)),
        }
    }
}

/// The larger of two sizes.
pub(super) const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Which kernel element's weights, from which channel on, gradient task `task` computes.
const fn part_of_gradient(task: usize, g: &Geometry) -> (usize, usize) {
    let rows = task_rows(g.filters);
    let parts = g.group_channels().div_ceil(rows);
    (task / parts, task % parts * rows)
}
