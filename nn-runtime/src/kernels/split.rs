//! A single sample on several threads: by lines or filters of an image, or rows or units of a dense layer.
//!
//! Batches are divided by samples; kernels divide a sample only within `parallel::split_samples`. Each output is a sum of
//! its own, so that its bits do not depend on the division.

use super::conv_args::{ConvArgs, Onto};
use super::dense_args::ColumnsArgs;
#[cfg(feature = "std")]
use super::epilogue::Epilogue;
use super::geometry::Geometry;
use super::isa::Isa;
#[cfg(feature = "std")]
use super::product::Accumulate;
#[cfg(feature = "std")]
use crate::system::{Workspace, parallel, time};
#[cfg(feature = "std")]
use core::ops::Range;
#[cfg(feature = "std")]
use std::cell::Cell;

/// A kernel of convolutions.
pub(super) type ConvKernel = fn(Isa, &Geometry, ConvArgs<'_>, Onto<'_>);

/// Computes a convolution by `kernel`: of a single image by lines, on several threads.
#[cfg_attr(feature = "std", inline(never))]
pub(super) fn conv_by_lines(
    kernel: ConvKernel,
    isa: Isa,
    g: &Geometry,
    args: ConvArgs<'_>,
    onto: Onto<'_>,
) {
    #[cfg(feature = "std")]
    if args.x.len() == g.input_len() && splits_lines([g]) {
        let (accumulate, epilogue) = onto;
        return by_blocks_of_lines(1, g, args, epilogue, &|g, args, epilogue| {
            kernel(isa, g, args, (accumulate, epilogue));
        });
    }
    kernel(isa, g, args, onto);
}

/// A kernel that computes some lines of the output of an image: those of its geometry.
#[cfg(feature = "std")]
pub(super) type LineKernel<'a> = dyn Fn(&Geometry, ConvArgs<'_>, Epilogue<'_>) + Sync + 'a;

/// Computes a single image by blocks of `block` lines of its output, on several threads.
#[cfg(feature = "std")]
pub(super) fn by_blocks_of_lines(
    block: usize,
    g: &Geometry,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
    kernel: &LineKernel<'_>,
) {
    let ConvArgs { x, weight, bias, y } = args;
    assert!(y.len() == g.output_len(), "an image of both");
    let [x_line, y_line] = [g.input_len() / g.input[0], g.output_len() / g.output[0]];
    let blocks = Blocks { count: g.output[0].div_ceil(block), len: block * y_line, extra: 0 };
    blocks.on_threads(y, |blocks, y| {
        let first = blocks.start * block;
        // The last block may have fewer lines.
        let lines = first..first + y.len() / y_line;
        let met = g.lines_met(&lines);
        let x = &x[met.start * x_line..met.end * x_line];
        let epilogue = epilogue.starting_at(lines.start * y_line);
        kernel(&g.of_lines(&lines), ConvArgs { x, weight, bias, y }, epilogue);
    });
}

/// A kernel that computes some channels of the output of an image, and stores and adds these alone; with memory of its own.
#[cfg(feature = "std")]
pub(super) type FilterKernel<'a> =
    dyn Fn(Range<usize>, ConvArgs<'_>, Epilogue<'_>, &mut [f32]) + Sync + 'a;

/// Filters or units that are not divided: a vector of AVX-512.
#[cfg(feature = "std")]
const BLOCK: usize = 16;

/// Whether the filters of a single image are divided among threads. Divided by lines, each thread would read all weights,
/// which are many for few pixels here: ResNet-18 on two threads took 8.9 ms instead of 8.5.
#[cfg(feature = "std")]
pub(super) fn splits_filters(g: &Geometry, accumulate: Accumulate) -> bool {
    accumulate == Accumulate::Overwrite
        && g.groups == 1
        && g.filters.is_multiple_of(BLOCK)
        && g.weight_len() > 4 * g.output_len()
        && parallel::splits_sample(time(g.macs(), 0))
}

/// Computes a convolution of a single image by `kernel`, which needs `work` elements of memory: by filters, on several threads.
#[cfg(feature = "std")]
pub(super) fn conv_by_filters(
    work: usize,
    g: &Geometry,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
    kernel: &FilterKernel<'_>,
) {
    let ConvArgs { x, weight, bias, y } = args;
    let (pixels, channels) = (g.output[0] * g.output[1], g.filters);
    assert!(y.len() == pixels * channels, "an image of both");
    epilogue.check(channels, y.len());
    // Each thread has an output of its own, since its channels of `y` are not contiguous, and a copy of what is added to it.
    let blocks = Blocks { count: channels / BLOCK, len: 2 * pixels * BLOCK, extra: work };
    with_memory(blocks.elements(), |memory| {
        blocks.on_threads(memory, |blocks, memory| {
            let filters = blocks.start * BLOCK..blocks.end * BLOCK;
            let (y, rest) = memory.split_at_mut(pixels * filters.len());
            let (added, work) = rest.split_at_mut(pixels * filters.len());
            let add = epilogue.add.map(|add| {
                let rows = add.chunks_exact(channels).zip(added.chunks_exact_mut(filters.len()));
                rows.for_each(|(add, to)| to.copy_from_slice(&add[filters.clone()]));
                &*added
            });
            let epilogue = Epilogue { add, ..epilogue.of_channels(&filters) };
            kernel(filters, ConvArgs { x, weight, bias, y }, epilogue, work);
        });
        // The parts of this thread's division: others may have another number of threads.
        let (parts, memory) = (parts(blocks.count), &*memory);
        by_parts(pixels, y, |rows, y| {
            let mut from = memory;
            for part in parts.clone() {
                let filters = part.start * BLOCK..part.end * BLOCK;
                let of_part = &from[rows.start * filters.len()..rows.end * filters.len()];
                let rows = of_part.chunks_exact(filters.len()).zip(y.chunks_exact_mut(channels));
                rows.for_each(|(from, y)| y[filters.clone()].copy_from_slice(from));
                from = &from[part.len() * blocks.len + work..];
            }
        });
    });
}

