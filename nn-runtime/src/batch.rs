//! [`Batch`]: the samples of one training step.

use crate::loss::Loss;
use crate::step::{MAX_INPUTS, output_valid};
use crate::{Inputs, MOST_HEADS, Network, Station, Values, Whole};

/// Samples that cannot be trained on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// No samples.
    #[error("there are no samples: expected at least one")]
    Empty,
    /// Inputs without targets, or targets without inputs.
    #[error("expected one target for each input, found {inputs} inputs and {targets} targets")]
    Targets {
        /// How many inputs there are.
        inputs: usize,
        /// How many targets there are.
        targets: usize,
    },
    /// Fewer samples at a time than a layer's statistics over the batch need.
    #[error(
        "expected at least {least} samples at a time in training, found {found}: `BatchNorm` needs more \
         than 1 value per channel"
    )]
    TooFew {
        /// How many samples the network needs.
        least: usize,
        /// How many samples the smallest batch has.
        found: usize,
    },
    /// Inputs without room for their gradients.
    #[error(
        "expected room for one gradient for each input, found {inputs} inputs and {gradients} gradients"
    )]
    InputGradients {
        /// How many inputs there are.
        inputs: usize,
        /// How many gradients there is room for.
        gradients: usize,
    },
    /// Not as much carried state as the samples have.
    #[error("expected {expected} numbers of carried state, found {found}")]
    Carried {
        /// How many numbers all samples carry.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An input that a layer refuses: a token that is not in the vocabulary.
    #[error("input {index}: {why}")]
    Input {
        /// Its place, counted from 0.
        index: usize,
        /// What was expected and what was found.
        why: String,
    },
    /// A target that the loss refuses.
    #[error("target {index}: {why}")]
    Target {
        /// Its place, counted from 0.
        index: usize,
        /// What was expected and what was found.
        why: String,
    },
}

/// Whether a training step of `N` can be made of so many samples.
pub(crate) fn enough_for<N: Network>(samples: usize) -> Result<(), BatchError> {
    let least = <N as Station<Whole>>::LEAST_BATCH;
    if samples >= least { Ok(()) } else { Err(BatchError::TooFew { least, found: samples }) }
}

/// Whether the layers of `N` take these inputs: [`Station::check`].
pub(crate) fn check_inputs<'a, N: Network>(
    inputs: impl IntoIterator<Item = &'a N::Input>,
) -> Result<(), BatchError> {
    // Real numbers are never refused.
    if N::Input::REAL.iter().all(|real| *real) {
        return Ok(());
    }
    let mut x: [&[f32]; MAX_INPUTS] = [&[]; MAX_INPUTS];
    let x = &mut x[..N::Input::LENS.len()];
    for (index, input) in inputs.into_iter().enumerate() {
        for (nth, x) in x.iter_mut().enumerate() {
            *x = input.input(nth);
        }
        <N as Station<Whole>>::check(x).map_err(|why| BatchError::Input { index, why })?;
    }
    Ok(())
}

/// Samples: all of two slices, or some of them in any order.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a, Input, Target> {
    inputs: &'a [Input],
    targets: &'a [Target],
    order: Option<&'a [usize]>,
}

impl<'a, Input: Inputs, Target: Copy> Batch<'a, Input, Target> {
    /// All samples, after a look at them.
    pub(crate) fn checked<Output: Values>(
        loss: &impl Loss<Output, Target = Target>,
        inputs: &'a [Input],
        targets: &'a [Target],
    ) -> Result<Self, BatchError> {
        if inputs.is_empty() {
            return Err(BatchError::Empty);
        }
        if inputs.len() != targets.len() {
            return Err(BatchError::Targets { inputs: inputs.len(), targets: targets.len() });
        }
        for (index, target) in targets.iter().enumerate() {
            loss.check(target).map_err(|why| BatchError::Target { index, why })?;
        }
        Ok(Self { inputs, targets, order: None })
    }

    /// The same samples, if a training step of `N` can be made of them.
    pub(crate) fn enough_for<N: Network>(self) -> Result<Self, BatchError> {
        enough_for::<N>(self.len()).map(|()| self)
    }

    /// The same samples, if the layers of `N` take their inputs.
    pub(crate) fn accepted_by<N: Network<Input = Input>>(self) -> Result<Self, BatchError> {
        check_inputs::<N>((0..self.len()).map(|i| self.input(i))).map(|()| self)
    }

    /// Of these samples those at the places `order`, in this order.
    pub(crate) fn choose(self, order: &'a [usize]) -> Self {
        Self { order: Some(order), ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.map_or(self.inputs.len(), <[usize]>::len)
    }

    pub(crate) fn input(&self, i: usize) -> &'a Input {
        &self.inputs[self.place(i)]
    }

    pub(crate) fn target(&self, i: usize) -> &'a Target {
        &self.targets[self.place(i)]
    }

    /// How much all samples weigh in the mean loss of each output.
    pub(crate) fn weights<N, L>(&self, loss: &L) -> [f64; MOST_HEADS]
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        let mut weights = [0.0; MOST_HEADS];
        for i in 0..self.len() {
            loss.add_weights(self.target(i), &output_valid::<N>(self.input(i)), &mut weights);
        }
        weights
    }

    fn place(&self, i: usize) -> usize {
        self.order.map_or(i, |order| order[i])
    }
}
