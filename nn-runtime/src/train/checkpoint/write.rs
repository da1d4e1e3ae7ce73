//! Writes checkpoints.

use super::record::{EpochRecord, PositionRecord, Record, RunRecord, VERSION, patience_record};
use crate::contract::Network;
use crate::io;
use crate::loss::Loss;
use crate::optim::{Optimizer, OptimizerState};
use crate::train::checkpoint_error::CheckpointError;
use crate::train::epochs::FitCall;
use crate::train::layer_list::layer_list;
use crate::train::position::Begun;
use crate::train::training_run::TrainingRun;
use crate::train::{TrainError, Trainer};
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

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Creates the folder of the checkpoints, and removes what a killed process has left there.
    pub(in crate::train) fn prepare_checkpoints(&self) -> Result<(), TrainError> {
        let Some(folder) = &self.checkpoints.folder else {
            return match self.checkpoints.resume {
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
        let every = self.checkpoints.every;
        self.checkpoints.folder.is_some()
            && every.is_some_and(|every| self.position.steps.is_multiple_of(every))
    }

    /// Writes the checkpoints after an epoch, or after a step of the epoch `begun`, on rank 0. All ranks have to call it.
    pub(in crate::train) fn write_checkpoints<L>(
        &self,
        run: &TrainingRun<'_, N, L>,
        call: &FitCall,
        begun: Option<Begun>,
    ) -> Result<(), TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let Some(folder) = &self.checkpoints.folder else { return Ok(()) };
        let Some(state) = run.whole_state(&self.optimizer)? else { return Ok(()) };
        // The best one first: a process that is killed between both files repeats the epoch, and writes the same again.
        let best = match begun {
            None => write_best(run.net(), call, &folder.join(BEST)),
            Some(_) => Ok(()),
        };
        best.and_then(|()| {
            self.write_last(run, call, LastState { begun, state }, &folder.join(LAST))
        })
        .map_err(TrainError::Checkpoint)
    }

    fn write_last<L>(
        &self,
        run: &TrainingRun<'_, N, L>,
        call: &FitCall,
        LastState { begun, state }: LastState,
        path: &Path,
    ) -> Result<(), CheckpointError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let mut position = self.position.clone();
        position.begun = begun;
        let record = Record {
            version: VERSION,
            settings: self.run_record(call.samples, state.optimizer.clone()),
            position: PositionRecord::new(&position),
            optimizer_steps: state.steps,
            history: call.history.epochs.iter().map(EpochRecord::new).collect(),
            patience: call.patience.as_ref().map(patience_record),
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
        Ok(io::save_with_arrays(run.net(), &arrays, record, path)?)
    }

    /// The learning rate that the optimiser was made with.
    fn base_learning_rate(&self) -> f64 {
        let base = self.plan.as_ref().and_then(|plan| plan.base);
        base.unwrap_or_else(|| self.optimizer.learning_rate())
    }

    /// The settings of this run, with `samples` training samples and an optimiser of this name.
    pub(super) fn run_record(&self, samples: usize, optimizer: String) -> RunRecord {
        RunRecord {
            network: layer_list::<N>(),
            optimizer,
            learning_rate: self.base_learning_rate().into(),
            optimizer_settings: self
                .optimizer
                .settings()
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            samples,
            batch: self.batch,
            accumulate: self.accumulate,
            drop_last: self.drop_last,
            carry_state: self.carry_state,
            leaves: self.leaf_count(),
            seed: self.seed,
        }
    }
}

/// Writes the weights of the last epoch if it is the best one.
fn write_best<N: Network>(net: &N, call: &FitCall, path: &Path) -> Result<(), CheckpointError> {
    let Some((last, before)) = call.history.epochs.split_last() else { return Ok(()) };
    let loss = last.watched().loss;
    if !before.iter().all(|epoch| loss < epoch.watched().loss) {
        return Ok(());
    }
    let extra = json!({ "epoch": last.number, "loss": loss });
    Ok(io::save(net, Some(extra), path)?)
}
