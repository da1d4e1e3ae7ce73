//! [`TrainingRun`]: one call of [`Trainer::fit`](crate::train::Trainer::fit) with its memory.

use super::chunks;
use super::error::{Advice, TrainError};
use super::evaluate::Evaluation;
use super::health::{GradientMonitor, Health};
use super::history::Epoch;
use super::loader::raise;
use super::run_settings::{RunSettings, StepBatch};
use super::samples::StepSamples;
use super::task::{BatchStep, Chosen, Task};
use super::untrained::Untrained;
use crate::kernels::add_to;
use crate::loss::LossSums;
use crate::memory::{TouchedRows, ranges_in};
#[cfg(feature = "files")]
use crate::optim::OptimizerState;
use crate::optim::{Clipper, Optimizer, UntouchedRows, UpdatedPart, update_part, updated_ranges};
use crate::order::NetworkInfo;
use crate::ranks::{Ranks, Traffic, TreeSum, add_sums, bytes_of_mut};
use crate::step::{FrozenLayers, PartOfBatch};
use crate::system::{RngKey, parallel};
use crate::types::{MAX_OUTPUTS, zeroed_floats};
use std::ops::{ControlFlow, Range};
use std::slice;
use std::sync::atomic::{AtomicI32, Ordering};

/// A step of a training run; epoch and step count from 1.
#[derive(Clone, Copy)]
pub(super) struct StepIndex {
    pub(super) epoch: usize,
    pub(super) step: usize,
    /// The number of steps of the epoch.
    pub(super) steps: usize,
}

/// The number of steps of an epoch whose gradient norms are monitored: computing them takes a little time.
const MONITORED: usize = 16;

/// Whether the gradient norms of a step are monitored.
const fn is_monitored(at: StepIndex) -> bool {
    (at.step - 1).is_multiple_of(at.steps.div_ceil(MONITORED))
}

/// The least number of elements of a network in which the touched rows of embeddings are recorded.
const LEAST_RECORDED: usize = 1 << 16;

/// The network in training and its gradient.
pub(super) struct TrainingRun<'a> {
    info: NetworkInfo,
    task: &'a dyn Task,
    net: &'a mut [f32],
    d_net: Box<[f32]>,
    layers: Vec<(String, Range<usize>)>,
    untrained: Untrained,
    frozen: FrozenLayers,
    rows: TouchedRows,
    /// Whether steps record the rows of embeddings that samples have.
    records_rows: bool,
    largest_input: f32,
    monitor: GradientMonitor,
    best: Option<Best>,
    clipper: Option<Clipper>,
    settings: RunSettings<'a>,
    // The sum of the gradients of several batches, if a step has several.
    accumulated: Option<Box<[f32]>>,
    // The recurrent states of this rank's samples of a step; empty if they begin with zeros.
    state: Vec<f32>,
    /// The number of parallel sequences whose states are carried, of all ranks together.
    sequences: usize,
}

/// The weights of the best epoch.
struct Best {
    epoch: usize,
    loss: f64,
    net: Box<[f32]>,
}

impl Best {
    /// Before the first epoch, of a network of `len` elements.
    fn none(len: usize) -> Self {
        Self { epoch: 0, loss: f64::INFINITY, net: zeroed_floats(len) }
    }
}

impl<'a> TrainingRun<'a> {
    pub(super) fn new(
        info: NetworkInfo,
        net: &'a mut [f32],
        task: &'a dyn Task,
        settings: RunSettings<'a>,
    ) -> Self {
        let RunSettings { batch, accumulate, clip, carry_state, .. } = settings;
        let sequences = if carry_state { batch.min(task.len()) } else { 0 };
        let own = settings.division.samples_of(settings.leaves(sequences));
        let layers = info.trained_ranges();
        let trained: Vec<_> = layers.iter().map(|(_, range)| range.clone()).collect();
        Self {
            net,
            d_net: zeroed_floats(info.len),
            untrained: Untrained::new(info.len, &trained),
            frozen: FrozenLayers::default(),
            rows: TouchedRows::new(info.len),
            records_rows: false,
            layers,
            largest_input: task.largest_input(),
            task,
            monitor: GradientMonitor::new(&info),
            best: None,
            clipper: clip.map(|clip| Clipper::new(clip, &info)),
            settings,
            accumulated: (accumulate > 1).then(|| zeroed_floats(info.len)),
            state: chunks::initial_state(own.len(), task.len(), info.state),
            sequences,
            info,
        }
    }

