//! [`MarginRanking`]: PyTorch's `nn.MarginRankingLoss`.

use super::batch_loss::{BatchLoss, BatchLossError, PAIRS, group_len};
use super::hinge::hinge;
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Ranking loss: the mean of `max(0, second - first + margin)` over all pairs and values. In each pair, the first
/// output is the one that should be larger, such as the score of the better document. The outputs are the first ones of
/// all pairs, and then the second ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MarginRanking {
    margin: f32,
}

impl MarginRanking {
    /// With a margin of 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { margin: 0.0 }
    }

    /// Sets how much larger the first output must be to have no loss.
    ///
    /// # Panics
    /// If `margin` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn margin(self, margin: f32) -> Self {
        Self { margin: checked("MarginRanking: margin", margin, Range::NonNegative) }
    }
}

impl<Output: Values> BatchLoss<Output> for MarginRanking {
    fn loss_and_gradient(
        &self,
        outputs: &[Output],
        d_outputs: &mut [Output],
    ) -> Result<f64, BatchLossError> {
        let pairs = group_len(PAIRS, 2, outputs, d_outputs)?;
        let (first, second) = outputs.split_at(pairs);
        let (d_first, d_second) = d_outputs.split_at_mut(pairs);
        let values = (pairs * Output::LEN) as f64;
        let mut sum = 0.0;
        for pair in 0..pairs {
            let (first, second) = (first[pair].as_floats(), second[pair].as_floats());
            let (d_first, d_second) =
                (d_first[pair].as_floats_mut(), d_second[pair].as_floats_mut());
            for i in 0..Output::LEN {
                let (loss, slope) = hinge(second[i] - first[i] + self.margin, false);
                d_second[i] = (f64::from(slope) / values) as f32;
                d_first[i] = -d_second[i];
                sum += loss;
            }
        }
        Ok(sum / values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_batch_loss;
    use super::*;

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let scores = [[0.5, -1.25], [1.0, 0.25], [0.25, 1.0], [-0.5, 1.75]];
        check_batch_loss(&MarginRanking::new(), &scores, 0.9375);
        check_batch_loss(&MarginRanking::new().margin(0.5), &scores, 1.25);
    }

    #[test]
    fn nan_is_a_loss_of_nan_and_an_odd_number_is_refused() {
        let mut d = [0.0; 2];
        assert!(MarginRanking::new().loss_and_gradient(&[f32::NAN, 0.0], &mut d).unwrap().is_nan());
        let error = MarginRanking::new().loss_and_gradient(&[0.0; 3], &mut [0.0; 3]).unwrap_err();
        assert_eq!(error, BatchLossError::Groups { groups: PAIRS, count: 2, found: 3 });
    }
}
