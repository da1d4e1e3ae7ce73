//! One step at a time, with a cache of the keys and values of earlier steps.

use super::scores::{self, ScoreRows};
use super::sizes::Attention;
use super::weights::Weights;
use crate::kernels::isa::Isa;
use crate::kernels::product::{Init, Strides3};
use crate::memory::count_steps;

/// One step of a causal layer.
pub(crate) struct CachedStep<'a> {
    pub(crate) weights: Weights<'a>,
    /// [`Attention::state`] elements: those after the previous step, then those after this one.
    pub(crate) state: &'a mut [f32],
    /// `[width]`
    pub(crate) x: &'a [f32],
    /// `[width]`, overwritten.
    pub(crate) y: &'a mut [f32],
    /// [`Attention::infer_scratch`] elements.
    pub(crate) scratch: &'a mut [f32],
}

/// The parts of the scratch memory of a step.
struct StepScratch<'a> {
    q: &'a mut [f32],
    attended: &'a mut [f32],
    cos_sin: &'a mut [f32],
    p: &'a mut [f32],
}

impl Attention {
    /// Elements of state of a causal layer per sample: the number of steps so far (the bits of a `u32`), and the keys
    /// and values of the last [`Attention::steps`] of them, in a ring buffer.
    pub(crate) const fn state(&self) -> usize {
        if self.causal { 1 + self.kv_len() } else { 0 }
    }

    /// One more step of a sample, with the same bits as in the whole sequence. If the ring buffer is full, the oldest
    /// step is overwritten.
    pub(crate) fn step(&self, step: CachedStep<'_>) {
        let CachedStep { weights, state, x, y, scratch } = step;
        let stride = 2 * self.kv_width();
        // The count comes first, so that keys and values are contiguous.
        let [seen, cache @ ..] = state else { unreachable!("a causal layer has a state") };
        let now = count_steps(seen, 1);
        let slot = now % self.steps;
        let mut scratch = self.step_scratch(scratch);
        self.fill_cos_sin(now, scratch.cos_sin);
        self.queries(weights, x, scratch.cos_sin, scratch.q);
        // The oldest step, if the buffer is full: it is the one that the window has moved past.
        let row = &mut cache[slot * stride..][..stride];
        self.keys_and_values(weights, x, scratch.cos_sin, row);
        // In the order of time: from the oldest step to the end of the ring buffer, then from its beginning on.
        let full = now >= self.steps;
        let (newer, older) = cache.split_at((slot + 1) * stride);
        let chunks = [if full { older } else { &[] }, newer];
        for head in 0..self.heads {
            self.step_head(head, chunks, &mut scratch);
        }
        self.project_out(weights, scratch.attended, y);
    }

    fn step_scratch<'a>(&self, scratch: &'a mut [f32]) -> StepScratch<'a> {
        let (q, rest) = scratch.split_at_mut(self.width);
        let (attended, rest) = rest.split_at_mut(self.width);
        let (cos_sin, rest) = rest.split_at_mut(if self.rotary { self.size() } else { 0 });
        StepScratch { q, attended, cos_sin, p: &mut rest[..self.memory] }
    }

    /// A head's output, from chunks of keys and values.
    fn step_head(&self, head: usize, chunks: [&[f32]; 2], scratch: &mut StepScratch<'_>) {
        let StepScratch { q, attended, p, .. } = scratch;
        let (at, keys, kv_width) = (head * self.size(), self.keys_of(head), self.kv_width());
        let mut seen = 0;
        for kv in chunks.into_iter().filter(|kv| !kv.is_empty()) {
            let steps = kv.len() / (2 * kv_width);
            // Both chunks write to one row of scores: softmax is over all of them.
            let dots = self.dots(1, steps, [self.width, 2 * kv_width]);
            dots.compute(Isa::best(), &q[at..], &kv[keys..], &mut p[seen..]);
            seen += steps;
        }
        let row = ScoreRows { len: seen, first: seen, more: 0, size: self.size() };
        self.subtract_distances(head, seen - 1, row, &mut p[..seen]);
        scores::softmax(row, &mut p[..seen]);
        let (mut p, mut init) = (&p[..seen], Init::Zero);
        for kv in chunks.into_iter().filter(|kv| !kv.is_empty()) {
            let (now, rest) = p.split_at(kv.len() / (2 * kv_width));
            let terms = Strides3::one_loop(now.len(), 1, 2 * kv_width);
            let product = self.columns(Strides3::one_loop(1, 0, 0), terms, init);
            self.sum_over_memory(&product, now, &kv[kv_width + keys..], &mut attended[at..]);
            // The second chunk continues the chains of the first one: the bits of a single sum over all steps.
            (p, init) = (rest, Init::Accumulate);
        }
    }
}
