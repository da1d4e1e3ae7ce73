//! Writes the logs of a run.

use super::csv::csv;
use super::events::{EventFile, Summary};
use super::report::report;
use super::table::Layers;
use crate::contract::Network;
use crate::train::epochs::FitCall;
use crate::train::history::Epoch;
use crate::train::training_run::TrainingRun;
use crate::train::{History, TrainError, Trainer};
use std::path::{Path, PathBuf};
use std::{fs, io};

impl<O, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Writes the record of the run to the folder `folder`, which is created if it does not exist, after each epoch of
    /// [`fit`](Self::fit):
    ///
    /// - `metrics.csv`: loss, accuracy, metrics, learning rate and the gradient norm of each layer, for each epoch;
    /// - `report.svg`: their curves, a table of the layers, and the warnings, as one drawing without other files;
    /// - `events.out.tfevents.*`: the same numbers, and histograms of weights and gradients, for TensorBoard
    ///   (`tensorboard --logdir runs`). Each call of `fit` begins a file.
    ///
    /// Gradient norms are root mean squares over up to 16 steps of an epoch, before clipping; histograms of gradients are
    /// those of its last step, after clipping.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(Adam::new(1e-3))
    ///     .validate(&valid)
    ///     .log_dir("runs/digits")
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn log_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.core.log_dir = Some(folder.into());
        self
    }
}

impl FitCall<'_, '_> {
    /// Writes the record so far.
    pub(in crate::train) fn write_logs(&mut self, run: &TrainingRun<'_>) -> Result<(), TrainError> {
        let (Some(folder), Some(epoch)) = (&self.core.log_dir, self.history.epochs.last()) else {
            return Ok(());
        };
        let summary = summary(epoch, &self.history, run);
        let layers = Layers::of(&self.net);
        write(folder, &self.history, &layers, &mut self.events, &summary)
            .map_err(|why| TrainError::Log { path: folder.clone(), why: why.to_string() })
    }
}

fn write(
    folder: &Path,
    history: &History,
    layers: &Layers,
    events: &mut Option<EventFile>,
    summary: &Summary,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("metrics.csv"), csv(history))?;
    fs::write(folder.join("report.svg"), report(history, layers))?;
    let events = match events {
        Some(events) => events,
        None => events.insert(EventFile::create(folder)?),
    };
    let epoch = history.epochs.last().map_or(0, |epoch| epoch.number);
    events.add(epoch, summary)
}

/// The values of an epoch for TensorBoard.
fn summary(epoch: &Epoch, history: &History, run: &TrainingRun<'_>) -> Summary {
    let mut summary = Summary::default();
    summary.scalar("learning_rate", epoch.learning_rate);
    for (name, score) in
        [("training", Some(&epoch.training)), ("validation", epoch.validation.as_ref())]
    {
        let Some(score) = score else { continue };
        summary.scalar(&format!("loss/{name}"), score.loss);
        if let Some(accuracy) = score.accuracy {
            summary.scalar(&format!("accuracy/{name}"), accuracy);
        }
    }
    for metric in epoch.metrics.iter() {
        summary.scalar(&format!("metrics/{}", metric.name), metric.value);
    }
    for (layer, norm) in history.gradient_norms.last().into_iter().flat_map(|norms| &norms.layers) {
        summary.scalar(&format!("gradient_norm/{layer}"), *norm);
    }
    let (weights, gradient) = (run.net(), run.d_net());
    for (layer, range) in run.layers() {
        summary.histogram(&format!("weights/{layer}"), &weights[range.clone()]);
        summary.histogram(&format!("gradients/{layer}"), &gradient[range.clone()]);
    }
    summary
}
