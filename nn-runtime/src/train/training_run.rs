//! [`TrainingRun`]: one call of [`Trainer::fit`](crate::train::Trainer::fit) with its memory.

use super::chunks;
use super::error::{Advice, DataSet, TrainError};
use super::evaluate::{evaluate_checked, evaluate_chunks};
use super::health::{GradientMonitor, Health};
use super::health_data::{applied_twice, data_warnings};
use super::history::{Epoch, Score};
use super::untrained::Untrained;
use crate::contract::{Network, Node, Root, trained_ranges};
use crate::data::{Data, for_each_swap};
use crate::kernels::dispatch::dispatch;
use crate::loss::{Loss, LossSums};
use crate::optim::{Clip, Clipper, Optimizer};
use crate::step::{Batch, BatchOf, TrainStep, enough_for, run_step};
use crate::system::{RngKey, parallel};
use crate::types::Inputs;
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
    pub(super) clip: Option<Clip>,
    pub(super) carry_state: bool,
}

/// The number of steps of an epoch whose gradient norms are monitored: computing them takes a little time.
const MONITORED: usize = 16;

/// The network in training, its gradient, and the order of the samples.
pub(super) struct TrainingRun<'a, N: Network, L: Loss<N::Output>> {
    net: &'a mut N,
    d_net: Box<N>,
    loss: &'a L,
    samples: BatchOf<'a, N, L>,
    order: Vec<usize>,
    layers: Vec<(String, Range<usize>)>,
    trained: Vec<Range<usize>>,
    untrained: Untrained,
    largest_input: f32,
    monitor: GradientMonitor,
    best: Option<Best<N>>,
    clipper: Option<Clipper>,
    batch: usize,
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

impl<'a, N: Network, L: Loss<N::Output>> TrainingRun<'a, N, L> {
    pub(super) fn new(
        net: &'a mut N,
        data: &'a Data<N::Input, L::Target>,
        loss: &'a L,
        settings: RunSettings,
    ) -> Result<Self, TrainError> {
        let RunSettings { batch, clip, carry_state } = settings;
        let (samples, largest_input) = check_data::<N, L>(DataSet::Training, data, loss)?;
        let layers = trained_ranges(N::LAYERS);
        let trained: Vec<_> = layers.iter().map(|(_, range)| range.clone()).collect();
        Ok(Self {
            net,
            d_net: N::zeros(),
            loss,
            samples,
            order: (0..data.len()).collect(),
            untrained: Untrained::new(N::LEN, &trained),
            trained,
            layers,
            largest_input,
            monitor: GradientMonitor::new::<N>(),
            best: None,
            clipper: clip.map(Clipper::new::<N>),
            batch,
            carry_state,
            state: chunks::initial_state::<N>(if carry_state { batch } else { 0 }, data.len()),
        })
    }

    /// The number of training samples.
    pub(super) fn samples(&self) -> usize {
        self.order.len()
    }

    /// Checks that every batch of an epoch, including the last one, has as many samples as the network needs.
    pub(super) fn check_batches(&self) -> Result<(), TrainError> {
        let rest = self.samples() % self.batch;
        enough_for::<N>(if rest == 0 { self.batch } else { rest })
            .map_err(|source| TrainError::Data { data: DataSet::Training, source })
    }

    /// Begins an epoch with its order of samples, which does not depend on the epochs before.
    pub(super) fn begin_epoch(&mut self, key: RngKey, epoch: usize) {
        if self.carry_state {
            self.order = chunks::order(self.order.len(), self.batch);
        } else {
            self.shuffle(key, epoch);
        }
        self.state.fill(0.0);
        self.monitor.clear();
    }

    fn shuffle(&mut self, key: RngKey, epoch: usize) {
        let key = key.fold_in(RngKey::hash("order of samples")).fold_in(epoch as u64);
        for (i, index) in self.order.iter_mut().enumerate() {
            *index = i;
        }
        for_each_swap(self.order.len(), key, |i, j| self.order.swap(i, j));
    }

