//! Rotary positions (Su et al., 2021): queries and keys are rotated by angles proportional to their positions, so that
//! their dot products depend on the distance of the positions.
//!
//! Each head's features are rotated in pairs of one of the first half and one of the second, as in Hugging Face's
//! Llama; torchtune rotates neighbours.

use crate::kernels::dispatch::dispatch;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// The direction of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotation {
    /// By the angles of a step.
    Forward,
    /// By the negative angles: the gradient.
    Inverse,
}

/// Rows whose first `width` of `stride` elements are heads of `size` features.
#[derive(Clone, Copy)]
pub(super) struct HeadRows {
    pub(super) size: usize,
    pub(super) width: usize,
    pub(super) stride: usize,
}

/// Fills the table of rotations of heads with `size` features, for the steps from `first` on: the cosines of
/// `t / 10000^(2i/size)` for step `t`, then the sines.
///
/// Computed in `f64`, each by itself, so that a step has the same bits wherever a chunk begins.
pub(super) fn fill_cos_sin(size: usize, first: usize, cos_sin: &mut [f32]) {
    let pairs = size / 2;
    // Frequencies outside: the power is computed once for all steps.
    for i in 0..pairs {
        let speed = 10_000_f64.powf(-(2.0 * i as f64) / size as f64);
        for (step, cos_sin) in cos_sin.chunks_exact_mut(size).enumerate() {
            let (sin, cos) = ((first + step) as f64 * speed).sin_cos();
            (cos_sin[i], cos_sin[pairs + i]) = (cos as f32, sin as f32);
        }
    }
}

/// Rotates all heads of each row.
pub(super) fn rotate(layout: HeadRows, rotation: Rotation, cos_sin: &[f32], rows: &mut [f32]) {
    // The rotation by the negative angle: the cosine stays, the sine changes its sign.
    let sign = if rotation == Rotation::Inverse { -1.0 } else { 1.0 };
    rotate_rows(layout, sign, cos_sin, rows);
}

dispatch! {
    fn rotate_rows(layout: HeadRows, sign: f32, cos_sin: &[f32], rows: &mut [f32]) {
        let HeadRows { size, width, stride } = layout;
        for (row, cos_sin) in rows.chunks_exact_mut(stride).zip(cos_sin.chunks_exact(size)) {
            // Halves, unlike pairs of neighbours, are contiguous: no lanes of vectors need to be shuffled.
            let (cos, sin) = cos_sin.split_at(size / 2);
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
