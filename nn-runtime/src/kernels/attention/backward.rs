//! The backward pass of one sample.

use super::rotary::{HeadRows, Rotation, rotate};
use super::scores::softmax_backward;
use super::sizes::{Attention, Block};
use super::weights::Transposed;
use crate::kernels::dense::{dense, dense_columns};
use crate::kernels::dense_args::{ColumnsArgs, DenseArgs};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Accumulate, Init, Strides3};

/// What one sample's forward pass saved, and its gradients, for valid steps only.
pub(super) struct Gradients<'a> {
    /// Queries.
    pub(super) q: &'a [f32],
    /// Keys and values.
    pub(super) kv: &'a [f32],
    /// All heads' probabilities.
    pub(super) probabilities: &'a [f32],
    /// The gradient of the output.
    pub(super) d_y: &'a [f32],
    /// The gradient of the queries.
    pub(super) d_q: &'a mut [f32],
    /// The gradient of keys and values.
    pub(super) d_kv: &'a mut [f32],
    /// The gradient of the outputs of all heads: `[steps, width]`.
    pub(super) d_attended: &'a mut [f32],
    /// The gradient of one head's probabilities.
    pub(super) d_p: &'a mut [f32],
    /// One head's probabilities after dropout; empty without dropout.
    pub(super) dropped: &'a mut [f32],
}

impl Attention {
    /// The gradients of queries, keys and values of one sample.
    pub(super) fn backward(
        &self,
        weights: Transposed<'_>,
        cos_sin: &[f32],
        sample: &mut Gradients<'_>,
        drop: impl Fn(usize, &mut [f32]),
    ) {
        let (width, size) = (self.width, self.size());
        // A sequence without steps has no rows to multiply.
        if !sample.d_y.is_empty() {
            let (x, weight, y) = (sample.d_y, weights.out_proj, &mut *sample.d_attended);
            dense(Isa::best(), DenseArgs { inputs: width, units: width, x, weight, bias: &[], y });
        }
        for head in 0..self.heads {
            self.backward_head(head, sample, &drop);
        }
        // A rotation is orthogonal: its gradient is the inverse rotation. Values were not rotated.
        if self.rotary {
            let rows = HeadRows { size, width, stride: width };
            rotate(rows, Rotation::Inverse, cos_sin, sample.d_q);
            let rows = HeadRows { size, width: self.kv_width(), stride: 2 * self.kv_width() };
            rotate(rows, Rotation::Inverse, cos_sin, sample.d_kv);
        }
    }

    fn backward_head(
        &self,
        head: usize,
        sample: &mut Gradients<'_>,
        drop: &impl Fn(usize, &mut [f32]),
    ) {
        let (width, at, stride) = (self.width, head * self.size(), 2 * self.kv_width());
        let keys = self.keys_of(head);
        let values = self.kv_width() + keys;
        let p = &sample.probabilities[head * self.pairs()..][..self.pairs()];
        let dropped = self.with_dropout(head, p, sample.dropped, drop);
        // d_v = pᵀ d_attended, with the probabilities after dropout.
        self.d_memory_columns(head, [at, values], dropped, sample.d_attended, sample.d_kv);
        // d_p = d_attended vᵀ, through the same dropout.
        self.d_probabilities(head, sample.d_attended, sample.kv, sample.d_p);
        if !sample.dropped.is_empty() {
            // The mask is a function of the random key: drawn again, as in the forward pass, and not stored.
            drop(head, sample.d_p);
        }
        let (steps, memory) = (sample.q.len() / width, sample.kv.len() / stride);
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = begin * self.memory..end * self.memory;
            let d_p = &mut sample.d_p[rows.clone()];
            // The gradient of the scores replaces that of the probabilities; then d_q = d_scores k.
            softmax_backward(self.score_rows(begin, sees), &p[rows], d_p);
            let rows = Strides3::one_loop(end - begin, self.memory, width);
            let product = self.columns(rows, Strides3::one_loop(sees, 1, stride), Init::Zero);
            // Without a step of the memory there is no such element, and the product has no terms.
            let keys = sample.kv.get(keys..).unwrap_or_default();
            self.sum_over_memory(&product, d_p, keys, &mut sample.d_q[begin * width + at..]);
        }
        // d_k = d_scoresᵀ q.
        // `d_p` now holds the gradient of the scores, in all blocks.
        self.d_memory_columns(head, [at, keys], sample.d_p, sample.q, sample.d_kv);
    }

    /// The gradient of a head's probabilities after dropout.
    fn d_probabilities(&self, head: usize, d_attended: &[f32], kv: &[f32], d_p: &mut [f32]) {
        let (width, at, stride) = (self.width, head * self.size(), 2 * self.kv_width());
        let (steps, memory) = (d_attended.len() / width, kv.len() / stride);
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            // As in the forward pass: an empty memory has no element to begin with.
            if sees > 0 {
                self.dots(end - begin, sees, [width, stride]).compute(
                    Isa::best(),
                    &d_attended[begin * width + at..],
                    &kv[self.kv_width() + self.keys_of(head)..],
                    &mut d_p[begin * self.memory..],
                );
            }
        }
    }

    /// A head's `pᵀ rows`, written to the columns of its keys or values, or added by all heads but the first that share
    /// them. `[from, to]` are the head's first columns in `rows` and in `d_kv`. Only a step itself and later ones attend
    /// to a step of a causal head's memory.
    fn d_memory_columns(
        &self,
        head: usize,
        [from, to]: [usize; 2],
        p: &[f32],
        rows: &[f32],
        d_kv: &mut [f32],
    ) {
        let (width, length, stride) = (self.width, self.memory, 2 * self.kv_width());
        let (steps, memory) = (rows.len() / width, d_kv.len() / stride);
        let is_first = head.is_multiple_of(self.heads / self.kv_heads);
        let init = if is_first { Init::Zero } else { Init::Accumulate };
        for Block { begin, end, .. } in self.blocks(memory, memory) {
            // Earlier steps do not attend to this block.
            let first = if self.causal { begin } else { 0 };
            let terms = Strides3::one_loop(steps - first, length, width);
            let columns = Strides3::one_loop(end - begin, 1, stride);
            let product = self.columns(columns, terms, init);
            let (p, rows) = (&p[first * length + begin..], rows.get(first * width + from..));
            let d_kv = &mut d_kv[begin * stride + to..];
            product.compute_in_parts(Isa::best(), p, rows.unwrap_or_default(), d_kv);
        }
    }

    /// The gradient of the input, from that of the queries.
    pub(super) fn d_x(&self, weights: Transposed<'_>, d_q: &[f32], d_x: &mut [f32]) {
        let (inputs, units, bias) = (self.width, self.width, &[]);
        // Overwrites `d_x`; a layer that attends to its own input then adds `d_memory` to it.
        let (x, weight, y) = (d_q, weights.q, d_x);
        dense(Isa::best(), DenseArgs { inputs, units, x, weight, bias, y });
    }

    /// The gradient of the memory, from that of keys and values.
    pub(super) fn d_memory(
        &self,
        weights: Transposed<'_>,
        accumulate: Accumulate,
        d_kv: &[f32],
        d_memory: &mut [f32],
    ) {
        let (inputs, units, stride) = (2 * self.kv_width(), self.width, self.width);
        let (x, weight, y, init) = (d_kv, weights.kv, d_memory, accumulate.into());
        dense_columns(Isa::best(), ColumnsArgs { inputs, units, stride, x, weight, init, y });
    }
}
