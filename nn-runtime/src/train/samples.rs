//! [`Samples`]: the training samples in the order of an epoch.

use super::chunks;
use super::error::{DataSet, TrainError};
use super::loader::CheckedData;
use super::run_settings::RunSettings;
use crate::contract::Network;
use crate::data::for_each_swap;
use crate::loss::Loss;
use crate::step::{BatchError, BatchOf, enough_for};
use crate::system::RngKey;
use std::ops::{ControlFlow, Range};

/// The data of a run.
pub(super) struct RunData<'a, N: Network, L: Loss<N::Output>> {
    pub(super) train: Samples<'a, N, L>,
    pub(super) validation: Option<CheckedData<'a, N, L>>,
}

/// The samples of a step.
pub(super) struct StepSamples<'a, N: Network, L: Loss<N::Output>> {
    /// Those of this rank, batch after batch.
    pub(super) own: BatchOf<'a, N, L>,
    /// The number of samples of all ranks together.
    pub(super) all: usize,
}

/// The training samples, and their order in an epoch.
pub(super) struct Samples<'a, N: Network, L: Loss<N::Output>> {
    data: CheckedData<'a, N, L>,
    /// This rank's samples in the order of the epoch, batch after batch.
    order: Vec<usize>,
    settings: RunSettings<'a>,
    /// The key of the samples of the epoch.
    key: RngKey,
}

impl<'a, N: Network, L: Loss<N::Output>> Samples<'a, N, L> {
    pub(super) fn new(data: CheckedData<'a, N, L>, settings: RunSettings<'a>) -> Self {
        Self { data, order: Vec::new(), settings, key: RngKey::new(0) }
    }

    pub(super) const fn data(&self) -> &CheckedData<'a, N, L> {
        &self.data
    }

    /// The number of training samples, those that are dropped among them.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// The number of samples that an epoch trains on.
    fn used(&self) -> usize {
        let RunSettings { batch, drop_last, .. } = self.settings;
        if drop_last { self.len() - self.len() % batch } else { self.len() }
    }

    /// The number of steps of an epoch.
    pub(super) fn steps(&self) -> usize {
        self.used().div_ceil(self.settings.samples_per_step())
    }

    /// The number of samples of the last `steps` steps of an epoch.
    pub(super) fn samples_of(&self, steps: usize) -> usize {
        let before = self.steps() - steps;
        self.used() - before * self.settings.samples_per_step()
    }

    /// Checks that every batch of an epoch, including the last one, has as many samples as the network needs.
    pub(super) fn check_batches(&self) -> Result<(), TrainError> {
        let (samples, batch) = (self.len(), self.settings.batch);
        if self.used() == 0 {
            return Err(TrainError::NoBatch { samples, batch });
        }
        let rest = self.used() % batch;
        match enough_for::<N>(if rest == 0 { batch } else { rest }) {
            // Without a remedy where the first batch is too small as well.
            Err(BatchError::TooFew { least, found }) if samples > batch && batch >= least => {
                Err(TrainError::LastBatch { samples, batch, least, found })
            }
            result => result.map_err(|source| TrainError::Data { data: DataSet::Training, source }),
        }
    }

    /// Begins an epoch with its order of samples, which does not depend on the epochs before.
    pub(super) fn begin_epoch(&mut self, key: RngKey, epoch: usize) {
        let key_of = |name| key.fold_in(RngKey::hash(name)).fold_in(epoch as u64);
        self.key = key_of("samples");
        if self.settings.carry_state {
            self.order = chunks::order(self.len(), self.settings.batch);
        } else {
            self.shuffle(key_of("order of samples"));
        }
        self.keep_own();
    }

    fn shuffle(&mut self, key: RngKey) {
        self.order.clear();
        self.order.extend(0..self.data.len());
        for_each_swap(self.order.len(), key, |i, j| self.order.swap(i, j));
    }

    /// Removes the samples of other ranks.
    fn keep_own(&mut self) {
        let mut kept = 0;
        for first in (0..self.used()).step_by(self.settings.batch) {
            let own = self.own_samples(self.settings.batch.min(self.used() - first));
            self.order.copy_within(first + own.start..first + own.end, kept);
            kept += own.len();
        }
        self.order.truncate(kept);
    }

    /// This rank's samples of a batch of `samples`.
    fn own_samples(&self, samples: usize) -> Range<usize> {
        self.settings.division.samples_of(self.settings.leaves(samples))
    }

    /// Calls `f` with the samples of each step of the epoch, counted from 0, until it fails or breaks.
    pub(super) fn for_each_step(
        &self,
        steps: Range<usize>,
        mut f: impl FnMut(usize, StepSamples<'_, N, L>) -> Result<ControlFlow<()>, TrainError>,
    ) -> Result<ControlFlow<()>, TrainError> {
        let own = self.own_samples(self.settings.batch.min(self.used())).len();
        let own = own.saturating_mul(self.settings.accumulate);
        let order = &self.order[..];
        let indices = move |step: usize| {
            let begin = order.len().min(step * own);
            &order[begin..begin.saturating_add(own).min(order.len())]
        };
        let each = self.settings.samples_per_step();
        self.data.for_each_batch(steps, indices, self.key, |step, own| {
            f(step, StepSamples { own, all: each.min(self.used() - step * each) })
        })
    }
}
