//! [`Attention`]: the sizes of a layer, and where its values are.

use crate::kernels::dots::RowProduct;
use crate::kernels::isa::Isa;
use crate::kernels::product::{Accumulate, Init, LONG_SUM, PARTIAL_SUM, Product, Strides3};
use crate::memory::Buffer;

/// The number of steps of a causal head that are processed together: a few tiles of rows, and of the scores that the
/// mask excludes only those inside of a block are computed.
const ROWS: usize = 16;

/// The sizes and options of one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention {
    /// The number of heads.
    pub(crate) heads: usize,
    /// The number of heads of keys and values, each of which `heads / kv_heads` consecutive heads of queries share.
    pub(crate) kv_heads: usize,
    /// Features of all heads together.
    pub(crate) width: usize,
    /// The most steps of the input, which queries are computed from.
    pub(crate) steps: usize,
    /// The most steps of the memory, which keys and values are computed from.
    pub(crate) memory: usize,
    /// Whether the memory is another value than the input (cross-attention).
    pub(crate) cross: bool,
    /// Whether a step attends only to itself and the steps before it.
    pub(crate) causal: bool,
    /// Whether queries and keys are rotated by their positions.
    pub(crate) rotary: bool,
    /// Whether scores are reduced in proportion to the distance of their steps.
    pub(crate) alibi: bool,
    /// Whether dropout is applied to probabilities in training.
    pub(crate) drops: bool,
}

impl Attention {
    /// Features of each head.
    pub(super) const fn size(&self) -> usize {
        self.width / self.heads
    }

    /// Features of the keys of all heads, and of their values.
    pub(super) const fn kv_width(&self) -> usize {
        self.kv_heads * self.size()
    }

    /// The columns of queries, keys and values together.
    pub(crate) const fn in_width(&self) -> usize {
        self.width + 2 * self.kv_width()
    }

    /// The first column of the keys that a head attends to.
    pub(super) const fn keys_of(&self, head: usize) -> usize {
        head / (self.heads / self.kv_heads) * self.size()
    }

    /// Elements of the keys and values of one sample.
    pub(crate) const fn kv_len(&self) -> usize {
        2 * self.memory * self.kv_width()
    }

    /// Elements of one head's probabilities.
    pub(crate) const fn pairs(&self) -> usize {
        self.steps * self.memory
    }

    /// Elements of one sample's input.
    pub(crate) const fn input_len(&self) -> usize {
        self.steps * self.width
    }

    /// Elements of one sample's memory.
    pub(crate) const fn memory_len(&self) -> usize {
        self.memory * self.width
    }

    /// Elements of one head's probabilities after dropout; 0 without dropout.
    pub(super) const fn dropped_len(&self) -> usize {
        if self.drops { self.pairs() } else { 0 }
    }

    /// Elements of the table of rotations; 0 without rotary positions.
    pub(crate) const fn cos_sin_len(&self) -> usize {
        if self.rotary { self.steps * self.size() } else { 0 }
    }

    /// The blocks of steps that are processed together.
    pub(super) fn blocks(
        &self,
        steps: usize,
        memory: usize,
    ) -> impl Iterator<Item = Block> + use<> {
        // Without a mask there is nothing to skip: a single block, and products as large as possible.
        let (rows, causal) = if self.causal { (ROWS, true) } else { (steps.max(1), false) };
        (0..steps).step_by(rows).map(move |begin| {
            let end = (begin + rows).min(steps);
            Block { begin, end, sees: if causal { end } else { memory } }
        })
    }

    /// The product of all pairs of a head's rows; `strides` are those of the first and second matrix.
    pub(super) const fn dots(
        &self,
        rows: usize,
        columns: usize,
        strides: [usize; 2],
    ) -> RowProduct {
        let strides = [strides[0], strides[1], self.memory];
        RowProduct { rows, columns, k: self.size(), strides, accumulate: Accumulate::Overwrite }
    }

    /// A product whose result is a head's columns.
    pub(super) const fn columns<'a>(
        &self,
        rows: Strides3,
        terms: Strides3,
        init: Init<'a>,
    ) -> Product<'a> {
        Product::new(rows, terms, self.size(), init)
    }

    /// Computes a product whose terms are steps of the memory: in parts if the memory is long. Also where only a few of
    /// its steps are attended to, so that a causal step has the same bits by itself and in a block of steps.
    pub(super) fn sum_over_memory(
        &self,
        product: &Product<'_>,
        p: &[f32],
        rows: &[f32],
        sums: &mut [f32],
    ) {
        let most = if self.memory > LONG_SUM { PARTIAL_SUM } else { LONG_SUM };
        product.compute_parts_of(most, Isa::best(), p, rows, sums);
    }
}

/// Some steps that are processed together.
pub(super) struct Block {
    pub(super) begin: usize,
    pub(super) end: usize,
    /// The number of steps of the memory that the last step of the block attends to.
    pub(super) sees: usize,
}

/// The layout of what the forward pass of a sample saves for the backward pass.
#[derive(Clone, Copy)]
pub(crate) struct Saved {
    /// Queries.
    pub(crate) q: Buffer,
    /// Keys and values.
    pub(crate) kv: Buffer,
    /// All heads' probabilities.
    pub(crate) probabilities: Buffer,
}

/// The layout of what the gradient of the weights is computed from. After the end of a sequence there are zeros.
#[derive(Clone, Copy)]
pub(crate) struct Deferred {
    /// The input.
    pub(crate) x: Buffer,
    /// The memory, if it is another value.
    pub(crate) memory: Buffer,
    /// The outputs of the heads.
    pub(crate) attended: Buffer,
    /// The gradient of the queries.
    pub(crate) d_q: Buffer,
    /// The gradient of keys and values.
    pub(crate) d_kv: Buffer,
    /// The gradient of the output.
    pub(crate) d_y: Buffer,
}

impl Attention {
    /// What the forward pass of a sample saves.
    pub(crate) const fn saved(&self) -> Saved {
        let q = Buffer::EMPTY.then(self.input_len());
        let kv = q.then(self.kv_len());
        Saved { q, kv, probabilities: kv.then(self.heads * self.pairs()) }
    }

    /// What the gradient of the weights needs of a sample.
    pub(crate) const fn deferred(&self) -> Deferred {
        let x = Buffer::EMPTY.then(self.input_len());
        // Self-attention has its input once.
        let memory = x.then(if self.cross { self.memory_len() } else { 0 });
        let attended = memory.then(self.input_len());
        let d_q = attended.then(self.input_len());
        let d_kv = d_q.then(self.kv_len());
        Deferred { x, memory, attended, d_q, d_kv, d_y: d_kv.then(self.input_len()) }
    }

    /// Elements that inference needs per call: queries, keys and values, outputs of the heads, and one head's
    /// probabilities. A step needs less.
    pub(crate) const fn infer_scratch(&self) -> usize {
        self.cos_sin_len() + 2 * self.input_len() + self.kv_len() + self.pairs()
    }

    /// Elements that the backward pass needs per call: the gradients of the heads' outputs and of one head's
    /// probabilities, and the probabilities after dropout. The forward pass needs less.
    #[cfg(feature = "train")]
    pub(crate) const fn train_scratch(&self) -> usize {
        self.cos_sin_len() + self.input_len() + self.pairs() + self.dropped_len()
    }
}
