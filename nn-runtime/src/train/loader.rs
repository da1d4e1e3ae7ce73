//! [`CheckedData`]: samples that are checked before they are used.

use super::error::{DataSet, TrainError};
use super::health::Warning;
use super::health_data::{applied_twice, data_warnings};
use super::slots::{DynData, Slots};
use super::task::{BatchStep, Chosen, Task};
use crate::contract::Network;
use crate::data::InMemory;
use crate::kernels::dispatch::dispatch;
use crate::loss::{Loss, LossSums};
use crate::step::{Batch, BatchError, BatchOf, TrainStep, check_inputs, run_step};
use crate::system::RngKey;
use crate::types::Inputs;
use std::ops::Range;

/// A data set whose samples are checked: at once if they are in memory, otherwise when they are loaded.
pub(super) struct CheckedData<'a, N: Network, L: Loss<N::Output>> {
    set: DataSet,
    data: DynData<'a, N, L::Target>,
    loss: &'a L,
    /// For samples that are not in memory.
    slots: Slots<'a, N, L::Target>,
    /// All samples, if they are in memory.
    whole: Option<BatchOf<'a, N, L>>,
    /// The largest magnitude of an input in memory; 0 if they are not.
    largest_input: f32,
}

impl<'a, N: Network, L: Loss<N::Output>> CheckedData<'a, N, L> {
    pub(super) fn new(
        set: DataSet,
        data: DynData<'a, N, L::Target>,
        loss: &'a L,
        threads: usize,
    ) -> Result<Self, TrainError> {
        data.check().map_err(|source| TrainError::Data { data: set, source })?;
        let (whole, largest_input) = match data.in_memory() {
            Some((inputs, targets)) => {
                let (whole, largest) = check_data::<N, L>(set, inputs, targets, loss)?;
                (Some(whole), largest)
            }
            None if data.is_empty() => {
                return Err(TrainError::Data { data: set, source: BatchError::Empty });
            }
            None => (None, 0.0),
        };
        let slots = Slots::new(data, if whole.is_some() { 0 } else { threads });
        Ok(Self { set, data, loss, slots, whole, largest_input })
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) const fn loss(&self) -> &'a L {
        self.loss
    }

    /// The inputs and targets, if they are in memory.
    pub(super) fn in_memory(&self) -> Option<InMemory<'a, N::Input, L::Target>> {
        self.data.in_memory()
    }

    pub(super) const fn slots(&self) -> &Slots<'a, N, L::Target> {
        &self.slots
    }

    /// Calls `f` with some samples.
    fn with_batch<R>(&self, samples: Chosen<'_>, f: impl FnOnce(BatchOf<'_, N, L>) -> R) -> R {
        let loaded;
        f(match (samples, self.whole) {
            (Chosen::Indices(indices), Some(whole)) => whole.choose(indices),
            (Chosen::Loaded { slot, begin, end }, _) => {
                loaded = self.slots.get(slot);
                Batch::of(&loaded.inputs[begin..end], &loaded.targets[begin..end])
            }
            (Chosen::Indices(_), None) => unreachable!("samples that are not in memory are loaded"),
        })
    }

    fn check_sample(
        &self,
        index: usize,
        input: &N::Input,
        target: &L::Target,
    ) -> Result<(), TrainError> {
        check_sample::<N, L>(self.loss, index, input, target)
            .map_err(|source| TrainError::Data { data: self.set, source })?;
        check_finite::<N>(self.set, index, input, &mut 0)
    }
}

impl<N: Network, L: Loss<N::Output>> Task for CheckedData<'_, N, L> {
    fn len(&self) -> usize {
        self.data.len()
    }

    fn is_in_memory(&self) -> bool {
        self.whole.is_some()
    }

    fn largest_input(&self) -> f32 {
        self.largest_input
    }

    fn load(&self, slot: usize, indices: &[usize], key: RngKey) -> Result<(), TrainError> {
        let check = |index, input: &_, target: &_| self.check_sample(index, input, target);
        self.slots.load(slot, indices, key, check)
    }

    fn add_weights(&self, samples: Chosen<'_>, range: Range<usize>, weights: &mut [f64]) {
        self.with_batch(samples, |batch| batch.add_weights::<N, L>(self.loss, range, weights));
    }

    fn gradient(&self, samples: Chosen<'_>, step: BatchStep<'_>) -> LossSums {
        let BatchStep { net, d_net, part, state, key, frozen, rows } = step;
        let (net, d_net) = (N::from_floats_mut(net), N::from_floats_mut(d_net));
        let (loss, part, d_inputs) = (self.loss, Some(part), None);
        self.with_batch(samples, |batch| {
            run_step(TrainStep {
                net,
                loss,
                batch,
                part,
                d_net,
                d_inputs,
                state,
                key,
                frozen,
                rows,
            })
        })
    }

    fn warnings(&self, batch: usize) -> Vec<Warning> {
        let (inputs, _) = self.in_memory().unwrap_or_default();
        let mut warnings = data_warnings::<N>(inputs, batch);
        warnings.extend(applied_twice::<N>(self.loss.applies()));
        warnings
    }
}

/// Checks that the network accepts the input of a sample, and the loss its target.
pub(super) fn check_sample<N: Network, L: Loss<N::Output>>(
    loss: &L,
    index: usize,
    input: &N::Input,
    target: &L::Target,
) -> Result<(), BatchError> {
    loss.check(target).map_err(|why| BatchError::Target { index, why })?;
    check_input::<N>(index, input)
}

/// Checks that the network accepts the input of a sample.
pub(super) fn check_input<N: Network>(index: usize, input: &N::Input) -> Result<(), BatchError> {
    check_inputs::<N>([input]).map_err(|error| match error {
        BatchError::Input { why, .. } => BatchError::Input { index, why },
        other => other,
    })
}

/// Checks all targets and that inputs are finite. Also returns the largest magnitude of an input.
fn check_data<'a, N: Network, L: Loss<N::Output>>(
    set: DataSet,
    inputs: &'a [N::Input],
    targets: &'a [L::Target],
    loss: &L,
) -> Result<(BatchOf<'a, N, L>, f32), TrainError> {
    let samples = Batch::checked(loss, inputs, targets)
        .and_then(Batch::accepted_by::<N>)
        .map_err(|source| TrainError::Data { data: set, source })?;
    let mut largest = 0;
    for (sample, input) in inputs.iter().enumerate() {
        check_finite::<N>(set, sample, input, &mut largest)?;
    }
    Ok((samples, f32::from_bits(largest.cast_unsigned())))
}

/// Checks that the inputs of a sample are finite, and raises `largest` to the bits of the largest magnitude.
fn check_finite<N: Network>(
    set: DataSet,
    sample: usize,
    inputs: &N::Input,
    largest: &mut i32,
) -> Result<(), TrainError> {
    for input in (0..N::Input::LENS.len()).filter(|&input| N::Input::REAL[input]) {
        let values = inputs.input(input);
        raise(largest, values);
        if *largest >= f32::INFINITY.to_bits().cast_signed() {
            let index = values.iter().position(|v| !v.is_finite()).unwrap_or_default();
            let value = values[index];
            return Err(TrainError::Input { data: set, sample, input, index, value });
        }
    }
    Ok(())
}

dispatch! {
    /// Raises `largest` to the bits of the largest magnitude. Non-negative floats have the order of their bits, with
    /// infinity and NaN above all others, so that an integer maximum finds those too; a float maximum ignores NaN.
    pub(super) fn raise(largest: &mut i32, values: &[f32]) {
        for value in values {
            *largest = (*largest).max(value.abs().to_bits().cast_signed());
        }
    }
}
