//! [`Convolution`]: the sizes and the inference of one convolution of a network.
//! [`TrainConvolution`](super::train_convolution::TrainConvolution) adds its training.

use super::causal::{self, Chunks};
use super::ragged::{Samples, runs};
use crate::kernels::{self, ConvArgs, Epilogue, Geometry, Isa};
use crate::types::Steps;
use core::ops::Range;

/// A convolution whose sizes are constants. Its weights `[KD, KH, KW, C / groups, F]` come before its bias `[F]`.
///
/// An image is a volume of depth 1, and a sequence an image of height 1. One that ends early is an image of smaller width:
/// `steps` are the valid steps of the inputs, and the outputs and the input gradients are zero after the end of each
/// sequence.
pub(super) trait Convolution: Sized {
    /// The sizes.
    const GEOMETRY: Geometry;
    /// Elements of the bias: F or 0.
    const BIAS: usize;
    /// Whether it runs step by step: a causal convolution of stride 1.
    const STREAMS: bool = false;
    /// Elements per sample of recurrent state: the last steps of a causal convolution's input.
    const STATE: usize = if Self::STREAMS { causal::state_len(&Self::GEOMETRY) } else { 0 };
    /// Elements that inference needs per call: an input with its state in front, or what the kernel needs.
    const SCRATCH: usize =
        if Self::STATE > 0 { Self::GEOMETRY.padded_len() } else { Self::GEOMETRY.winograd_len() };

    /// Inference on samples without a state.
    fn infer(steps: Steps<'_>, args: ConvArgs<'_>, scratch: &mut [f32]) {
        let ConvArgs { x, weight, bias, y } = args;
        let full = const { &Self::GEOMETRY };
        for Run { g, x: x_range, y: y_range, y_after_end, .. } in runs_of(full, steps, x.len()) {
            if !y_range.is_empty() {
                let Geometry { channels, filters, groups, depth, .. } = *full;
                // Constants even where a sequence is short: with them the compiler drops most of the kernels in
                // `conv3d`.
                let g = &Geometry { channels, filters, groups, depth, ..g };
                let args = ConvArgs { x: &x[x_range], weight, bias, y: &mut y[y_range] };
                kernels::conv_forward(Isa::best(), g, args, Epilogue::NONE, scratch);
            }
            y[y_after_end].fill(0.0);
        }
    }

    /// Inference on samples that continue from their states, if they have any.
    fn infer_chunks(chunks: Chunks<'_, '_>) {
        // Each sample has a state of its own in front; without states, all samples are one call.
        if Self::STATE > 0 && !chunks.state.is_empty() {
            return causal::infer(const { &Self::GEOMETRY }, chunks);
        }
        let Chunks { weight, bias, steps, x, y, scratch, .. } = chunks;
        Self::infer(steps, ConvArgs { x, weight, bias, y }, scratch);
    }
}

/// Some samples of equal length, their sizes, and the ranges of their elements in a batch.
pub(super) struct Run {
    pub(super) samples: Samples,
    pub(super) g: Geometry,
    pub(super) x: Range<usize>,
    pub(super) y: Range<usize>,
    pub(super) x_after_end: Range<usize>,
    pub(super) y_after_end: Range<usize>,
}

/// Runs of samples of equal length of a convolution whose full samples have the sizes `full`, for inputs of `len` elements
/// in all.
#[inline]
pub(super) fn runs_of<'a>(
    full: &'a Geometry,
    steps: Steps<'a>,
    len: usize,
) -> impl Iterator<Item = Run> + 'a {
    let (inputs, outputs) = (full.input_len(), full.output_len());
    runs(steps, len / inputs, full.input[1]).map(move |samples| {
        let g = if samples.steps == full.input[1] { *full } else { full.of_steps(samples.steps) };
        let (x, y) = (g.input_len(), g.output_len());
        Run {
            x: samples.valid(x, inputs),
            y: samples.valid(y, outputs),
            x_after_end: samples.after_end(x, inputs),
            y_after_end: samples.after_end(y, outputs),
            g,
            samples,
        }
    })
}
