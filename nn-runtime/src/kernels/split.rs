//! A single sample on several threads: by lines of an image, or rows of a matrix.
//!
//! Batches are divided by samples; kernels divide a sample only within `parallel::split_samples`. Each output is a sum of
//! its own, so that its bits do not depend on the division.

use super::conv_args::ConvArgs;
use super::dense_args::ColumnsArgs;
use super::epilogue::Epilogue;
use super::geometry::Geometry;
use super::isa::Isa;
#[cfg(feature = "std")]
use crate::system::{parallel, time};
#[cfg(feature = "std")]
use core::ops::Range;

/// A kernel of convolutions.
pub(super) type ConvKernel = fn(Isa, &Geometry, ConvArgs<'_>, Epilogue<'_>);

/// Computes a convolution by `kernel`: of a single image by lines, on several threads.
#[inline]
pub(super) fn conv_by_lines(
    kernel: ConvKernel,
    isa: Isa,
    g: &Geometry,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
) {
    #[cfg(feature = "std")]
    if args.x.len() == g.input_len() && splits_lines([g]) {
        let ConvArgs { x, weight, bias, y } = args;
        assert!(y.len() == g.output_len(), "an image of both");
        let x_line = g.input_len() / g.input[0];
        return by_parts(g.output[0], y, |lines, y| {
            let met = g.lines_met(&lines);
            let x = &x[met.start * x_line..met.end * x_line];
            let epilogue = epilogue.starting_at(lines.start * (g.output_len() / g.output[0]));
            kernel(isa, &g.of_lines(&lines), ConvArgs { x, weight, bias, y }, epilogue);
        });
    }
    kernel(isa, g, args, epilogue);
}

/// Whether the lines of a single image are divided among threads, in these convolutions, which are computed together.
#[cfg(feature = "std")]
pub(super) fn splits_lines<'a>(convolutions: impl IntoIterator<Item = &'a Geometry>) -> bool {
    let (mut lines, mut macs) = (true, 0);
    for g in convolutions {
        lines &= g.output[0] > 1 && !g.has_lines_of_padding();
        macs += g.macs();
    }
    lines && parallel::splits_sample(time(macs, 0))
}

/// A kernel of dense layers.
pub(super) type DenseKernel = fn(Isa, ColumnsArgs<'_>);

/// Computes a dense layer by `kernel`: by rows, on several threads. Small batches of rows are steps of a single sample.
#[inline]
pub(super) fn dense_by_rows(kernel: DenseKernel, isa: Isa, args: ColumnsArgs<'_>) {
    #[cfg(feature = "std")]
    {
        let ColumnsArgs { inputs, units, x, .. } = args;
        let rows = args.y.len() / units;
        let macs = (rows * inputs * units) as u64;
        if rows >= MOST_ROWS_OF_A_TILE && parallel::splits_sample(time(macs, 0)) {
            return by_parts(rows, args.y, |rows, y| {
                let x = &x[rows.start * inputs..rows.end * inputs];
                kernel(isa, ColumnsArgs { x, y, ..args });
            });
        }
    }
    kernel(isa, args);
}

/// Fewer rows are a single tile, which reads the weights once.
#[cfg(feature = "std")]
const MOST_ROWS_OF_A_TILE: usize = 8;

/// Calls `f` with parts of `count` lines or rows of `y`, about as many as there are threads, on these threads.
#[cfg(feature = "std")]
pub(super) fn by_parts(count: usize, y: &mut [f32], f: impl Fn(Range<usize>, &mut [f32]) + Sync) {
    let (tasks, len) = (parallel::threads().min(count), y.len() / count);
    let end = |task: usize| (task + 1) * count / tasks;
    parallel::for_each_piece(
        y,
        tasks,
        |task| end(task) * len,
        |task, _, y| {
            let begin = if task == 0 { 0 } else { end(task - 1) };
            f(begin..end(task), y);
        },
    );
}
