//! Scores to probabilities, row by row.

use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::rows;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

dispatch! {
    /// `softmax(x / sqrt(size))` of the beginning of each row of `len` numbers, in place: of `first` of
    /// the first row, and `more` in each further one. What stands behind them becomes 0.
    pub(super) fn softmax<L>(len: usize, first: usize, more: usize, size: usize, x: &mut [f32]) {
        let scale = 1.0 / (size as f32).sqrt();
        for (i, row) in x.chunks_exact_mut(len).enumerate() {
            let (seen, rest) = row.split_at_mut(first + i * more);
            let max = rows::max(seen);
            for x in seen.iter_mut() {
                *x = exp::<L>((*x - max) * scale);
            }
            let sum = 1.0 / rows::sum(seen);
            for x in seen {
                *x *= sum;
            }
            rest.fill(0.0);
        }
    }

    /// The gradient of the scores, in place of that of the probabilities `p`; sizes as in [`softmax`].
    pub(super) fn softmax_backward(
        len: usize,
        first: usize,
        more: usize,
        size: usize,
        p: &[f32],
        d: &mut [f32],
    ) {
        let scale = 1.0 / (size as f32).sqrt();
        for (i, (p, d)) in p.chunks_exact(len).zip(d.chunks_exact_mut(len)).enumerate() {
            let seen = first + i * more;
            let p = &p[..seen];
            let (d, rest) = d.split_at_mut(seen);
            let mean = rows::products(p, d, 0.0);
            for (d, p) in d.iter_mut().zip(p) {
                *d = p * (*d - mean) * scale;
            }
            rest.fill(0.0);
        }
    }
}
