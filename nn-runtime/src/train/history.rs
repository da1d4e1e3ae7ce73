//! [`History`]: how training went.

use super::Health;
use crate::contract::Network;
use crate::loss::{Tallies, Tally};
use crate::types::MAX_OUTPUTS;
use std::fmt;

/// How a network does on some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// The share of right predictions, from 0 to 1, if the loss is one of a classification; of all
    /// outputs, if there are several.
    pub accuracy: Option<f64>,
    outputs: [Option<OutputScore>; MAX_OUTPUTS],
}

/// How one of several outputs of a network does on some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputScore {
    /// The output's name.
    pub name: &'static str,
    /// The mean of its loss, times its factor if it has one.
    pub loss: f64,
    /// The share of its right predictions, from 0 to 1, if its loss is one of a classification.
    pub accuracy: Option<f64>,
}

impl Score {
    pub(crate) fn of<N: Network>(tallies: &Tallies) -> Self {
        let output = |nth: usize| {
            N::OUTPUTS.get(nth).map(|output| OutputScore::of(output.name, &tallies.0[nth]))
        };
        Self {
            loss: tallies.mean_loss(),
            accuracy: tallies.accuracy(),
            outputs: std::array::from_fn(output),
        }
    }

    /// Output by output, if the network has several.
    pub fn outputs(&self) -> impl Iterator<Item = &OutputScore> {
        self.outputs.iter().flatten()
    }
}

impl OutputScore {
    fn of(name: &'static str, tally: &Tally) -> Self {
        Self { name, loss: tally.mean_loss(), accuracy: tally.accuracy() }
    }
}

/// `loss 0.1234, accuracy 97.50%`; of several outputs `loss 0.3234 (digit 0.1234, accuracy 97.50%; place
/// 0.2000)`.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        if self.outputs().next().is_none() {
            return write_accuracy(f, self.accuracy);
        }
        for (nth, output) in self.outputs().enumerate() {
            write!(f, "{}{} {:.4}", if nth == 0 { " (" } else { "; " }, output.name, output.loss)?;
            write_accuracy(f, output.accuracy)?;
        }
        f.write_str(")")
    }
}

fn write_accuracy(f: &mut fmt::Formatter<'_>, accuracy: Option<f64>) -> fmt::Result {
    match accuracy {
        Some(accuracy) => write!(f, ", accuracy {:.2}%", 100.0 * accuracy),
        None => Ok(()),
    }
}

/// One pass through the training data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, counted from 1.
    pub number: usize,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// The mean over its steps, each before its update, in training mode: with `Dropout`.
    pub training: Score,
    /// On the validation data, after its last step, in inference mode.
    pub validation: Option<Score>,
    /// How long it took, with validation.
    pub seconds: f64,
    /// How many samples it learnt from in a second.
    pub samples_per_second: f64,
}

/// `loss 0.2345, accuracy 93.10%; validation loss 0.1234, accuracy 96.50%; 3.2 s, 18750 samples/s`
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.training)?;
        if let Some(validation) = &self.validation {
            write!(f, "; validation {validation}")?;
        }
        write!(f, "; {:.1} s, {:.0} samples/s", self.seconds, self.samples_per_second)
    }
}

/// What [`Trainer::fit`](super::Trainer::fit) did, epoch by epoch. Displays as a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// All epochs, in order.
    pub epochs: Vec<Epoch>,
    /// Of which epoch the network has its weights, if the best were kept.
    pub kept: Option<usize>,
    /// What the gradients of the last epoch say of the network.
    pub health: Option<Health>,
}

/// For how many epochs no validation loss may have been better.
const PATIENCE: usize = 2;

/// By how much, of the best validation loss, the last one must be above it.
const RISE: f64 = 0.02;

impl History {
    /// Whether the network learns its training samples by heart: the gap between training and
    /// validation grows.
    ///
    /// It does if the best validation loss is at least two epochs old, the last one is more than 2%
    /// above it and above the training loss, and the training loss has fallen since. One bad epoch
    /// says nothing; nor does a gap that does not grow, such as that of `Dropout`.
    #[must_use]
    pub fn overfitting(&self) -> Option<Overfitting> {
        let last = self.epochs.last()?;
        let now = last.validation?.loss;
        let validated =
            self.epochs.iter().filter_map(|epoch| Some((epoch, epoch.validation?.loss)));
        let (best, lowest) = validated.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let grows = last.number >= best.number + PATIENCE
            && now > lowest * (1.0 + RISE)
            && now > last.training.loss
            && last.training.loss < best.training.loss;
        grows.then_some(Overfitting {
            best: best.number,
            training: (best.training.loss, last.training.loss),
            validation: (lowest, now),
        })
    }
}

