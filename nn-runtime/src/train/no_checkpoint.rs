//! No checkpoints, without the feature `files`.

use super::epochs::FitCall;
use super::error::TrainError;
use super::position::Begun;
use super::trainer::Trainer;
use super::training_run::TrainingRun;
use crate::contract::Network;
use crate::loss::Loss;

impl<O, N: Network, Target> Trainer<'_, O, N, Target> {
    pub(super) const fn prepare_checkpoints(&self) -> Result<(), TrainError> {
        Ok(())
    }

    pub(super) const fn is_checkpoint_due(&self) -> bool {
        false
    }

    pub(super) fn write_checkpoints<L>(
        &self,
        _run: &TrainingRun<'_, N, L>,
        _call: &FitCall,
        _begun: Option<Begun>,
    ) -> Result<(), TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        Ok(())
    }

    pub(super) fn resume_run<L>(
        &mut self,
        _run: &mut TrainingRun<'_, N, L>,
        _call: &mut FitCall,
    ) -> Result<(), TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        Ok(())
    }
}
