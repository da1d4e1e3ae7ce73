//! [`NTXent`]: the contrastive loss of SimCLR.

use super::batch_loss::{BatchLoss, BatchLossError, PAIRS, group_len};
use super::scratch::with_scratch;
use super::similarity::{cross_entropy, dot_products, multiply, normalise, normalise_backward};
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Contrastive loss of two views of each sample (Chen et al., 2020): for each output of the batch the cross-entropy of
/// finding the other view among all other outputs, where the scores are cosine similarities divided by the temperature.
/// The outputs are the first views of all samples, and then the second ones. Norms are clamped to at least 1e-8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NTXent {
    temperature: f32,
}

impl NTXent {
    /// A usual `temperature` is 0.5: the smaller, the more the most similar other samples count.
    ///
    /// # Panics
    /// If `temperature` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn new(temperature: f32) -> Self {
        Self { temperature: checked("NTXent: temperature", temperature, Range::Positive) }
    }
}

impl<Output: Values> BatchLoss<Output> for NTXent {
    fn loss_and_gradient(
        &self,
        outputs: &[Output],
        d_outputs: &mut [Output],
    ) -> Result<f64, BatchLossError> {
        let n = group_len(PAIRS, 2, outputs, d_outputs)?;
        let (all, len) = (2 * n, Output::LEN);
        Ok(with_scratch([all * len, all * len, all * all], |[unit, d_unit, scores]| {
            normalise(outputs, unit);
            dot_products(unit, unit, len, scores);
            let scale = 1.0 / (all as f32 * self.temperature);
            let mut sum = 0.0;
            for (i, row) in scores.chunks_exact_mut(all).enumerate() {
                row.iter_mut().for_each(|score| *score /= self.temperature);
                // An output is not compared with itself.
                row[i] = f32::NEG_INFINITY;
                sum += cross_entropy(row, (i + n) % all, scale);
            }
            add_own_transposed(all, scores);
            multiply(scores, unit, len, d_unit);
            normalise_backward(outputs, d_unit, d_outputs);
            sum / all as f64
        }))
    }
}

/// `a += aᵀ`: each dot product is the score of a row and of a column.
fn add_own_transposed(n: usize, a: &mut [f32]) {
    for i in 0..n {
        for j in 0..=i {
            let sum = a[i * n + j] + a[j * n + i];
            a[i * n + j] = sum;
            a[j * n + i] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_batch_loss;
    use super::*;

    const OUTPUTS: [[f32; 3]; 6] = [
        [0.5, -1.25, 2.0],
        [1.0, 0.5, -0.5],
        [0.25, -1.0, 1.5],
        [-0.5, 1.0, 0.75],
        [1.25, -0.5, 1.0],
        [3.0, 2.0, -1.0],
    ];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check_batch_loss(&NTXent::new(0.5), &OUTPUTS, 2.4479665444729446);
        check_batch_loss(&NTXent::new(0.25), &OUTPUTS[..2], 0.0);
    }

    #[test]
    fn zeros_are_finite_and_nan_stays_nan() {
        let mut d = [[f32::NAN; 2]; 4];
        let loss = NTXent::new(0.5).loss_and_gradient(&[[0.0; 2]; 4], &mut d).unwrap();
        assert!((loss - 3.0_f64.ln()).abs() < 1e-6 && d == [[0.0; 2]; 4], "{loss} {d:?}");
        let loss = NTXent::new(0.5).loss_and_gradient(&[[f32::NAN; 2]; 4], &mut d).unwrap();
        assert!(loss.is_nan());
    }
}
