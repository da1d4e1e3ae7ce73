//! [`Run`]: one call of [`Trainer::fit`](super::Trainer::fit), with the memory it needs.

use super::error::Advice;
use super::evaluate::{evaluate_checked, evaluate_stretches};
use super::health::{Health, Watch};
use super::stretches;
use super::untrained::Untrained;
use super::{DataSet, Epoch, Score, TrainError};
use crate::contract::{Network, Node, Root, trained_ranges};
use crate::data::{Data, swaps};
use crate::kernels::dispatch::dispatch;
use crate::loss::{Loss, Tallies};
use crate::optim::{Clip, Clipper, Optimizer};
use crate::step::{Batch, BatchOf, enough_for, run_step};
use crate::system::{RngKey, parallel};
use crate::types::Inputs;
use std::ops::Range;
use std::sync::atomic::{AtomicI32, Ordering};

/// Where in training a step is; both count from 1.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) epoch: usize,
    pub(super) step: usize,
    /// How many steps the epoch has.
    pub(super) steps: usize,
}

/// In how many steps of an epoch the norms of gradients are looked at: they take a little time.
const LOOKS: usize = 16;

/// The network on its way, its gradient, and the order of the samples.
pub(super) struct Run<'a, N: Network, L: Loss<N::Output>> {
    net: &'a mut N,
    d_net: Box<N>,
    loss: &'a L,
    samples: BatchOf<'a, N, L>,
    order: Vec<usize>,
    layers: Vec<(String, Range<usize>)>,
    trained: Vec<Range<usize>>,
    untrained: Untrained,
    largest_input: f32,
    watch: Watch,
    best: Option<Best<N>>,
    clipper: Option<Clipper>,
    // How many stretches a step takes, where samples are those of a long sequence.
    stretches: Option<usize>,
    // What they leave to those of the next step.
    carried: Vec<f32>,
}

/// The weights of the best epoch.
struct Best<N> {
    epoch: usize,
    loss: f64,
    net: Box<N>,
}

