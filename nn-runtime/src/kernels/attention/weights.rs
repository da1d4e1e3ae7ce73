//! The weights of a layer, and their transposes.

use super::sizes::Attention;
use crate::kernels::isa::Isa;
use crate::kernels::transpose::transpose;

/// The weights: matrices have a row for each input and a column for each output.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    /// `[width, in_width]`: those of queries, keys and values.
    pub(crate) in_proj: &'a [f32],
    /// `[in_width]`, or empty.
    pub(crate) in_bias: &'a [f32],
    /// `[width, width]`
    pub(crate) out_proj: &'a [f32],
    /// `[width]`, or empty.
    pub(crate) out_bias: &'a [f32],
}

/// The transposed matrices, which make the backward pass plain products.
#[derive(Clone, Copy)]
pub(crate) struct Transposed<'a> {
    /// `[width, width]`: that of queries.
    pub(super) q: &'a [f32],
    /// `[2 * kv_width, width]`: that of keys and values.
    pub(super) kv: &'a [f32],
    /// `[width, width]`
    pub(super) out_proj: &'a [f32],
}

impl Attention {
    /// Elements of the [`Transposed`] weights.
    pub(crate) const fn transposed_len(&self) -> usize {
        (self.in_width() + self.width) * self.width
    }

    /// Writes the [`Transposed`] weights.
    pub(crate) fn transpose(&self, weights: Weights<'_>, transposed: &mut [f32]) {
        let (in_proj, out_proj) = transposed.split_at_mut(weights.in_proj.len());
        // The rows of the transpose are those of queries, then those of keys and values: each part is contiguous.
        transpose(Isa::best(), self.in_width(), weights.in_proj, in_proj);
        transpose(Isa::best(), self.width, weights.out_proj, out_proj);
    }

    /// The weights that [`Attention::transpose`] wrote.
    pub(crate) fn transposed<'a>(&self, transposed: &'a [f32]) -> Transposed<'a> {
        let square = self.width * self.width;
        let (q, rest) = transposed.split_at(square);
        let (kv, out_proj) = rest.split_at(2 * self.kv_width() * self.width);
        Transposed { q, kv, out_proj }
    }
}
