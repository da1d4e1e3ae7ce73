//! [`TrainingRun`]: one call of [`Trainer::fit`](crate::train::Trainer::fit) with its memory.

use super::chunks;
use super::error::{Advice, TrainError};
use super::evaluate::{Metrics, evaluate_checked};
use super::health::{GradientMonitor, Health};
use super::health_data::{applied_twice, data_warnings};
use super::history::{Epoch, Score};
use super::loader::{CheckedData, raise};
use super::untrained::Untrained;
use crate::contract::{Network, Node, Root, trained_ranges};
use crate::kernels::add_to;
use crate::loss::{Loss, LossSums};
use crate::optim::{Clip, Clipper, Optimizer, OptimizerExt};
use crate::step::{BatchOf, FrozenLayers, PartOfBatch, TrainStep, run_step};
use crate::system::{RngKey, parallel};
use std::ops::Range;
use std::sync::atomic::{AtomicI32, Ordering};

/// A step of a training run; epoch and step count from 1.
#[derive(Clone, Copy)]
pub(super) struct StepIndex {
    pub(super) epoch: usize,
    pub(super) step: usize,
    /// The number of steps of the epoch.
    pub(super) steps: usize,
}

/// The settings of a [`Trainer`](crate::train::Trainer) that a run needs.
#[derive(Clone, Copy)]
pub(super) struct RunSettings {
    pub(super) batch: usize,
    /// The number of batches per step.
    pub(super) accumulate: usize,
    pub(super) drop_last: bool,
    pub(super) clip: Option<Clip>,
    pub(super) carry_state: bool,
}

impl RunSettings {
    pub(super) const fn samples_per_step(self) -> usize {
        self.batch.saturating_mul(self.accumulate)
    }
}

/// The number of steps of an epoch whose gradient norms are monitored: computing them takes a little time.
const MONITORED: usize = 16;

/// The network in training and its gradient.
pub(super) struct TrainingRun<'a, N: Network, L: Loss<N::Output>> {
    net: &'a mut N,
    d_net: Box<N>,
    loss: &'a L,
    layers: Vec<(String, Range<usize>)>,
    untrained: Untrained,
    frozen: FrozenLayers,
    largest_input: f32,
    monitor: GradientMonitor,
    best: Option<Best<N>>,
    clipper: Option<Clipper>,
    batch: usize,
    // The sum of the gradients of several batches, if a step has several.
    accumulated: Option<Box<N>>,
    // Whether samples are chunks of a long sequence.
    carry_state: bool,
    // The recurrent states of the samples of a step; empty if they begin with zeros.
    state: Vec<f32>,
}

/// The weights of the best epoch.
struct Best<N> {
    epoch: usize,
    loss: f64,
    net: Box<N>,
}

impl<N: Network> Best<N> {
    /// Before the first epoch.
    fn none() -> Self {
        Self { epoch: 0, loss: f64::INFINITY, net: N::zeros() }
    }
}

impl<'a, N: Network, L: Loss<N::Output>> TrainingRun<'a, N, L> {
    pub(super) fn new(net: &'a mut N, data: &CheckedData<'a, N, L>, settings: RunSettings) -> Self {
        let RunSettings { batch, accumulate, clip, carry_state, .. } = settings;
        let layers = trained_ranges::<N>();
        let trained: Vec<_> = layers.iter().map(|(_, range)| range.clone()).collect();
        Self {
            net,
            d_net: N::zeros(),
            loss: data.loss(),
            untrained: Untrained::new(N::LEN, &trained),
            frozen: FrozenLayers::default(),
            layers,
            largest_input: data.largest_input,
            monitor: GradientMonitor::new::<N>(),
            best: None,
            clipper: clip.map(Clipper::new::<N>),
            batch,
            accumulated: (accumulate > 1).then(N::zeros),
            carry_state,
            state: chunks::initial_state::<N>(if carry_state { batch } else { 0 }, data.len()),
        }
    }

