//! [`Batch`]: the samples of one training step.

use super::error::BatchError;
use super::inputs::{check_inputs, check_numbers};
use super::outputs::output_valid;
use crate::contract::{Network, Root, TrainNode};
use crate::loss::Loss;
use crate::types::{Inputs, Values};
use std::ops::Range;

/// Checks that `samples` samples are enough for a training step of a network that needs `least`.
pub(crate) const fn enough_for(samples: usize, least: usize) -> Result<(), BatchError> {
    if samples >= least { Ok(()) } else { Err(BatchError::TooFew { least, found: samples }) }
}

/// The samples of one step: all of two slices, or some of them in any order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a, Input, Target> {
    inputs: &'a [Input],
    targets: &'a [Target],
    order: Option<&'a [usize]>,
}

impl<'a, Input: Inputs, Target: Copy> Batch<'a, Input, Target> {
    /// All samples, with every target checked by the loss.
    pub(crate) fn checked<Output: Values>(
        loss: &impl Loss<Output, Target = Target>,
        inputs: &'a [Input],
        targets: &'a [Target],
    ) -> Result<Self, BatchError> {
        check_numbers(inputs, targets)?;
        // Before any work: a target that is refused inside of a parallel region could only panic.
        for (index, target) in targets.iter().enumerate() {
            loss.check(target).map_err(|why| BatchError::Target { index, why })?;
        }
        Ok(Self { inputs, targets, order: None })
    }

    /// Samples that were checked one by one, as many inputs as targets.
    pub(crate) const fn of(inputs: &'a [Input], targets: &'a [Target]) -> Self {
        Self { inputs, targets, order: None }
    }

    /// The same samples, if they are enough for a training step of `N`.
    pub(crate) fn enough_for<N: Network>(self) -> Result<Self, BatchError> {
        enough_for(self.len(), <N as TrainNode<Root>>::MIN_BATCH).map(|()| self)
    }

    /// The same samples, if the layers of `N` accept their inputs.
    pub(crate) fn accepted_by<N: Network<Input = Input>>(self) -> Result<Self, BatchError> {
        check_inputs::<N>((0..self.len()).map(|i| self.input(i))).map(|()| self)
    }

    /// The samples with the indices `order`, in this order.
    pub(crate) fn choose(self, order: &'a [usize]) -> Self {
        Self { order: Some(order), ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.map_or(self.inputs.len(), <[usize]>::len)
    }

    pub(crate) fn input(&self, i: usize) -> &'a Input {
        &self.inputs[self.index(i)]
    }

    pub(crate) fn target(&self, i: usize) -> &'a Target {
        &self.targets[self.index(i)]
    }

    /// Adds the weights of samples in the mean loss of each output.
    pub(crate) fn add_weights<N, L>(&self, loss: &L, samples: Range<usize>, weights: &mut [f64])
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        // Before the step: a shard's gradients are those of the batch's mean, so that each shard needs the weight of
        // all.
        for i in samples {
            loss.add_weights(self.target(i), &output_valid::<N>(self.input(i)), weights);
        }
    }

    fn index(&self, i: usize) -> usize {
        self.order.map_or(i, |order| order[i])
    }
}
