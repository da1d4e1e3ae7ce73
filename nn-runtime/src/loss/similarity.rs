//! Cosine similarities of all samples of a batch, which contrastive losses are made of.

use super::classes::exponentials;
use crate::kernels::{DenseArgs, Isa, dense, dense_transposed};
use crate::types::Values;

/// The least norm to divide by, as in `CosineSimilarity`.
const EPS: f64 = 1e-8;

/// Writes each output divided by its norm to a row of `unit`.
pub(super) fn normalise<Output: Values>(outputs: &[Output], unit: &mut [f32]) {
    for (unit, x) in unit.chunks_exact_mut(Output::LEN).zip(outputs) {
        let x = x.as_floats();
        let factor = 1.0 / clamped(norm(x));
        for (unit, x) in unit.iter_mut().zip(x) {
            *unit = (f64::from(*x) * factor) as f32;
        }
    }
}

/// Writes the gradients of outputs, given those of their [`normalise`]d rows.
pub(super) fn normalise_backward<Output: Values>(
    outputs: &[Output],
    d_unit: &[f32],
    d_outputs: &mut [Output],
) {
    let rows = outputs.iter().zip(d_unit.chunks_exact(Output::LEN));
    for ((x, d_unit), d_x) in rows.zip(d_outputs) {
        let (x, d_x) = (x.as_floats(), d_x.as_floats_mut());
        let norm_x = norm(x);
        let divisor = clamped(norm_x);
        // A clamped norm does not change with `x`.
        let along = if norm_x < EPS { 0.0 } else { dot(x, d_unit) / (divisor * divisor) };
        for ((d_x, x), d_unit) in d_x.iter_mut().zip(x).zip(d_unit) {
            *d_x = ((f64::from(*d_unit) - along * f64::from(*x)) / divisor) as f32;
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn norm(x: &[f32]) -> f64 {
    dot(x, x).sqrt()
}

/// A norm to divide by. Not `max`, which would drop NaN.
const fn clamped(norm: f64) -> f64 {
    if norm < EPS { EPS } else { norm }
}

/// Writes the dot products of the rows of `a` with those of `b`, of `len` elements each: `[rows of a, rows of b]`.
pub(super) fn dot_products(a: &[f32], b: &[f32], len: usize, products: &mut [f32]) {
    let args =
        DenseArgs { inputs: len, units: b.len() / len, x: a, weight: b, bias: &[], y: products };
    dense_transposed(Isa::best(), args);
}

/// `y = a x`, for a matrix `a` of similarities: `[rows, columns]`, and `x` and `y` with rows of `len` elements.
pub(super) fn multiply(a: &[f32], x: &[f32], len: usize, y: &mut [f32]) {
    let (inputs, units) = (x.len() / len, len);
    dense(Isa::best(), DenseArgs { inputs, units, x: a, weight: x, bias: &[], y });
}

/// Cross-entropy of a row of scores with the target at `right`: returns the loss and writes its gradient times `scale`
/// over the scores.
pub(super) fn cross_entropy(scores: &mut [f32], right: usize, scale: f32) -> f64 {
    let score = f64::from(scores[right]);
    let mut totals = [0.0; 2];
    exponentials(scores, &mut totals);
    let [largest, sum] = totals;
    let factor = scale / sum;
    for score in scores.iter_mut() {
        *score *= factor;
    }
    scores[right] -= scale;
    f64::from(largest) + f64::from(sum).ln() - score
}