    /// The same run without training the layers that are frozen if these ranges of weights are.
    pub(super) fn without(mut self, weights: &[Range<usize>]) -> Self {
        self.frozen = FrozenLayers::new(&self.info, weights);
        self.monitor.exclude(&self.frozen.view(false));
        self
    }

    /// The same run, which records the rows of embeddings that samples have, if it can and it is worth it.
    ///
    /// # Errors
    /// If it cannot, but the optimiser needs them.
    pub(super) fn recording_rows_for(
        mut self,
        optimizer: &dyn Optimizer,
    ) -> Result<Self, TrainError> {
        let must = optimizer.untouched_rows() == UntouchedRows::LeftOut;
        let can = self.settings.has_whole_gradient();
        self.records_rows = can && (must || self.info.len >= LEAST_RECORDED);
        if must && !can { Err(TrainError::Lazy) } else { Ok(self) }
    }

    #[cfg(feature = "files")]
    pub(super) fn set_weights(&mut self, weights: &[f32]) {
        self.net.copy_from_slice(weights);
    }

    /// The best epoch, its loss and its weights.
    #[cfg(feature = "files")]
    pub(super) fn best(&self) -> Option<(usize, f64, &[f32])> {
        self.best.as_ref().map(|best| (best.epoch, best.loss, &*best.net))
    }

    /// Begins an epoch. `state` are the recurrent states of all ranks after the steps that are done, if there are any.
    pub(super) fn begin_epoch(&mut self, state: &[f32]) {
        if state.len() == self.state_len() {
            let own = self.own_state();
            self.state.copy_from_slice(&state[own]);
        } else {
            self.state.fill(0.0);
        }
        self.monitor.clear();
    }

    /// Runs one step: forward, backward, checks, clipping, update. Returns the loss sums of its samples.
    pub(super) fn step(
        &mut self,
        at: StepIndex,
        samples: StepSamples<'_>,
        key: RngKey,
        optimizer: &mut dyn Optimizer,
    ) -> Result<LossSums, TrainError> {
        self.untrained.remember(self.net);
        let sums = self.gradient(samples, key);
        let advice = self.advice(optimizer.learning_rate());
        let known = self.complete_gradient(at);
        self.check_ranks()
            .and_then(|()| self.check_loss(sums.mean_loss(), advice, at))
            .and_then(|()| self.check_gradient(known, sums.mean_loss(), advice, at))
            .inspect_err(|_| self.untrained.restore(self.net))?;
        self.monitor_gradient(at);
        if let Some(clipper) = &mut self.clipper {
            clipper.apply(self.net, &mut self.d_net, self.rows.ranges());
        }
        self.update(optimizer).map(|()| sums)
    }

    /// Updates the weights: each rank its share of them, if the optimiser's state is divided.
    fn update(&mut self, optimizer: &mut dyn Optimizer) -> Result<(), TrainError> {
        let all = 0..self.info.len;
        let touched = updated_ranges(optimizer, self.rows.ranges(), &all);
        let share = self.settings.division.share(self.info.len);
        let part = UpdatedPart { share, touched };
        update_part(optimizer, &self.info, self.net, &self.d_net, &part);
        if let Some((ranks, shares)) = self.settings.division.divided() {
            let weights = bytes_of_mut(self.net);
            ranks.gather_parts(weights, &shares.lens(size_of::<f32>()));
        }
        self.check_ranks()
    }

    /// Collects the shares of the gradient, where each rank has one, if the step `at` needs all of it. Returns the elements
    /// that this rank has.
    fn complete_gradient(&mut self, at: StepIndex) -> Range<usize> {
        let own = self.settings.division.share(self.info.len);
        let Some((ranks, _)) = self.settings.division.divided() else { return own };
        let is_finite = largest_magnitude(&self.d_net, slice::from_ref(&own)).is_finite();
        let mut finite = vec![0; ranks.size()];
        finite[ranks.rank()] = u8::from(is_finite);
        ranks.gather(&mut finite);
        let clips_all = self.clipper.as_ref().is_some_and(Clipper::needs_all);
        if clips_all || is_monitored(at) || finite.contains(&0) {
            self.collect_gradient();
            return 0..self.info.len;
        }
        own
    }

