//! [`TrainError`]: why training stopped, with advice.

use crate::optim::{GroupsError, StateError};
use crate::ranks::DistributedError;
use crate::step::BatchError;
use std::fmt;
use std::path::PathBuf;

/// The data set that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataSet {
    /// The training data.
    Training,
    /// The data given to [`Trainer::validate`](crate::train::Trainer::validate).
    Validation,
}

impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Training => "training data",
            Self::Validation => "validation data",
        })
    }
}

/// Why training stopped. Epochs and steps count from 1, indices from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Samples that cannot be trained on.
    #[error("{data}: {source}")]
    Data {
        /// The data set with these samples.
        data: DataSet,
        /// What is wrong with them.
        source: BatchError,
    },
    /// A state of the optimiser that it does not take back.
    #[error("the optimiser's state before training: {0}")]
    OptimizerState(StateError),
    /// A checkpoint that cannot be written or continued.
    #[cfg(feature = "files")]
    #[error(transparent)]
    Checkpoint(super::checkpoint_error::CheckpointError),
    /// A folder of [`log_dir`](crate::train::Trainer::log_dir) that cannot be written to.
    #[error("cannot write logs to the folder `{path}`: {why}")]
    Log {
        /// The folder.
        path: PathBuf,
        /// The reason of the operating system.
        why: String,
    },
    /// A last batch that is too small for a layer's statistics over the batch.
    #[error(
        "training data: {samples} samples in batches of {batch} leave a last batch of {found}, but `BatchNorm` needs \
         at least {least}: call `drop_last(true)` to leave it out, or choose another batch size"
    )]
    LastBatch {
        /// The number of training samples.
        samples: usize,
        /// The batch size.
        batch: usize,
        /// The number of samples that the network needs.
        least: usize,
        /// The number of samples of the last batch.
        found: usize,
    },
    /// Fewer samples than a batch has, with [`drop_last`](crate::train::Trainer::drop_last).
    #[error(
        "training data: {samples} samples are fewer than a batch of {batch}, so that `drop_last(true)` leaves no batch: \
         choose a smaller batch size"
    )]
    NoBatch {
        /// The number of training samples.
        samples: usize,
        /// The batch size.
        batch: usize,
    },
    /// [`carry_state`](crate::train::Trainer::carry_state) for a network without recurrent state.
    #[error(
        "`carry_state` needs a layer with recurrent state, but the network has none: leave it out, or add an `RNN`, \
         `LSTM`, `GRU` or a `Conv1d` with `padding = causal`"
    )]
    NoState,
    /// A [`lazy`](crate::optim::AdamLike::lazy) optimiser in a run that adds up the gradients of several batches or ranks.
    #[error(
        "a lazy optimiser needs the gradient of one batch: leave out `lazy`, or `accumulate`, `distributed` and \
         `reduction_leaves`"
    )]
    Lazy,
    /// Training on several ranks that ended on another one.
    #[error(transparent)]
    Distributed(DistributedError),
    /// A pattern of a [`Groups`](crate::optim::Groups) that matches no weight.
    #[error(transparent)]
    Groups(GroupsError),
    /// An input that is not finite.
    #[error(
        "{data}: sample {sample} has the value {value} at index {index} of its input {input}: expected finite values; \
         correct or remove the sample"
    )]
    Input {
        /// The data set with the sample.
        data: DataSet,
        /// The index of the sample.
        sample: usize,
        /// The index of the input, for networks with several.
        input: usize,
        /// The index of the value in the input.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A learning rate that is negative or not finite. The network has the weights from before this step.
    #[error(
        "epoch {epoch}, step {step}: the learning rate is {rate}: expected a finite number of at least 0; correct the \
         schedule or the optimiser that returned it"
    )]
    LearningRate {
        /// The epoch.
        epoch: usize,
        /// The step of the epoch that was to begin.
        step: usize,
        /// The learning rate.
        rate: f64,
    },
    /// An epoch of [`fit_epoch`](crate::train::Trainer::fit_epoch) that a callback ended before its last step, so that it has
    /// no record yet.
    #[error("epoch {epoch}: `on_step` ended it before its last step; the next call continues it")]
    Stopped {
        /// The epoch.
        epoch: usize,
    },
    /// A loss that is not finite. The network has the weights from before this step.
    #[error(
        "epoch {epoch}, step {step}: the loss is {loss}; {}. {advice}",
        if layer.is_empty() {
            "no layer of the network has weights that are trained".into()
        } else {
            format!("the largest weight is {largest_weight:.3e}, in layer `{layer}`")
        },
    )]
    Loss {
        /// The epoch.
        epoch: usize,
        /// The step of the epoch.
        step: usize,
        /// The loss of the step's batch.
        loss: f64,
        /// The layer with the largest weight, the likeliest cause; empty if no layer has weights that are trained.
        layer: String,
        /// The magnitude of that weight.
        largest_weight: f32,
        /// What to try.
        advice: Advice,
    },
    /// A gradient that is not finite although the loss is. The network has the weights from before this step.
    #[error(
        "epoch {epoch}, step {step}: the gradient of layer `{layer}` is not finite ({value} at index {index} of its \
         weights), while the loss is {loss:.4}. {advice}"
    )]
    Gradient {
        /// The epoch.
        epoch: usize,
        /// The step of the epoch.
        step: usize,
        /// The last layer of the network, and so the first of the backward pass, whose gradient is not finite.
        layer: String,
        /// The index of the value in the layer's weights.
        index: usize,
        /// The value.
        value: f32,
        /// The loss of the step's batch.
        loss: f64,
        /// What to try.
        advice: Advice,
    },
    /// A weight that is not finite.
    #[error(
        "{}: the weights of layer `{layer}` are not finite ({value} at index {index}){}",
        if *epoch == 0 { "before training".into() } else { format!("after epoch {epoch}") },
        if *epoch == 0 { String::new() } else { format!(". {advice}") },
    )]
    Weight {
        /// The last epoch before the check; 0 before the first.
        epoch: usize,
        /// The first layer with such a weight.
        layer: String,
        /// The index of the value in the layer's weights.
        index: usize,
        /// The value.
        value: f32,
        /// What to try.
        advice: Advice,
    },
}

/// Advice against values that grow beyond all bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Advice {
    /// The learning rate of the failed step.
    pub learning_rate: f64,
    /// The largest magnitude among the inputs.
    pub largest_input: f32,
}

/// Inputs above this magnitude are mentioned: standardised ones stay far below it.
const LARGE_INPUT: f32 = 20.0;

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.largest_input > LARGE_INPUT {
            write!(
                f,
                "Inputs reach {}: try to scale them to a mean of 0 and a standard deviation of 1, and a smaller \
                 learning rate than {}.",
                self.largest_input, self.learning_rate
            )
        } else {
            write!(f, "Try a smaller learning rate than {}.", self.learning_rate)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_of_a_network_without_weights_names_no_layer() {
        let advice = Advice { learning_rate: 0.1, largest_input: 1.0 };
        let error = TrainError::Loss {
            epoch: 1,
            step: 2,
            loss: f64::NAN,
            layer: String::new(),
            largest_weight: 0.0,
            advice,
        };
        let expected = "epoch 1, step 2: the loss is NaN; no layer of the network has weights that are trained. Try a \
                        smaller learning rate than 0.1.";
        assert_eq!(error.to_string(), expected);
    }
}
