//! The forward pass of one sample.

use super::alibi;
use super::rotary::{self, HeadRows, Rotation, rotate};
use super::scores::{self, ScoreRows};
use super::sizes::{Attention, Block};
use super::weights::Weights;
use crate::kernels::dense::{dense, dense_columns};
use crate::kernels::dense_args::{ColumnsArgs, DenseArgs};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Init, Strides3};
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// One sample's valid steps, and what is computed from them.
pub(super) struct Sample<'a> {
    /// `[steps, width]`
    pub(super) x: &'a [f32],
    /// `[memory, width]`: `x` if the layer attends to its own input.
    pub(super) memory: &'a [f32],
    /// Queries: `[steps, width]`.
    pub(super) q: &'a mut [f32],
    /// Keys and values side by side: `[memory, 2 * kv_width]`.
    pub(super) kv: &'a mut [f32],
    /// The outputs of all heads: `[steps, width]`.
    pub(super) attended: &'a mut [f32],
    /// All heads' probabilities before dropout, `[heads, steps, memory]`, or one head's.
    pub(super) probabilities: &'a mut [f32],
    /// One head's probabilities after dropout; empty without dropout.
    pub(super) dropped: &'a mut [f32],
    /// The output: `[steps, width]`.
    pub(super) y: &'a mut [f32],
}

impl Attention {
    /// Fills the table of rotations of the steps from `first` on.
    pub(super) fn fill_cos_sin(&self, first: usize, cos_sin: &mut [f32]) {
        if self.rotary {
            rotary::fill_cos_sin(self.size(), first, cos_sin);
        }
    }

    /// The output for the valid steps of one sample. `drop(head, values)` applies dropout to a head's probabilities.
    pub(super) fn forward(
        &self,
        weights: Weights<'_>,
        cos_sin: &[f32],
        sample: &mut Sample<'_>,
        drop: impl Fn(usize, &mut [f32]),
    ) {
        self.queries(weights, sample.x, cos_sin, sample.q);
        self.keys_and_values(weights, sample.memory, cos_sin, sample.kv);
        for head in 0..self.heads {
            // Inference has memory for one head's probabilities only.
            let saves_all = sample.probabilities.len() > self.pairs();
            let begin = if saves_all { head * self.pairs() } else { 0 };
            let p = &mut sample.probabilities[begin..begin + self.pairs()];
            self.probabilities(head, sample.q, sample.kv, p);
            let p = self.with_dropout(head, p, sample.dropped, &drop);
            self.attend(head, p, sample.kv, sample.attended);
        }
        self.project_out(weights, sample.attended, sample.y);
    }

    /// The output projection.
    pub(super) fn project_out(&self, weights: Weights<'_>, attended: &[f32], y: &mut [f32]) {
        // A sequence without steps: kernels expect at least one row.
        if y.is_empty() {
            return;
        }
        let (inputs, units) = (self.width, self.width);
        let (weight, bias) = (weights.out_proj, weights.out_bias);
        dense(Isa::best(), DenseArgs { inputs, units, x: attended, weight, bias, y });
    }