    /// Collects the shares of the gradient, where each rank has one.
    fn collect_gradient(&mut self) {
        if let Some((ranks, shares)) = self.settings.division.divided() {
            let gradient = bytes_of_mut(&mut self.d_net);
            ranks.gather_parts(gradient, &shares.lens(size_of::<f32>()));
        }
    }

    /// Collects what reports of an epoch show, where each rank has a share of it: the gradient of the last step, and the units
    /// that had one in any step. All ranks have to call it.
    pub(super) fn collect_gradients_of_epoch(&mut self) -> Result<(), TrainError> {
        if let Some((ranks, _)) = self.settings.division.divided() {
            self.collect_gradient();
            let mut units = self.monitor.alive();
            let mut all = vec![0; ranks.size() * units.len()];
            all[ranks.rank() * units.len()..][..units.len()].copy_from_slice(&units);
            ranks.gather(&mut all);
            for of_rank in all.chunks_exact(units.len().max(1)) {
                units.iter_mut().zip(of_rank).for_each(|(unit, other)| *unit |= other);
            }
            self.monitor.set_alive(&units);
        }
        self.check_ranks()
    }

    /// The state of the optimiser for a checkpoint; `None` on ranks that write none. All ranks have to call it.
    #[cfg(feature = "files")]
    pub(super) fn whole_state(
        &self,
        optimizer: &dyn Optimizer,
    ) -> Result<Option<OptimizerState>, TrainError> {
        let division = self.settings.division;
        let is_first = division.rank() == 0;
        let Some((ranks, shares)) = division.divided() else {
            return Ok(is_first.then(|| optimizer.state()));
        };
        let mut state = optimizer.state();
        for (_, values) in &mut state.values {
            if is_first {
                values.resize(self.info.len, 0.0);
            }
            ranks.collect(values, shares);
        }
        self.check_ranks().map(|()| is_first.then_some(state))
    }

    /// Writes the gradient of a step's mean loss to `d_net`, batch by batch. Returns the loss sums of all samples.
    fn gradient(&mut self, samples: StepSamples<'_>, key: RngKey) -> LossSums {
        let StepSamples { own: samples, all } = samples;
        let (settings, division) = (self.settings, self.settings.division);
        // Of all samples: a mean of the means of batches would be wrong where the last one is smaller.
        let weights = self.weights(samples, all);
        let mut sums = LossSums::default();
        for StepBatch { first, leaves, own } in settings.batches(all) {
            let part = PartOfBatch { first, leaves, division, weights };
            sums = sums.with(&self.gradient_of_batch(samples.part(own), part, key));
            self.add_gradient(first == 0);
        }
        if let Some(sum) = &mut self.accumulated {
            std::mem::swap(sum, &mut self.d_net);
        }
        sums
    }

    /// The total weight of a step's samples, `all` of them and `own` ones of this rank, in the mean loss of each output.
    fn weights(&self, own: Chosen<'_>, all: usize) -> [f64; MAX_OUTPUTS] {
        let division = self.settings.division;
        let first_leaf = division.own().start;
        let write = |leaf, weights: &mut [f64]| {
            for batch in self.settings.batches(all) {
                let before = batch.leaves.samples_of(first_leaf..leaf).len();
                let begin = batch.own.start + before;
                let samples = begin..begin + batch.leaves.samples_of(leaf..leaf + 1).len();
                self.task.add_weights(own, samples, weights);
            }
        };
        let sum = TreeSum { division, len: MAX_OUTPUTS };
        sum.run(write, add_sums, |total| std::array::from_fn(|output| total[output]))
    }

    /// Writes the gradient of a batch to `d_net`.
    fn gradient_of_batch(
        &mut self,
        batch: Chosen<'_>,
        part: PartOfBatch<'_>,
        key: RngKey,
    ) -> LossSums {
        // The last step of parallel sequences may have fewer samples than the others.
        let elements = self.state.len().min(batch.len() * self.info.state);
        let step = BatchStep {
            net: &mut *self.net,
            d_net: &mut self.d_net,
            part,
            state: &mut self.state[..elements],
            key,
            frozen: &self.frozen,
            rows: self.records_rows.then_some(&mut self.rows),
        };
        self.task.gradient(batch, step)
    }

    /// Adds `d_net` to the accumulated gradient, if a step has several batches.
    fn add_gradient(&mut self, first: bool) {
        match &mut self.accumulated {
            Some(sum) if first => std::mem::swap(sum, &mut self.d_net),
            Some(sum) => {
                let d_net = &*self.d_net;
                parallel::for_each_zipped_piece([&mut **sum], CHUNK, |range, [sum]| {
                    add_to(sum, &d_net[range]);
                });
            }
            None => {}
        }
    }