/// `epoch | training loss, accuracy | validation loss, accuracy | seconds`, a line for each epoch.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "epoch    training  accuracy    validation  accuracy    seconds")?;
        for epoch in &self.epochs {
            let [loss, accuracy] = cells(Some(&epoch.training));
            let [valid_loss, valid_accuracy] = cells(epoch.validation.as_ref());
            let kept = if self.kept == Some(epoch.number) { " kept" } else { "" };
            writeln!(
                f,
                "{:>5}  {loss:>10}  {accuracy:>8}  {valid_loss:>12}  {valid_accuracy:>8}  {:>9.2}{kept}",
                epoch.number, epoch.seconds
            )?;
        }
        if let Some(warning) = self.overfitting() {
            writeln!(f, "{warning}")?;
        }
        self.health.iter().try_for_each(|health| write!(f, "{health}"))
    }
}

/// A score's loss and accuracy as cells of a table.
fn cells(score: Option<&Score>) -> [String; 2] {
    let loss = score.map(|score| format!("{:.4}", score.loss));
    let accuracy = score.and_then(|score| score.accuracy);
    let accuracy = accuracy.map(|accuracy| format!("{:.2}%", 100.0 * accuracy));
    [loss, accuracy].map(|cell| cell.unwrap_or_else(|| "-".into()))
}

/// Signs that a network learns its training samples by heart. Displays as a warning that says what to
/// try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overfitting {
    /// The epoch with the lowest validation loss.
    pub best: usize,
    /// The training loss then and now.
    pub training: (f64, f64),
    /// The validation loss then and now.
    pub validation: (f64, f64),
}

impl fmt::Display for Overfitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((train_then, train_now), (valid_then, valid_now)) = (self.training, self.validation);
        write!(
            f,
            "warning: the network begins to learn the training samples by heart: since epoch {} the \
             training loss fell from {train_then:.4} to {train_now:.4}, but the validation loss rose \
             from {valid_then:.4} to {valid_now:.4}. Try more samples, Dropout, weight decay (AdamW), a \
             smaller network or fewer epochs; `keep_best(true)` keeps the weights of the best epoch.",
            self.best
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(loss: f64, accuracy: Option<f64>) -> Score {
        Score { loss, accuracy, outputs: [None; MAX_OUTPUTS] }
    }

    fn history(losses: &[(f64, f64)]) -> History {
        let epochs = losses.iter().enumerate().map(|(i, &(training, validation))| Epoch {
            number: i + 1,
            learning_rate: 0.1,
            training: score(training, Some(1.0 - training / 10.0)),
            validation: Some(score(validation, None)),
            seconds: 1.25,
            samples_per_second: 1000.0,
        });
        History { epochs: epochs.collect(), kept: None, health: None }
    }

    #[test]
    fn a_growing_gap_is_told() {
        let history = history(&[(1.0, 0.9), (0.5, 0.6), (0.3, 0.7), (0.2, 0.8)]);
        let found = history.overfitting().expect("training falls, validation rises");
        assert_eq!((found.best, found.training, found.validation), (2, (0.5, 0.2), (0.6, 0.8)));
        let words = found.to_string();
        for part in ["epoch 2", "0.5000 to 0.2000", "0.6000 to 0.8000", "Dropout", "weight decay"] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn what_is_no_growing_gap_is_not_told() {
        for losses in [
            // Both fall.
            &[(1.0, 1.0), (0.8, 0.9), (0.6, 0.8), (0.4, 0.7)][..],
            // One bad epoch, the last.
            &[(1.0, 1.0), (0.8, 0.7), (0.6, 0.9)],
            // Noise of 1%.
            &[(0.5, 0.500), (0.4, 0.505), (0.3, 0.503), (0.2, 0.504)],
            // Both rise: that is another problem.
            &[(0.5, 0.5), (0.6, 0.6), (0.7, 0.8)],
            // Validation is still better than training, with Dropout.
            &[(1.0, 0.2), (0.9, 0.3), (0.8, 0.3)],
        ] {
            assert_eq!(history(losses).overfitting(), None, "{losses:?}");
        }
    }

    #[test]
    fn several_outputs_are_shown_one_by_one() {
        let mut score = score(0.5, Some(0.75));
        assert_eq!(score.to_string(), "loss 0.5000, accuracy 75.00%");
        let output = |name, loss, accuracy| Some(OutputScore { name, loss, accuracy });
        score.outputs[..2]
            .copy_from_slice(&[output("digit", 0.3, Some(0.75)), output("place", 0.2, None)]);
        let shown = "loss 0.5000 (digit 0.3000, accuracy 75.00%; place 0.2000)";
        assert_eq!(score.to_string(), shown);
    }

    #[test]
    fn displays_as_a_table() {
        let mut history = history(&[(1.0, 0.9), (0.5, 0.6)]);
        history.kept = Some(2);
        history.epochs[0].validation = None;
        assert_eq!(
            history.to_string(),
            "epoch    training  accuracy    validation  accuracy    seconds\n    \
             1      1.0000    90.00%             -         -       1.25\n    \
             2      0.5000    95.00%        0.6000         -       1.25 kept\n"
        );
    }
}
