//! The settings of checkpoints.

use crate::contract::Network;
use crate::hyper::at_least_one;
use crate::optim::Optimizer;
use crate::train::Trainer;
use std::path::PathBuf;

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Writes checkpoints to the folder `folder`, which is created if it does not exist: `last.ckpt` after each epoch of
    /// [`fit`](Self::fit), and `best.ckpt` after an epoch with a lower validation loss than all epochs before (without
    /// validation data: training loss).
    ///
    /// `last.ckpt` contains all that [`resume`](Self::resume) needs: weights, optimiser, position in the data, records of all
    /// epochs, early stopping and the weights of [`keep_best`](Self::keep_best). `best.ckpt` contains weights, and epoch and
    /// loss as the value stored with them. Both are safetensors files that [`load`](crate::FilesExt::load) reads as weights. They are
    /// replaced atomically, as by [`save`](crate::FilesExt::save), so that a killed process leaves the checkpoint before.
    /// Neither contains times: the same run writes the same bytes.
    ///
    /// ```
    /// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
    /// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
    /// # ) -> Result<(), TrainError> {
    /// Trainer::new(Adam::new(1e-3))
    ///     .epochs(20)
    ///     .validate(&valid)
    ///     .checkpoint("runs/digits")
    ///     .resume(true)
    ///     .fit(&mut net, &train, &CrossEntropy::new())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn checkpoint(mut self, folder: impl Into<PathBuf>) -> Self {
        self.core.checkpoints.folder = Some(folder.into());
        self
    }

    /// Writes `last.ckpt` also inside of an epoch, after every `steps` steps, for epochs that take long.
    ///
    /// # Panics
    /// If `steps` is 0.
    #[must_use]
    #[track_caller]
    pub fn checkpoint_every(mut self, steps: usize) -> Self {
        self.core.checkpoints.every =
            Some(at_least_one("Trainer: steps between checkpoints", steps) as u64);
        self
    }

    /// Sets whether the first call of [`fit`](Self::fit) continues the run of `last.ckpt` in the folder of
    /// [`checkpoint`](Self::checkpoint), up to [`epochs`](Self::epochs) epochs in total. Without such a file the run begins anew.
    ///
    /// The continued run has the weights, bit for bit, of one that was never interrupted, also if it was interrupted inside of
    /// an epoch, and on another number of threads. The program must pass the same data and the same settings; the weights
    /// that the network has are replaced. In the [`History`](crate::train::History), the durations of epochs before the
    /// interruption are 0, and the health of the network is that of the steps since.
    ///
    /// [`fit`](Self::fit) refuses the checkpoint of a run with another network, number of samples, batch size, seed, or
    /// optimiser or settings of it, with all differences. It cannot see differences in the values of the data, the loss, the
    /// schedule or the clipping of gradients.
    #[must_use]
    pub const fn resume(mut self, resume: bool) -> Self {
        self.core.checkpoints.resume = resume;
        self
    }
}
