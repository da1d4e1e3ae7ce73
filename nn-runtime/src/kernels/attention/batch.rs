//! Attention of all samples of a shard, one after the other, and the layout of their values.

use super::backward::Gradients;
use super::cache::CachedStep;
use super::forward::Sample;
use super::sizes::{Attention, Deferred, Saved};
use super::weights::{Transposed, Weights};
use crate::kernels::product::Accumulate;
use crate::memory::{StateMut, take};
use crate::types::Steps;

/// A pass of several samples.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// The sizes of the layer.
    pub(crate) attention: Attention,
    /// The weights of the layer.
    pub(crate) weights: Weights<'a>,
    /// The number of samples.
    pub(crate) n: usize,
    /// The valid steps of each sample's input and of its memory.
    pub(crate) lengths: [Steps<'a>; 2],
}

/// The memory of a training pass.
pub(crate) struct TrainMemory<'a> {
    /// [`Attention::saved`] elements per sample.
    pub(crate) saved: &'a mut [f32],
    /// [`Attention::deferred`] elements per sample.
    pub(crate) deferred: &'a mut [f32],
    /// [`Attention::train_scratch`] elements.
    pub(crate) scratch: &'a mut [f32],
}

/// The arguments of a backward pass.
pub(crate) struct BatchBackward<'a> {
    /// The transposed weights.
    pub(crate) weights: Transposed<'a>,
    /// The gradient of the output.
    pub(crate) d_y: &'a [f32],
    /// The gradients of the input and, if that is another value, of the memory.
    pub(crate) d_x: [Option<&'a mut [f32]>; 2],
    pub(crate) memory: TrainMemory<'a>,
}

/// The number of elements of a sample's valid steps.
#[derive(Clone, Copy)]
struct Valid {
    x: usize,
    memory: usize,
    /// Of the keys and values of the memory.
    kv: usize,
}

