//! Continues the run of a checkpoint.

use super::record::{AnyRecord, Record, VERSION};
use super::write::{BEST_WEIGHTS, LAST, OPTIMIZER, STATE};
use crate::io::{self, Arrays, LoadError};
use crate::optim::OptimizerState;
use crate::ranks::Ranks;
use crate::train::TrainError;
use crate::train::checkpoint_error::CheckpointError;
use crate::train::epochs::FitCall;
use crate::train::position::Position;
use crate::train::training_run::TrainingRun;
use crate::types::zeroed_floats;
use std::io::Read;
use std::path::{Path, PathBuf};

impl FitCall<'_, '_> {
    /// Continues the run of the checkpoint, if that is requested and there is one. On an error the network is unchanged.
    pub(in crate::train) fn resume_run(
        &mut self,
        run: &mut TrainingRun<'_>,
    ) -> Result<(), TrainError> {
        let Some(path) = self.checkpoint_to_resume() else { return Ok(()) };
        let Some(file) = CheckpointFile::find(&path, run.ranks())? else { return Ok(()) };
        self.resume_from(&file, run).map_err(TrainError::Checkpoint)
    }

    fn checkpoint_to_resume(&self) -> Option<PathBuf> {
        let checkpoints = &self.core.checkpoints;
        let folder = checkpoints.folder.as_ref()?;
        // A trainer that has trained continues its own run.
        let begins = self.core.position == Position::START;
        (checkpoints.resume && begins).then(|| folder.join(LAST))
    }

    fn resume_from(
        &mut self,
        file: &CheckpointFile<'_>,
        run: &mut TrainingRun<'_>,
    ) -> Result<(), CheckpointError> {
        let path = file.path;
        let (mut reader, len) = file.open()?;
        let (arrays, record) = io::load_arrays(path, &mut *reader, len)?;
        let record = parsed(path, record)?;
        let state = self.optimizer.state();
        let differences = self.run_record(state.optimizer.clone()).differences(&record.settings);
        if !differences.is_empty() {
            return Err(CheckpointError::Differs { path: path.into(), differences });
        }
        let mut net = zeroed_floats(self.net.len);
        io::load_floats(path, &mut *file.open()?.0, &self.net.file_tensors(), &mut net)?;
        let parts = Parts::new(arrays);
        parts.check(self.net.len, run.state_len()).map_err(|why| format_error(path, why))?;
        let state = OptimizerState {
            optimizer: state.optimizer,
            steps: record.optimizer_steps,
            values: parts.optimizer,
        };
        self.set_state(state, run.share())
            .map_err(|why| CheckpointError::Optimizer { path: path.into(), why })?;
        run.set_weights(&net);
        if let (Some((epoch, loss)), Some(weights)) = (record.best, &parts.best) {
            run.set_best(epoch, loss.into(), weights);
        }
        if let (Some(patience), Some((best, without))) = (&mut self.patience, record.patience) {
            patience.best = best.map(|(loss, epoch)| (loss.into(), epoch));
            patience.without = without;
        }
        let names = self.review.metric_names();
        let epochs = record.history.into_iter();
        self.history.epochs = epochs.map(|epoch| epoch.epoch(&names, self.net.outputs)).collect();
        self.core.position = record.position.position(parts.state);
        self.replay_schedule();
        Ok(())
    }

    /// Brings the schedule to the state in which it was: it depends on its calls only.
    fn replay_schedule(&mut self) {
        let Some(plan) = &mut self.core.plan else { return };
        for (epoch, loss) in self.core.position.losses.iter().enumerate() {
            // A schedule by steps depends on their number, which each call has.
            plan.rate(&*self.optimizer, if plan.each_step { 0 } else { epoch });
            plan.schedule.observe(*loss);
        }
    }
}

/// A checkpoint that a run continues.
struct CheckpointFile<'p> {
    path: &'p Path,
    /// A byte and its content, if the run has several ranks: rank 0 alone reads the file, which others need not have.
    content: Option<Vec<u8>>,
}

