//! [`Epilogue`]: what is computed from the sums of a convolution before they are stored.

use super::isa::{Lanes, load_row, mul_add};
use core::ops::Range;

/// Batch normalisation with known statistics: `(x - mean) * scale + bias`, channel by channel.
#[derive(Clone, Copy, Debug)]
pub struct Normalization<'a> {
    /// One for each channel.
    pub mean: &'a [f32],
    /// One for each channel.
    pub scale: &'a [f32],
    /// One for each channel, or none.
    pub bias: &'a [f32],
}

/// The layers after a convolution that inference applies to each sum while it is in a register, in this order. The
/// result has the bits of the layers one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// `BatchNorm`.
    pub normalization: Option<Normalization<'a>>,
    /// The other input of `Add`, laid out as the output.
    pub add: Option<&'a [f32]>,
    /// `ReLU` and other bounds: the least and the largest value.
    pub bounds: Option<[f32; 2]>,
}

impl<'a> Normalization<'a> {
    fn of_channels(self, channels: &Range<usize>) -> Self {
        let part = |of: &'a [f32]| if of.is_empty() { of } else { &of[channels.clone()] };
        Self { mean: part(self.mean), scale: part(self.scale), bias: part(self.bias) }
    }
}

impl<'a> Epilogue<'a> {
    /// Nothing.
    pub const NONE: Self = Self { normalization: None, add: None, bounds: None };

    /// Whether it does nothing.
    pub(super) const fn is_none(&self) -> bool {
        self.normalization.is_none() && self.add.is_none() && self.bounds.is_none()
    }

    /// Whether kernels [apply](Self::apply) it to sums in registers.
    #[inline(always)]
    pub(super) const fn is_for_sums(&self) -> bool {
        !cfg!(target_os = "none") && !self.is_none()
    }

    /// Whether kernels [apply it to what they have stored](Self::apply_to_stored): on a microcontroller, where registers are few
    /// and copies for all tiles were kilobytes of code.
    #[inline(always)]
    pub(super) const fn is_for_stored(&self) -> bool {
        cfg!(target_os = "none") && !self.is_none()
    }

    /// The same for an output that begins with this element.
    pub(super) fn starting_at(self, first: usize) -> Self {
        Self { add: self.add.map(|add| &add[first..]), ..self }
    }

    /// The same for these channels alone, of an output that begins with the first of them.
    pub(super) fn of_channels(self, channels: &Range<usize>) -> Self {
        Self {
            normalization: self.normalization.map(|it| it.of_channels(channels)),
            add: self.add.map(|add| &add[channels.start..]),
            ..self
        }
    }

    /// # Panics
    /// If it does not fit an output of so many channels and elements.
    pub(super) fn check(&self, channels: usize, elements: usize) {
        if let Some(Normalization { mean, scale, bias }) = self.normalization {
            let fits = [mean, scale].iter().all(|values| values.len() == channels);
            let fits = fits && (bias.is_empty() || bias.len() == channels);
            assert!(fits, "mean, scale and bias for each channel");
        }
        if let Some(add) = self.add {
            assert!(add.len() >= elements, "as many elements are added as the output has");
        }
    }

    /// Applies it to a tile: `N` vectors of channels of each of `M` pixels, the last of which is partial with `EDGE`. The first
    /// channel is `channel`, whose element of pixel `m` is at `pixels[m]` in the output.
    ///
    /// # Safety
    /// It must have been [checked](Self::check) for an output that has these elements and channels.
    #[inline(always)]
    pub(super) unsafe fn apply<L: Lanes, const M: usize, const N: usize, const EDGE: bool>(
        &self,
        lanes: L,
        (channel, pixels): (usize, [usize; M]),
        sums: &mut [[L::Vector; N]; M],
        tail: L::Tail,
    ) {
        if let Some(Normalization { mean, scale, bias }) = self.normalization {
            // SAFETY: there is an element for each channel, by the contract of this function.
            let load = |of: &[f32]| unsafe {
                load_row::<L, N, EDGE>(lanes, of.as_ptr().add(channel), tail)
            };
            let (mean, scale) = (load(mean), load(scale));
            let bias = if bias.is_empty() { [lanes.zero(); N] } else { load(bias) };
            for row in &mut *sums {
                for v in 0..N {
                    // The bits of `normalize`.
                    row[v] = lanes.mul_add(lanes.sub(row[v], mean[v]), scale[v], bias[v]);
                }
            }
        }
        if let Some(add) = self.add {
            for (row, pixel) in sums.iter_mut().zip(pixels) {
                // SAFETY: there is an element for each of the output's, by the contract of this function.
                let add = unsafe { load_row::<L, N, EDGE>(lanes, add.as_ptr().add(pixel), tail) };
                for v in 0..N {
                    row[v] = lanes.add(row[v], add[v]);
                }
            }
        }
        if let Some(bounds) = self.bounds {
            let [low, high] = bounds.map(|bound| lanes.splat(bound));
            for sum in sums.as_flattened_mut() {
                *sum = lanes.clamp(*sum, low, high);
            }
        }
    }

