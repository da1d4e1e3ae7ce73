//! [`Record`]: the JSON value that a checkpoint stores beside weights and arrays.

use super::number::Number;
use crate::loss::{LossSum, LossSums};
use crate::train::checkpoint_error::Difference;
use crate::train::early_stopping::Patience;
use crate::train::history::{Epoch, OutputScore, Score};
use crate::train::metrics::MetricValues;
use crate::train::position::{Begun, Position};
use crate::types::{MAX_OUTPUTS, OutputInfo};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The version of the format; a file of another version is refused.
pub(super) const VERSION: u32 = 2;

/// The version of a [`Record`] of any version.
#[derive(Debug, Deserialize)]
pub(super) struct AnyRecord {
    pub(super) version: u32,
}

/// The JSON value of a checkpoint. Durations are not part of it, so that the same run writes the same bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) settings: RunRecord,
    pub(super) position: PositionRecord,
    pub(super) optimizer_steps: u64,
    pub(super) history: Vec<EpochRecord>,
    /// The lowest loss for early stopping, its epoch, and the epochs since.
    pub(super) patience: Option<(Option<(Number, usize)>, usize)>,
    /// The epoch whose weights `keep_best` keeps, and its loss.
    pub(super) best: Option<(usize, Number)>,
}

/// What a run must have in common with the one that it continues.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunRecord {
    /// Name, arguments and output of each layer.
    pub(super) network: Vec<(String, String)>,
    pub(super) optimizer: String,
    pub(super) learning_rate: Number,
    /// The other settings of the optimiser.
    pub(super) optimizer_settings: Vec<(String, Number)>,
    pub(super) samples: usize,
    pub(super) batch: usize,
    pub(super) accumulate: usize,
    pub(super) drop_last: bool,
    pub(super) carry_state: bool,
    /// The leaves of the reduction tree.
    pub(super) leaves: usize,
    pub(super) seed: u64,
}

impl RunRecord {
    /// All differences from the settings of this run, `self`.
    pub(super) fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        self.network_differences(found, &mut all);
        compare("optimiser", &self.optimizer, &found.optimizer, &mut all);
        let rates = [&self.learning_rate, &found.learning_rate].map(|rate| f64::from(rate.clone()));
        compare("learning rate of the optimiser", &rates[0], &rates[1], &mut all);
        if self.optimizer == found.optimizer {
            self.optimizer_differences(found, &mut all);
        }
        compare("number of training samples", &self.samples, &found.samples, &mut all);
        compare("batch size", &self.batch, &found.batch, &mut all);
        compare("accumulated batches", &self.accumulate, &found.accumulate, &mut all);
        compare("`drop_last`", &self.drop_last, &found.drop_last, &mut all);
        compare("`carry_state`", &self.carry_state, &found.carry_state, &mut all);
        compare("leaves of the reduction tree", &self.leaves, &found.leaves, &mut all);
        compare("seed", &self.seed, &found.seed, &mut all);
        all
    }

    /// Settings of one optimiser, of which the other may lack some.
    fn optimizer_differences(&self, found: &Self, all: &mut Vec<Difference>) {
        let shown = |settings: &[(String, Number)], name: &str| {
            let setting = settings.iter().find(|(other, _)| other == name);
            setting.map_or("none".to_owned(), |(_, value)| f64::from(value.clone()).to_string())
        };
        let (ours, theirs) = (&self.optimizer_settings, &found.optimizer_settings);
        let only_theirs = theirs.iter().filter(|(name, _)| ours.iter().all(|(own, _)| own != name));
        for (name, _) in ours.iter().chain(only_theirs) {
            let [expected, found] = [ours, theirs].map(|settings| shown(settings, name));
            if expected != found {
                let setting = format!("{name} of the optimiser");
                all.push(Difference { setting, expected, found });
            }
        }
    }

    /// The first layer that differs: after an inserted layer all others would.
    fn network_differences(&self, found: &Self, all: &mut Vec<Difference>) {
        let shown = |layer: Option<&(String, String)>| match layer {
            Some((name, what)) => format!("`{name}`: {what}"),
            None => "none".to_owned(),
        };
        let len = self.network.len().max(found.network.len());
        let pairs = (0..len).map(|i| (self.network.get(i), found.network.get(i)));
        if let Some((i, (a, b))) = pairs.enumerate().find(|(_, (a, b))| a != b) {
            let setting = format!("layer {i} of the network");
            all.push(Difference { setting, expected: shown(a), found: shown(b) });
        }
    }
}

fn compare<T: PartialEq + Debug>(
    setting: &str,
    expected: &T,
    found: &T,
    all: &mut Vec<Difference>,
) {
    if expected != found {
        let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
        all.push(Difference { setting: setting.to_owned(), expected, found });
    }
}

