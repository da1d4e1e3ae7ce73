//! Tied weights: a layer that has the weight of another one as its own (Press and Wolf 2017).

use crate::memory::{Memory, Shards, WorkMemory};
use crate::{Spec, Station};

/// How a weight lies in memory that has one row for each output in files, as PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As in files: one row for each output, or for each token of an `Embedding`.
    RowPerOutput,
    /// Transposed: one row for each input.
    RowPerInput,
}

/// The weight that a layer has from another one.
#[derive(Clone, Copy, Debug)]
pub struct TiedWeight<'a> {
    /// Its numbers.
    pub numbers: &'a [f32],
    /// How they lie.
    pub layout: Layout,
}

impl TiedWeight<'_> {
    /// What layers have that have weights of their own.
    pub const NONE: Self = Self { numbers: &[], layout: Layout::RowPerOutput };
}

/// A layer whose weight others can have as theirs. It is the first of its numbers.
pub trait Owner {
    /// How many numbers its weight has.
    const WEIGHT_LEN: usize;
    /// How they lie.
    const LAYOUT: Layout;

    /// The weight.
    fn weight(&self) -> &[f32];
}

/// A layer that finds its weight in [`Memory::tied`] and [`WorkMemory::tied`]; its own numbers are all
/// others.
pub trait Tied<S: Spec>: Station<S> {
    /// Adds its part of the weight's gradient to what the owner wrote there: to whole rows of a weight that
    /// lies like this, from number `begin` of it on.
    fn add_gradient(layout: Layout, begin: usize, shards: Shards<'_>, d_weight: &mut [f32]);
}

fn weight_of<O: Owner>(owner: &O) -> TiedWeight<'_> {
    TiedWeight { numbers: owner.weight(), layout: O::LAYOUT }
}

impl WorkMemory<'_> {
    /// The same with the weight of `owner`.
    pub fn tied_to<'a, O: Owner>(&'a mut self, owner: &'a O) -> WorkMemory<'a> {
        WorkMemory {
            work: self.work,
            scratch: self.scratch,
            lengths: self.lengths,
            carried: self.carried.reborrow(),
            tied: weight_of(owner),
        }
    }
}

impl Memory<'_> {
    /// The same with the weight of `owner`.
    pub fn tied_to<'a, O: Owner>(&'a mut self, owner: &'a O) -> Memory<'a> {
        Memory {
            saved: self.saved,
            scratch: self.scratch,
            kept: self.kept,
            partial: self.partial,
            shared: self.shared,
            lengths: self.lengths,
            carried: self.carried.reborrow(),
            tied: weight_of(owner),
        }
    }
}