    /// The same run without training the layers that are frozen if these ranges of weights are.
    pub(super) fn without(mut self, weights: &[Range<usize>]) -> Self {
        self.frozen = FrozenLayers::new::<N>(weights);
        self.monitor.exclude(&self.frozen.view(false));
        self
    }

    #[cfg(feature = "files")]
    pub(super) fn set_weights(&mut self, weights: &[f32]) {
        self.net.as_floats_mut().copy_from_slice(weights);
    }

    /// The best epoch, its loss and its weights.
    #[cfg(feature = "files")]
    pub(super) fn best(&self) -> Option<(usize, f64, &[f32])> {
        self.best.as_ref().map(|best| (best.epoch, best.loss, best.net.as_floats()))
    }

    /// Begins an epoch. `state` are the recurrent states after the steps that are done, if there are any.
    pub(super) fn begin_epoch(&mut self, state: &[f32]) {
        if state.len() == self.state.len() {
            self.state.copy_from_slice(state);
        } else {
            self.state.fill(0.0);
        }
        self.monitor.clear();
    }

    /// Runs one step: forward, backward, checks, clipping, update. Returns the loss sums of its samples.
    pub(super) fn step(
        &mut self,
        at: StepIndex,
        samples: BatchOf<'_, N, L>,
        key: RngKey,
        optimizer: &mut impl Optimizer,
    ) -> Result<LossSums, TrainError> {
        self.untrained.remember(self.net.as_floats());
        let sums = self.gradient(samples, key);
        let advice = self.advice(optimizer.learning_rate());
        let checked = self.check_loss(sums.mean_loss(), advice, at);
        checked
            .and_then(|()| self.check_gradient(sums.mean_loss(), advice, at))
            .inspect_err(|_| self.untrained.restore(self.net.as_floats_mut()))?;
        self.monitor_gradient(at);
        if let Some(clipper) = &mut self.clipper {
            clipper.apply(&*self.net, &mut *self.d_net);
        }
        optimizer.update(&mut *self.net, &*self.d_net);
        Ok(sums)
    }

    /// Writes the gradient of a step's mean loss to `d_net`, batch by batch. Returns the loss sums of all samples.
    fn gradient(&mut self, samples: BatchOf<'_, N, L>, key: RngKey) -> LossSums {
        // Of all samples: a mean of the means of batches would be wrong where the last one is smaller.
        let weights = samples.weights::<N, L>(self.loss);
        let mut sums = LossSums::default();
        for first in (0..samples.len()).step_by(self.batch) {
            let end = samples.len().min(first.saturating_add(self.batch));
            let part = PartOfBatch { first, weights };
            sums = sums.with(&self.gradient_of_batch(samples.part(first..end), part, key));
            self.add_gradient(first == 0);
        }
        if let Some(sum) = &mut self.accumulated {
            std::mem::swap(sum, &mut self.d_net);
        }
        sums
    }

    /// Writes the gradient of a batch to `d_net`.
    fn gradient_of_batch(
        &mut self,
        batch: BatchOf<'_, N, L>,
        part: PartOfBatch,
        key: RngKey,
    ) -> LossSums {
        // The last step of parallel sequences may have fewer samples than the others.
        let elements = self.state.len().min(batch.len() * <N as Node<Root>>::STATE);
        run_step(TrainStep {
            net: &mut *self.net,
            loss: self.loss,
            batch,
            part: Some(part),
            d_net: &mut *self.d_net,
            d_inputs: None,
            state: &mut self.state[..elements],
            key,
            frozen: &self.frozen,
        })
    }

