//! [`Attention`]: the sizes of a layer, and where its values are.

use crate::kernels::dots::RowProduct;
use crate::kernels::product::{Accumulate, Init, Product, Strides3};
use crate::memory::Buffer;

/// How many steps of a causal head are worked on together.
const ROWS: usize = 16;

/// The sizes and options of one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention {
    /// How many heads.
    pub(crate) heads: usize,
    /// Features of all heads together.
    pub(crate) width: usize,
    /// The most steps of the input, from which queries are made.
    pub(crate) steps: usize,
    /// The most steps of what is looked at, from which keys and values are made.
    pub(crate) memory: usize,
    /// Whether that is something else than the input.
    pub(crate) cross: bool,
    /// Whether a step sees itself and those before it alone.
    pub(crate) causal: bool,
    /// Whether queries and keys are turned by their steps' numbers.
    pub(crate) rotary: bool,
    /// Whether probabilities are dropped in training.
    pub(crate) drops: bool,
}

impl Attention {
    /// Numbers of each head.
    pub(super) const fn size(&self) -> usize {
        self.width / self.heads
    }

    /// Numbers of one head's probabilities.
    pub(crate) const fn pairs(&self) -> usize {
        self.steps * self.memory
    }

    /// Numbers of one sample's input.
    pub(crate) const fn input_len(&self) -> usize {
        self.steps * self.width
    }

    /// Numbers of one sample's memory.
    pub(crate) const fn memory_len(&self) -> usize {
        self.memory * self.width
    }

    /// Room for one head's probabilities, where some are dropped.
    pub(super) const fn dropped_len(&self) -> usize {
        if self.drops { self.pairs() } else { 0 }
    }

    /// How far queries and keys are turned at each step, where they are.
    pub(crate) const fn cos_sin_len(&self) -> usize {
        if self.rotary { self.steps * self.size() } else { 0 }
    }

    /// The blocks of steps that are worked on together: from where to where, and how many of the memory's
    /// steps the last of them sees.
    pub(super) fn blocks(
        &self,
        steps: usize,
        memory: usize,
    ) -> impl Iterator<Item = Block> + use<> {
        let (rows, causal) = if self.causal { (ROWS, true) } else { (steps.max(1), false) };
        (0..steps).step_by(rows).map(move |begin| {
            let end = (begin + rows).min(steps);
            Block { begin, end, sees: if causal { end } else { memory } }
        })
    }

    /// The product of a head's rows with each other; `strides` are those of the first and second matrix.
    pub(super) const fn dots(
        &self,
        rows: usize,
        columns: usize,
        strides: [usize; 2],
    ) -> RowProduct {
        let strides = [strides[0], strides[1], self.memory];
        RowProduct { rows, columns, k: self.size(), strides, accumulate: Accumulate::Overwrite }
    }

    /// A product that gives a head's columns.
    pub(super) const fn columns<'a>(
        &self,
        rows: Strides3,
        terms: Strides3,
        init: Init<'a>,
    ) -> Product<'a> {
        Product { rows, terms, columns: self.size(), init }
    }
}

/// Some steps that are worked on together.
pub(super) struct Block {
    pub(super) begin: usize,
    pub(super) end: usize,
    /// How many of the memory's steps the last of them sees.
    pub(super) sees: usize,
}

/// Where everything of a sample is that forward saves for backward.
#[derive(Clone, Copy)]
pub(crate) struct Saved {
    /// Queries.
    pub(crate) q: Buffer,
    /// Keys and values.
    pub(crate) kv: Buffer,
    /// All heads' probabilities.
    pub(crate) probabilities: Buffer,
}

/// Where everything of a sample is from which the gradient is made. Behind the end of a sequence are
/// zeros.
#[derive(Clone, Copy)]
pub(crate) struct Deferred {
    /// The input.
    pub(crate) x: Buffer,
    /// What is looked at, where that is something else.
    pub(crate) memory: Buffer,
    /// What the heads found.
    pub(crate) found: Buffer,
    /// The gradient of the queries.
    pub(crate) d_q: Buffer,
    /// The gradient of keys and values.
    pub(crate) d_kv: Buffer,
    /// The gradient of the output.
    pub(crate) d_y: Buffer,
}

impl Attention {
    /// What forward saves of a sample.
    pub(crate) const fn saved(&self) -> Saved {
        let q = Buffer::EMPTY.then(self.input_len());
        let kv = q.then(2 * self.memory_len());
        Saved { q, kv, probabilities: kv.then(self.heads * self.pairs()) }
    }

    /// What is deferred of a sample.
    pub(crate) const fn deferred(&self) -> Deferred {
        let x = Buffer::EMPTY.then(self.input_len());
        let memory = x.then(if self.cross { self.memory_len() } else { 0 });
        let found = memory.then(self.input_len());
        let d_q = found.then(self.input_len());
        let d_kv = d_q.then(2 * self.memory_len());
        Deferred { x, memory, found, d_q, d_kv, d_y: d_kv.then(self.input_len()) }
    }

    /// Numbers that any call needs while it runs.
    pub(crate) const fn scratch(&self) -> usize {
        let inference = 2 * self.input_len() + 2 * self.memory_len() + self.pairs();
        let backward = self.input_len() + 2 * self.pairs();
        self.cos_sin_len() + if inference > backward { inference } else { backward }
    }
}
