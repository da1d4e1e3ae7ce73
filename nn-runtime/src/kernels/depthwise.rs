//! Depthwise convolutions: each channel has a kernel of its own and meets no other channel.
//!
//! Channels are the lanes of vectors. A kernel goes line by line over the picture, so that the lines it
//! reads are still in cache when it reads them again. With a stride of 1 it slides: a number of the
//! picture that was loaded meets all elements of a line of the kernel. Where the kernel hangs over the
//! edge its elements there are left out, and nothing is copied.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::Geometry;
#[cfg(target_arch = "x86_64")]
use super::isa::{Avx2, Avx512};
use super::isa::{Baseline, Isa, Kernel, Lanes};
use super::product::Onto;
use std::ops::Range;

/// Whether each output channel reads one input channel, and no other does.
pub(super) const fn is_depthwise(g: &Geometry) -> bool {
    g.group_channels() == 1 && g.group_filters() == 1
}

/// Whether there is a fast way to the gradient of the weights: those of kernels that slide.
pub(super) fn slides(g: &Geometry) -> bool {
    is_depthwise(g) && matches!(Axis::of(g, 1).sliding(), 3 | 5 | 7)
}

/// The convolution from output gradients to input gradients, with the kernel turned around; `None` where
/// there is none, because of a stride or of padding wider than the kernel.
pub(super) fn backwards(g: &Geometry) -> Option<Geometry> {
    let mut padding = [[0; 2]; 2];
    for axis in 0..2 {
        let reach = (g.kernel[axis] - 1) * g.dilation[axis];
        for side in 0..2 {
            padding[axis][side] = reach.checked_sub(g.padding[axis][side])?;
        }
    }
    let turned = Geometry { input: g.output, output: g.input, padding, ..*g };
    (is_depthwise(g) && g.stride == [1, 1]).then_some(turned)
}

/// How a kernel goes over one axis: output `i` meets element `k` at input `i * stride + k * dilation -
/// padding`.
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
}

impl Axis {
    fn of(g: &Geometry, axis: usize) -> Self {
        Self {
            input: g.input[axis],
            output: g.output[axis],
            kernel: g.kernel[axis],
            stride: g.stride[axis],
            dilation: g.dilation[axis],
            padding: g.padding[axis][0],
        }
    }

    /// The size of a kernel that slides; 0 for others.
    fn sliding(&self) -> usize {
        if self.stride == 1 && self.dilation == 1 { self.kernel } else { 0 }
    }

    /// The elements of the kernel that lie on the input for output `i`.
    #[inline(always)]
    fn met(&self, i: usize) -> Range<usize> {
        let begin = i * self.stride;
        let first = self.padding.saturating_sub(begin).div_ceil(self.dilation);
        let end = (self.input + self.padding).saturating_sub(begin).div_ceil(self.dilation);
        first..end.min(self.kernel)
    }

    /// The outputs for which all of the kernel lies on the input.
    fn inner(&self) -> Range<usize> {
        let first = self.padding.div_ceil(self.stride).min(self.output);
        let reach = (self.kernel - 1) * self.dilation;
        let last = (self.input + self.padding).checked_sub(reach + 1);
        let end = last.map_or(0, |last| (last / self.stride + 1).min(self.output));
        first..end.max(first)
    }

    /// Where output `i` meets element `k`.
    #[inline(always)]
    fn place(&self, i: usize, k: usize) -> usize {
        i * self.stride + k * self.dilation - self.padding
    }
}

/// The sizes of one picture.
#[derive(Clone, Copy)]
struct Sizes {
    channels: usize,
    rows: Axis,
    columns: Axis,
}

impl Sizes {
    /// # Panics
    /// When the lengths are not those of a depthwise convolution, so that a kernel would read or write
    /// beyond an end.
    fn checked(g: &Geometry, x: &[f32], weight: &[f32], y: &[f32]) -> Self {
        assert!(is_depthwise(g), "as many groups as channels and filters");
        assert_eq!(weight.len(), g.weight_len(), "a kernel for each channel");
        let pictures = x.len() / g.input_len();
        assert_eq!(x.len(), pictures * g.input_len(), "whole pictures");
        assert_eq!(y.len(), pictures * g.output_len(), "as many pictures");
        Self { channels: g.channels, rows: Axis::of(g, 0), columns: Axis::of(g, 1) }
    }
}

/// The convolution of each picture.
///
/// # Panics
/// When the lengths do not fit together, or the machine does not have the instructions.
pub(super) fn forward(
    isa: Isa,
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    let sizes = Sizes::checked(g, x, weight, y);
    assert!(bias.is_empty() || bias.len() == g.filters, "a bias for each channel, or none");
    for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
        run(isa, &Forward { sizes, x, weight, bias, y: y.as_mut_ptr() });
    }
}

