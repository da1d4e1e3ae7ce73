//! No checkpoints, without the feature `files`.

use super::epochs::FitCall;
use super::error::TrainError;
use super::position::Begun;
use super::training_run::TrainingRun;

impl FitCall<'_, '_> {
    pub(super) const fn prepare_checkpoints(&self) -> Result<(), TrainError> {
        Ok(())
    }

    pub(super) const fn is_checkpoint_due(&self) -> bool {
        false
    }

    pub(super) fn write_checkpoints(
        &self,
        _run: &TrainingRun<'_>,
        _begun: Option<Begun>,
    ) -> Result<(), TrainError> {
        Ok(())
    }

    pub(super) fn resume_run(&mut self, _run: &mut TrainingRun<'_>) -> Result<(), TrainError> {
        Ok(())
    }
}
