//! [`History`]: the record of a training run.

use super::health::Health;
use super::metrics::MetricValues;
use crate::loss::{LossSum, LossSums};
use crate::types::{MAX_OUTPUTS, OutputInfo};
use std::fmt;

/// The loss and the accuracy of a network on some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// The fraction of correct predictions, if the loss is a classification; over all outputs, if there are several.
    pub accuracy: Option<f64>,
    outputs: [Option<OutputScore>; MAX_OUTPUTS],
}

/// The loss and the accuracy of one of several outputs on some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutputScore {
    /// The output's name.
    pub name: &'static str,
    /// The mean of its loss, times the factor of [`Weighted`](crate::loss::Weighted) if it has one.
    pub loss: f64,
    /// The fraction of its correct predictions, if its loss is a classification.
    pub accuracy: Option<f64>,
}

impl Score {
    /// The score of a network with these outputs.
    pub(crate) fn of(outputs: &[OutputInfo], sums: &LossSums) -> Self {
        // A loss of two outputs, such as `GaussianNLL`, has its sum under the first one.
        let output = |nth: usize| {
            let info = outputs.get(nth).filter(|_| sums.0[nth].samples > 0)?;
            Some(OutputScore::of(info.name, &sums.0[nth]))
        };
        Self {
            loss: sums.mean_loss(),
            accuracy: sums.accuracy(),
            outputs: std::array::from_fn(output),
        }
    }

    /// A score that was stored in a file.
    #[cfg(feature = "files")]
    pub(super) const fn restored(
        loss: f64,
        accuracy: Option<f64>,
        outputs: [Option<OutputScore>; MAX_OUTPUTS],
    ) -> Self {
        Self { loss, accuracy, outputs }
    }

    /// The scores of the outputs, if the network has several.
    pub fn outputs(&self) -> impl Iterator<Item = &OutputScore> {
        self.outputs.iter().flatten()
    }
}

impl OutputScore {
    fn of(name: &'static str, sum: &LossSum) -> Self {
        Self { name, loss: sum.mean_loss(), accuracy: sum.accuracy() }
    }
}

/// `loss 0.1234, accuracy 97.50%`; for several outputs `loss 0.3234 (digit 0.1234, accuracy 97.50%; place 0.2000)`.
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

/// The record of one pass through the training data.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// Its index, counted from 1.
    pub number: usize,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// The score on the training data: the mean over its steps, each before its update, in training mode (with
    /// `Dropout`).
    pub training: Score,
    /// The score on the validation data after its last step, in inference mode.
    pub validation: Option<Score>,
    /// The values of the metrics: see [`Trainer::metric`](crate::train::Trainer::metric).
    pub metrics: MetricValues,
    /// Its duration, including validation. 0 on targets without a clock (wasm32-unknown-unknown).
    pub seconds: f64,
    /// Training samples per second, without validation. 0 on targets without a clock.
    pub samples_per_second: f64,
}

impl Epoch {
    /// The score that decides which epoch is the best: on the validation data if there are any.
    pub(crate) fn watched(&self) -> &Score {
        self.validation.as_ref().unwrap_or(&self.training)
    }
}

/// `loss 0.2345, accuracy 93.10%; validation loss 0.1234, accuracy 96.50%; 3.2 s, 18750 samples/s`
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.training)?;
        if let Some(validation) = &self.validation {
            write!(f, "; validation {validation}")?;
        }
        write!(
            f,
            "{}; {:.1} s, {:.0} samples/s",
            self.metrics, self.seconds, self.samples_per_second
        )
    }
}

/// The record of [`Trainer::fit`](crate::train::Trainer::fit), epoch by epoch. Displays as a table.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// All epochs, in order.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights the network has, with [`keep_best`](crate::train::Trainer::keep_best).
    pub kept: Option<usize>,
    /// The health of the network by the gradients of the last epoch.
    pub health: Option<Health>,
    /// The gradient norms of each epoch; of a resumed run, those since it was resumed.
    pub gradient_norms: Vec<GradientNorms>,
}

/// The gradients of an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GradientNorms {
    /// The index of the epoch, counted from 1.
    pub epoch: usize,
    /// Each layer with weights, and the Euclidean norm of its gradient: the root mean square over the monitored steps.
    pub layers: Vec<(String, f64)>,
}

/// Epochs since the best validation loss before overfitting is reported.
const PATIENCE: usize = 2;

/// The fraction by which the last validation loss must be above the best one: less is noise.
const RISE: f64 = 0.02;

