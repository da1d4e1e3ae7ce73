//! The kernels by their definitions, one loop for each index. The fast kernels are compared with them; read here what a
//! kernel computes.
//!
//! `d_x` is the gradient of a loss with respect to `x`.

use super::conv_args::ConvArgs;
use super::dense_args::DenseArgs;
use super::geometry::Geometry;
use unrolled_shape::Shape;

/// `y = x W + b` for `n` rows: `x` is `[n, inputs]`, `weight` `[inputs, units]`, `bias` `[units]` or
/// empty.
pub(crate) fn dense(args: DenseArgs<'_>) {
    let DenseArgs { inputs, units, x, weight, bias, y } = args;
    for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(units)) {
        begin_with(bias, y);
        for (x, row) in x.iter().zip(weight.chunks_exact(units)) {
            for (y, w) in y.iter_mut().zip(row) {
                *y += x * w;
            }
        }
    }
}

/// `y = x Wᵀ + b`, where `weight` is `[units, inputs]`.
pub(crate) fn dense_transposed(args: DenseArgs<'_>) {
    let DenseArgs { inputs, units, x, weight, bias, y } = args;
    for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(units)) {
        begin_with(bias, y);
        for (y, row) in y.iter_mut().zip(weight.chunks_exact(inputs)) {
            *y += x.iter().zip(row).map(|(x, w)| x * w).sum::<f32>();
        }
    }
}

/// `d_x = d_y Wᵀ`.
pub(crate) fn dense_d_x(inputs: usize, units: usize, d_y: &[f32], weight: &[f32], d_x: &mut [f32]) {
    for (d_x, d_y) in d_x.chunks_exact_mut(inputs).zip(d_y.chunks_exact(units)) {
        for (d_x, row) in d_x.iter_mut().zip(weight.chunks_exact(units)) {
            *d_x = d_y.iter().zip(row).map(|(d, w)| d * w).sum();
        }
    }
}

/// Adds `xᵀ d_y` to `d_weight`.
pub(crate) fn dense_d_weight(
    inputs: usize,
    units: usize,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    for (x, d_y) in x.chunks_exact(inputs).zip(d_y.chunks_exact(units)) {
        for (x, d_row) in x.iter().zip(d_weight.chunks_exact_mut(units)) {
            for (d_w, d_y) in d_row.iter_mut().zip(d_y) {
                *d_w += x * d_y;
            }
        }
    }
}

/// Adds the sum of all rows of `d_y` to `d_bias`; does nothing where there is no bias.
pub(crate) fn d_bias(d_y: &[f32], d_bias: &mut [f32]) {
    if d_bias.is_empty() {
        return;
    }
    for d_y in d_y.chunks_exact(d_bias.len()) {
        for (d_b, d_y) in d_bias.iter_mut().zip(d_y) {
            *d_b += d_y;
        }
    }
}

/// `y[h, w, f] = b[f] + Σ x[h*stride + i*dilation - padding, .., c] * weight[i, j, c, f]` for each
/// image, over all kernel elements `i, j` that are inside of the image and all channels `c` of the group of `f`; and so
/// for volumes, which have an axis more.
pub(crate) fn conv2d(g: &Geometry, args: ConvArgs<'_>) {
    let ConvArgs { x, weight, bias, y } = args;
    for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
        for y in y.chunks_exact_mut(g.filters) {
            begin_with(bias, y);
        }
        for_each_tap(g, |tap| {
            let row = &weight[tap.weight..][..g.group_filters()];
            for (y, w) in y[tap.y..].iter_mut().zip(row) {
                *y += x[tap.x] * w;
            }
        });
    }
}

/// [`conv2d`], followed by the maximum under windows that do not overlap.
pub(crate) fn conv2d_max_pool(g: &Geometry, window: [usize; 2], args: ConvArgs<'_>) {
    let ConvArgs { x, weight, bias, y } = args;
    let mut full = vec![0.0; x.len() / g.input_len() * g.output_len()];
    conv2d(g, ConvArgs { x, weight, bias, y: &mut full });
    y.fill(f32::NEG_INFINITY);
    let [height, width] = [0, 1].map(|axis| g.output[axis] / window[axis]);
    let len = height * width * g.filters;
    for (at, value) in full.into_iter().enumerate() {
        let (pixel, f) = (at / g.filters, at % g.filters);
        let (line, column) = (pixel / g.output[1], pixel % g.output[1]);
        let (image, line) = (line / g.output[0], line % g.output[0]);
        let (line, column) = (line / window[0], column / window[1]);
        if line < height && column < width {
            let y = &mut y[image * len + (line * width + column) * g.filters + f];
            *y = y.max(value);
        }
    }
}

/// The gradient of the input of [`conv2d`].
pub(crate) fn conv2d_d_x(g: &Geometry, d_y: &[f32], weight: &[f32], d_x: &mut [f32]) {
    d_x.fill(0.0);
    for (d_x, d_y) in d_x.chunks_exact_mut(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        for_each_tap(g, |tap| {
            let row = &weight[tap.weight..][..g.group_filters()];
            d_x[tap.x] += d_y[tap.y..].iter().zip(row).map(|(d, w)| d * w).sum::<f32>();
        });
    }
}

