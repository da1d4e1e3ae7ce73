//! Writes checkpoints.

use super::record::{EpochRecord, PositionRecord, Record, RunRecord, VERSION, patience_record};
use crate::io;
use crate::optim::OptimizerState;
use crate::train::TrainError;
use crate::train::checkpoint_error::CheckpointError;
use crate::train::epochs::FitCall;
use crate::train::layer_list::layer_list;
use crate::train::position::Begun;
use crate::train::training_run::TrainingRun;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The names of the files.
pub(super) const LAST: &str = "last.ckpt";
const BEST: &str = "best.ckpt";

/// The names of the arrays in a checkpoint; those of the optimiser follow a prefix.
pub(super) const STATE: &str = "state";
pub(super) const BEST_WEIGHTS: &str = "best";
pub(super) const OPTIMIZER: &str = "optimizer/";

/// What a checkpoint has beside weights and history.
struct LastState {
    begun: Option<Begun>,
    state: OptimizerState,
}

impl FitCall<'_, '_> {
    /// Creates the folder of the checkpoints, and removes what a killed process has left there.
    pub(in crate::train) fn prepare_checkpoints(&self) -> Result<(), TrainError> {
        let Some(folder) = &self.core.checkpoints.folder else {
            return match self.core.checkpoints.resume {
                true => Err(TrainError::Checkpoint(CheckpointError::NoFolder)),
                false => Ok(()),
            };
        };
        let prepare = || {
            fs::create_dir_all(folder)?;
            io::remove_temporary(&folder.join(LAST))?;
            io::remove_temporary(&folder.join(BEST))
        };
        prepare().map_err(|why| {
            let (path, why) = (folder.clone(), Arc::new(why));
            TrainError::Checkpoint(CheckpointError::Folder { path, why })
        })
    }

    /// Whether a checkpoint is due after a step inside of an epoch.
    pub(in crate::train) fn is_checkpoint_due(&self) -> bool {
        let every = self.core.checkpoints.every;
        self.core.checkpoints.folder.is_some()
            && every.is_some_and(|every| self.core.position.steps.is_multiple_of(every))
    }

    /// Writes the checkpoints after an epoch, or after a step of the epoch `begun`, on rank 0. All ranks have to call it.
    pub(in crate::train) fn write_checkpoints(
        &self,
        run: &TrainingRun<'_>,
        begun: Option<Begun>,
    ) -> Result<(), TrainError> {
        let Some(folder) = &self.core.checkpoints.folder else { return Ok(()) };
        let Some(state) = run.whole_state(&*self.optimizer)? else { return Ok(()) };
        // The best one first: a process that is killed between both files repeats the epoch, and writes the same again.
        let best = match begun {
            None => self.write_best(run.net(), &folder.join(BEST)),
            Some(_) => Ok(()),
        };
        best.and_then(|()| self.write_last(run, LastState { begun, state }, &folder.join(LAST)))
            .map_err(TrainError::Checkpoint)
    }

    fn write_last(
        &self,
        run: &TrainingRun<'_>,
        LastState { begun, state }: LastState,
        path: &Path,
    ) -> Result<(), CheckpointError> {
        let mut position = self.core.position.clone();
        position.begun = begun;
        let record = Record {
            version: VERSION,
            settings: self.run_record(state.optimizer.clone()),
            position: PositionRecord::new(&position),
            optimizer_steps: state.steps,
            history: self.history.epochs.iter().map(EpochRecord::new).collect(),
            patience: self.patience.as_ref().map(patience_record),
            best: run.best().map(|(epoch, loss, _)| (epoch, loss.into())),
        };
        let names: Vec<String> =
            state.values.iter().map(|(name, _)| format!("{OPTIMIZER}{name}")).collect();
        let values = state.values.iter().map(|(_, values)| &values[..]);
        let mut arrays: Vec<(&str, &[f32])> =
            names.iter().map(String::as_str).zip(values).collect();
        if let Some((_, _, weights)) = run.best() {
            arrays.push((BEST_WEIGHTS, weights));
        }
        if let Some(begun) = position.begun.as_ref().filter(|begun| !begun.state.is_empty()) {
            arrays.push((STATE, &begun.state));
        }
        let record = serde_json::to_value(&record).expect("numbers, strings and lists");
        Ok(io::save_with_arrays(&self.net.file_tensors(), run.net(), &arrays, record, path)?)
    }

    /// The learning rate that the optimiser was made with.
    fn base_learning_rate(&self) -> f64 {
        let base = self.core.plan.as_ref().and_then(|plan| plan.base);
        base.unwrap_or_else(|| self.optimizer.learning_rate())
    }

    /// The settings of this run, with an optimiser of this name.
    pub(super) fn run_record(&self, optimizer: String) -> RunRecord {
        let core = &*self.core;
        RunRecord {
            network: layer_list(self.net.layers),
            optimizer,
            learning_rate: self.base_learning_rate().into(),
            optimizer_settings: self
                .optimizer
                .settings()
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            samples: self.samples,
            batch: core.batch,
            accumulate: core.accumulate,
            drop_last: core.drop_last,
            carry_state: core.carry_state,
            leaves: core.leaf_count(),
            seed: core.seed,
        }
    }

    /// Writes the weights of the last epoch if it is the best one.
    fn write_best(&self, net: &[f32], path: &Path) -> Result<(), CheckpointError> {
        let Some((last, before)) = self.history.epochs.split_last() else { return Ok(()) };
        let loss = last.watched().loss;
        if !before.iter().all(|epoch| loss < epoch.watched().loss) {
            return Ok(());
        }
        let extra = json!({ "epoch": last.number, "loss": loss });
        Ok(io::save_floats(&self.net.file_tensors(), net, Some(extra), path)?)
    }
}
