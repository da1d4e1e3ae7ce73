//! Writes the logs of a run.

use super::csv::csv;
use super::report::report;
use crate::contract::Network;
use crate::train::{History, TrainError, Trainer};
use std::fs;
use std::path::PathBuf;

impl<O, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Writes the record of the run to the folder `folder`, which is created if it does not exist, after each epoch of
    /// [`fit`](Self::fit):
    ///
    /// - `metrics.csv`: loss, accuracy, metrics and learning rate of each epoch;
    /// - `report.svg`: their curves, and the warnings, as one drawing without other files.
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
        self.log_dir = Some(folder.into());
        self
    }

    /// Writes the record so far.
    pub(in crate::train) fn write_logs(&self, history: &History) -> Result<(), TrainError> {
        let Some(folder) = &self.log_dir else { return Ok(()) };
        let write = || {
            fs::create_dir_all(folder)?;
            fs::write(folder.join("metrics.csv"), csv(history))?;
            fs::write(folder.join("report.svg"), report(history))
        };
        write().map_err(|why| TrainError::Log { path: folder.clone(), why: why.to_string() })
    }
}