impl History {
    /// Whether the network overfits: the gap between training and validation loss grows.
    ///
    /// It does if the best validation loss is at least two epochs old, the last one is more than 2% above it and above the
    /// training loss, and the training loss has fallen since. One bad epoch is not enough, nor is a gap that does not
    /// grow, such as that of `Dropout`.
    #[must_use]
    pub fn overfitting(&self) -> Option<Overfitting> {
        let last = self.epochs.last()?;
        let now = last.validation?.loss;
        let validated =
            self.epochs.iter().filter_map(|epoch| Some((epoch, epoch.validation?.loss)));
        let (best, lowest) = validated.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let grows = last.number >= best.number.saturating_add(PATIENCE)
            && now - lowest > RISE * lowest.abs()
            && now > last.training.loss
            && last.training.loss < best.training.loss;
        grows.then_some(Overfitting {
            best: best.number,
            training: (best.training.loss, last.training.loss),
            validation: (lowest, now),
        })
    }
}

/// One line per epoch: training loss and accuracy, validation loss and accuracy, metrics, seconds.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch    training  accuracy    validation  accuracy")?;
        let mut names = self.epochs.first().into_iter().flat_map(|epoch| epoch.metrics.iter());
        names.try_for_each(|metric| write!(f, "  {:>8}", metric.name))?;
        writeln!(f, "    seconds")?;
        for epoch in &self.epochs {
            let [loss, accuracy] = cells(Some(&epoch.training));
            let [valid_loss, valid_accuracy] = cells(epoch.validation.as_ref());
            let kept = if self.kept == Some(epoch.number) { " kept" } else { "" };
            write!(
                f,
                "{:>5}  {loss:>10}  {accuracy:>8}  {valid_loss:>12}  {valid_accuracy:>8}",
                epoch.number
            )?;
            for metric in epoch.metrics.iter() {
                write!(f, "  {:>1$.4}", metric.value, metric.name.len().max(8))?;
            }
            writeln!(f, "  {:>9.2}{kept}", epoch.seconds)?;
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

/// Overfitting of a network. Displays as a warning with what to try.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Overfitting {
    /// The epoch with the lowest validation loss.
    pub best: usize,
    /// The training loss of that epoch and of the last one.
    pub training: (f64, f64),
    /// The validation loss of that epoch and of the last one.
    pub validation: (f64, f64),
}

impl fmt::Display for Overfitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((train_then, train_now), (valid_then, valid_now)) = (self.training, self.validation);
        write!(
            f,
            "warning: the network overfits: since epoch {} the training loss fell from {train_then:.4} to \
             {train_now:.4}, but the validation loss rose from {valid_then:.4} to {valid_now:.4}. Try more samples, \
             Dropout, weight decay (AdamW), a smaller network or fewer epochs; `keep_best(true)` keeps the weights of \
             the best epoch.",
            self.best
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn score(loss: f64, accuracy: Option<f64>) -> Score {
        Score { loss, accuracy, outputs: [None; MAX_OUTPUTS] }
    }

    /// A history with these losses of training and validation.
    pub(in crate::train) fn history(losses: &[(f64, f64)]) -> History {
        let epochs = losses.iter().enumerate().map(|(i, &(training, validation))| Epoch {
            number: i + 1,
            learning_rate: 0.1,
            training: score(training, Some(1.0 - training / 10.0)),
            validation: Some(score(validation, None)),
            metrics: MetricValues::default(),
            seconds: 1.25,
            samples_per_second: 1000.0,
        });
        History { epochs: epochs.collect(), ..History::default() }
    }

    #[test]
    fn a_growing_gap_is_reported() {
        let history = history(&[(1.0, 0.9), (0.5, 0.6), (0.3, 0.7), (0.2, 0.8)]);
        let found = history.overfitting().expect("training falls, validation rises");
        assert_eq!((found.best, found.training, found.validation), (2, (0.5, 0.2), (0.6, 0.8)));
        let negative = [(0.0, -0.1), (-0.5, -0.4), (-0.7, -0.3), (-0.8, -0.2)];
        assert_eq!(self::history(&negative).overfitting().expect("as above").best, 2);
        let words = found.to_string();
        for part in ["epoch 2", "0.5000 to 0.2000", "0.6000 to 0.8000", "Dropout", "weight decay"] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn other_gaps_are_not_reported() {
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
            // Noise of 1% of a negative loss.
            &[(-0.5, -0.500), (-0.6, -0.495), (-0.7, -0.497), (-0.8, -0.496)],
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
        for epoch in &mut history.epochs {
            epoch.metrics = MetricValues::new(&[("F1 (macro)", 0.5), ("R2", 0.25)]);
        }
        assert_eq!(
            history.to_string(),
            "epoch    training  accuracy    validation  accuracy  F1 (macro)        R2    seconds\n    \
             1      1.0000    90.00%             -         -      0.5000    0.2500       1.25\n    \
             2      0.5000    95.00%        0.6000         -      0.5000    0.2500       1.25 kept\n"
        );
        let shown =
            "loss 1.0000, accuracy 90.00%, F1 (macro) 0.5000, R2 0.2500; 1.2 s, 1000 samples/s";
        assert_eq!(history.epochs[0].to_string(), shown);
    }
}