    /// Applies it to `count` stored elements of one pixel, from channel `channel` on, which are at `at` in the output.
    ///
    /// # Safety
    /// `y` must be valid for `count` elements, and the epilogue must have been [checked](Self::check) for an output that has
    /// these elements and channels.
    #[inline(never)]
    pub(super) unsafe fn apply_to_stored<L: Lanes>(
        &self,
        [channel, at]: [usize; 2],
        y: *mut f32,
        count: usize,
    ) {
        for i in 0..count {
            // SAFETY: element `i` is one of `count`; each slice has the channels or elements, by the contract of this
            // function.
            unsafe {
                let y = y.add(i);
                if let Some(Normalization { mean, scale, bias }) = self.normalization {
                    let channel = channel + i;
                    let bias = if bias.is_empty() { 0.0 } else { *bias.get_unchecked(channel) };
                    let scale = *scale.get_unchecked(channel);
                    *y = mul_add::<L>(*y - mean.get_unchecked(channel), scale, bias);
                }
                if let Some(add) = self.add {
                    *y += add.get_unchecked(at + i);
                }
                if let Some([low, high]) = self.bounds {
                    *y = if *y < low { low } else { *y };
                    *y = if *y > high { high } else { *y };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::Baseline;
    use super::super::tests::{any_convolution, available, written};
    use super::super::{ConvArgs, Geometry, Isa, conv_forward, conv2d_with, norm};
    use super::*;
    use crate::layers::testing::random;
    use unrolled_shape::Shape;
    use unrolled_shape::rules::window::{Over, Window};

    /// What the layers after a convolution read, for `g.filters` channels and `len` outputs.
    struct After {
        factors: [Vec<f32>; 3],
        add: Vec<f32>,
    }

    impl After {
        fn random(g: &Geometry, len: usize) -> Self {
            let mut add = random(len, 4);
            add[len / 2] = f32::NAN;
            Self { factors: [1, 2, 3].map(|stream| random(g.filters, stream)), add }
        }

        /// Some of the layers: `choice` has a bit for each.
        fn epilogue(&self, choice: usize) -> Epilogue<'_> {
            let [mean, scale, bias] = &self.factors;
            Epilogue {
                normalization: (choice & 1 > 0).then_some(Normalization {
                    mean,
                    scale,
                    bias: if choice & 8 > 0 { bias } else { &[] },
                }),
                add: (choice & 2 > 0).then_some(&self.add),
                bounds: (choice & 4 > 0).then_some([0.0, 0.5]),
            }
        }
    }

    /// The convolution by the kernel of layers of this size.
    fn convolve(isa: Isa, g: &Geometry, args: ConvArgs<'_>, epilogue: Epilogue<'_>) {
        let mut memory = vec![f32::NAN; g.winograd_len()];
        conv_forward(isa, g, args, epilogue, &mut memory);
    }

    /// The layers one after the other.
    fn naive(
        isa: Isa,
        g: &Geometry,
        [x, weight, bias]: [&[f32]; 3],
        epilogue: Epilogue<'_>,
    ) -> Vec<f32> {
        let mut y = vec![0.0; x.len() / g.input_len() * g.output_len()];
        convolve(isa, g, ConvArgs { x, weight, bias, y: &mut y }, Epilogue::NONE);
        if let Some(Normalization { mean, scale, bias }) = epilogue.normalization {
            let zeros = vec![0.0; g.filters];
            let bias = if bias.is_empty() { &zeros } else { bias };
            isa.with(|| norm::normalize(&y.clone(), mean, scale, bias, &mut y));
        }
        for (y, add) in y.iter_mut().zip(epilogue.add.unwrap_or_default()) {
            *y += add;
        }
        if let Some([low, high]) = epilogue.bounds {
            y.iter_mut().for_each(|y| *y = y.clamp(low, high));
        }
        y
    }

    /// What [`Epilogue::apply_to_stored`] makes of these sums, with the instructions of microcontrollers.
    fn stored(mut sums: Vec<f32>, channels: usize, epilogue: Epilogue<'_>) -> Vec<f32> {
        epilogue.check(channels, sums.len());
        for (pixel, y) in sums.chunks_exact_mut(channels).enumerate() {
            // SAFETY: the epilogue was checked; the pixel has all channels.
            unsafe {
                epilogue.apply_to_stored::<Baseline>(
                    [0, pixel * channels],
                    y.as_mut_ptr(),
                    channels,
                )
            }
        }
        sums
    }

    #[track_caller]
    fn check(g: &Geometry, images: usize, choices: impl Iterator<Item = usize> + Clone) {
        let (mut x, weight) = (random(images * g.input_len(), 5), random(g.weight_len(), 6));
        let place = x.len() / 3;
        x[place] = f32::NAN;
        let after = After::random(g, images * g.output_len());
        for isa in available() {
            for choice in choices.clone() {
                let epilogue = after.epilogue(choice);
                let bias = random(if choice & 8 > 0 { g.filters } else { 0 }, 7);
                let expected = naive(isa, g, [&x, &weight, &bias], epilogue);
                let found = written(&vec![f32::NAN; expected.len()], |y| {
                    let args = ConvArgs { x: &x, weight: &weight, bias: &bias, y };
                    convolve(isa, g, args, epilogue);
                });
                let bits = |y: &[f32]| {
                    // The sign and the payload of NaN depend on the order of the operands of a sum.
                    let bits = |y: &f32| if y.is_nan() { f32::NAN.to_bits() } else { y.to_bits() };
                    y.iter().map(bits).collect::<Vec<_>>()
                };
                assert_eq!(bits(&found), bits(&expected), "{isa:?}, layers {choice:b} after {g:?}");
                if isa != Isa::Baseline {
                    continue;
                }
                let sums = naive(isa, g, [&x, &weight, &bias], Epilogue::NONE);
                let found = stored(sums, g.filters, epilogue);
                assert_eq!(bits(&found), bits(&expected), "stored, layers {choice:b} after {g:?}");
            }
        }
    }

    #[test]
    fn has_the_bits_of_the_layers_one_after_the_other() {
        for seed in 0..200 {
            let g = any_convolution(seed);
            if g.output_len() > 0 {
                check(&g, 1 + seed as usize % 2, 1..16);
            }
        }
    }

    /// A convolution of stride 1 with `side` zeros on each side.
    fn convolution(kernel: usize, side: usize, channels: usize, filters: usize) -> Geometry {
        let (size, out) = (5, 5 + 2 * side + 1 - kernel);
        let mut window = Window::without_padding(Over::Images, [1, kernel, kernel], [1; 3], [1; 3]);
        window.padding = [[0; 2], [side; 2], [side; 2]];
        let [input, output] = [(size, channels), (out, filters)]
            .map(|(size, channels)| Shape::new(&[size, size, channels]));
        Geometry::new(window, input, output, 1)
    }

    /// Sums in parts, weights that do not stay in cache, and packed ones.
    #[test]
    fn large_convolutions_have_these_bits() {
        for [kernel, side, channels, filters] in [
            // Parts of 256 channels; with padding, one kernel element after the other.
            [1, 0, 8200, 3],
            [3, 1, 1000, 20],
            // Lines of the kernel.
            [9, 4, 110, 5],
            // All of the weights meet few pixels.
            [3, 1, 130, 128],
            // Packed.
            [1, 0, 600, 300],
        ] {
            check(&convolution(kernel, side, channels, filters), 2, [7, 8, 15].into_iter());
        }
    }

    /// By Winograd's algorithm, with tiles that are cut off.
    #[test]
    fn winograds_algorithm_has_these_bits() {
        let window = Window { kernel: [1, 3, 3], padding: [[0; 2], [1; 2], [1; 2]], ..ONE };
        let size = |channels| Shape::new(&[13, 12, channels]);
        let g = Geometry::new(window, size(64), size(80), 1);
        assert!(g.suits_winograd());
        check(&g, 2, 1..16);
    }

    const ONE: Window = Window::without_padding(Over::Images, [1; 3], [1; 3], [1; 3]);

    fn with_epilogue(epilogue: Epilogue<'_>, groups: usize) {
        let mut g = convolution(1, 0, 2, 2);
        g.groups = groups;
        let (x, weight, mut y) = (vec![0.0; 50], vec![0.0; 4 / groups], vec![0.0; 50]);
        let args = ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y };
        conv2d_with(Isa::best(), &g, args, epilogue);
    }

    #[test]
    #[should_panic(expected = "as many elements are added")]
    fn refuses_too_few_elements_to_add() {
        with_epilogue(Epilogue { add: Some(&[0.0; 49]), ..Epilogue::NONE }, 1);
    }

    #[test]
    #[should_panic(expected = "as many elements are added")]
    fn refuses_too_few_elements_to_add_to_each_channel() {
        with_epilogue(Epilogue { add: Some(&[0.0; 49]), ..Epilogue::NONE }, 2);
    }

    #[test]
    #[should_panic(expected = "mean, scale and bias for each channel")]
    fn refuses_factors_of_other_channels() {
        let normalization = Normalization { mean: &[0.0; 2], scale: &[0.0; 1], bias: &[0.0; 2] };
        with_epilogue(Epilogue { normalization: Some(normalization), ..Epilogue::NONE }, 2);
    }
}