/// The gradient of the weights of [`forward`], where the kernel [`slides`].
///
/// # Panics
/// As [`forward`].
pub(super) fn d_weight(
    isa: Isa,
    g: &Geometry,
    onto: Onto,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let sizes = Sizes::checked(g, x, d_weight, d_y);
    if onto == Onto::Nothing {
        d_weight.fill(0.0);
    }
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        run(isa, &DWeight { sizes, x, d_y, d_weight: d_weight.as_mut_ptr() });
    }
}

fn run(isa: Isa, kernel: &impl Kernel) {
    assert!(isa.is_available());
    // SAFETY: the instructions are available; lengths are those that `Sizes::checked` has found.
    unsafe {
        match isa {
            Isa::Baseline => Baseline::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512::run(kernel),
            #[cfg(not(target_arch = "x86_64"))]
            _ => unreachable!("not available here"),
        }
    }
}

/// One picture forward.
struct Forward<'a> {
    sizes: Sizes,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: *mut f32,
}

/// A line of output pixels, and a vector of channels of it.
struct Line<L: Lanes> {
    row: usize,
    /// The lines of the kernel that lie on the picture.
    met: Range<usize>,
    /// The first channel.
    channel: usize,
    /// How many are left.
    tail: L::Tail,
}

// SAFETY of all functions below: `Sizes::checked` has found the lengths of the slices, and of `y` and
// `d_weight`, which nobody else has. `Axis::met` and `Axis::inner` keep what is read on the picture, and
// channels from `channel` on are as many as the tail says.
impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: above.
        unsafe {
            for_each_line!(L, self.sizes, line, EDGE => match self.sizes.columns.sliding() {
                3 => self.line::<L, 3, EDGE>(&line),
                5 => self.line::<L, 5, EDGE>(&line),
                7 => self.line::<L, 7, EDGE>(&line),
                _ => self.line::<L, 0, EDGE>(&line),
            });
        }
    }
}

impl Forward<'_> {
    /// All pixels of a line, with a kernel that slides and is `K` wide, or any for `K == 0`.
    #[inline(always)]
    unsafe fn line<L: Lanes, const K: usize, const EDGE: bool>(&self, line: &Line<L>) {
        let columns = self.sizes.columns;
        let inner = columns.inner();
        // SAFETY: above.
        unsafe {
            for w in (0..inner.start).chain(inner.end..columns.output) {
                self.tile::<L, 1, 0, EDGE>(line, w, columns.met(w));
            }
            let all = 0..columns.kernel;
            // The last tile may begin inside of the one before: it writes the same numbers again.
            match inner.len() {
                0 => {}
                1 => self.tile::<L, 1, K, EDGE>(line, inner.start, all),
                2..4 => {
                    self.tile::<L, 2, K, EDGE>(line, inner.start, all.clone());
                    self.tile::<L, 2, K, EDGE>(line, inner.end - 2, all);
                }
                4..8 => {
                    self.tile::<L, 4, K, EDGE>(line, inner.start, all.clone());
                    self.tile::<L, 4, K, EDGE>(line, inner.end - 4, all);
                }
                _ => {
                    for w in inner.clone().step_by(8) {
                        self.tile::<L, 8, K, EDGE>(line, w.min(inner.end - 8), all.clone());
                    }
                }
            }
        }
    }

    /// `M` neighbouring pixels from `w` on, with elements `met` of the kernel's lines; all `K` of them where
    /// it slides.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize, const K: usize, const EDGE: bool>(
        &self,
        line: &Line<L>,
        w: usize,
        met: Range<usize>,
    ) {
        let Sizes { channels, rows, columns } = self.sizes;
        let (c, tail) = (line.channel, line.tail);
        // SAFETY: above.
        unsafe {
            let begin = match self.bias {
                [] => L::zero(),
                bias => load::<L, EDGE>(bias.as_ptr().add(c), tail),
            };
            let mut sums = [begin; M];
            for i in line.met.clone() {
                let x = rows.place(line.row, i) * columns.input * channels + c;
                let x = self.x.as_ptr().add(x);
                let weight = self.weight.as_ptr().add(i * columns.kernel * channels + c);
                if K > 0 {
                    let x = x.add(columns.place(w, 0) * channels);
                    let mut weights = [L::zero(); K];
                    for j in 0..K {
                        weights[j] = load::<L, EDGE>(weight.add(j * channels), tail);
                    }
                    for p in 0..M + K - 1 {
                        let x = load::<L, EDGE>(x.add(p * channels), tail);
                        for j in 0..K {
                            if p >= j && p - j < M {
                                sums[p - j] = L::mul_add(x, weights[j], sums[p - j]);
                            }
                        }
                    }
                } else {
                    for j in met.clone() {
                        let x = x.add(columns.place(w, j) * channels);
                        let weight = load::<L, EDGE>(weight.add(j * channels), tail);
                        for m in 0..M {
                            let x = x.add(m * columns.stride * channels);
                            sums[m] = L::mul_add(load::<L, EDGE>(x, tail), weight, sums[m]);
                        }
                    }
                }
            }
            let y = self.y.add((line.row * columns.output + w) * channels + c);
            for m in 0..M {
                store::<L, EDGE>(y.add(m * channels), sums[m], tail);
            }
        }
    }
}