    fn monitor_gradient(&mut self, at: StepIndex) {
        let gradient = &*self.d_net;
        self.monitor.units(gradient, self.settings.division.share(self.info.len));
        if is_monitored(at) {
            self.monitor.norms(gradient, self.rows.ranges());
        }
    }

    pub(super) fn net(&self) -> &[f32] {
        self.net
    }

    /// The gradient of the last step.
    pub(super) fn d_net(&self) -> &[f32] {
        &self.d_net
    }

    /// The trained layers, and the indices of their weights.
    pub(super) fn layers(&self) -> &[(String, Range<usize>)] {
        &self.layers
    }

    /// The number of recurrent states of the samples of a step, of all ranks together; 0 if they begin with zeros.
    pub(super) const fn state_len(&self) -> usize {
        self.sequences * self.info.state
    }

    /// This rank's part of the recurrent states of all ranks.
    fn own_state(&self) -> Range<usize> {
        let own = self.settings.division.samples_of(self.settings.leaves(self.sequences));
        own.start * self.info.state..own.end * self.info.state
    }

    /// The recurrent states of the samples of a step, of all ranks together. All ranks have to call it.
    pub(super) fn all_state(&self) -> Result<Vec<f32>, TrainError> {
        let mut all = vec![0.0; self.state_len()];
        all[self.own_state()].copy_from_slice(&self.state);
        if let Some(ranks) = self.settings.division.ranks {
            let (tree, leaves) =
                (self.settings.division.tree(), self.settings.leaves(self.sequences));
            let len_of = |rank| leaves.samples_of(tree.leaves_of(rank)).len();
            let bytes = size_of::<f32>() * self.info.state;
            let lens: Vec<_> = (0..ranks.size()).map(|rank| len_of(rank) * bytes).collect();
            ranks.gather_parts(bytes_of_mut(&mut all), &lens);
        }
        self.check_ranks().map(|()| all)
    }

    /// The elements of the network that this rank updates.
    #[cfg(feature = "files")]
    pub(super) fn share(&self) -> Range<usize> {
        self.settings.division.share(self.info.len)
    }

    /// The ranks of a distributed run.
    pub(super) const fn ranks(&self) -> Option<&'a Ranks<'a>> {
        self.settings.division.ranks
    }

    /// What this rank has exchanged with others so far.
    pub(super) fn traffic(&self) -> Traffic {
        self.ranks().map_or_else(Traffic::default, Ranks::traffic)
    }