/// A [`Position`] without the recurrent states, which are an array.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PositionRecord {
    epochs: usize,
    steps: u64,
    losses: Vec<Number>,
    /// The steps of the epoch so far, and their loss sums.
    begun: Option<(usize, Vec<SumRecord>)>,
}

impl PositionRecord {
    pub(super) fn new(position: &Position) -> Self {
        let Position { epochs, steps, losses, begun } = position;
        let sums = |begun: &Begun| begun.sums.0.iter().map(SumRecord::new).collect();
        Self {
            epochs: *epochs,
            steps: *steps,
            losses: losses.iter().map(|loss| Number::from(*loss)).collect(),
            begun: begun.as_ref().map(|begun| (begun.step, sums(begun))),
        }
    }

    pub(super) fn position(self, state: Vec<f32>) -> Position {
        let begun = self.begun.map(|(step, records)| {
            let mut sums = LossSums::default();
            for (sum, record) in sums.0.iter_mut().zip(records) {
                *sum = record.sum();
            }
            Begun { step, sums, state }
        });
        let losses = self.losses.into_iter().map(f64::from).collect();
        Position { epochs: self.epochs, steps: self.steps, losses, begun }
    }
}

/// A [`LossSum`].
#[derive(Debug, Serialize, Deserialize)]
struct SumRecord {
    samples: usize,
    weight: Number,
    loss: Number,
    correct: usize,
    predictions: usize,
}

impl SumRecord {
    fn new(sum: &LossSum) -> Self {
        let LossSum { samples, weight, loss, correct, predictions } = *sum;
        Self { samples, weight: weight.into(), loss: loss.into(), correct, predictions }
    }

    fn sum(self) -> LossSum {
        let Self { samples, weight, loss, correct, predictions } = self;
        LossSum { samples, weight: weight.into(), loss: loss.into(), correct, predictions }
    }
}

/// An [`Epoch`] without its duration.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EpochRecord {
    number: usize,
    learning_rate: Number,
    training: ScoreRecord,
    validation: Option<ScoreRecord>,
    /// In the order in which the metrics were added.
    metrics: Vec<Number>,
}

impl EpochRecord {
    pub(super) fn new(epoch: &Epoch) -> Self {
        Self {
            number: epoch.number,
            learning_rate: epoch.learning_rate.into(),
            training: ScoreRecord::new(&epoch.training),
            validation: epoch.validation.as_ref().map(ScoreRecord::new),
            metrics: epoch.metrics.iter().map(|metric| metric.value.into()).collect(),
        }
    }

    /// The epoch of a network with these outputs, whose metrics are called `names`.
    pub(super) fn epoch(self, names: &[&'static str], outputs: &[OutputInfo]) -> Epoch {
        let values = self.metrics.into_iter().map(f64::from);
        let metrics: Vec<_> = names.iter().copied().zip(values).collect();
        Epoch {
            number: self.number,
            learning_rate: self.learning_rate.into(),
            training: self.training.score(outputs),
            validation: self.validation.map(|score| score.score(outputs)),
            metrics: MetricValues::new(&metrics),
            seconds: 0.0,
            samples_per_second: 0.0,
        }
    }
}

/// A [`Score`].
#[derive(Debug, Serialize, Deserialize)]
struct ScoreRecord {
    loss: Number,
    accuracy: Option<Number>,
    /// Loss and accuracy of each output, where there are several.
    outputs: Vec<(Number, Option<Number>)>,
}

impl ScoreRecord {
    fn new(score: &Score) -> Self {
        let accuracy = |accuracy: Option<f64>| accuracy.map(Number::from);
        let output = |output: &OutputScore| (Number::from(output.loss), accuracy(output.accuracy));
        Self {
            loss: score.loss.into(),
            accuracy: accuracy(score.accuracy),
            outputs: score.outputs().map(output).collect(),
        }
    }

    fn score(self, infos: &[OutputInfo]) -> Score {
        let accuracy = |accuracy: Option<Number>| accuracy.map(f64::from);
        let mut outputs = [None; MAX_OUTPUTS];
        for ((slot, info), (loss, correct)) in outputs.iter_mut().zip(infos).zip(self.outputs) {
            let (loss, accuracy) = (loss.into(), accuracy(correct));
            *slot = Some(OutputScore { name: info.name, loss, accuracy });
        }
        Score::restored(self.loss.into(), accuracy(self.accuracy), outputs)
    }
}

/// The parts of a [`Patience`].
pub(super) fn patience_record(patience: &Patience) -> (Option<(Number, usize)>, usize) {
    let best = patience.best.map(|(loss, epoch)| (loss.into(), epoch));
    (best, patience.without)
}
