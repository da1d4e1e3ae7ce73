//! Attention backward, and the gradient of its weights.

use super::rotary::{Rotation, rotate};
use super::scores::softmax_backward;
use super::sizes::{Attention, Block};
use super::weights::Weights;
use crate::kernels::dense::{RowBlocks, d_bias, dense, dense_d_weight, dense_onto};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Accumulate, Init, Product, Strides3};
use crate::kernels::transpose::transpose;

/// What one sample's forward pass left, and where the gradients go: valid steps alone.
pub(crate) struct Gradients<'a> {
    /// Queries.
    pub(crate) q: &'a [f32],
    /// Keys and values.
    pub(crate) kv: &'a [f32],
    /// All heads' probabilities.
    pub(crate) probabilities: &'a [f32],
    /// The gradient of the output.
    pub(crate) d_y: &'a [f32],
    /// That of the queries.
    pub(crate) d_q: &'a mut [f32],
    /// That of keys and values.
    pub(crate) d_kv: &'a mut [f32],
    /// Room for `[steps, width]`.
    pub(crate) d_found: &'a mut [f32],
    /// Room for one head's probabilities.
    pub(crate) d_p: &'a mut [f32],
    /// The same, where some are dropped.
    pub(crate) dropped: &'a mut [f32],
}

/// The weights' matrices with rows and columns exchanged.
#[derive(Clone, Copy)]
pub(crate) struct Transposed<'a> {
    /// `[width, width]`: of queries.
    q: &'a [f32],
    /// `[2 * width, width]`: of keys and values.
    kv: &'a [f32],
    /// `[width, width]`
    out_proj: &'a [f32],
}

impl Attention {
    /// Numbers of the [`Transposed`] weights.
    pub(crate) const fn transposed_len(&self) -> usize {
        4 * self.width * self.width
    }

    /// Exchanges rows and columns of the weights' matrices.
    pub(crate) fn transpose(&self, weights: Weights<'_>, transposed: &mut [f32]) {
        let (in_proj, out_proj) = transposed.split_at_mut(weights.in_proj.len());
        transpose(Isa::best(), 3 * self.width, weights.in_proj, in_proj);
        transpose(Isa::best(), self.width, weights.out_proj, out_proj);
    }

