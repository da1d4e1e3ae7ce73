//! Attention of all samples of a shard, one after the other: their lengths, and where everything lies.

use super::backward::{Gradients, Transposed};
use super::forward::Sample;
use super::sizes::{Attention, Deferred, Saved};
use super::weights::Weights;
use crate::kernels::product::Accumulate;
use crate::memory::{StateMut, take};
use crate::types::Steps;

/// A pass of several samples.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// The layer.
    pub(crate) attention: Attention,
    /// Its weights.
    pub(crate) weights: Weights<'a>,
    /// How many samples.
    pub(crate) n: usize,
    /// How many steps of each sample's input are valid, and how many of what is looked at.
    pub(crate) lengths: [Steps<'a>; 2],
}

/// How many numbers the valid steps of a sample have.
#[derive(Clone, Copy)]
struct Valid {
    x: usize,
    memory: usize,
}

impl Batch<'_> {
    fn valid(&self, sample: usize) -> Valid {
        let Attention { steps, memory, width, .. } = self.attention;
        Valid {
            x: self.lengths[0].valid(sample, steps) * width,
            memory: self.lengths[1].valid(sample, memory) * width,
        }
    }

    /// The valid steps of a sample: of the input, and of what is looked at.
    fn inputs<'x>(&self, sample: usize, x: [&'x [f32]; 2]) -> [&'x [f32]; 2] {
        let valid = self.valid(sample);
        [
            &x[0][sample * self.attention.input_len()..][..valid.x],
            &x[1][sample * self.attention.memory_len()..][..valid.memory],
        ]
    }

    /// Inference. `x` is the input and what is looked at, the same twice where that is the input. A causal
    /// layer that carries a state goes on from there, step by step.
    pub(crate) fn infer(
        &self,
        x: [&[f32]; 2],
        y: &mut [f32],
        mut state: StateMut<'_>,
        scratch: &mut [f32],
    ) {
        let it = &self.attention;
        let goes_on = it.causal && !state.is_empty();
        let (cos_sin, room) = scratch.split_at_mut(it.cos_sin_len());
        it.fill_cos_sin(0, cos_sin);
        for (sample, y) in y.chunks_exact_mut(it.input_len()).enumerate() {
            let [x, memory] = self.inputs(sample, x);
            let (y, behind) = y.split_at_mut(x.len());
            behind.fill(0.0);
            if goes_on {
                let state = state.sample(sample);
                for (x, y) in x.chunks_exact(it.width).zip(y.chunks_exact_mut(it.width)) {
                    it.step(self.weights, state, x, y, room);
                }
                continue;
            }
            let (q, rest) = room.split_at_mut(it.input_len());
            let (kv, rest) = rest.split_at_mut(2 * it.memory_len());
            let (found, rest) = rest.split_at_mut(it.input_len());
            let mut sample = Sample {
                x,
                memory,
                q: &mut q[..x.len()],
                kv: &mut kv[..2 * memory.len()],
                found: &mut found[..x.len()],
                probabilities: &mut rest[..it.pairs()],
                dropped: &mut [],
            };
            it.forward(self.weights, cos_sin, &mut sample, |_, _| {}, y);
        }
    }

    /// The training forward pass. `drop(sample, head, values)` drops some of a head's probabilities.
    pub(crate) fn forward(
        &self,
        x: [&[f32]; 2],
        y: &mut [f32],
        [saved, deferred, scratch]: [&mut [f32]; 3],
        drop: impl Fn(usize, usize, &mut [f32]),
    ) {
        let it = &self.attention;
        let Saved { q, kv, probabilities } = it.saved();
        let Deferred { x: deferred_x, memory: deferred_memory, found, .. } = it.deferred();
        let [q, kv, probabilities] = take(saved, self.n, [q, kv, probabilities]);
        let [deferred_x, deferred_memory, found] =
            take(deferred, self.n, [deferred_x, deferred_memory, found]);
        let (cos_sin, room) = scratch.split_at_mut(it.cos_sin_len());
        it.fill_cos_sin(0, cos_sin);
        for (i, y) in y.chunks_exact_mut(it.input_len()).enumerate() {
            let [x, memory] = self.inputs(i, x);
            keep(x, i, it.input_len(), deferred_x);
            if it.cross {
                keep(memory, i, it.memory_len(), deferred_memory);
            }
            let (y, behind) = y.split_at_mut(x.len());
            behind.fill(0.0);
            let found = &mut found[i * it.input_len()..(i + 1) * it.input_len()];
            let (found, behind) = found.split_at_mut(x.len());
            behind.fill(0.0);
            let pairs = it.heads * it.pairs();
            let mut sample = Sample {
                x,
                memory,
                q: &mut q[i * it.input_len()..][..x.len()],
                kv: &mut kv[i * 2 * it.memory_len()..][..2 * memory.len()],
                found,
                probabilities: &mut probabilities[i * pairs..(i + 1) * pairs],
                dropped: &mut room[..it.dropped_len()],
            };
            it.forward(self.weights, cos_sin, &mut sample, |head, p| drop(i, head, p), y);
        }
    }

    /// The backward pass. `d_x` are the gradients of the input and, where that is something else, of what
    /// is looked at.
    pub(crate) fn backward(
        &self,
        weights: Transposed<'_>,
        d_y: &[f32],
        mut d_x: [Option<&mut [f32]>; 2],
        [saved, deferred, scratch]: [&mut [f32]; 3],
        drop: impl Fn(usize, usize, &mut [f32]),
    ) {
        let it = &self.attention;
        let Saved { q, kv, probabilities } = it.saved();
        let Deferred { d_q, d_kv, d_y: deferred_d_y, .. } = it.deferred();
        let [q, kv, probabilities] = take(saved, self.n, [q, kv, probabilities]);
        let [d_q, d_kv, deferred_d_y] = take(deferred, self.n, [d_q, d_kv, deferred_d_y]);
        let (cos_sin, room) = scratch.split_at_mut(it.cos_sin_len());
        it.fill_cos_sin(0, cos_sin);
        let (d_found, room) = room.split_at_mut(it.input_len());
        let (d_p, room) = room.split_at_mut(it.pairs());
        for i in 0..self.n {
            let valid = self.valid(i);
            let d_y = &d_y[i * it.input_len()..][..valid.x];
            keep(d_y, i, it.input_len(), deferred_d_y);
            let d_q = cleared(i, it.input_len(), valid.x, d_q);
            let d_kv = cleared(i, 2 * it.memory_len(), 2 * valid.memory, d_kv);
            let pairs = it.heads * it.pairs();
            let mut sample = Gradients {
                q: &q[i * it.input_len()..][..valid.x],
                kv: &kv[i * 2 * it.memory_len()..][..2 * valid.memory],
                probabilities: &probabilities[i * pairs..(i + 1) * pairs],
                d_y,
                d_q,
                d_kv,
                d_found: &mut d_found[..valid.x],
                d_p,
                dropped: &mut room[..it.dropped_len()],
            };
            it.backward(weights, cos_sin, &mut sample, |head, p| drop(i, head, p));
            let (d_q, d_kv) = (&*sample.d_q, &*sample.d_kv);
            let [d_x, d_memory] = &mut d_x;
            if let Some(d_x) = d_x {
                let d_x = cleared(i, it.input_len(), valid.x, d_x);
                it.d_x(weights, d_q, d_x);
                if !it.cross {
                    it.d_memory(weights, Accumulate::Add, d_kv, d_x);
                }
            }
            if let Some(d_memory) = d_memory {
                let d_memory = cleared(i, it.memory_len(), valid.memory, d_memory);
                it.d_memory(weights, Accumulate::Overwrite, d_kv, d_memory);
            }
        }
    }
}

/// Copies the valid steps of sample `i` to its place, and zeros behind them.
fn keep(valid: &[f32], i: usize, len: usize, deferred: &mut [f32]) {
    cleared(i, len, valid.len(), deferred).copy_from_slice(valid);
}

/// The first `valid` of the `len` numbers of sample `i`; those behind them become zeros.
fn cleared(i: usize, len: usize, valid: usize, all: &mut [f32]) -> &mut [f32] {
    let (begin, behind) = all[i * len..(i + 1) * len].split_at_mut(valid);
    behind.fill(0.0);
    begin
}