    /// Whether training goes on: it stops if a callback of any rank broke. All ranks have to call it.
    pub(super) fn agree(&self, flow: ControlFlow<()>) -> Result<ControlFlow<()>, TrainError> {
        let Some(ranks) = self.settings.division.ranks else { return Ok(flow) };
        let mut breaks = vec![0; ranks.size()];
        breaks[ranks.rank()] = u8::from(flow.is_break());
        ranks.gather(&mut breaks);
        self.check_ranks()?;
        let any = breaks.iter().any(|breaks| *breaks != 0);
        Ok(if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Returns the error that ended the messages between ranks.
    pub(super) fn check_ranks(&self) -> Result<(), TrainError> {
        let checked = self.settings.division.ranks.map_or(Ok(()), Ranks::check);
        checked.map_err(TrainError::Distributed)
    }

    /// The health of the network by the gradients of the epoch, by its loss, and by its inputs, if they are in memory.
    pub(super) fn health(&self) -> Health {
        let mut health = self.monitor.health(self.net);
        health.warnings.extend(self.task.warnings(self.settings.batch));
        health
    }

    /// How this run evaluates: on chunks of a sequence if the training data are.
    pub(super) fn evaluation(&self, key: RngKey) -> Evaluation<'a> {
        let batch = self.settings.carry_state.then_some(self.settings.batch);
        Evaluation { batch, key, ranks: self.ranks() }
    }

    fn advice(&self, learning_rate: f64) -> Advice {
        Advice { learning_rate, largest_input: self.largest_input }
    }

    fn check_loss(&self, loss: f64, advice: Advice, at: StepIndex) -> Result<(), TrainError> {
        if loss.is_finite() {
            return Ok(());
        }
        let StepIndex { epoch, step, .. } = at;
        let (layer, largest_weight) = self.largest_weight();
        Err(TrainError::Loss { epoch, step, loss, layer, largest_weight, advice })
    }

    /// The layer with the largest weight in magnitude; the first layer with a weight that is not finite, if there is one.
    fn largest_weight(&self) -> (String, f32) {
        let weights = &*self.net;
        let mut worst = (String::new(), 0.0);
        for (layer, range) in &self.layers {
            let largest = largest_magnitude(weights, slice::from_ref(range));
            if !largest.is_finite() {
                return (layer.clone(), largest);
            }
            if largest >= worst.1 {
                worst = (layer.clone(), largest);
            }
        }
        worst
    }

    /// Checks the elements `known` of the gradient. The error names the last layer with such a gradient: the backward pass went wrong there first.
    fn check_gradient(
        &self,
        known: Range<usize>,
        loss: f64,
        advice: Advice,
        at: StepIndex,
    ) -> Result<(), TrainError> {
        let gradient = &*self.d_net;
        // Only a rank that knows the whole gradient may know where it is zero.
        let is_whole = known.len() == self.info.len;
        let known = if is_whole { self.rows.ranges() } else { slice::from_ref(&known) };
        if largest_magnitude(gradient, known).is_finite() {
            return Ok(());
        }
        let Some((layer, index, value)) = first_not_finite(self.layers.iter().rev(), gradient)
        else {
            return Ok(());
        };
        let StepIndex { epoch, step, .. } = at;
        Err(TrainError::Gradient { epoch, step, layer, index, value, loss, advice })
    }

    /// Checked on its own, because activations such as `ReLU` can hide weights that are not finite from the loss.
    pub(super) fn check_weights(&self, epoch: usize, learning_rate: f64) -> Result<(), TrainError> {
        match first_not_finite(self.layers.iter(), self.net) {
            Some((layer, index, value)) => {
                let advice = self.advice(learning_rate);
                Err(TrainError::Weight { epoch, layer, index, value, advice })
            }
            None => Ok(()),
        }
    }

    /// Copies the weights of this epoch if no epoch before had a lower loss.
    pub(super) fn remember(&mut self, epoch: &Epoch) {
        let loss = epoch.watched().loss;
        let best = self.best.get_or_insert_with(|| Best::none(self.net.len()));
        if loss < best.loss {
            best.net.copy_from_slice(self.net);
            (best.epoch, best.loss) = (epoch.number, loss);
        }
    }

    /// Sets the weights of the best epoch so far.
    #[cfg(feature = "files")]
    pub(super) fn set_best(&mut self, epoch: usize, loss: f64, weights: &[f32]) {
        let best = self.best.get_or_insert_with(|| Best::none(self.net.len()));
        best.net.copy_from_slice(weights);
        (best.epoch, best.loss) = (epoch, loss);
    }

    /// Restores the weights of the best epoch, if they were copied, and returns the epoch.
    pub(super) fn restore_best(self) -> Option<usize> {
        let best = self.best.filter(|best| best.epoch > 0)?;
        self.net.copy_from_slice(&best.net);
        Some(best.epoch)
    }
}

/// The first layer with a value that is not finite, its index in the layer, and the value.
fn first_not_finite<'l>(
    mut layers: impl Iterator<Item = &'l (String, Range<usize>)>,
    values: &[f32],
) -> Option<(String, usize, f32)> {
    layers.find_map(|(name, range)| {
        let values = &values[range.clone()];
        let index = values.iter().position(|v| !v.is_finite())?;
        Some((name.clone(), index, values[index]))
    })
}

/// Values that one thread checks at a time.
const CHUNK: usize = 1 << 16;

/// The largest magnitude in some ranges, which are in ascending order; not finite if any value is not.
fn largest_magnitude(values: &[f32], ranges: &[Range<usize>]) -> f32 {
    let largest = AtomicI32::new(0);
    let (begin, end) = match ranges {
        [first, .., last] => (first.start, last.end),
        [only] => (only.start, only.end),
        [] => return 0.0,
    };
    parallel::for_each((end - begin).div_ceil(CHUNK), |task, _| {
        let mut bits = 0;
        let chunk = begin + task * CHUNK;
        for range in ranges_in(ranges, chunk..end.min(chunk + CHUNK)) {
            raise(&mut bits, &values[range]);
        }
        largest.fetch_max(bits, Ordering::Relaxed);
    });
    f32::from_bits(largest.into_inner().cast_unsigned())
}
