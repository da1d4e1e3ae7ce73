//! Probabilities from scores, row by row.

use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::rows;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// Rows of scores, each of which begins with the scores of the steps that are attended to.
#[derive(Clone, Copy)]
pub(super) struct ScoreRows {
    /// Elements of a row.
    pub(super) len: usize,
    /// Scores in the first row.
    pub(super) first: usize,
    /// Further scores in each further row.
    pub(super) more: usize,
    /// Features of a head.
    pub(super) size: usize,
}

impl ScoreRows {
    /// Scores are divided by the square root of the number of features.
    #[inline(always)]
    fn scale(self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

dispatch! {
    /// `softmax(x / sqrt(size))` of the scores of each row, in place. The rest of each row becomes 0.
    pub(super) fn softmax<L>(rows: ScoreRows, x: &mut [f32]) {
        let scale = rows.scale();
        for (i, row) in x.chunks_exact_mut(rows.len).enumerate() {
            let (seen, rest) = row.split_at_mut(rows.first + i * rows.more);
            // Without the maximum an exponential could be infinite. The scale is positive, so that the largest score
            // stays the largest.
            let max = rows::max(seen);
            for x in seen.iter_mut() {
                *x = exp::<L>((*x - max) * scale);
            }
            // One division per row. An empty row has no element to multiply.
            let sum = 1.0 / rows::sum(seen);
            for x in seen {
                *x *= sum;
            }
            // Steps that later rows of the block attend to: with probability 0 they add nothing in `attend`.
            rest.fill(0.0);
        }
    }

    /// The gradient of the scores, which replaces that of the probabilities `p`.
    pub(super) fn softmax_backward(rows: ScoreRows, p: &[f32], d: &mut [f32]) {
        let (scale, len) = (rows.scale(), rows.len);
        for (i, (p, d)) in p.chunks_exact(len).zip(d.chunks_exact_mut(len)).enumerate() {
            let seen = rows.first + i * rows.more;
            let p = &p[..seen];
            let (d, rest) = d.split_at_mut(seen);
            // d_score = p (d_p - Σ p d_p), times the scale.
            let mean = rows::products(p, d, 0.0);
            for (d, p) in d.iter_mut().zip(p) {
                *d = p * (*d - mean) * scale;
            }
            // They were written as products of a whole block, and must not reach `d_q` and `d_k`.
            rest.fill(0.0);
        }
    }
}