    /// A head's probabilities after dropout.
    pub(super) fn with_dropout<'a>(
        &self,
        head: usize,
        p: &'a [f32],
        dropped: &'a mut [f32],
        drop: &impl Fn(usize, &mut [f32]),
    ) -> &'a [f32] {
        if dropped.is_empty() {
            return p;
        }
        // The backward pass of softmax needs the probabilities before dropout, so that these are copied.
        dropped.copy_from_slice(p);
        drop(head, dropped);
        dropped
    }

    /// The queries of some steps.
    pub(super) fn queries(&self, weights: Weights<'_>, x: &[f32], cos_sin: &[f32], q: &mut [f32]) {
        let width = self.width;
        if q.is_empty() {
            return;
        }
        dense_columns(
            Isa::best(),
            ColumnsArgs {
                inputs: width,
                units: width,
                // Queries, keys and values are columns of one matrix, the transpose of PyTorch's `in_proj_weight`.
                stride: self.in_width(),
                x,
                weight: weights.in_proj,
                init: Init::bias(weights.in_bias.get(..width).unwrap_or_default()),
                y: &mut *q,
            },
        );
        if self.rotary {
            let rows = HeadRows { size: self.size(), width, stride: width };
            rotate(rows, Rotation::Forward, cos_sin, q);
        }
    }

    /// The keys and values of some steps.
    pub(super) fn keys_and_values(
        &self,
        weights: Weights<'_>,
        x: &[f32],
        cos_sin: &[f32],
        kv: &mut [f32],
    ) {
        let (width, kv_width) = (self.width, self.kv_width());
        if kv.is_empty() {
            return;
        }
        dense_columns(
            Isa::best(),
            ColumnsArgs {
                inputs: width,
                units: 2 * kv_width,
                // One product for keys and values, whose columns are neighbours.
                stride: self.in_width(),
                x,
                weight: &weights.in_proj[width..],
                init: Init::bias(weights.in_bias.get(width..).unwrap_or_default()),
                y: &mut *kv,
            },
        );
        if self.rotary {
            // Keys are rotated, values are not.
            let rows = HeadRows { size: self.size(), width: kv_width, stride: 2 * kv_width };
            rotate(rows, Rotation::Forward, cos_sin, kv);
        }
    }

    /// A head's probabilities: rows of [`Attention::memory`] elements, 0 at steps that are not attended to.
    fn probabilities(&self, head: usize, q: &[f32], kv: &[f32], p: &mut [f32]) {
        let (width, at, stride) = (self.width, head * self.size(), 2 * self.kv_width());
        let (steps, memory) = (q.len() / width, kv.len() / stride);
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = &mut p[begin * self.memory..end * self.memory];
            // An empty memory has no element to begin with; `softmax` then writes the rows.
            if sees > 0 {
                // Scores: q kᵀ.
                self.dots(end - begin, sees, [width, stride]).compute(
                    Isa::best(),
                    &q[begin * width + at..],
                    &kv[self.keys_of(head)..],
                    rows,
                );
            }
            self.subtract_distances(head, begin, self.score_rows(begin, sees), rows);
            scores::softmax(self.score_rows(begin, sees), rows);
        }
    }

    /// Reduces the scores of a head in proportion to the distance of their steps, if the layer does that. The first row
    /// is that of step `first`.
    pub(super) fn subtract_distances(
        &self,
        head: usize,
        first: usize,
        rows: ScoreRows,
        scores: &mut [f32],
    ) {
        if self.alibi {
            // `softmax` divides the scores by this factor.
            let slope = alibi::slope(self.heads, head) * (self.size() as f64).sqrt();
            alibi::subtract_distances(rows, first, slope as f32, scores);
        }
    }

    /// The rows of scores of a block.
    pub(super) fn score_rows(&self, begin: usize, sees: usize) -> ScoreRows {
        // Step `i` of a causal head attends to `i + 1` steps; without a mask all rows are alike.
        let first = if self.causal { begin + 1 } else { sees };
        ScoreRows { len: self.memory, first, more: usize::from(self.causal), size: self.size() }
    }

    /// A head's output: the sum of the values, weighted with their probabilities.
    fn attend(&self, head: usize, p: &[f32], kv: &[f32], attended: &mut [f32]) {
        let (width, at, stride) = (self.width, head * self.size(), 2 * self.kv_width());
        let (steps, memory) = (attended.len() / width, kv.len() / stride);
        // An empty memory: a product without terms, whose result is zero.
        let values = kv.get(self.kv_width() + self.keys_of(head)..).unwrap_or_default();
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = Strides3::one_loop(end - begin, self.memory, width);
            // p v.
            let product = self.columns(rows, Strides3::one_loop(sees, 1, stride), Init::Zero);
            let (p, attended) = (&p[begin * self.memory..], &mut attended[begin * width + at..]);
            self.sum_over_memory(&product, p, values, attended);
        }
    }
}
