//! [`ConvBands`]: depthwise separable convolutions, band by band of lines.

use super::conv_args::ConvArgs;
use super::conv2d::conv2d_with;
use super::epilogue::Epilogue;
use super::geometry::Geometry;
use super::isa::Isa;
#[cfg(feature = "std")]
use super::split::{by_parts, splits_lines, with_memory};
use core::ops::Range;

/// Convolutions in a row, at most.
const MOST: usize = 3;

/// A convolution with its weights and the layers after it.
#[derive(Clone, Copy, Debug)]
pub struct ConvLayer<'a> {
    /// The sizes.
    pub geometry: Geometry,
    /// `[KH, KW, C / groups, F]`
    pub weight: &'a [f32],
    /// `[F]`, or empty.
    pub bias: &'a [f32],
    /// The layers after it.
    pub epilogue: Epilogue<'a>,
}

/// Two or three convolutions in a row. Between them only some lines are stored, which stay in cache: the images themselves
/// are several times as large as the input and the output.
#[derive(Clone, Copy, Debug)]
pub struct ConvBands<'a> {
    /// Each reads the output of the one before.
    pub layers: &'a [ConvLayer<'a>],
    /// The lines of the last output that are computed at a time.
    pub lines: usize,
}

/// The lines of an image that are stored.
struct Band<'a> {
    values: &'a mut [f32],
    lines: Range<usize>,
}