impl Batch<'_> {
    fn valid(&self, sample: usize) -> Valid {
        let Attention { steps, memory, width, .. } = self.attention;
        let seen = self.lengths[1].valid(sample, memory);
        Valid {
            x: self.lengths[0].valid(sample, steps) * width,
            memory: seen * width,
            kv: seen * 2 * self.attention.kv_width(),
        }
    }

    /// The valid steps of a sample's input and of its memory.
    fn inputs<'x>(&self, sample: usize, x: [&'x [f32]; 2]) -> [&'x [f32]; 2] {
        let valid = self.valid(sample);
        [
            &x[0][sample * self.attention.input_len()..][..valid.x],
            &x[1][sample * self.attention.memory_len()..][..valid.memory],
        ]
    }

    /// Inference. `x` is the input and the memory, which may be the same. A causal layer with a state continues from
    /// it, step by step.
    pub(crate) fn infer(
        &self,
        x: [&[f32]; 2],
        y: &mut [f32],
        mut state: StateMut<'_>,
        scratch: &mut [f32],
    ) {
        let it = &self.attention;
        let continues = it.causal && !state.is_empty();
        let (cos_sin, scratch) = scratch.split_at_mut(it.cos_sin_len());
        // Once per call, for all samples: positions count from 0 in each of them.
        it.fill_cos_sin(0, cos_sin);
        for (sample, y) in y.chunks_exact_mut(it.input_len()).enumerate() {
            let [x, memory] = self.inputs(sample, x);
            let (y, after) = y.split_at_mut(x.len());
            // Layers that mix steps write zeros after the end of a sequence.
            after.fill(0.0);
            if continues {
                let state = state.sample(sample);
                for (x, y) in x.chunks_exact(it.width).zip(y.chunks_exact_mut(it.width)) {
                    // The step advances the ring buffer; it has the bits of the whole sequence.
                    let (weights, state, scratch) = (self.weights, &mut *state, &mut *scratch);
                    it.step(CachedStep { weights, state, x, y, scratch });
                }
                continue;
            }
            let kv_valid = self.valid(sample).kv;
            let (q, rest) = scratch.split_at_mut(it.input_len());
            let (kv, rest) = rest.split_at_mut(it.kv_len());
            let (attended, rest) = rest.split_at_mut(it.input_len());
            let mut sample = Sample {
                x,
                memory,
                q: &mut q[..x.len()],
                kv: &mut kv[..kv_valid],
                attended: &mut attended[..x.len()],
                probabilities: &mut rest[..it.pairs()],
                dropped: &mut [],
                y,
            };
            it.forward(self.weights, cos_sin, &mut sample, |_, _| {});
        }
    }

    /// The training forward pass. `drop(sample, head, values)` applies dropout to a head's probabilities.
    pub(crate) fn forward(
        &self,
        x: [&[f32]; 2],
        y: &mut [f32],
        memory: TrainMemory<'_>,
        drop: impl Fn(usize, usize, &mut [f32]),
    ) {
        let it = &self.attention;
        let TrainMemory { saved, deferred, scratch } = memory;
        let Saved { q, kv, probabilities } = it.saved();
        let Deferred { x: deferred_x, memory: deferred_memory, attended, .. } = it.deferred();
        let [q, kv, probabilities] = take(saved, self.n, [q, kv, probabilities]);
        let [deferred_x, deferred_memory, attended] =
            take(deferred, self.n, [deferred_x, deferred_memory, attended]);
        let (cos_sin, scratch) = scratch.split_at_mut(it.cos_sin_len());
        it.fill_cos_sin(0, cos_sin);
        for (i, y) in y.chunks_exact_mut(it.input_len()).enumerate() {
            let [x, memory] = self.inputs(i, x);
            defer(x, i, it.input_len(), deferred_x);
            // For self-attention, the gradient of the weights finds the memory in `deferred_x`.
            if it.cross {
                defer(memory, i, it.memory_len(), deferred_memory);
            }
            let (y, after) = y.split_at_mut(x.len());
            after.fill(0.0);
            let attended = valid_part(i, it.input_len(), x.len(), attended);
            // Training saves the probabilities of all heads; inference has memory for those of one.
            let pairs = it.heads * it.pairs();
            let mut sample = Sample {
                x,
                memory,
                q: &mut q[i * it.input_len()..][..x.len()],
                kv: &mut kv[i * it.kv_len()..][..self.valid(i).kv],
                attended,
                probabilities: &mut probabilities[i * pairs..(i + 1) * pairs],
                dropped: &mut scratch[..it.dropped_len()],
                y,
            };
            it.forward(self.weights, cos_sin, &mut sample, |head, p| drop(i, head, p));
        }
    }

    /// The backward pass. `drop` is that of the forward pass.
    pub(crate) fn backward(
        &self,
        call: BatchBackward<'_>,
        drop: impl Fn(usize, usize, &mut [f32]),
    ) {
        let it = &self.attention;
        let BatchBackward { weights, d_y, mut d_x, memory } = call;
        let TrainMemory { saved, deferred, scratch } = memory;
        let Saved { q, kv, probabilities } = it.saved();
        let Deferred { d_q, d_kv, d_y: deferred_d_y, .. } = it.deferred();
        let [q, kv, probabilities] = take(saved, self.n, [q, kv, probabilities]);
        let [d_q, d_kv, deferred_d_y] = take(deferred, self.n, [d_q, d_kv, deferred_d_y]);
        let (cos_sin, scratch) = scratch.split_at_mut(it.cos_sin_len());
        it.fill_cos_sin(0, cos_sin);
        let (d_attended, scratch) = scratch.split_at_mut(it.input_len());
        let (d_p, scratch) = scratch.split_at_mut(it.pairs());
        for i in 0..self.n {
            let valid = self.valid(i);
            let d_y = &d_y[i * it.input_len()..][..valid.x];
            defer(d_y, i, it.input_len(), deferred_d_y);
            let d_q = valid_part(i, it.input_len(), valid.x, d_q);
            let d_kv = valid_part(i, it.kv_len(), valid.kv, d_kv);
            let pairs = it.heads * it.pairs();
            let mut sample = Gradients {
                q: &q[i * it.input_len()..][..valid.x],
                kv: &kv[i * it.kv_len()..][..valid.kv],
                probabilities: &probabilities[i * pairs..(i + 1) * pairs],
                d_y,
                d_q,
                d_kv,
                d_attended: &mut d_attended[..valid.x],
                d_p: &mut *d_p,
                dropped: &mut scratch[..it.dropped_len()],
            };
            it.backward(weights, cos_sin, &mut sample, |head, p| drop(i, head, p));
            let (d_q, d_kv) = (&*sample.d_q, &*sample.d_kv);
            let [d_x, d_memory] = &mut d_x;
            if let Some(d_x) = d_x {
                let d_x = valid_part(i, it.input_len(), valid.x, d_x);
                it.d_x(weights, d_q, d_x);
                // The input is also the memory: its gradient is the sum of both.
                if !it.cross {
                    it.d_memory(weights, Accumulate::Add, d_kv, d_x);
                }
            }
            if let Some(d_memory) = d_memory {
                let d_memory = valid_part(i, it.memory_len(), valid.memory, d_memory);
                it.d_memory(weights, Accumulate::Overwrite, d_kv, d_memory);
            }
        }
    }
}

/// Stores the valid steps of sample `i` for the gradient of the weights, followed by zeros.
fn defer(valid: &[f32], i: usize, len: usize, deferred: &mut [f32]) {
    valid_part(i, len, valid.len(), deferred).copy_from_slice(valid);
}

/// The first `valid` of the `len` elements of sample `i`. Fills those after them with zeros, so that one product over
/// all rows of a batch, valid or not, is the gradient of the weights.
fn valid_part(i: usize, len: usize, valid: usize, all: &mut [f32]) -> &mut [f32] {
    let (begin, after) = all[i * len..(i + 1) * len].split_at_mut(valid);
    after.fill(0.0);
    begin
}
