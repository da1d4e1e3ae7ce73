//! [`Samples`]: the training samples in the order of an epoch.

use super::chunks;
use super::error::{DataSet, TrainError};
use super::prefetch::{self, Flow};
use super::run_settings::RunSettings;
use super::task::{Chosen, Task};
use crate::data::for_each_swap;
use crate::step::{BatchError, enough_for};
use crate::system::RngKey;
use std::ops::{ControlFlow, Range};

/// The samples of a step.
pub(super) struct StepSamples<'a> {
    /// Those of this rank, batch after batch.
    pub(super) own: Chosen<'a>,
    /// The number of samples of all ranks together.
    pub(super) all: usize,
}

/// The training samples, and their order in an epoch.
pub(super) struct Samples<'a> {
    task: &'a dyn Task,
    /// The threads that load samples that are not in memory.
    threads: usize,
    /// This rank's samples in the order of the epoch, batch after batch.
    order: Vec<usize>,
    settings: RunSettings<'a>,
    /// The key of the samples of the epoch.
    key: RngKey,
}

impl<'a> Samples<'a> {
    pub(super) fn new(task: &'a dyn Task, threads: usize, settings: RunSettings<'a>) -> Self {
        Self { task, threads, order: Vec::new(), settings, key: RngKey::new(0) }
    }

    /// The number of training samples, those that are dropped among them.
    pub(super) fn len(&self) -> usize {
        self.task.len()
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

    /// Checks that every batch of an epoch, including the last one, has as many samples as the network needs, `min_batch`.
    pub(super) fn check_batches(&self, min_batch: usize) -> Result<(), TrainError> {
        let (samples, batch) = (self.len(), self.settings.batch);
        if self.used() == 0 {
            return Err(TrainError::NoBatch { samples, batch });
        }
        let rest = self.used() % batch;
        match enough_for(if rest == 0 { batch } else { rest }, min_batch) {
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
        self.order.extend(0..self.task.len());
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

    /// Calls `f` with the samples of each step of the epoch, counted from 0, until it fails or breaks. Samples that are not in
    /// memory are loaded on other threads.
    pub(super) fn for_each_step(
        &self,
        steps: Range<usize>,
        f: &mut dyn FnMut(usize, StepSamples<'_>) -> Flow,
    ) -> Flow {
        let each = self.settings.samples_per_step();
        let mut call = |step: usize, own: Chosen<'_>| {
            f(step, StepSamples { own, all: each.min(self.used() - step * each) })
        };
        if !self.task.is_in_memory() {
            let load = |step, slot| self.task.load(slot, self.indices(step), self.key);
            return prefetch::for_each_loaded(steps, self.threads, &load, &mut |step, slot| {
                call(step, Chosen::Loaded { slot, begin: 0, end: self.indices(step).len() })
            });
        }
        for step in steps {
            if call(step, Chosen::Indices(self.indices(step)))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// This rank's samples of a step.
    fn indices(&self, step: usize) -> &[usize] {
        let own = self.own_samples(self.settings.batch.min(self.used())).len();
        let own = own.saturating_mul(self.settings.accumulate);
        let begin = self.order.len().min(step * own);
        &self.order[begin..begin.saturating_add(own).min(self.order.len())]
    }
}