#[cfg(feature = "std")]
std::thread_local! {
    /// The memory of this thread, kept so that a repeated call does not allocate.
    static MEMORY: Cell<Workspace> = const { Cell::new(Workspace::new()) };
}

/// Calls `f` with `len` elements of any values, the first of which begins a cache line.
#[cfg(feature = "std")]
pub(super) fn with_memory(len: usize, f: impl FnOnce(&mut [f32])) {
    let mut memory = MEMORY.take();
    f(memory.get(len));
    MEMORY.set(memory);
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

/// Computes a dense layer by `kernel` on several threads: many rows by rows, a single one by units. Small batches of rows are
/// steps of a single sample.
#[cfg_attr(feature = "std", inline(never))]
pub(super) fn dense_on_threads(kernel: DenseKernel, isa: Isa, args: ColumnsArgs<'_>) {
    #[cfg(feature = "std")]
    {
        let ColumnsArgs { inputs, units, x, .. } = args;
        let rows = args.y.len() / units;
        let macs = rows as u64 * inputs as u64 * units as u64;
        let divides = rows == 1 || rows >= MOST_ROWS_OF_A_TILE;
        if divides && parallel::splits_sample(time(macs, 0)) {
            if rows == 1 {
                return one_row_by_units(kernel, isa, args);
            }
            return by_parts(rows, args.y, |rows, y| {
                let x = &x[rows.start * inputs..rows.end * inputs];
                kernel(isa, ColumnsArgs { x, y, ..args });
            });
        }
    }
    kernel(isa, args);
}

/// Computes a single row by blocks of its units, which are contiguous in the output.
#[cfg(feature = "std")]
fn one_row_by_units(kernel: DenseKernel, isa: Isa, args: ColumnsArgs<'_>) {
    let ColumnsArgs { weight, init, .. } = args;
    let blocks = Blocks { count: args.units.div_ceil(BLOCK), len: BLOCK, extra: 0 };
    blocks.on_threads(args.y, |blocks, y| {
        let units = blocks.start * BLOCK..blocks.start * BLOCK + y.len();
        let (weight, init) = (&weight[units.start..], init.of_columns(&units));
        kernel(isa, ColumnsArgs { units: units.len(), weight, init, y, ..args });
    });
}

/// Fewer rows are a single tile, which reads the weights once.
#[cfg(feature = "std")]
const MOST_ROWS_OF_A_TILE: usize = 8;

/// Calls `f` with [`parts`] of `count` lines, rows or blocks of `y`, on several threads.
#[cfg(feature = "std")]
pub(super) fn by_parts(count: usize, y: &mut [f32], f: impl Fn(Range<usize>, &mut [f32]) + Sync) {
    Blocks { count, len: y.len() / count, extra: 0 }.on_threads(y, f);
}

/// Blocks of memory that are divided among threads.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
struct Blocks {
    count: usize,
    /// Elements of a block; the last one may have fewer.
    len: usize,
    /// Elements of each thread after those of its blocks.
    extra: usize,
}

#[cfg(feature = "std")]
impl Blocks {
    /// Elements of all whole blocks and threads.
    fn elements(&self) -> usize {
        self.count * self.len + parts(self.count).len() * self.extra
    }

    /// Calls `f` with [`parts`] of the blocks, on several threads.
    fn on_threads(&self, memory: &mut [f32], f: impl Fn(Range<usize>, &mut [f32]) + Sync) {
        let Self { count, len, extra } = *self;
        let (parts, all) = (parts(count), memory.len());
        let part = |task: usize| parts.clone().nth(task).unwrap_or_default();
        parallel::for_each_piece(
            memory,
            parts.len(),
            |task| (part(task).end * len + (task + 1) * extra).min(all),
            |task, _, memory| f(part(task), memory),
        );
    }
}

/// A part of `count` for each thread; fewer, if that is less.
#[cfg(feature = "std")]
fn parts(count: usize) -> impl ExactSizeIterator<Item = Range<usize>> + Clone {
    let parts = parallel::threads().min(count);
    (0..parts).map(move |part| part * count / parts..(part + 1) * count / parts)
}
