//! [`BatchError`]: samples that do not fit.

use crate::contract::InputError;

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
    /// A recurrent state of another size than the samples have.
    #[error("expected {expected} elements of recurrent state, found {found}")]
    State {
        /// Elements of the state of all samples.
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
        why: InputError,
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
