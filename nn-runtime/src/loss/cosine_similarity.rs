//! [`CosineSimilarity`]: one minus PyTorch's `cosine_similarity`.

use super::loss_trait::{Loss, row_len};
use super::target_error::{TargetError, check_finite};
use crate::types::Values;

/// Cosine distance of an output from its target, `1 - y · t / (|y| |t|)` over the last axis: 0 for the same
/// direction, 2 for the opposite one. Lengths do not matter. Averaged over the steps of a sequence or the pixels
/// of an image. Targets have the output's type.
///
/// PyTorch's `nn.CosineEmbeddingLoss` for matching pairs. As in its `cosine_similarity`, norms are clamped to at
/// least 1e-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CosineSimilarity;

/// The least norm to divide by.
const EPS: f64 = 1e-8;

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for CosineSimilarity {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_finite(target.as_floats())
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        let len = row_len::<Output>();
        let rows = (Output::LEN / len) as f64;
        let factor = f64::from(scale) / rows;
        let targets = target.as_floats().chunks_exact(len);
        let rows_of_y = y.chunks_exact(len).zip(d_y.chunks_exact_mut(len));
        let sum: f64 = rows_of_y.zip(targets).map(|((y, d_y), t)| row(y, t, factor, d_y)).sum();
        sum / rows
    }
}

/// The loss of one row, and its gradient times `factor`.
fn row(y: &[f32], t: &[f32], factor: f64, d_y: &mut [f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let (norm_y, norm_t) = (dot(y, y).sqrt(), dot(t, t).sqrt().max(EPS));
    let divisor = norm_y.max(EPS);
    let cosine = dot(y, t) / (divisor * norm_t);
    // A clamped norm does not change with `y`. NaN compares false, so that it reaches the gradient.
    let slope = if norm_y < EPS { 0.0 } else { cosine / (divisor * divisor) };
    for (d_y, (y, t)) in d_y.iter_mut().zip(y.iter().zip(t)) {
        let toward = f64::from(*t) / (divisor * norm_t) - slope * f64::from(*y);
        *d_y = (-toward * factor) as f32;
    }
    1.0 - cosine
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let (y, t) = ([0.5, -1.25, 2.0, -3.0], [1.0, 0.5, 0.25, 0.0]);
        check(&CosineSimilarity, &y, &t, 0.9149513488874875);
        let y = [[0.5, -1.25], [2.0, -3.0]];
        let t = [[1.0, 0.5], [0.25, 0.0]];
        check(&CosineSimilarity, &y, &t, 0.7641726418142555);
    }

    #[test]
    fn the_same_direction_is_no_loss_and_the_opposite_one_the_largest() {
        let mut d_y = [f32::NAN; 2];
        let loss = CosineSimilarity.sample(&[3.0, 4.0], &[0.75_f32, 1.0], 1.0, &mut d_y);
        assert!(loss.abs() < 1e-12 && d_y.iter().all(|d| d.abs() < 1e-7), "{loss} {d_y:?}");
        let loss = CosineSimilarity.sample(&[3.0, 4.0], &[-3.0_f32, -4.0], 1.0, &mut d_y);
        assert!((loss - 2.0).abs() < 1e-12);
    }

    #[test]
    fn zeros_do_not_divide_by_zero() {
        let mut d_y = [f32::NAN; 2];
        let loss = CosineSimilarity.sample(&[0.0, 0.0], &[0.0_f32, 0.0], 1.0, &mut d_y);
        assert_eq!((loss, d_y), (1.0, [0.0; 2]));
    }

    #[test]
    fn a_target_that_is_not_finite_is_named() {
        let error = Loss::<[f32; 2]>::check(&CosineSimilarity, &[0.0, f32::NAN]).unwrap_err();
        assert!(error.to_string().contains("NaN at index 1"), "{error}");
    }
}
