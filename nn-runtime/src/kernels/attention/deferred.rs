//! [`DeferredShards`]: the gradient of the weights, from what all shards stored.

use super::sizes::Attention;
use crate::kernels::column_sums::d_bias;
use crate::kernels::dense::dense_d_weight;
use crate::kernels::dense_args::{DenseDWeightArgs, RowBlocks};
use crate::kernels::isa::Isa;
use crate::kernels::product::{Accumulate, Product, Strides3};

/// What several shards of as many samples stored for the gradient of the weights.
pub(crate) struct DeferredShards<'a> {
    /// The values of the first shard and those after it.
    pub(crate) values: &'a [f32],
    /// The number of samples of each shard.
    pub(crate) samples: usize,
    /// The shards, with a row for each sample.
    pub(crate) blocks: RowBlocks,
}

impl<'a> DeferredShards<'a> {
    /// The values from this offset of each sample on.
    fn from(&self, offset: usize) -> &'a [f32] {
        &self.values[self.samples * offset..]
    }

    /// The shards, with `steps` rows for each sample.
    const fn blocks(&self, steps: usize) -> RowBlocks {
        RowBlocks { rows: self.samples * steps, ..self.blocks }
    }
}

impl Attention {
    /// Some rows of the gradient of `in_proj`, from row `first` on.
    pub(crate) fn d_in_proj(
        &self,
        accumulate: Accumulate,
        shards: &DeferredShards<'_>,
        first: usize,
        d_weight: &mut [f32],
    ) {
        let (width, in_width, layout) = (self.width, self.in_width(), self.deferred());
        // Self-attention stores its input once.
        let memory = if self.cross { layout.memory } else { layout.x };
        // The columns of queries, then those of keys and values.
        let parts = [
            (layout.x.offset, layout.d_q.offset, self.steps, 0, width),
            (memory.offset, layout.d_kv.offset, self.memory, width, in_width - width),
        ];
        for (x, d, steps, at, columns) in parts {
            // Each of the two products writes its own columns of the gradient. Its terms are all steps of all samples.
            let rows = Strides3::one_loop(d_weight.len() / in_width, 1, in_width);
            let terms = shards.blocks(steps).strides(width, columns);
            let product = Product::new(rows, terms, columns, accumulate.into());
            let (x, d) = (&shards.from(x)[first..], shards.from(d));
            product.compute_in_parts(Isa::best(), x, d, &mut d_weight[at..]);
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
        let layout = self.deferred();
        dense_d_weight(
            Isa::best(),
            DenseDWeightArgs {
                inputs: self.width,
                units: self.width,
                accumulate,
                blocks: shards.blocks(self.steps),
                first,
                x: shards.from(layout.attended.offset),
                d_y: shards.from(layout.d_y.offset),
                d_weight,
            },
        );
    }

    /// The gradients of both biases, which are consecutive. Does nothing if `d_biases` is empty.
    pub(crate) fn d_biases(
        &self,
        accumulate: Accumulate,
        shards: &DeferredShards<'_>,
        d_biases: &mut [f32],
    ) {
        if d_biases.is_empty() {
            return;
        }
        let layout = self.deferred();
        let (of_q, rest) = d_biases.split_at_mut(self.width);
        let (of_kv, of_y) = rest.split_at_mut(2 * self.kv_width());
        for (d, steps, sum) in [
            (layout.d_q, self.steps, of_q),
            (layout.d_kv, self.memory, of_kv),
            (layout.d_y, self.steps, of_y),
        ] {
            d_bias(Isa::best(), accumulate, shards.blocks(steps), shards.from(d.offset), sum);
        }
    }
}
