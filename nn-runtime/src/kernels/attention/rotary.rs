//! Rotary positions (Su et al., 2021): queries and keys are turned by angles that grow with their steps'
//! numbers, so that their products depend on how far the steps are apart.
//!
//! Each head's features are turned in pairs of one of the first half and one of the second, as in
//! Hugging Face's Llama; torchtune turns neighbours.

use crate::kernels::dispatch::dispatch;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// By the step's angles.
    Forward,
    /// Back by them: the gradient.
    Back,
}

/// Fills the table of turns of heads with `size` features, for the steps from `first` on: the cosines of
/// `t / 10000^(2i/size)` of a step `t`, then the sines.
///
/// Computed in `f64`, each by itself, so that a step has the same bits wherever a stretch begins.
pub(super) fn turns(size: usize, first: usize, turns: &mut [f32]) {
    let pairs = size / 2;
    for i in 0..pairs {
        let speed = 10_000_f64.powf(-(2.0 * i as f64) / size as f64);
        for (step, turn) in turns.chunks_exact_mut(size).enumerate() {
            let (sin, cos) = ((first + step) as f64 * speed).sin_cos();
            (turn[i], turn[pairs + i]) = (cos as f32, sin as f32);
        }
    }
}

/// Turns all heads of each row: the first `width` of `stride` numbers, heads of `size`.
pub(super) fn rotate(
    size: usize,
    width: usize,
    stride: usize,
    turn: Turn,
    turns: &[f32],
    rows: &mut [f32],
) {
    let sign = if turn == Turn::Back { -1.0 } else { 1.0 };
    rotate_rows(size, width, stride, sign, turns, rows);
}

dispatch! {
    fn rotate_rows(
        size: usize,
        width: usize,
        stride: usize,
        sign: f32,
        turns: &[f32],
        rows: &mut [f32],
    ) {
        for (row, turn) in rows.chunks_exact_mut(stride).zip(turns.chunks_exact(size)) {
            let (cos, sin) = turn.split_at(size / 2);
            for head in row[..width].chunks_exact_mut(size) {
                let (a, b) = head.split_at_mut(size / 2);
                for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                    let sin = sign * sin;
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
    }
}