impl ConvBands<'_> {
    /// Computes all images of `x`. `memory` has a slice for the output of each layer but the last, with room for the lines
    /// that `lines` lines of the last output need. The bits are those of one layer after the other.
    ///
    /// # Panics
    /// If the lengths do not match, there are other than two or three layers, or a line meets padding alone.
    pub fn compute<const BETWEEN: usize>(
        &self,
        isa: Isa,
        x: &[f32],
        memory: [&mut [f32]; BETWEEN],
        y: &mut [f32],
    ) {
        const { assert!(BETWEEN < MOST) };
        let mut bands = memory.map(|values| Band { values, lines: 0..0 });
        self.images(isa, x, &mut bands, y);
    }

    fn images(&self, isa: Isa, x: &[f32], bands: &mut [Band<'_>], y: &mut [f32]) {
        assert_eq!(self.layers.len(), bands.len() + 1, "a band between two layers");
        let [first, last] = [0, bands.len()].map(|layer| self.layers[layer].geometry);
        #[cfg(feature = "std")]
        if x.len() == first.input_len() && splits_lines(self.layers.iter().map(|it| &it.geometry)) {
            assert!(y.len() == last.output_len(), "an image of both");
            return self.on_threads(isa, x, bands, y);
        }
        let y = y.chunks_exact_mut(last.output_len());
        for (image, (x, y)) in x.chunks_exact(first.input_len()).zip(y).enumerate() {
            self.image(isa, image, 0..last.output[0], (x, &mut *bands, y));
        }
    }

    /// Computes a single image. Each thread computes some of its lines, with bands of its own in the place of `bands`.
    #[cfg(feature = "std")]
    fn on_threads(&self, isa: Isa, x: &[f32], bands: &[Band<'_>], y: &mut [f32]) {
        let lens = bands.iter().map(|band| band.values.len());
        let (count, len) = (bands.len(), lens.clone().sum::<usize>());
        let sizes: [usize; MOST - 1] =
            core::array::from_fn(|nth| lens.clone().nth(nth).unwrap_or(0));
        by_parts(self.layers[count].geometry.output[0], y, |lines, y| {
            with_memory(len, |mut rest| {
                let mut bands = sizes.map(|size| {
                    let (values, after) = core::mem::take(&mut rest).split_at_mut(size);
                    rest = after;
                    Band { values, lines: 0..0 }
                });
                self.image(isa, 0, lines, (x, &mut bands[..count], y));
            });
        });
    }

    /// Computes some lines of the last output of an image.
    fn image(
        &self,
        isa: Isa,
        image: usize,
        all: Range<usize>,
        (x, bands, y): (&[f32], &mut [Band<'_>], &mut [f32]),
    ) {
        bands.iter_mut().for_each(|band| band.lines = 0..0);
        let line = y.len() / all.len();
        for start in all.clone().step_by(self.lines) {
            let lines = start..all.end.min(start + self.lines);
            let y = &mut y[(lines.start - all.start) * line..(lines.end - all.start) * line];
            self.lines(isa, image, lines, (x, &mut *bands, y));
        }
    }

    /// Computes the lines of the last output of an image that are computed at a time.
    fn lines(
        &self,
        isa: Isa,
        image: usize,
        lines: Range<usize>,
        (x, bands, y): (&[f32], &mut [Band<'_>], &mut [f32]),
    ) {
        let last = bands.len();
        let mut needed = [const { 0..0 }; MOST];
        needed[last] = lines;
        for layer in (0..last).rev() {
            needed[layer] = self.layers[layer + 1].geometry.lines_met(&needed[layer + 1]);
        }
        for (i, layer) in self.layers.iter().enumerate() {
            let (before, after) = bands.split_at_mut(i);
            let from = match before.last() {
                Some(band) => (&*band.values, band.lines.start),
                None => (x, 0),
            };
            match after.first_mut() {
                Some(band) => {
                    let line = layer.geometry.output_len() / layer.geometry.output[0];
                    let (lines, y) = band.move_to(needed[i].clone(), line);
                    layer.lines(isa, image, lines, (from, y));
                }
                None => layer.lines(isa, image, needed[i].clone(), (from, &mut *y)),
            }
        }
    }
}

impl Band<'_> {
    /// Moves the lines that are needed again to the beginning. Returns the lines that are missing, each of `line` elements, and
    /// their memory.
    fn move_to(&mut self, needed: Range<usize>, line: usize) -> (Range<usize>, &mut [f32]) {
        let kept = self.lines.end.saturating_sub(needed.start);
        let first = needed.start.saturating_sub(self.lines.start).min(self.lines.len());
        self.values.copy_within(first * line..(first + kept) * line, 0);
        let missing = needed.start + kept..needed.end;
        let memory = &mut self.values[kept * line..needed.len() * line];
        self.lines = needed;
        (missing, memory)
    }
}

impl ConvLayer<'_> {
    /// Computes `lines` of the output of an image, from an input whose line `first` is the first of `x`.
    fn lines(
        &self,
        isa: Isa,
        image: usize,
        lines: Range<usize>,
        ((x, first), y): ((&[f32], usize), &mut [f32]),
    ) {
        if lines.is_empty() {
            return;
        }
        let Self { geometry: g, weight, bias, epilogue } = *self;
        let (met, line) = (g.lines_met(&lines), g.input_len() / g.input[0]);
        let x = &x[(met.start - first) * line..(met.end - first) * line];
        let before = image * g.output_len() + lines.start * (g.output_len() / g.output[0]);
        let args = ConvArgs { x, weight, bias, y };
        conv2d_with(isa, &g.of_lines(&lines), args, epilogue.starting_at(before));
    }
}

#[cfg(test)]
mod tests {
    use super::super::epilogue::Normalization;
    use super::super::tests::available;
    use super::*;
    use crate::layers::testing::random;

    fn convolution(
        size: [usize; 2],
        channels: [usize; 2],
        [kernel, stride, padding, groups]: [usize; 4],
    ) -> Geometry {
        let output = size.map(|size| (size + 2 * padding - kernel) / stride + 1);
        Geometry {
            input: size,
            channels: channels[0],
            output,
            filters: channels[1],
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [[padding; 2]; 2],
            dilation: [1; 2],
            groups,
            depth: crate::kernels::Depth::FLAT,
        }
    }

    /// Weights and factors of a layer.
    struct Weights {
        weight: Vec<f32>,
        bias: Vec<f32>,
        factors: [Vec<f32>; 2],
    }

    impl Weights {
        fn random(g: &Geometry, seed: u64) -> Self {
            let factors = [1, 2].map(|nth| random(g.filters, seed + nth));
            let bias = if seed.is_multiple_of(2) { random(g.filters, seed + 3) } else { vec![] };
            Self { weight: random(g.weight_len(), seed), bias, factors }
        }

        fn layer<'a>(&'a self, geometry: Geometry, add: Option<&'a [f32]>) -> ConvLayer<'a> {
            let [mean, scale] = &self.factors;
            let normalization = Some(Normalization { mean, scale, bias: &self.bias });
            let epilogue = Epilogue { normalization, add, bounds: Some([0.0, 6.0]) };
            ConvLayer { geometry, weight: &self.weight, bias: &[], epilogue }
        }
    }

    const IMAGES: usize = 2;

    /// Compares the bits with those of one layer after the other.
    #[track_caller]
    fn check<const BETWEEN: usize>(
        isa: Isa,
        layers: &[ConvLayer<'_>],
        lines: usize,
        memory: [usize; BETWEEN],
    ) {
        let first = layers[0].geometry;
        let x = random(IMAGES * first.input_len(), 1);
        let mut expected = x.clone();
        for layer in layers {
            let ConvLayer { geometry: g, weight, bias, epilogue } = *layer;
            let mut y = vec![f32::NAN; IMAGES * g.output_len()];
            conv2d_with(isa, &g, ConvArgs { x: &expected, weight, bias, y: &mut y }, epilogue);
            expected = y;
        }
        let mut found = vec![f32::NAN; expected.len()];
        // Exactly as many lines as are needed.
        let mut memory = memory.map(|len| vec![f32::NAN; len]);
        let memory = memory.each_mut().map(|memory| &mut memory[..]);
        ConvBands { layers, lines }.compute(isa, &x, memory, &mut found);
        assert_eq!(found, expected, "{isa:?}, {lines} lines of {layers:?}");
        assert!(expected.iter().any(|value| *value > 0.0));
    }

    #[test]
    fn bands_have_the_bits_of_whole_layers() {
        for isa in available() {
            for seed in 0..300 {
                let of = |stream: u64, below: usize| {
                    crate::system::RngKey::new(seed).bits(stream) as usize % below
                };
                let size = [5 + of(0, 9), 5 + of(1, 6)];
                let [channels, hidden, filters] = [1 + of(2, 4), 1 + of(3, 40), 1 + of(4, 20)];
                let (kernel, stride) = ([3, 5][of(5, 2)], 1 + of(6, 3));
                let expand = convolution(size, [channels, hidden], [1, 1, 0, 1]);
                let depthwise =
                    convolution(size, [hidden; 2], [kernel, stride, of(7, kernel), hidden]);
                let project = convolution(depthwise.output, [hidden, filters], [1, 1, 0, 1]);
                let weights = [expand, depthwise, project].map(|g| Weights::random(&g, seed));
                let add = random(IMAGES * project.output_len(), 9);
                let layers = [
                    weights[0].layer(expand, None),
                    weights[1].layer(depthwise, None),
                    weights[2].layer(project, Some(&add)),
                ];
                let lines = 1 + of(8, depthwise.output[0]);
                let read = size[0].min((lines - 1) * stride + kernel);
                let memory =
                    [read * size[1], lines * project.output[1]].map(|pixels| pixels * hidden);
                check(isa, &layers, lines, memory);
                check(isa, &layers[1..], lines, [memory[1]]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn refuses_memory_for_too_few_lines() {
        let g = convolution([4, 4], [2, 2], [3, 1, 1, 2]);
        let project = convolution([4, 4], [2, 2], [1, 1, 0, 1]);
        let weights = [Weights::random(&g, 1), Weights::random(&project, 2)];
        let layers = [weights[0].layer(g, None), weights[1].layer(project, None)];
        check(Isa::best(), &layers, 2, [2 * 4 * 2 - 1]);
    }

    #[test]
    #[should_panic(expected = "a band between two layers")]
    fn refuses_other_numbers_of_bands() {
        let g = convolution([4, 4], [2, 2], [3, 1, 1, 2]);
        let weights = Weights::random(&g, 1);
        check(Isa::best(), &[weights.layer(g, None)], 2, [16]);
    }
}