/// Adds the gradient of the weights of [`conv2d`] to `d_weight`.
pub(crate) fn conv2d_d_weight(g: &Geometry, x: &[f32], d_y: &[f32], d_weight: &mut [f32]) {
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        for_each_tap(g, |tap| {
            let row = &mut d_weight[tap.weight..][..g.group_filters()];
            for (d_w, d_y) in row.iter_mut().zip(&d_y[tap.y..]) {
                *d_w += x[tap.x] * d_y;
            }
        });
    }
}

/// The sizes of a normalisation of each sample by itself: `[positions, channels]`, whose channels are
/// split into `groups`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    /// The number of steps or pixels.
    pub(crate) positions: usize,
    /// Channels of each position.
    pub(crate) channels: usize,
    /// The number of groups that the channels are split into.
    pub(crate) groups: usize,
    /// Whether the mean is subtracted; not in RMSNorm.
    pub(crate) centred: bool,
    /// Added to the variance.
    pub(crate) eps: f64,
}

impl Groups {
    /// The indices of the elements of a group in a sample.
    fn places(&self, group: usize) -> impl Iterator<Item = usize> + Clone {
        let (channels, size) = (self.channels, self.channels / self.groups);
        let of_position = move |p: usize| (0..size).map(move |c| p * channels + group * size + c);
        (0..self.positions).flat_map(of_position)
    }

    /// Mean and inverse standard deviation of one group of a sample.
    fn statistics(&self, x: &[f32], group: usize) -> [f64; 2] {
        let places = self.places(group);
        let count = places.clone().count() as f64;
        let sum: f64 = places.clone().map(|i| f64::from(x[i])).sum();
        let mean = if self.centred { sum / count } else { 0.0 };
        let squares: f64 = places.map(|i| (f64::from(x[i]) - mean).powi(2)).sum();
        [mean, 1.0 / (squares / count + self.eps).sqrt()]
    }
}

/// `y = (x - mean) / sqrt(variance + eps) * weight + bias` with mean and variance of each group of each
/// sample, in `f64`. `weight` and `bias` have one element for each channel, or none.
pub(crate) fn group_norm(g: &Groups, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    let len = g.positions * g.channels;
    for (x, y) in x.chunks_exact(len).zip(y.chunks_exact_mut(len)) {
        for group in 0..g.groups {
            let [mean, inverse] = g.statistics(x, group);
            for i in g.places(group) {
                let (weight, bias) = (weight.get(i % g.channels), bias.get(i % g.channels));
                let normalised = (f64::from(x[i]) - mean) * inverse;
                let scaled = normalised * f64::from(*weight.unwrap_or(&1.0));
                y[i] = (scaled + f64::from(*bias.unwrap_or(&0.0))) as f32;
            }
        }
    }
}

/// The gradient of the input of [`group_norm`], and, added to `d_weight` and `d_bias`, those of the
/// weights.
pub(crate) fn group_norm_backward(
    g: &Groups,
    [x, weight, d_y]: [&[f32]; 3],
    d_x: &mut [f32],
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) {
    let len = g.positions * g.channels;
    let samples = x.chunks_exact(len).zip(d_y.chunks_exact(len)).zip(d_x.chunks_exact_mut(len));
    for ((x, d_y), d_x) in samples {
        for group in 0..g.groups {
            let ([mean, inverse], places) = (g.statistics(x, group), g.places(group));
            let normalised = |i: usize| (f64::from(x[i]) - mean) * inverse;
            let scaled = |i: usize| {
                f64::from(d_y[i]) * f64::from(*weight.get(i % g.channels).unwrap_or(&1.0))
            };
            let count = places.clone().count() as f64;
            let sum: f64 = places.clone().map(scaled).sum();
            let mean_d = if g.centred { sum / count } else { 0.0 };
            let product: f64 = places.clone().map(|i| scaled(i) * normalised(i)).sum();
            for i in places {
                let d = scaled(i) - mean_d - normalised(i) * product / count;
                d_x[i] = (d * inverse) as f32;
                if let Some(d_w) = d_weight.get_mut(i % g.channels) {
                    *d_w += (f64::from(d_y[i]) * normalised(i)) as f32;
                }
                if let Some(d_b) = d_bias.get_mut(i % g.channels) {
                    *d_b += d_y[i];
                }
            }
        }
    }
}

/// The transpose of [`conv2d`], plus a bias: each element of `x` is added to a kernel of `y`. `g` are the sizes of the
/// convolution from `y` to `x`.
pub(crate) fn conv_transpose2d(
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    for (x, y) in x.chunks_exact(g.output_len()).zip(y.chunks_exact_mut(g.input_len())) {
        for y in y.chunks_exact_mut(g.channels) {
            begin_with(bias, y);
        }
        for_each_tap(g, |tap| {
            let row = &weight[tap.weight..][..g.group_filters()];
            y[tap.x] += row.iter().zip(&x[tap.y..]).map(|(w, x)| w * x).sum::<f32>();
        });
    }
}