    /// What [`Attention::transpose`] wrote.
    pub(crate) fn transposed<'a>(&self, transposed: &'a [f32]) -> Transposed<'a> {
        let square = self.width * self.width;
        let (q, rest) = transposed.split_at(square);
        let (kv, out_proj) = rest.split_at(2 * square);
        Transposed { q, kv, out_proj }
    }

    /// The gradients of queries, keys and values of one sample.
    pub(crate) fn backward(
        &self,
        weights: Transposed<'_>,
        cos_sin: &[f32],
        sample: &mut Gradients<'_>,
        drop: impl Fn(usize, &mut [f32]),
    ) {
        let width = self.width;
        if !sample.d_y.is_empty() {
            dense(Isa::best(), width, width, sample.d_y, weights.out_proj, &[], sample.d_found);
        }
        for head in 0..self.heads {
            self.backward_head(head, sample, &drop);
        }
        if self.rotary {
            rotate(self.size(), width, width, Rotation::Inverse, cos_sin, sample.d_q);
            rotate(self.size(), width, 2 * width, Rotation::Inverse, cos_sin, sample.d_kv);
        }
    }

    fn backward_head(
        &self,
        head: usize,
        sample: &mut Gradients<'_>,
        drop: &impl Fn(usize, &mut [f32]),
    ) {
        let (width, at) = (self.width, head * self.size());
        let values = width + at;
        let p = &sample.probabilities[head * self.pairs()..][..self.pairs()];
        let dropped = self.with_drops(head, p, sample.dropped, drop);
        self.onto_memory(dropped, sample.d_found, at, sample.d_kv, values);
        self.d_probabilities(head, sample.d_found, sample.kv, sample.d_p);
        if !sample.dropped.is_empty() {
            drop(head, sample.d_p);
        }
        let (steps, memory) = (sample.q.len() / width, sample.kv.len() / (2 * width));
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = begin * self.memory..end * self.memory;
            let first = if self.causal { begin + 1 } else { sees };
            let more = usize::from(self.causal);
            let d_p = &mut sample.d_p[rows.clone()];
            softmax_backward(self.memory, first, more, self.size(), &p[rows], d_p);
            let rows = Strides3::one_loop(end - begin, self.memory, width);
            let product = self.columns(rows, Strides3::one_loop(sees, 1, 2 * width), Init::Zero);
            let keys = sample.kv.get(at..).unwrap_or_default();
            product.compute(Isa::best(), d_p, keys, &mut sample.d_q[begin * width + at..]);
        }
        self.onto_memory(sample.d_p, sample.q, at, sample.d_kv, at);
    }

    /// The gradient of a head's probabilities, before any are dropped.
    fn d_probabilities(&self, head: usize, d_found: &[f32], kv: &[f32], d_p: &mut [f32]) {
        let (width, at) = (self.width, head * self.size());
        let (steps, memory) = (d_found.len() / width, kv.len() / (2 * width));
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            if sees > 0 {
                self.dots(end - begin, sees, [width, 2 * width]).compute(
                    Isa::best(),
                    &d_found[begin * width + at..],
                    &kv[width + at..],
                    &mut d_p[begin * self.memory..],
                );
            }
        }
    }

    /// A head's `pᵀ rows`, to a head's columns of keys or values, which begin at `to`; those of `rows`
    /// begin at `at`. Steps of a causal head's memory are seen by themselves and those behind them alone.
    fn onto_memory(&self, p: &[f32], rows: &[f32], at: usize, d_kv: &mut [f32], to: usize) {
        let (width, length) = (self.width, self.memory);
        let (steps, memory) = (rows.len() / width, d_kv.len() / (2 * width));
        for Block { begin, end, .. } in self.blocks(memory, memory) {
            let first = if self.causal { begin } else { 0 };
            let terms = Strides3::one_loop(steps - first, length, width);
            let product =
                self.columns(Strides3::one_loop(end - begin, 1, 2 * width), terms, Init::Zero);
            let (p, rows) = (&p[first * length + begin..], rows.get(first * width + at..));
            let d_kv = &mut d_kv[begin * 2 * width + to..];
            product.compute(Isa::best(), p, rows.unwrap_or_default(), d_kv);
        }
    }

    /// The gradient of the input, from that of the queries.
    pub(crate) fn d_x(&self, weights: Transposed<'_>, d_q: &[f32], d_x: &mut [f32]) {
        dense(Isa::best(), self.width, self.width, d_q, weights.q, &[], d_x);
    }

    /// The gradient of what is looked at, from that of keys and values.
    pub(crate) fn d_memory(
        &self,
        weights: Transposed<'_>,
        accumulate: Accumulate,
        d_kv: &[f32],
        d_memory: &mut [f32],
    ) {
        dense_onto(Isa::best(), 2 * self.width, self.width, accumulate, d_kv, weights.kv, d_memory);
    }

    /// Some rows of the gradient of `in_proj`, from row `first` on. `deferred` is that of several samples in
    /// each of several blocks.
    pub(crate) fn d_in_proj(
        &self,
        accumulate: Accumulate,
        shards: &DeferredShards<'_>,
        first: usize,
        d_weight: &mut [f32],
    ) {
        let width = self.width;
        let place = self.deferred();
        let looked_at = if self.cross { place.memory } else { place.x };
        let parts = [
            (place.x.offset, place.d_q.offset, self.steps, 0, width),
            (looked_at.offset, place.d_kv.offset, self.memory, width, 2 * width),
        ];
        for (x, d, steps, at, columns) in parts {
            let product = Product {
                rows: Strides3::one_loop(d_weight.len() / (3 * width), 1, 3 * width),
                terms: shards.blocks(steps).strides(width, columns),
                columns,
                init: accumulate.into(),
            };
            let (x, d) = (&shards.from(x)[first..], shards.from(d));
            product.compute(Isa::best(), x, d, &mut d_weight[at..]);
        }
    }

    /// Some rows of the gradient of `out_proj`, from row `first` on.
    pub(crate) fn d_out_proj(
        &self,
        accumulate: Accumulate,
        shards: &DeferredShards<'_>,
        first: usize,
        d_weight: &mut [f32],
    ) {
        let (width, place) = (self.width, self.deferred());
        let (found, d_y) = (shards.from(place.found.offset), shards.from(place.d_y.offset));
        let blocks = shards.blocks(self.steps);
        dense_d_weight(Isa::best(), width, width, accumulate, blocks, first, found, d_y, d_weight);
    }

    /// The gradients of both biases, one behind the other; nothing where there are none.
    pub(crate) fn d_biases(
        &self,
        accumulate: Accumulate,
        shards: &DeferredShards<'_>,
        d_biases: &mut [f32],
    ) {
        if d_biases.is_empty() {
            return;
        }
        let place = self.deferred();
        let (of_q, rest) = d_biases.split_at_mut(self.width);
        let (of_kv, of_y) = rest.split_at_mut(2 * self.width);
        for (d, steps, sum) in [
            (place.d_q, self.steps, of_q),
            (place.d_kv, self.memory, of_kv),
            (place.d_y, self.steps, of_y),
        ] {
            d_bias(Isa::best(), accumulate, shards.blocks(steps), shards.from(d.offset), sum);
        }
    }
}

/// What several shards deferred, all of as many samples.
pub(crate) struct DeferredShards<'a> {
    /// The first one's numbers, and those behind it.
    pub(crate) values: &'a [f32],
    /// How many samples each has.
    pub(crate) samples: usize,
    /// The shards, of which each sample counts as one row.
    pub(crate) blocks: RowBlocks,
}

impl<'a> DeferredShards<'a> {
    /// From what stands at this place of each sample on.
    fn from(&self, offset: usize) -> &'a [f32] {
        &self.values[self.samples * offset..]
    }

    /// The shards, of which each sample has so many rows.
    const fn blocks(&self, steps: usize) -> RowBlocks {
        RowBlocks { rows: self.samples * steps, ..self.blocks }
    }
}
