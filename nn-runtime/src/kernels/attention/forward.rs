//! Attention forward.

use super::rotary::{self, Rotation, rotate};
use super::scores;
use super::sizes::{Attention, Block};
use super::weights::Weights;
use crate::kernels::dense::{dense, dense_columns};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Init, Strides3};

/// One sample's valid steps, and what is made of them.
pub(crate) struct Sample<'a> {
    /// `[steps, width]`
    pub(crate) x: &'a [f32],
    /// `[steps, width]`, the same where the layer looks at its own input.
    pub(crate) memory: &'a [f32],
    /// Queries: `[steps, width]`.
    pub(crate) q: &'a mut [f32],
    /// Keys and values side by side: `[memory, 2 * width]`.
    pub(crate) kv: &'a mut [f32],
    /// What each head found for each step: `[steps, width]`.
    pub(crate) found: &'a mut [f32],
    /// The heads' probabilities before anything is dropped, `[heads, steps, memory]`, or room for one
    /// head's.
    pub(crate) probabilities: &'a mut [f32],
    /// Room for one head's probabilities, where some are dropped.
    pub(crate) dropped: &'a mut [f32],
}

impl Attention {
    /// Fills the table of cos_sin, from step `first` on.
    pub(crate) fn fill_cos_sin(&self, first: usize, cos_sin: &mut [f32]) {
        if self.rotary {
            rotary::fill_cos_sin(self.size(), first, cos_sin);
        }
    }

    /// `y` for the valid steps of one sample. `drop(head, values)` drops some of a head's probabilities.
    pub(crate) fn forward(
        &self,
        weights: Weights<'_>,
        cos_sin: &[f32],
        sample: &mut Sample<'_>,
        drop: impl Fn(usize, &mut [f32]),
        y: &mut [f32],
    ) {
        self.queries(weights, sample.x, cos_sin, sample.q);
        self.keys_and_values(weights, sample.memory, cos_sin, sample.kv);
        for head in 0..self.heads {
            let keeps = sample.probabilities.len() > self.pairs();
            let begin = if keeps { head * self.pairs() } else { 0 };
            let p = &mut sample.probabilities[begin..begin + self.pairs()];
            self.probabilities(head, sample.q, sample.kv, p);
            let p = self.with_drops(head, p, sample.dropped, &drop);
            self.gather(head, p, sample.kv, sample.found);
        }
        let width = self.width;
        if !y.is_empty() {
            dense(Isa::best(), width, width, sample.found, weights.out_proj, weights.out_bias, y);
        }
    }

    /// A head's probabilities after some are dropped.
    pub(super) fn with_drops<'a>(
        &self,
        head: usize,
        p: &'a [f32],
        dropped: &'a mut [f32],
        drop: &impl Fn(usize, &mut [f32]),
    ) -> &'a [f32] {
        if dropped.is_empty() {
            return p;
        }
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
        let bias = Init::bias(weights.in_bias.get(..width).unwrap_or_default());
        dense_columns(Isa::best(), width, width, 3 * width, x, weights.in_proj, bias, q);
        if self.rotary {
            rotate(self.size(), width, width, Rotation::Forward, cos_sin, q);
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
        let width = self.width;
        if kv.is_empty() {
            return;
        }
        let bias = Init::bias(weights.in_bias.get(width..).unwrap_or_default());
        let weight = &weights.in_proj[width..];
        dense_columns(Isa::best(), width, 2 * width, 3 * width, x, weight, bias, kv);
        if self.rotary {
            rotate(self.size(), width, 2 * width, Rotation::Forward, cos_sin, kv);
        }
    }

    /// A head's probabilities: rows of [`Attention::memory`] numbers, 0 where nothing is seen.
    pub(super) fn probabilities(&self, head: usize, q: &[f32], kv: &[f32], p: &mut [f32]) {
        let (width, at) = (self.width, head * self.size());
        let (steps, memory) = (q.len() / width, kv.len() / (2 * width));
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = &mut p[begin * self.memory..end * self.memory];
            if sees > 0 {
                self.dots(end - begin, sees, [width, 2 * width]).compute(
                    Isa::best(),
                    &q[begin * width + at..],
                    &kv[at..],
                    rows,
                );
            }
            let first = if self.causal { begin + 1 } else { sees };
            scores::softmax(self.memory, first, usize::from(self.causal), self.size(), rows);
        }
    }

    /// What a head finds: the values, times their probabilities.
    pub(super) fn gather(&self, head: usize, p: &[f32], kv: &[f32], found: &mut [f32]) {
        let (width, at) = (self.width, head * self.size());
        let (steps, memory) = (found.len() / width, kv.len() / (2 * width));
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = Strides3::one_loop(end - begin, self.memory, width);
            let product = self.columns(rows, Strides3::one_loop(sees, 1, 2 * width), Init::Zero);
            let values = kv.get(width + at..).unwrap_or_default();
            product.compute(
                Isa::best(),
                &p[begin * self.memory..],
                values,
                &mut found[begin * width + at..],
            );
        }
    }
}
