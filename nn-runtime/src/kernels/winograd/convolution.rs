//! [`conv2d_winograd`]: the convolution, block by block of filters and tiles.

use super::matrices::{Matrices, Sizes, TILES};
use super::transforms::{InputTransform, OutputTransform, WeightTransform};
use crate::kernels::conv_args::ConvArgs;
use crate::kernels::epilogue::Epilogue;
use crate::kernels::geometry::Geometry;
use crate::kernels::isa::Isa;
#[cfg(feature = "std")]
use crate::kernels::product::Accumulate;
use crate::kernels::product::{Init, Product, Strides3};
#[cfg(feature = "std")]
use crate::kernels::split::{
    by_blocks_of_lines, conv_by_filters, splits_filters, splits_lines, with_memory,
};
use crate::system::CacheLine;
use core::ops::Range;
use unrolled_shape::ImageConvolution;

impl Geometry {
    /// Whether Winograd's algorithm computes it. Not on microcontrollers, which have no memory for it.
    #[must_use]
    pub const fn suits_winograd(&self) -> bool {
        !cfg!(target_os = "none") && self.is_of_planes() && self.of_image().suits_winograd()
    }

    /// Elements of memory that Winograd's algorithm needs; 0 where it does not compute the convolution.
    #[must_use]
    pub const fn winograd_len(&self) -> usize {
        if self.suits_winograd() { Sizes::new(self.channels, self.filters).len() } else { 0 }
    }

    const fn of_image(&self) -> ImageConvolution {
        let Self { kernel, stride, dilation, groups, channels, filters, output, .. } = *self;
        ImageConvolution { kernel, stride, dilation, groups, channels, filters, output }
    }
}

/// The convolution of each image, with the layers after it. `memory` has [`Geometry::winograd_len`] elements.
///
/// # Panics
/// If the lengths do not match, or the algorithm does not allow the sizes.
pub(in crate::kernels) fn conv2d_winograd(
    isa: Isa,
    g: &Geometry,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
    memory: &mut [f32],
) {
    #[cfg(feature = "std")]
    if args.x.len() == g.input_len() {
        let len = Sizes::new(g.channels, g.filters).len();
        if splits_filters(g, Accumulate::Overwrite) {
            return conv_by_filters(len, g, args, epilogue, &|filters, args, epilogue, memory| {
                Winograd { isa, g, filters, epilogue }.compute(args, memory);
            });
        }
        if splits_lines([g]) {
            // Whole tiles, so that the bits do not depend on the division.
            return by_blocks_of_lines(2, g, args, epilogue, &|g, args, epilogue| {
                with_memory(len, |memory| {
                    let filters = 0..g.filters;
                    Winograd { isa, g, filters, epilogue }.compute(args, memory);
                });
            });
        }
    }
    Winograd { isa, g, filters: 0..g.filters, epilogue }.compute(args, memory);
}

/// The convolution by some filters, which are the channels of the output, and of what the epilogue adds.
struct Winograd<'a> {
    isa: Isa,
    g: &'a Geometry,
    filters: Range<usize>,
    epilogue: Epilogue<'a>,
}

impl Winograd<'_> {
    fn compute(&self, args: ConvArgs<'_>, mut memory: &mut [f32]) {
        let Self { isa, g, ref filters, epilogue } = *self;
        let ConvArgs { x, weight, bias, y } = args;
        let (images, pixels) = (x.len() / g.input_len(), g.output[0] * g.output[1]);
        assert!(g.of_image().allows_winograd(), "a 3x3 convolution of stride 1");
        assert!(x.len() == images * g.input_len(), "whole images");
        assert!(y.len() == images * pixels * filters.len(), "as many images");
        assert!(weight.len() == g.weight_len() && filters.end <= g.filters, "all weights");
        let bias = if bias.is_empty() { bias } else { &bias[filters.clone()] };
        epilogue.check(filters.len(), y.len());

        let skipped = memory.as_ptr().align_offset(size_of::<CacheLine>()).min(CacheLine::LEN);
        memory = &mut memory[skipped..];
        let sizes = Sizes::new(g.channels, filters.len());
        let [mut u, mut v, mut m] =
            sizes.matrices().map(|stride| Matrices::take(&mut memory, stride));
        let tiles = g.output[0].div_ceil(2) * g.output[1].div_ceil(2);
        let blocks = tiles.div_ceil(TILES);
        // The weights are the largest matrices, so that they are transformed once, and the inputs for each block of filters.
        for first in (0..filters.len()).step_by(sizes.filters) {
            let block = first..filters.len().min(first + sizes.filters);
            let in_weight = filters.start + block.start..filters.start + block.end;
            isa.run(WeightTransform { g, filters: in_weight, weight, to: &mut u });
            let y = y.chunks_exact_mut(pixels * filters.len());
            for (image, (x, y)) in x.chunks_exact(g.input_len()).zip(y).enumerate() {
                let epilogue = epilogue.starting_at(image * y.len());
                // Blocks of equal size: 49 tiles are 17, 16 and 16, and not 24, 24 and one.
                for nth in 0..blocks {
                    let tiles = nth * tiles / blocks..(nth + 1) * tiles / blocks;
                    isa.run(InputTransform { g, tiles: tiles.clone(), x, to: &mut v });
                    multiply(isa, [tiles.len(), g.channels, block.len()], [&v, &u], &mut m);
                    let (filters, channels) = (filters.len(), block.clone());
                    let from = &m;
                    isa.run(OutputTransform {
                        g,
                        tiles,
                        filters,
                        channels,
                        from,
                        bias,
                        epilogue,
                        y: &mut *y,
                    });
                }
            }
        }
    }
}

/// `M = V U`, matrix by matrix, of so many tiles, channels and filters.
fn multiply(
    isa: Isa,
    [tiles, channels, filters]: [usize; 3],
    [v, u]: [&Matrices<'_>; 2],
    m: &mut Matrices<'_>,
) {
    let rows = Strides3::one_loop(tiles, channels, filters);
    let terms = Strides3::one_loop(channels, 1, filters);
    let product = Product::new(rows, terms, filters, Init::Zero);
    let matrices = v.values.chunks_exact(v.stride).zip(u.values.chunks_exact(u.stride));
    for ((v, u), m) in matrices.zip(m.values.chunks_exact_mut(m.stride)) {
        product.compute_in_parts(isa, v, u, m);
    }
}
