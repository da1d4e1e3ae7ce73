//! What the convolutions share: from the sizes of one to the functions of a station.

use super::dense::task_rows;
use crate::kernels::{self, Geometry, Isa, Onto, Pieces, Taps};
use crate::station::GRADIENT_PIECE;
use crate::{Memory, Shards};

/// A convolution of known sizes, whose weights `[KH, KW, CG, F]` stand before its biases `[F]`.
pub(super) trait Convolution {
    /// Its sizes.
    const GEOMETRY: Geometry;
    /// Numbers in its bias.
    const BIAS: usize;

    /// The same over an input that is padded already.
    const PADDED: Geometry = Self::GEOMETRY.padded();
    /// Whether each shard can add up a gradient of its own. With many weights these would fill more
    /// memory than the samples do; then the gradient is computed in the end, part by part.
    const FEW_WEIGHTS: bool = {
        let values = Self::PADDED.input_len() + Self::GEOMETRY.output_len();
        Self::GEOMETRY.weight_len() <= 2 * values
    };
    /// All its numbers.
    const LEN: usize = Self::GEOMETRY.weight_len() + Self::BIAS;

    /// The gradient of its weights, where these are few.
    const PARTIAL: usize = if Self::FEW_WEIGHTS { Self::LEN } else { 0 };
    /// Where they are many: its padded input and the gradient of its output.
    const KEPT: usize =
        if Self::FEW_WEIGHTS { 0 } else { Self::PADDED.input_len() + Self::GEOMETRY.output_len() };
    /// Parts of the gradient.
    const GRADIENT_TASKS: usize = if Self::FEW_WEIGHTS {
        Self::LEN.div_ceil(GRADIENT_PIECE)
    } else {
        let g = Self::GEOMETRY;
        g.kernel[0] * g.kernel[1] * g.group_channels().div_ceil(task_rows(g.filters)) + 1
    };
    /// The weights turned around, for the input's gradient.
    const SHARED: usize = Self::GEOMETRY.weight_len();
    /// A padded input, or a padded gradient.
    const SCRATCH: usize = {
        let (x, d_y) = (Self::GEOMETRY.padded_len(), Self::GEOMETRY.padded_gradient_len());
        if x > d_y { x } else { d_y }
    };

    fn infer(weight: &[f32], bias: &[f32], x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
        let g = const { Self::GEOMETRY };
        kernels::conv2d(Isa::best(), &g, x, weight, bias, y, &mut scratch[..g.padded_len()]);
    }

    fn prepare(weight: &[f32], shared: &mut [f32]) {
        kernels::conv2d_turn(const { &Self::GEOMETRY }, weight, shared);
    }

    fn forward(weight: &[f32], bias: &[f32], x: &[f32], y: &mut [f32], memory: Memory<'_>) {
        if Self::FEW_WEIGHTS {
            return Self::infer(weight, bias, x, y, memory.scratch);
        }
        let samples = x.len() / const { Self::GEOMETRY.input_len() };
        let kept = &mut memory.kept[..samples * const { Self::PADDED.input_len() }];
        Self::keep(x, kept);
        kernels::conv2d(Isa::best(), const { &Self::PADDED }, kept, weight, bias, y, &mut []);
    }

    /// Copies pictures with their padding.
    fn keep(x: &[f32], kept: &mut [f32]) {
        let (g, padded) = (const { Self::GEOMETRY }, const { Self::PADDED });
        let copies = kept.chunks_exact_mut(padded.input_len());
        for (x, copy) in x.chunks_exact(g.input_len()).zip(copies) {
            g.border().add(g.input, g.channels, x, copy);
        }
    }

    /// Of what was kept, the gradient of what the bias was added to, and how many channels it has.
    fn biased<'a>(padded_x: &'a [f32], d_y: &'a [f32]) -> (&'a [f32], usize) {
        let _ = padded_x;
        (d_y, Self::GEOMETRY.filters)
    }

    fn backward(x: &[f32], d_y: &[f32], d_x: Option<&mut [f32]>, memory: Memory<'_>) {
        let (isa, g) = (Isa::best(), const { Self::GEOMETRY });
        let Memory { scratch, partial, shared, kept, .. } = memory;
        if Self::FEW_WEIGHTS {
            let (d_weight, d_bias) = partial.split_at_mut(g.weight_len());
            let onto = Onto::Nothing;
            kernels::conv2d_d_weight(isa, &g, None, onto, x, d_y, d_weight, scratch);
            kernels::d_bias(isa, onto, Pieces::one(d_y.len() / g.filters), d_y, d_bias);
        } else {
            let samples = d_y.len() / g.output_len();
            kept[samples * const { Self::PADDED.input_len() }..].copy_from_slice(d_y);
        }
        if let Some(d_x) = d_x {
            kernels::conv2d_d_x(isa, &g, d_y, shared, d_x, scratch);
        }
    }

    fn gradient_end(task: usize) -> usize {
        if Self::FEW_WEIGHTS {
            return Self::LEN.min((task + 1) * GRADIENT_PIECE);
        }
        if task + 1 == Self::GRADIENT_TASKS {
            return Self::LEN;
        }
        let g = const { Self::GEOMETRY };
        let (tap, channel) = part_of_gradient(task, &g);
        let channels = g.group_channels();
        (tap * channels + channels.min(channel + task_rows(g.filters))) * g.filters
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        if Self::FEW_WEIGHTS {
            return shards.sum(task * GRADIENT_PIECE, d_weights);
        }
        let (isa, g) = (Isa::best(), const { Self::PADDED });
        let is_bias = task + 1 == Self::GRADIENT_TASKS;
        let (tap, channel) = part_of_gradient(task, &g);
        let mut onto = Onto::Nothing;
        for shard in 0..shards.count() {
            let (x, d_y) = shards.kept(shard).split_at(shards.samples(shard) * g.input_len());
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

/// Which kernel element's weights, from which channel on, gradient task `task` computes.
const fn part_of_gradient(task: usize, g: &Geometry) -> (usize, usize) {
    let rows = task_rows(g.filters);
    let parts = g.group_channels().div_ceil(rows);
    (task / parts, task % parts * rows)
}
