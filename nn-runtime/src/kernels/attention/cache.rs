//! One step at a time: keys and values of the steps before are remembered.

use super::scores;
use super::sizes::Attention;
use super::weights::Weights;
use crate::kernels::dense::dense;
use crate::kernels::isa::Isa;
use crate::kernels::product::{Init, Strides3};
use crate::memory::count_steps;

/// The room that a step needs, cut into its parts.
struct Room<'a> {
    q: &'a mut [f32],
    found: &'a mut [f32],
    cos_sin: &'a mut [f32],
    p: &'a mut [f32],
}

impl Attention {
    /// Numbers that a causal layer remembers of a sample: how many steps it has seen (the bits of a
    /// `u32`), and the keys and values of the last [`Attention::steps`] of them, in a ring.
    pub(crate) const fn state(&self) -> usize {
        if self.causal { 1 + 2 * self.memory_len() } else { 0 }
    }

    /// One more step of a sample: the bits that the whole sequence gives. Where there is room for no more,
    /// the oldest step is forgotten.
    pub(crate) fn step(
        &self,
        weights: Weights<'_>,
        state: &mut [f32],
        x: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let width = self.width;
        let [seen, cache @ ..] = state else { unreachable!("a causal layer has a state") };
        let now = count_steps(seen, 1);
        let slot = now % self.steps;
        let room = self.room(scratch);
        self.fill_cos_sin(now, room.cos_sin);
        self.queries(weights, x, room.cos_sin, room.q);
        let row = &mut cache[slot * 2 * width..][..2 * width];
        self.keys_and_values(weights, x, room.cos_sin, row);
        // In the order of time: from the oldest to the end of the ring, then from its beginning on.
        let full = now >= self.steps;
        let (newer, older) = cache.split_at((slot + 1) * 2 * width);
        let chunks = [if full { older } else { &[] }, newer];
        for head in 0..self.heads {
            self.step_head(head, chunks, room.q, room.p, room.found);
        }
        dense(Isa::best(), width, width, room.found, weights.out_proj, weights.out_bias, y);
    }

    fn room<'a>(&self, scratch: &'a mut [f32]) -> Room<'a> {
        let (q, rest) = scratch.split_at_mut(self.width);
        let (found, rest) = rest.split_at_mut(self.width);
        let (cos_sin, rest) = rest.split_at_mut(if self.rotary { self.size() } else { 0 });
        Room { q, found, cos_sin, p: &mut rest[..self.memory] }
    }

    /// What a head finds in chunks of keys and values.
    fn step_head(
        &self,
        head: usize,
        chunks: [&[f32]; 2],
        q: &[f32],
        p: &mut [f32],
        found: &mut [f32],
    ) {
        let (width, at) = (self.width, head * self.size());
        let mut seen = 0;
        for kv in chunks.into_iter().filter(|kv| !kv.is_empty()) {
            let steps = kv.len() / (2 * width);
            let dots = self.dots(1, steps, [width, 2 * width]);
            dots.compute(Isa::best(), &q[at..], &kv[at..], &mut p[seen..]);
            seen += steps;
        }
        scores::softmax(seen, seen, 0, self.size(), &mut p[..seen]);
        let (mut p, mut init) = (&p[..seen], Init::Zero);
        for kv in chunks.into_iter().filter(|kv| !kv.is_empty()) {
            let (now, rest) = p.split_at(kv.len() / (2 * width));
            let terms = Strides3::one_loop(now.len(), 1, 2 * width);
            let product = self.columns(Strides3::one_loop(1, 0, 0), terms, init);
            product.compute(Isa::best(), now, &kv[width + at..], &mut found[at..]);
            (p, init) = (rest, Init::Accumulate);
        }
    }
}