    /// Adds `d_net` to the accumulated gradient, if a step has several batches.
    fn add_gradient(&mut self, first: bool) {
        match &mut self.accumulated {
            Some(sum) if first => std::mem::swap(sum, &mut self.d_net),
            Some(sum) => {
                let d_net = self.d_net.as_floats();
                parallel::for_each_zipped_piece([sum.as_floats_mut()], CHUNK, |range, [sum]| {
                    add_to(sum, &d_net[range]);
                });
            }
            None => {}
        }
    }

    fn monitor_gradient(&mut self, at: StepIndex) {
        let gradient = self.d_net.as_floats();
        self.monitor.units(gradient);
        if (at.step - 1).is_multiple_of(at.steps.div_ceil(MONITORED)) {
            self.monitor.norms(gradient);
        }
    }

    pub(super) fn net(&self) -> &N {
        self.net
    }

    /// The recurrent states of the samples of a step; empty if they begin with zeros.
    pub(super) fn state(&self) -> &[f32] {
        &self.state
    }

    /// The health of the network by the gradients of the epoch, and by `inputs`, those that are in memory.
    pub(super) fn health(&self, inputs: &[N::Input]) -> Health {
        let mut health = self.monitor.health(self.net.as_floats());
        health.warnings.extend(data_warnings::<N>(inputs.iter(), self.batch));
        health.warnings.extend(applied_twice::<N>(self.loss.applies()));
        health
    }

    /// The network's score on `data`, which are chunks of a sequence if the training data are. The samples are added to
    /// `metrics`.
    pub(super) fn evaluate(
        &self,
        data: &CheckedData<'_, N, L>,
        key: RngKey,
        metrics: &mut Metrics<'_, N, L::Target>,
    ) -> Result<Score, TrainError> {
        let batch = self.carry_state.then_some(self.batch);
        let sums = evaluate_checked(&*self.net, data, batch, key, metrics)?;
        Ok(Score::of::<N>(&sums))
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
        let weights = self.net.as_floats();
        let mut worst = (String::new(), 0.0);
        for (layer, range) in &self.layers {
            let largest = largest_magnitude(&weights[range.clone()]);
            if !largest.is_finite() {
                return (layer.clone(), largest);
            }
            if largest >= worst.1 {
                worst = (layer.clone(), largest);
            }
        }
        worst
    }

    /// The error names the last layer with such a gradient: the backward pass went wrong there first.
    fn check_gradient(&self, loss: f64, advice: Advice, at: StepIndex) -> Result<(), TrainError> {
        let gradient = self.d_net.as_floats();
        if largest_magnitude(gradient).is_finite() {
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
        match first_not_finite(self.layers.iter(), self.net.as_floats()) {
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
        let best = self.best.get_or_insert_with(Best::none);
        if loss < best.loss {
            best.net.as_floats_mut().copy_from_slice(self.net.as_floats());
            (best.epoch, best.loss) = (epoch.number, loss);
        }
    }

    /// Sets the weights of the best epoch so far.
    #[cfg(feature = "files")]
    pub(super) fn set_best(&mut self, epoch: usize, loss: f64, weights: &[f32]) {
        let best = self.best.get_or_insert_with(Best::none);
        best.net.as_floats_mut().copy_from_slice(weights);
        (best.epoch, best.loss) = (epoch, loss);
    }

    /// Restores the weights of the best epoch, if they were copied, and returns the epoch.
    pub(super) fn restore_best(self) -> Option<usize> {
        let best = self.best.filter(|best| best.epoch > 0)?;
        self.net.as_floats_mut().copy_from_slice(best.net.as_floats());
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

/// The largest magnitude; not finite if any value is not.
fn largest_magnitude(values: &[f32]) -> f32 {
    let largest = AtomicI32::new(0);
    parallel::for_each(values.len().div_ceil(CHUNK), |task, _| {
        let mut bits = 0;
        raise(&mut bits, &values[task * CHUNK..values.len().min((task + 1) * CHUNK)]);
        largest.fetch_max(bits, Ordering::Relaxed);
    });
    f32::from_bits(largest.into_inner().cast_unsigned())
}
