//! Normalisation of each row of `[rows, C]` by itself: steps, pixels or whole samples.

use super::column_sums;
use super::dense_args::RowBlocks;
use super::dispatch::dispatch;
use super::isa::Isa;
use super::product::Accumulate;
use super::row_sums::sum_of_normalised_products;
use super::rows;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// The normalisation of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowNorm {
    /// Elements of a row.
    pub(crate) len: usize,
    /// Whether the mean is subtracted first; not in RMSNorm.
    pub(crate) centred: bool,
    /// Added to the variance.
    pub(crate) eps: f32,
}

/// The least variance, `eps` included, that is computed in `f32`: squares that are rounded to subnormal numbers, or to 0,
/// change smaller ones.
const SMALLEST_VARIANCE: f32 = 1e-30;

impl RowNorm {
    /// Elements that are saved of a row: its mean and its inverse standard deviation.
    pub(crate) const SAVED: usize = 2;

    /// Writes `x - mean` to `y`. Returns the mean, the inverse standard deviation, and the factor that normalises `y`.
    #[inline(always)]
    fn centre(self, x: &[f32], y: &mut [f32]) -> ([f32; Self::SAVED], f32) {
        let mean = if self.centred { rows::sum(x) / self.len as f32 } else { 0.0 };
        for (y, x) in y.iter_mut().zip(x) {
            *y = x - mean;
        }
        // From differences to the mean, in a second pass over the row, which is in cache: the difference of two large
        // sums would cancel. The biased variance, as in PyTorch.
        let variance = rows::products(y, y, 0.0) / self.len as f32 + self.eps;
        if (SMALLEST_VARIANCE..=f32::MAX).contains(&variance) {
            let inverse = 1.0 / variance.sqrt();
            ([mean, inverse], inverse)
        } else {
            (self.normalize_in_f64(x, y), 1.0)
        }
    }

    /// Writes `(x - mean) / sqrt(variance + eps)` to `y`, where the sum of squares is too large or too small for `f32`.
    /// Returns the mean and the inverse standard deviation.
    #[cold]
    #[inline(never)]
    fn normalize_in_f64(self, x: &[f32], y: &mut [f32]) -> [f32; Self::SAVED] {
        let count = self.len as f64;
        let all = || x.iter().map(|x| f64::from(*x));
        let mean = if self.centred { all().sum::<f64>() / count } else { 0.0 };
        let variance = all().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        let inverse = 1.0 / (variance + f64::from(self.eps)).sqrt();
        for (y, x) in y.iter_mut().zip(all()) {
            *y = ((x - mean) * inverse) as f32;
        }
        [mean as f32, inverse as f32]
    }
}

/// The input of [`forward`].
#[derive(Clone, Copy)]
pub(crate) struct RowNormInput<'a> {
    /// `[rows, C]`
    pub(crate) x: &'a [f32],
    /// `[C]`, or empty.
    pub(crate) weight: &'a [f32],
    /// `[C]`, or empty.
    pub(crate) bias: &'a [f32],
}

/// The input of [`backward`] and [`d_weights`].
#[derive(Clone, Copy)]
pub(crate) struct RowNormGradient<'a> {
    /// `[rows, C]`
    pub(crate) x: &'a [f32],
    /// `[C]`, or empty.
    pub(crate) weight: &'a [f32],
    /// [`RowNorm::SAVED`] elements of each row.
    pub(crate) saved: &'a [f32],
    /// `[rows, C]`
    pub(crate) d_y: &'a [f32],
}

// What is read is a struct, but each slice that is written is an argument of its own: the compiler assumes that mutable
// slices among arguments overlap nothing else.
dispatch! {
    /// `y = (x - mean) / sqrt(variance + eps) * weight + bias`, row by row. `saved` receives [`RowNorm::SAVED`]
    /// elements of each row, unless it is empty.
    pub(crate) fn forward(
        norm: RowNorm,
        input: RowNormInput<'_>,
        y: &mut [f32],
        saved: &mut [f32],
    ) {
        let RowNormInput { x, weight, bias } = input;
        let mut saved = saved.as_chunks_mut::<{ RowNorm::SAVED }>().0.iter_mut();
        for (x, y) in x.chunks_exact(norm.len).zip(y.chunks_exact_mut(norm.len)) {
            let (statistics, factor) = norm.centre(x, y);
            if let Some(saved) = saved.next() {
                *saved = statistics;
            }
            if weight.is_empty() {
                y.iter_mut().for_each(|y| *y *= factor);
            } else {
                y.iter_mut().zip(weight).for_each(|(y, w)| *y *= factor * w);
            }
            // An empty bias adds nothing.
            y.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
    }

    /// The gradient of the input.
    pub(crate) fn backward(norm: RowNorm, input: RowNormGradient<'_>, d_x: &mut [f32]) {
        let RowNormGradient { x, weight, saved, d_y } = input;
        let rows = x.chunks_exact(norm.len).zip(d_y.chunks_exact(norm.len));
        let rows = rows.zip(d_x.chunks_exact_mut(norm.len));
        for (((x, d_y), d_x), &[mean, inverse]) in rows.zip(saved.as_chunks().0) {
            d_x.copy_from_slice(d_y);
            d_x.iter_mut().zip(weight).for_each(|(d_x, w)| *d_x *= w);
            let count = norm.len as f32;
            let mean_d = if norm.centred { rows::sum(d_x) / count } else { 0.0 };
            // The mean of `d_x` times the normalised `x`, times the inverse standard deviation: normalised `x` is never
            // stored.
            let slope = rows::products(d_x, x, mean) * inverse * inverse / count;
            for (d_x, x) in d_x.iter_mut().zip(x) {
                *d_x = (*d_x - mean_d - (x - mean) * slope) * inverse;
            }
        }
    }
}

/// The gradients of weight and bias, either of which may be empty.
pub(crate) fn d_weights(
    norm: RowNorm,
    input: RowNormGradient<'_>,
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) {
    let RowNormGradient { x, saved, d_y, .. } = input;
    sum_of_normalised_products(x, saved.as_chunks().0, d_y, d_weight);
    let rows = RowBlocks::one(d_y.len() / norm.len);
    column_sums::d_bias(Isa::best(), Accumulate::Overwrite, rows, d_y, d_bias);
}
