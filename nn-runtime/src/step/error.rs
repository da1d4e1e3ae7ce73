//! [`BatchError`]: samples that cannot be evaluated or trained on.

use crate::contract::InputError;
#[cfg(feature = "train")]
use crate::loss::TargetError;

/// Samples that cannot be evaluated or trained on. Indices count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// An empty batch.
    #[error("there are no samples: expected at least one")]
    Empty,
    /// Different numbers of inputs and targets.
    #[error("expected one target for each input, found {inputs} inputs and {targets} targets")]
    Targets {
        /// The number of inputs.
        inputs: usize,
        /// The number of targets.
        targets: usize,
    },
    /// A batch too small for a layer's statistics over the batch.
    #[error(
        "expected at least {least} samples per training batch, found {found}: `BatchNorm` needs more than 1 value \
         per channel"
    )]
    TooFew {
        /// The number of samples that the network needs.
        least: usize,
        /// The number of samples of the smallest batch.
        found: usize,
    },
    /// Different numbers of inputs and input gradients.
    #[error(
        "expected one gradient for each input, found {inputs} inputs and {gradients} gradients"
    )]
    InputGradients {
        /// The number of inputs.
        inputs: usize,
        /// The number of input gradients.
        gradients: usize,
    },
    /// More samples than a [`TrainPass`](crate::TrainPass) was made for.
    #[error(
        "expected at most {most} samples, the batch size that the `TrainPass` was made with, found {found}"
    )]
    TooMany {
        /// The batch size of the pass.
        most: usize,
        /// The number of samples.
        found: usize,
    },
    /// Another number of output gradients than of outputs.
    #[error(
        "expected one gradient for each output of the last `forward`, found {outputs} outputs and {gradients} gradients"
    )]
    OutputGradients {
        /// The number of outputs of the last forward pass.
        outputs: usize,
        /// The number of output gradients.
        gradients: usize,
    },
    /// A backward pass without a forward pass before.
    #[error(
        "`backward` needs the values that `forward` saves: call `forward` first, and check its result"
    )]
    NoForward,
    /// A recurrent state of the wrong size.
    #[error("expected {expected} elements of recurrent state, found {found}")]
    State {
        /// The number of elements of the state of all samples.
        expected: usize,
        /// The number of elements given.
        found: usize,
    },
    /// An input that a layer refuses: a token outside of the vocabulary.
    #[error("input {index}: {why}")]
    Input {
        /// The index of the input.
        index: usize,
        /// What was expected and what was found.
        #[source]
        why: InputError,
    },
    /// A target that the loss refuses.
    #[cfg(feature = "train")]
    #[error("target {index}: {why}")]
    Target {
        /// The index of the target.
        index: usize,
        /// What was expected and what was found.
        #[source]
        why: TargetError,
    },
}
