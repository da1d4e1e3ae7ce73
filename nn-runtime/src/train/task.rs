//! [`Task`]: what a training run asks of the network, the loss and the samples, without their types.
//!
//! The code of a run is long, and generic code is compiled again in each program that uses it. With this trait and
//! [`Review`](super::review::Review) only the code that computes with samples is generic.

use super::error::TrainError;
use super::health::Warning;
use crate::loss::LossSums;
use crate::memory::TouchedRows;
use crate::step::{FrozenLayers, PartOfBatch};
use crate::system::RngKey;
use std::ops::Range;

/// The training samples, with the network and the loss that are trained on them.
pub(super) trait Task: Sync {
    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether all samples are in memory. Others have to be loaded before they are used.
    fn is_in_memory(&self) -> bool;

    /// The largest magnitude of an input in memory; 0 if they are not.
    fn largest_input(&self) -> f32;

    /// Loads the samples `indices` to a slot, in place of those that it has.
    fn load(&self, slot: usize, indices: &[usize], key: RngKey) -> Result<(), TrainError>;

    /// Adds the weights of those of `samples` in `range` in the mean loss of each output.
    fn add_weights(&self, samples: Chosen<'_>, range: Range<usize>, weights: &mut [f64]);

    /// Runs forward and backward on `samples`, and returns their loss sums.
    fn gradient(&self, samples: Chosen<'_>, step: BatchStep<'_>) -> LossSums;

    /// The warnings about samples, loss and network, with batches of `batch` samples.
    fn warnings(&self, batch: usize) -> Vec<Warning>;
}

/// Some samples of a [`Task`].
#[derive(Clone, Copy)]
pub(super) enum Chosen<'a> {
    /// Those with these indices, of samples in memory.
    Indices(&'a [usize]),
    /// Some of those that a slot has.
    Loaded { slot: usize, begin: usize, end: usize },
}

impl Chosen<'_> {
    pub(super) const fn len(&self) -> usize {
        match *self {
            Self::Indices(indices) => indices.len(),
            Self::Loaded { begin, end, .. } => end - begin,
        }
    }

    /// A range of these.
    pub(super) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::Indices(indices) => Self::Indices(&indices[range]),
            Self::Loaded { slot, begin, .. } => {
                Self::Loaded { slot, begin: begin + range.start, end: begin + range.end }
            }
        }
    }
}

/// Forward and backward on a batch: see [`TrainStep`](crate::step::TrainStep).
pub(super) struct BatchStep<'a> {
    pub(super) net: &'a mut [f32],
    /// Receives the gradient.
    pub(super) d_net: &'a mut [f32],
    pub(super) part: PartOfBatch<'a>,
    pub(super) state: &'a mut [f32],
    pub(super) key: RngKey,
    pub(super) frozen: &'a FrozenLayers,
    pub(super) rows: Option<&'a mut TouchedRows>,
}