impl<'p> CheckpointFile<'p> {
    /// The file `path`, if it exists, on all ranks.
    fn find(path: &'p Path, ranks: Option<&Ranks<'_>>) -> Result<Option<Self>, TrainError> {
        let Some(ranks) = ranks else {
            return Ok(path.exists().then_some(Self { path, content: None }));
        };
        let mut content = Vec::new();
        if ranks.rank() == 0 && path.exists() {
            content.push(0);
            let read = Self { path, content: None }.open().and_then(|(mut reader, _)| {
                let read = reader.read_to_end(&mut content);
                read.map(drop).map_err(|why| LoadError::Read { path: path.into(), why })
            });
            read.map_err(|why| TrainError::Checkpoint(why.into()))?;
        }
        let content = ranks.broadcast_vec(content);
        ranks.check().map_err(TrainError::Distributed)?;
        Ok((!content.is_empty()).then_some(Self { path, content: Some(content) }))
    }

    /// A reader of its content, and its length.
    fn open(&self) -> Result<(Box<dyn Read + '_>, u64), LoadError> {
        match &self.content {
            Some(content) => Ok((Box::new(&content[1..]), content.len() as u64 - 1)),
            None => io::open_with_len(self.path).map(|(file, len)| (Box::new(file) as _, len)),
        }
    }
}

/// The record in the JSON text of a file.
fn parsed(path: &Path, text: Option<String>) -> Result<Record, CheckpointError> {
    let foreign = |why: String| format_error(path, why);
    let text = text.ok_or_else(|| foreign("it has no record of a run".to_owned()))?;
    let json = |why: serde_json::Error| foreign(why.to_string());
    // First, since a record of another version may have other fields.
    let AnyRecord { version } = serde_json::from_str(&text).map_err(json)?;
    if version != VERSION {
        return Err(foreign(format!("expected version {VERSION}, found {version}")));
    }
    serde_json::from_str(&text).map_err(json)
}

fn format_error(path: &Path, why: String) -> CheckpointError {
    CheckpointError::Format { path: path.into(), why }
}

/// The arrays of a checkpoint.
#[derive(Default)]
struct Parts {
    optimizer: Vec<(String, Vec<f32>)>,
    best: Option<Vec<f32>>,
    state: Vec<f32>,
}

impl Parts {
    fn new(arrays: Arrays) -> Self {
        let mut parts = Self::default();
        for (name, floats) in arrays {
            match name.strip_prefix(OPTIMIZER) {
                Some(name) => parts.optimizer.push((name.to_owned(), floats)),
                None if name == BEST_WEIGHTS => parts.best = Some(floats),
                None if name == STATE => parts.state = floats,
                None => {}
            }
        }
        parts
    }

    /// Checks the lengths of all arrays: `weights` elements, and `states` of the recurrent states, if there are any.
    fn check(&self, weights: usize, states: usize) -> Result<(), String> {
        let values = self.optimizer.iter().map(|(name, values)| (name.as_str(), values, weights));
        let best = self.best.iter().map(|best| (BEST_WEIGHTS, best, weights));
        let state = Some((STATE, &self.state, states)).filter(|(_, state, _)| !state.is_empty());
        for (name, floats, expected) in values.chain(best).chain(state) {
            let found = floats.len();
            if found != expected {
                return Err(format!("expected {expected} elements of `{name}`, found {found}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of another version need not have the fields of this one.
    #[test]
    fn another_version_is_named() {
        let refused = |text: &str| {
            parsed(Path::new("last.ckpt"), Some(text.to_owned()))
                .expect_err("no record")
                .to_string()
        };
        for version in [1, 7] {
            let message = refused(&format!("{{\"version\": {version}, \"settings\": {{}}}}"));
            let expected = format!("expected version {VERSION}, found {version}");
            assert!(message.ends_with(&expected), "{message}");
        }
        let message = refused(&format!("{{\"version\": {VERSION}}}"));
        assert!(message.contains("missing field `settings`"), "{message}");
        assert!(refused("{}").contains("missing field `version`"));
    }
}
