//! [`InfoNCE`]: the contrastive loss of CPC and CLIP.

use super::batch_loss::{BatchLoss, BatchLossError, PAIRS, group_len};
use super::scratch::with_scratch;
use super::similarity::{cross_entropy, dot_products, multiply, normalise, normalise_backward};
use crate::hyper::{Range, checked};
use crate::kernels::Isa;
use crate::kernels::transpose::transpose;
use crate::types::Values;

/// Contrastive loss of pairs (van den Oord, Li and Vinyals, 2018): the cross-entropy of finding the second output of a
/// pair among those of all pairs, where the scores are cosine similarities divided by the temperature. The outputs are
/// the first ones of all pairs (queries), and then the second ones (keys).
///
/// With [`symmetric`](Self::symmetric) it is the loss of CLIP (Radford et al., 2021). For two views of the same samples
/// see [`NTXent`](super::NTXent). Norms are clamped to at least 1e-8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InfoNCE {
    temperature: f32,
    symmetric: bool,
}

impl InfoNCE {
    /// A usual `temperature` is 0.1: the smaller, the more the most similar wrong pairs count.
    ///
    /// # Panics
    /// If `temperature` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn new(temperature: f32) -> Self {
        let temperature = checked("InfoNCE: temperature", temperature, Range::Positive);
        Self { temperature, symmetric: false }
    }

    /// The mean of this loss and that of finding the first output among those of all pairs.
    #[must_use]
    pub const fn symmetric(self) -> Self {
        Self { symmetric: true, ..self }
    }

    /// The loss of `scores`, whose row `i` has its pair in column `i`, and their gradient times `scale`.
    fn rows(scores: &mut [f32], n: usize, scale: f32) -> f64 {
        let rows = scores.chunks_exact_mut(n).enumerate();
        rows.map(|(i, row)| cross_entropy(row, i, scale)).sum::<f64>() / n as f64
    }
}

impl<Output: Values> BatchLoss<Output> for InfoNCE {
    fn loss_and_gradient(
        &self,
        outputs: &[Output],
        d_outputs: &mut [Output],
    ) -> Result<f64, BatchLossError> {
        let n = group_len(PAIRS, 2, outputs, d_outputs)?;
        let (isa, len) = (Isa::best(), Output::LEN);
        let (all, pairs) = (2 * n * len, n * n);
        Ok(with_scratch([all, all, pairs, pairs], |[unit, d_unit, scores, transposed]| {
            normalise(outputs, unit);
            let (queries, keys) = unit.split_at(n * len);
            dot_products(queries, keys, len, scores);
            scores.iter_mut().for_each(|score| *score /= self.temperature);
            let share = if self.symmetric { 0.5 } else { 1.0 };
            let scale = share / (n as f32 * self.temperature);
            if self.symmetric {
                transpose(isa, n, scores, transposed);
            }
            let mut loss = f64::from(share) * Self::rows(scores, n, scale);
            // From here on both are gradients of the dot products.
            if self.symmetric {
                loss += f64::from(share) * Self::rows(transposed, n, scale);
                add_transposed(n, scores, transposed);
            }
            transpose(isa, n, scores, transposed);
            let (d_queries, d_keys) = d_unit.split_at_mut(n * len);
            multiply(scores, keys, len, d_queries);
            multiply(transposed, queries, len, d_keys);
            normalise_backward(outputs, d_unit, d_outputs);
            loss
        }))
    }
}

/// `a += bᵀ`
fn add_transposed(n: usize, a: &mut [f32], b: &[f32]) {
    for (i, a) in a.chunks_exact_mut(n).enumerate() {
        for (a, b) in a.iter_mut().zip(b[i..].iter().step_by(n)) {
            *a += b;
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
        check_batch_loss(&InfoNCE::new(0.5), &OUTPUTS, 2.074707173136665);
        check_batch_loss(&InfoNCE::new(0.25).symmetric(), &OUTPUTS, 3.3852022333192053);
    }

    #[test]
    fn one_pair_has_no_loss_zeros_are_finite_and_nan_stays_nan() {
        let mut d = [[f32::NAN; 2]; 2];
        let loss = InfoNCE::new(0.1).loss_and_gradient(&[[1.0, 2.0], [2.0, 1.0]], &mut d);
        assert_eq!((loss, d), (Ok(0.0), [[0.0; 2]; 2]));
        let mut d = [[f32::NAN; 2]; 4];
        let loss = InfoNCE::new(0.1).loss_and_gradient(&[[0.0; 2]; 4], &mut d).unwrap();
        assert!((loss - 2.0_f64.ln()).abs() < 1e-6 && d == [[0.0; 2]; 4], "{loss} {d:?}");
        let loss = InfoNCE::new(0.1).loss_and_gradient(&[[f32::NAN; 2]; 4], &mut d).unwrap();
        assert!(loss.is_nan());
    }
}