/// The gradient of the weights from one picture, added to what there is.
struct DWeight<'a> {
    sizes: Sizes,
    x: &'a [f32],
    d_y: &'a [f32],
    d_weight: *mut f32,
}

impl Kernel for DWeight<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: above.
        unsafe {
            for_each_line!(L, self.sizes, line, EDGE => match self.sizes.columns.sliding() {
                3 => self.line::<L, 3, EDGE>(&line),
                5 => self.line::<L, 5, EDGE>(&line),
                7 => self.line::<L, 7, EDGE>(&line),
                _ => unreachable!("a kernel that slides"),
            });
        }
    }
}

impl DWeight<'_> {
    /// What a line of output pixels adds, for each line of a kernel that is `K` wide.
    #[inline(always)]
    unsafe fn line<L: Lanes, const K: usize, const EDGE: bool>(&self, line: &Line<L>) {
        let Sizes { channels, rows, columns } = self.sizes;
        let (c, tail, inner) = (line.channel, line.tail, columns.inner());
        // SAFETY: above.
        unsafe {
            let d_y = self.d_y.as_ptr().add(line.row * columns.output * channels + c);
            for i in line.met.clone() {
                let x = rows.place(line.row, i) * columns.input * channels + c;
                let x = self.x.as_ptr().add(x);
                let d_weight = self.d_weight.add(i * K * channels + c);
                let mut sums = [L::zero(); K];
                for j in 0..K {
                    sums[j] = load::<L, EDGE>(d_weight.add(j * channels), tail);
                }
                for w in (0..inner.start).chain(inner.end..columns.output) {
                    let d_y = load::<L, EDGE>(d_y.add(w * channels), tail);
                    let met = columns.met(w);
                    for j in 0..K {
                        if met.contains(&j) {
                            let x = x.add(columns.place(w, j) * channels);
                            sums[j] = L::mul_add(load::<L, EDGE>(x, tail), d_y, sums[j]);
                        }
                    }
                }
                let whole = inner.len() / 4 * 4;
                for w in (inner.start..inner.start + whole).step_by(4) {
                    Self::tile::<L, 4, K, EDGE>(self.sizes, x, d_y, w, tail, &mut sums);
                }
                for w in inner.start + whole..inner.end {
                    Self::tile::<L, 1, K, EDGE>(self.sizes, x, d_y, w, tail, &mut sums);
                }
                for j in 0..K {
                    store::<L, EDGE>(d_weight.add(j * channels), sums[j], tail);
                }
            }
        }
    }

    /// `M` neighbouring pixels from `w` on, under which all of the kernel lies on the picture.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize, const K: usize, const EDGE: bool>(
        sizes: Sizes,
        x: *const f32,
        d_y: *const f32,
        w: usize,
        tail: L::Tail,
        sums: &mut [L::Vector; K],
    ) {
        let Sizes { channels, columns, .. } = sizes;
        // SAFETY: above.
        unsafe {
            let (x, d_y) = (x.add(columns.place(w, 0) * channels), d_y.add(w * channels));
            let mut gradients = [L::zero(); M];
            for m in 0..M {
                gradients[m] = load::<L, EDGE>(d_y.add(m * channels), tail);
            }
            for p in 0..M + K - 1 {
                let x = load::<L, EDGE>(x.add(p * channels), tail);
                for j in 0..K {
                    if p >= j && p - j < M {
                        sums[j] = L::mul_add(x, gradients[p - j], sums[j]);
                    }
                }
            }
        }
    }
}

/// A vector, or the first lanes of one.
#[inline(always)]
unsafe fn load<L: Lanes, const EDGE: bool>(from: *const f32, tail: L::Tail) -> L::Vector {
    // SAFETY: the caller's.
    unsafe { if EDGE { L::load_tail(from, tail) } else { L::load(from) } }
}

/// The same for writing.
#[inline(always)]
unsafe fn store<L: Lanes, const EDGE: bool>(to: *mut f32, v: L::Vector, tail: L::Tail) {
    // SAFETY: the caller's.
    unsafe { if EDGE { L::store_tail(to, v, tail) } else { L::store(to, v) } }
}

/// Runs `$body` for each line of output pixels and each vector of channels, `$EDGE` where that is cut off.
macro_rules! for_each_line {
    ($L:ident, $sizes:expr, $line:ident, $EDGE:ident => $body:expr) => {
        for row in 0..$sizes.rows.output {
            let met = $sizes.rows.met(row);
            for channel in (0..$sizes.channels).step_by($L::COUNT) {
                let rest = $sizes.channels - channel;
                let tail = $L::tail(rest.min($L::COUNT));
                let $line = Line::<$L> { row, met: met.clone(), channel, tail };
                if rest < $L::COUNT {
                    const $EDGE: bool = true;
                    $body;
                } else {
                    const $EDGE: bool = false;
                    $body;
                }
            }
        }
    };
}

use for_each_line;
