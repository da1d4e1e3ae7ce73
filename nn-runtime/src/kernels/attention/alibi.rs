//! Attention with linear biases (Press, Smith and Lewis, 2022): scores are reduced in proportion to the distance of their
//! steps, so that a head attends to near steps more than to far ones, whatever their positions are.

use super::scores::ScoreRows;
use crate::kernels::dispatch::dispatch;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// The slope of a head, which is multiplied with distances.
///
/// For `n = 2^k` heads `2^(-8/n)`, `2^(-16/n)`, .. `2^-8`. For other numbers those of the largest power of two below,
/// then every second one of twice that power, as in the authors' code.
pub(super) fn slope(heads: usize, head: usize) -> f64 {
    let power = 1 << heads.ilog2();
    let share = if head < power {
        (head + 1) as f64 / power as f64
    } else {
        (2 * (head - power) + 1) as f64 / (2 * power) as f64
    };
    2_f64.powf(-8.0 * share)
}

dispatch! {
    /// Subtracts `slope` times the distance of its steps from each score. The first row is that of step `first`.
    pub(super) fn subtract_distances(rows: ScoreRows, first: usize, slope: f32, scores: &mut [f32]) {
        for (i, row) in scores.chunks_exact_mut(rows.len).enumerate() {
            let step = first + i;
            for (other, score) in row[..rows.first + i * rows.more].iter_mut().enumerate() {
                *score -= slope * step.abs_diff(other) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_authors() {
        let slopes = |heads| (0..heads).map(|head| slope(heads, head)).collect::<Vec<_>>();
        assert_eq!(slopes(1), [2_f64.powi(-8)]);
        assert_eq!(slopes(8), [1, 2, 3, 4, 5, 6, 7, 8].map(|i| 2_f64.powi(-i)));
        assert_eq!(slopes(4), [2, 4, 6, 8].map(|i| 2_f64.powi(-i)));
        // get_slopes(6) of https://github.com/ofirpress/attention_with_linear_biases: four, then two of eight.
        assert_eq!(slopes(6), [2, 4, 6, 8, 1, 3].map(|i| 2_f64.powi(-i)));
    }
}