/// The weight of input pixel `old` in output pixel `new` along one axis of `from` input and `to` output pixels: linear,
/// where `corners` is `align_corners` of PyTorch, or 1 for the nearest pixel (`None`).
fn share_of(old: usize, new: usize, [from, to]: [usize; 2], corners: Option<bool>) -> f64 {
    let last = (from - 1) as f64;
    let place = match corners {
        None => return f64::from(u8::from(new * from / to == old)),
        Some(true) if to == 1 => 0.0,
        Some(true) => new as f64 * last / (to - 1) as f64,
        Some(false) => (new as f64 + 0.5) * from as f64 / to as f64 - 0.5,
    };
    (1.0 - (place.clamp(0.0, last) - old as f64).abs()).max(0.0)
}

/// Calls `f` with the indices of an input and an output element and the weight of the former in the latter, for all
/// pairs.
fn for_each_share(
    [from, to]: [Shape; 2],
    corners: Option<bool>,
    mut f: impl FnMut(usize, usize, f64),
) {
    let sizes = [0, 1].map(|axis| [from.dim(axis), to.dim(axis)]);
    for old in 0..from.len() {
        for new in (0..to.len()).filter(|new| new % to.last() == old % from.last()) {
            let place = |i: usize, shape: Shape| {
                [i / shape.last() / shape.dim(1), i / shape.last() % shape.dim(1)]
            };
            let (old_place, new_place) = (place(old, from), place(new, to));
            let share =
                |axis: usize| share_of(old_place[axis], new_place[axis], sizes[axis], corners);
            f(old, new, share(0) * share(1));
        }
    }
}

/// Upsampling of images from `shapes[0]` to `shapes[1]`: bilinear, where `corners` is `align_corners` of PyTorch, or by
/// the nearest pixel (`None`).
pub(crate) fn upsample(shapes: [Shape; 2], corners: Option<bool>, x: &[f32], y: &mut [f32]) {
    y.fill(0.0);
    for (x, y) in x.chunks_exact(shapes[0].len()).zip(y.chunks_exact_mut(shapes[1].len())) {
        for_each_share(shapes, corners, |old, new, share| y[new] += share as f32 * x[old]);
    }
}

/// The gradient of the input of [`upsample`].
pub(crate) fn upsample_backward(
    shapes: [Shape; 2],
    corners: Option<bool>,
    d_y: &[f32],
    d_x: &mut [f32],
) {
    d_x.fill(0.0);
    for (d_x, d_y) in d_x.chunks_exact_mut(shapes[0].len()).zip(d_y.chunks_exact(shapes[1].len())) {
        for_each_share(shapes, corners, |old, new, share| d_x[old] += share as f32 * d_y[new]);
    }
}

/// The offsets of one input element, of the output channels of its group, and of the weights between them.
struct Tap {
    x: usize,
    y: usize,
    weight: usize,
}

/// Calls `f` for each pair of an output pixel and an input element that it reads.
fn for_each_tap(g: &Geometry, mut f: impl FnMut(Tap)) {
    let (depth, plane) = (g.depth, g.planes());
    for out in 0..depth.output {
        for k in 0..depth.kernel {
            let Some(read) = (out * depth.stride + k * depth.dilation).checked_sub(depth.before)
            else {
                continue;
            };
            if read < depth.input {
                for_each_tap_of_planes(&plane, |Tap { x, y, weight }| {
                    f(Tap {
                        x: read * plane.input_len() + x,
                        y: out * plane.output_len() + y,
                        weight: k * plane.weight_len() + weight,
                    });
                });
            }
        }
    }
}

/// The same of an image, or of a plane of a volume.
fn for_each_tap_of_planes(g: &Geometry, mut f: impl FnMut(Tap)) {
    let channels = g.group_channels();
    for h in 0..g.output[0] {
        for w in 0..g.output[1] {
            let y = (h * g.output[1] + w) * g.filters;
            for i in 0..g.kernel[0] {
                let Some(row) = tap_position(g, 0, h, i) else { continue };
                for j in 0..g.kernel[1] {
                    let Some(column) = tap_position(g, 1, w, j) else { continue };
                    let x = (row * g.input[1] + column) * g.channels;
                    for group in 0..g.groups {
                        for c in 0..channels {
                            let tap = (i * g.kernel[1] + j) * channels + c;
                            let filter = group * g.group_filters();
                            f(Tap {
                                x: x + group * channels + c,
                                y: y + filter,
                                weight: tap * g.filters + filter,
                            });
                        }
                    }
                }
            }
        }
    }
}

/// The position on the input along `axis` of kernel element `i` at output `h`; `None` on the padding.
fn tap_position(g: &Geometry, axis: usize, h: usize, i: usize) -> Option<usize> {
    let place = h * g.stride[axis] + i * g.dilation[axis];
    place.checked_sub(g.padding[axis][0]).filter(|place| *place < g.input[axis])
}

/// Fills `y` with the bias, or with zeros if `bias` is empty.
fn begin_with(bias: &[f32], y: &mut [f32]) {
    if bias.is_empty() {
        y.fill(0.0);
    } else {
        y.copy_from_slice(bias);
    }
}
