//! [`RunSettings`]: the settings of a trainer that a run needs, and its part of each batch.

use crate::optim::Clip;
use crate::ranks::{Division, Leaves};
use std::ops::Range;

/// The settings of a [`Trainer`](crate::train::Trainer) that a run needs.
#[derive(Clone, Copy)]
pub(super) struct RunSettings<'a> {
    pub(super) batch: usize,
    /// The number of batches per step.
    pub(super) accumulate: usize,
    pub(super) drop_last: bool,
    pub(super) clip: Option<Clip>,
    pub(super) carry_state: bool,
    /// Which leaves of each batch this rank computes.
    pub(super) division: Division<'a>,
}

/// One batch of a step, of all ranks together.
pub(super) struct StepBatch {
    /// The index of its first sample in the step.
    pub(super) first: usize,
    pub(super) leaves: Leaves,
    /// This rank's samples of the batch, among its samples of the step.
    pub(super) own: Range<usize>,
}

impl RunSettings<'_> {
    pub(super) const fn samples_per_step(&self) -> usize {
        self.batch.saturating_mul(self.accumulate)
    }

    /// Whether a step computes the whole gradient at once: not as a sum over batches or leaves of a reduction tree.
    pub(super) const fn has_whole_gradient(&self) -> bool {
        self.accumulate == 1 && self.division.leaves == 1 && self.division.ranks.is_none()
    }

    /// The leaves of a batch with `samples` samples, which has fewer than others if it is the last one of an epoch.
    pub(super) fn leaves(&self, samples: usize) -> Leaves {
        if self.carry_state {
            // Sample `i` of each batch continues the same sequence, whose state its rank has.
            return Leaves::of_full_batch(self.division.leaves, self.batch.max(samples), samples);
        }
        Leaves::new(self.division.leaves, samples)
    }

    /// The batches of a step with `samples` samples.
    pub(super) fn batches(&self, samples: usize) -> impl Iterator<Item = StepBatch> {
        let mut end = 0;
        (0..samples).step_by(self.batch).map(move |first| {
            let leaves = self.leaves(self.batch.min(samples - first));
            let begin = end;
            end += self.division.samples_of(leaves).len();
            StepBatch { first, leaves, own: begin..end }
        })
    }
}
