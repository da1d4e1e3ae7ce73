//! Attention of several heads (Vaswani et al., 2017), sample by sample.
//!
//! A head's scores of all pairs of steps are one matrix, small enough to stay in cache: it is made,
//! turned into probabilities row by row, and used at once. Queries stand in rows of `width` numbers, keys
//! and values in rows of twice as many, side by side; a head is some columns of each.
//!
//! Causal heads go over their steps in [`ROWS`] at a time, and leave out what stands behind these. What
//! the last of them sees and the first does not is 0 in the first one's row, so that each number is the
//! same sum as without blocks.

mod backward;
mod batch;
mod cache;
mod rotary;
mod scores;
#[cfg(test)]
mod tests;

pub(crate) use self::backward::Run;
pub(crate) use self::batch::Batch;
use self::rotary::{Turn, rotate};
use super::dense::{dense, dense_columns};
use super::dots::RowProduct;
use super::isa::Isa;
use super::product::{Begin, Onto, Product, Walk};
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

/// The weights: matrices have a row for each input and a column for each output.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    /// `[width, 3 * width]`: of queries, keys and values.
    pub(crate) in_proj: &'a [f32],
    /// `[3 * width]`, or nothing.
    pub(crate) in_bias: &'a [f32],
    /// `[width, width]`
    pub(crate) out_proj: &'a [f32],
    /// `[width]`, or nothing.
    pub(crate) out_bias: &'a [f32],
}

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
    /// Numbers of each head.
    const fn size(&self) -> usize {
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
    const fn dropped_len(&self) -> usize {
        if self.drops { self.pairs() } else { 0 }
    }

    /// How far queries and keys are turned at each step, where they are.
    pub(crate) const fn turns_len(&self) -> usize {
        if self.rotary { self.steps * self.size() } else { 0 }
    }

    /// Fills the table of turns, from step `first` on.
    pub(crate) fn turns(&self, first: usize, turns: &mut [f32]) {
        if self.rotary {
            rotary::turns(self.size(), first, turns);
        }
    }

    /// `y` for the valid steps of one sample. `drop(head, values)` drops some of a head's probabilities.
    pub(crate) fn forward(
        &self,
        weights: Weights<'_>,
        turns: &[f32],
        sample: &mut Sample<'_>,
        drop: impl Fn(usize, &mut [f32]),
        y: &mut [f32],
    ) {
        self.queries(weights, sample.x, turns, sample.q);
        self.keys_and_values(weights, sample.memory, turns, sample.kv);
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
    fn with_drops<'a>(
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
    fn queries(&self, weights: Weights<'_>, x: &[f32], turns: &[f32], q: &mut [f32]) {
        let width = self.width;
        if q.is_empty() {
            return;
        }
        let bias = Begin::bias(weights.in_bias.get(..width).unwrap_or_default());
        dense_columns(Isa::best(), width, width, 3 * width, x, weights.in_proj, bias, q);
        if self.rotary {
            rotate(self.size(), width, width, Turn::Forward, turns, q);
        }
    }

    /// The keys and values of some steps.
    fn keys_and_values(&self, weights: Weights<'_>, x: &[f32], turns: &[f32], kv: &mut [f32]) {
        let width = self.width;
        if kv.is_empty() {
            return;
        }
        let bias = Begin::bias(weights.in_bias.get(width..).unwrap_or_default());
        let weight = &weights.in_proj[width..];
        dense_columns(Isa::best(), width, 2 * width, 3 * width, x, weight, bias, kv);
        if self.rotary {
            rotate(self.size(), width, 2 * width, Turn::Forward, turns, kv);
        }
    }

    /// The blocks of steps that are worked on together: from where to where, and how many of the memory's
    /// steps the last of them sees.
    fn blocks(&self, steps: usize, memory: usize) -> impl Iterator<Item = Block> + use<> {
        let (rows, causal) = if self.causal { (ROWS, true) } else { (steps.max(1), false) };
        (0..steps).step_by(rows).map(move |begin| {
            let end = (begin + rows).min(steps);
            Block { begin, end, sees: if causal { end } else { memory } }
        })
    }

    /// A head's probabilities: rows of [`Attention::memory`] numbers, 0 where nothing is seen.
    fn probabilities(&self, head: usize, q: &[f32], kv: &[f32], p: &mut [f32]) {
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

    /// The product of a head's rows with each other; `strides` are those of the first and second matrix.
    const fn dots(&self, rows: usize, columns: usize, strides: [usize; 2]) -> RowProduct {
        let strides = [strides[0], strides[1], self.memory];
        RowProduct { rows, columns, k: self.size(), strides, onto: Onto::Nothing }
    }

    /// What a head finds: the values, times their probabilities.
    fn gather(&self, head: usize, p: &[f32], kv: &[f32], found: &mut [f32]) {
        let (width, at) = (self.width, head * self.size());
        let (steps, memory) = (found.len() / width, kv.len() / (2 * width));
        for Block { begin, end, sees } in self.blocks(steps, memory) {
            let rows = Walk::line(end - begin, self.memory, width);
            let product = self.columns(rows, Walk::line(sees, 1, 2 * width), Begin::Zero);
            let values = kv.get(width + at..).unwrap_or_default();
            product.compute(
                Isa::best(),
                &p[begin * self.memory..],
                values,
                &mut found[begin * width + at..],
            );
        }
    }

    /// A product that gives a head's columns.
    const fn columns<'a>(&self, rows: Walk, terms: Walk, begin: Begin<'a>) -> Product<'a> {
        Product { rows, terms, columns: self.size(), begin }
    }
}

/// Some steps that are worked on together.
struct Block {
    begin: usize,
    end: usize,
    /// How many of the memory's steps the last of them sees.
    sees: usize,
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
pub(crate) struct Kept {
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

    /// What is kept of a sample.
    pub(crate) const fn kept(&self) -> Kept {
        let x = Buffer::EMPTY.then(self.input_len());
        let memory = x.then(if self.cross { self.memory_len() } else { 0 });
        let found = memory.then(self.input_len());
        let d_q = found.then(self.input_len());
        let d_kv = d_q.then(2 * self.memory_len());
        Kept { x, memory, found, d_q, d_kv, d_y: d_kv.then(self.input_len()) }
    }

    /// Elements that inference needs per call: queries, keys and values, outputs of the heads, one head's
    /// probabilities. A step needs less.
    pub(crate) const fn infer_scratch(&self) -> usize {
        self.turns_len() + 2 * self.input_len() + 2 * self.memory_len() + self.pairs()
    }

    /// Elements that backward needs per call: the gradients of the heads' outputs and of one head's probabilities,
    /// and the dropped probabilities. Forward needs less.
    #[cfg(feature = "train")]
    pub(crate) const fn train_scratch(&self) -> usize {
        self.turns_len() + self.input_len() + self.pairs() + self.dropped_len()
    }
}