    /// Runs one step: forward, backward, checks, clipping, update. Returns the loss sums of its batch.
    pub(super) fn step(
        &mut self,
        at: StepIndex,
        key: RngKey,
        optimizer: &mut impl Optimizer,
    ) -> Result<LossSums, TrainError> {
        let first = (at.step - 1) * self.batch;
        let end = (first + self.batch).min(self.order.len());
        let batch = self.samples.choose(&self.order[first..end]);
        self.untrained.remember(self.net.as_floats());
        // The last step of parallel sequences may have fewer samples than the others.
        let elements = self.state.len().min(batch.len() * <N as Node<Root>>::STATE);
        let sums = run_step(TrainStep {
            net: &mut *self.net,
            loss: self.loss,
            batch,
            d_net: &mut *self.d_net,
            d_inputs: None,
            state: &mut self.state[..elements],
            key,
        });
        let advice = self.advice(optimizer.learning_rate());
        let checked = self.check_loss(sums.mean_loss(), advice, at);
        checked
            .and_then(|()| self.check_gradient(sums.mean_loss(), advice, at))
            .inspect_err(|_| self.untrained.restore(self.net.as_floats_mut()))?;
        self.monitor_gradient(at);
        if let Some(clipper) = &mut self.clipper {
            clipper.apply(&*self.net, &mut *self.d_net);
        }
        optimizer.step(self.net.as_floats_mut(), self.d_net.as_floats(), &self.trained);
        Ok(sums)
    }

    fn monitor_gradient(&mut self, at: StepIndex) {
        let gradient = self.d_net.as_floats();
        self.monitor.units(gradient);
        if (at.step - 1).is_multiple_of(at.steps.div_ceil(MONITORED)) {
            self.monitor.norms(gradient);
        }
    }

    /// The health of the network by the gradients of the epoch.
    pub(super) fn health(&self) -> Health {
        let mut health = self.monitor.health(self.net.as_floats());
        let inputs = (0..self.samples.len()).map(|i| self.samples.input(i));
        health.warnings.extend(data_warnings::<N>(inputs, self.batch));
        health.warnings.extend(applied_twice::<N>(self.loss.applies()));
        health
    }

    /// The network's score on `data`, which are chunks of a sequence if the training data are.
    pub(super) fn evaluate(&self, data: &Data<N::Input, L::Target>) -> Score {
        let sums = if self.carry_state {
            evaluate_chunks(&*self.net, data, self.loss, self.batch)
        } else {
            evaluate_checked(&*self.net, data, self.loss)
        };
        Score::of::<N>(&sums)
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
        let loss = epoch.validation.unwrap_or(epoch.training).loss;
        let best = self.best.get_or_insert_with(|| Best {
            epoch: 0,
            loss: f64::INFINITY,
            net: N::zeros(),
        });
        if loss < best.loss {
            best.net.as_floats_mut().copy_from_slice(self.net.as_floats());
            (best.epoch, best.loss) = (epoch.number, loss);
        }
    }

    /// Restores the weights of the best epoch, if they were copied, and returns the epoch.
    pub(super) fn restore_best(self) -> Option<usize> {
        let best = self.best.filter(|best| best.epoch > 0)?;
        self.net.as_floats_mut().copy_from_slice(best.net.as_floats());
        Some(best.epoch)
    }
}

/// Checks all targets and that inputs are finite. Also returns the largest magnitude of an input.
pub(super) fn check_data<'a, N: Network, L: Loss<N::Output>>(
    set: DataSet,
    data: &'a Data<N::Input, L::Target>,
    loss: &L,
) -> Result<(BatchOf<'a, N, L>, f32), TrainError> {
    let samples = Batch::checked(loss, &data.inputs, &data.targets)
        .and_then(Batch::accepted_by::<N>)
        .map_err(|source| TrainError::Data { data: set, source })?;
    let mut largest = 0;
    for (sample, inputs) in data.inputs.iter().enumerate() {
        for input in (0..N::Input::LENS.len()).filter(|&input| N::Input::REAL[input]) {
            let values = inputs.input(input);
            raise(&mut largest, values);
            if largest >= f32::INFINITY.to_bits().cast_signed() {
                let index = values.iter().position(|v| !v.is_finite()).unwrap_or_default();
                let value = values[index];
                return Err(TrainError::Input { data: set, sample, input, index, value });
            }
        }
    }
    Ok((samples, f32::from_bits(largest.cast_unsigned())))
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

dispatch! {
    /// Raises `largest` to the bits of the largest magnitude. Non-negative floats have the order of their bits, with
    /// infinity and NaN above all others, so that an integer maximum finds those too; a float maximum ignores NaN.
    fn raise(largest: &mut i32, values: &[f32]) {
        for value in values {
            *largest = (*largest).max(value.abs().to_bits().cast_signed());
        }
    }
}
