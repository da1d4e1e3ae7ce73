//! [`TrainError`]: why training stopped, and what to try.

use crate::step::BatchError;
use std::fmt;

/// Which data set an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataSet {
    /// The one that is learnt from.
    Training,
    /// The one given to [`Trainer::validate`](super::Trainer::validate).
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

/// Why training stopped. Epochs and steps count from 1, samples and places from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Samples that cannot be trained on.
    #[error("{data}: {source}")]
    Data {
        /// Where they stand.
        data: DataSet,
        /// What is wrong with them.
        source: BatchError,
    },
    /// [`carry_state`](super::Trainer::carry_state) of a network that has none.
    #[error(
        "`carry_state` is for networks that remember something from one stretch of a sequence to the next,          but no layer of this one does: leave it out, or put an `RNN`, `LSTM`, `GRU` or a `Conv1d` with          `padding = causal` into the network"
    )]
    NothingCarried,
    /// An input that is not finite.
    #[error(
        "{data}: sample {sample} holds {value}, at place {place} of its input {input}: expected finite \
         numbers; mend the sample or leave it out"
    )]
    Input {
        /// Where the sample stands.
        data: DataSet,
        /// Which sample.
        sample: usize,
        /// Which of the network's inputs.
        input: usize,
        /// Which of the input's numbers.
        place: usize,
        /// What stands there.
        value: f32,
    },
    /// A loss that is not finite. Weights are those from before this step.
    #[error(
        "epoch {epoch}, step {step}: the loss is {loss}; the largest weight is {largest_weight:.3e}, \
         in layer `{layer}`. {advice}"
    )]
    Loss {
        /// In which epoch.
        epoch: usize,
        /// In which step of the epoch.
        step: usize,
        /// The loss of the step's batch.
        loss: f64,
        /// The layer with the largest weight, the likeliest cause.
        layer: String,
        /// Its size.
        largest_weight: f32,
        /// What to try.
        advice: Advice,
    },
    /// A gradient that is not finite, though the loss is. Weights are those from before this step.
    #[error(
        "epoch {epoch}, step {step}: the gradient of layer `{layer}` is no longer finite ({value} at \
         place {place} of its weights), while the loss is {loss:.4}. {advice}"
    )]
    Gradient {
        /// In which epoch.
        epoch: usize,
        /// In which step of the epoch.
        step: usize,
        /// The first layer, on the way back from the loss, whose gradient is not finite.
        layer: String,
        /// Which of its weights.
        place: usize,
        /// The gradient there.
        value: f32,
        /// The loss of the step's batch.
        loss: f64,
        /// What to try.
        advice: Advice,
    },
    /// A weight that is not finite.
    #[error(
        "{}: the weights of layer `{layer}` are not finite ({value} at place {place}){}",
        if *epoch == 0 { "before training".into() } else { format!("after epoch {epoch}") },
        if *epoch == 0 { String::new() } else { format!(". {advice}") },
    )]
    Weight {
        /// After which epoch; 0 before the first.
        epoch: usize,
        /// The first layer with such a weight.
        layer: String,
        /// Which of its weights.
        place: usize,
        /// What stands there.
        value: f32,
        /// What to try.
        advice: Advice,
    },
}

/// What to try when numbers grow beyond all bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advice {
    /// The learning rate that did not work.
    pub learning_rate: f64,
    /// The largest number among the inputs, in size.
    pub largest_input: f32,
}

/// Inputs above this are worth a word.
const LARGE_INPUT: f32 = 20.0;

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.largest_input > LARGE_INPUT {
            write!(
                f,
                "Inputs reach {}: try to scale them to a mean of 0 and a deviation of 1, and a smaller \
                 learning rate than {}.",
                self.largest_input, self.learning_rate
            )
        } else {
            write!(f, "Try a smaller learning rate than {}.", self.learning_rate)
        }
    }
}