impl<'a, N: Network, L: Loss<N::Output>> Run<'a, N, L> {
    pub(super) fn new(
        net: &'a mut N,
        data: &'a Data<N::Input, L::Target>,
        loss: &'a L,
        clip: Option<Clip>,
        stretches: Option<usize>,
    ) -> Result<Self, TrainError> {
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
            watch: Watch::new::<N>(),
            best: None,
            clipper: clip.map(Clipper::new::<N>),
            stretches,
            carried: stretches::nothing_carried::<N>(stretches.unwrap_or_default(), data.len()),
        })
    }

    /// How many samples there are to learn from.
    pub(super) fn samples(&self) -> usize {
        self.order.len()
    }

    /// Whether every batch of an epoch, the last one too, has as many samples as the network needs.
    pub(super) fn check_batches(&self, batch: usize) -> Result<(), TrainError> {
        let rest = self.samples() % batch;
        enough_for::<N>(if rest == 0 { batch } else { rest })
            .map_err(|source| TrainError::Data { data: DataSet::Training, source })
    }

    /// Begins an epoch: puts the samples in its order, whatever their order was before.
    pub(super) fn begin_epoch(&mut self, key: RngKey, epoch: usize) {
        match self.stretches {
            Some(batch) => self.order = stretches::order(self.order.len(), batch),
            None => self.shuffle(key, epoch),
        }
        self.carried.fill(0.0);
        self.watch.clear();
    }

    fn shuffle(&mut self, key: RngKey, epoch: usize) {
        let key = key.fold_in(RngKey::hash("order of samples")).fold_in(epoch as u64);
        for (i, place) in self.order.iter_mut().enumerate() {
            *place = i;
        }
        swaps(self.order.len(), key, |i, j| self.order.swap(i, j));
    }

    /// Learns from the samples from place `first` on, `batch` of them or what is left.
    pub(super) fn step(
        &mut self,
        first: usize,
        batch: usize,
        key: RngKey,
        optimizer: &mut impl Optimizer,
        place: Place,
    ) -> Result<Tallies, TrainError> {
        let end = (first + batch).min(self.order.len());
        let samples = self.samples.choose(&self.order[first..end]);
        self.untrained.remember(self.net.as_floats());
        // Nothing where samples do not follow each other; the last step of key may have fewer.
        let carries = self.carried.len().min(samples.len() * <N as Node<Root>>::STATE);
        let carried = &mut self.carried[..carries];
        let tally = run_step(self.net, self.loss, samples, &mut self.d_net, None, carried, key);
        let advice = self.advice(optimizer.learning_rate());
        let checked = self.check_loss(tally.mean_loss(), advice, place);
        checked
            .and_then(|()| self.check_gradient(tally.mean_loss(), advice, place))
            .inspect_err(|_| self.untrained.restore(self.net.as_floats_mut()))?;
        self.look_at_gradient(place);
        if let Some(clipper) = &mut self.clipper {
            clipper.apply(&*self.net, &mut *self.d_net);
        }
        optimizer.step(self.net.as_floats_mut(), self.d_net.as_floats(), &self.trained);
        Ok(tally)
    }

    fn look_at_gradient(&mut self, place: Place) {
        let gradient = self.d_net.as_floats();
        self.watch.units(gradient);
        if (place.step - 1).is_multiple_of(place.steps.div_ceil(LOOKS)) {
            self.watch.norms(gradient);
        }
    }

    /// What the gradients of the epoch say.
    pub(super) fn health(&self) -> Health {
        self.watch.health(self.net.as_floats())
    }

    /// How the network does on `data`, which are samples or stretches as those it learns from.
    pub(super) fn evaluate(&self, data: &Data<N::Input, L::Target>) -> Score {
        let tallies = match self.stretches {
            Some(batch) => evaluate_stretches(&*self.net, data, self.loss, batch),
            None => evaluate_checked(&*self.net, data, self.loss),
        };
        Score::of::<N>(&tallies)
    }

    fn advice(&self, learning_rate: f64) -> Advice {
        Advice { learning_rate, largest_input: self.largest_input }
    }

    fn check_loss(&self, loss: f64, advice: Advice, place: Place) -> Result<(), TrainError> {
        if loss.is_finite() {
            return Ok(());
        }
        let Place { epoch, step, .. } = place;
        let (layer, largest_weight) = self.largest_weight();
        Err(TrainError::Loss { epoch, step, loss, layer, largest_weight, advice })
    }

    /// The layer with the largest weight; the first one that has a weight that is not finite.
    fn largest_weight(&self) -> (String, f32) {
        let weights = self.net.as_floats();
        let mut worst = (String::new(), 0.0);
        for (layer, range) in &self.layers {
            let largest = largest_size(&weights[range.clone()]);
            if !largest.is_finite() {
                return (layer.clone(), largest);
            }
            if largest >= worst.1 {
                worst = (layer.clone(), largest);
            }
        }
        worst
    }

    /// Gradients become too large on the way back: the last layer that has such a one is to blame.
    fn check_gradient(&self, loss: f64, advice: Advice, at: Place) -> Result<(), TrainError> {
        let gradient = self.d_net.as_floats();
        if largest_size(gradient).is_finite() {
            return Ok(());
        }
        let Some((layer, place, value)) = first_not_finite(self.layers.iter().rev(), gradient)
        else {
            return Ok(());
        };
        let Place { epoch, step, .. } = at;
        Err(TrainError::Gradient { epoch, step, layer, place, value, loss, advice })
    }

    /// Activations such as `ReLU` may hide weights that are not finite from the loss.
    pub(super) fn check_weights(&self, epoch: usize, learning_rate: f64) -> Result<(), TrainError> {
        match first_not_finite(self.layers.iter(), self.net.as_floats()) {
            Some((layer, place, value)) => {
                let advice = self.advice(learning_rate);
                Err(TrainError::Weight { epoch, layer, place, value, advice })
            }
            None => Ok(()),
        }
    }

    /// Keeps the weights of this epoch, if none was better.
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

    /// Gives the network the weights that were kept, and says of which epoch they are.
    pub(super) fn restore_best(self) -> Option<usize> {
        let best = self.best.filter(|best| best.epoch > 0)?;
        self.net.as_floats_mut().copy_from_slice(best.net.as_floats());
        Some(best.epoch)
    }
}

/// Looks at all samples: whether targets fit and inputs are finite; and says how large inputs are.
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
            let numbers = inputs.input(input);
            raise(&mut largest, numbers);
            if largest >= f32::INFINITY.to_bits().cast_signed() {
                let place = numbers.iter().position(|v| !v.is_finite()).unwrap_or_default();
                let value = numbers[place];
                return Err(TrainError::Input { data: set, sample, input, place, value });
            }
        }
    }
    Ok((samples, f32::from_bits(largest.cast_unsigned())))
}

/// The first layer with a number that is not finite, its place in the layer, and the number.
fn first_not_finite<'l>(
    mut layers: impl Iterator<Item = &'l (String, Range<usize>)>,
    numbers: &[f32],
) -> Option<(String, usize, f32)> {
    layers.find_map(|(name, range)| {
        let numbers = &numbers[range.clone()];
        let place = numbers.iter().position(|v| !v.is_finite())?;
        Some((name.clone(), place, numbers[place]))
    })
}

/// Numbers that one thread looks at at a time.
const PIECE: usize = 1 << 16;

/// The largest number in size; not finite if any number is not.
fn largest_size(numbers: &[f32]) -> f32 {
    let largest = AtomicI32::new(0);
    parallel::for_each(numbers.len().div_ceil(PIECE), |task, _| {
        let mut bits = 0;
        raise(&mut bits, &numbers[task * PIECE..numbers.len().min((task + 1) * PIECE)]);
        largest.fetch_max(bits, Ordering::Relaxed);
    });
    f32::from_bits(largest.into_inner().cast_unsigned())
}

dispatch! {
    /// Raises `largest` to the bits of the largest number in size. Floats without a sign are ordered as
    /// their bits are, with infinity and NaN above all others.
    fn raise(largest: &mut i32, numbers: &[f32]) {
        for number in numbers {
            *largest = (*largest).max(number.abs().to_bits().cast_signed());
        }
    }
}
