//! [`Trainer::fit`]: checks, all epochs, and the best weights.

use super::checkpoints::Checkpoints;
use super::epochs::FitCall;
use super::error::{DataSet, TrainError};
use super::history::{Epoch, History};
use super::loader::{CheckedData, DynData};
use super::run_settings::RunSettings;
use super::same_types::{LossTarget, SameInput, SameTarget, TypedData, TypedLoss};
use super::samples::{RunData, Samples};
use super::trainer::Trainer;
use super::training_run::TrainingRun;
use super::trial::FirstSamples;
use crate::contract::{Network, Node, Root};
use crate::data::Dataset;
use crate::loss::Loss;
use crate::optim::Optimizer;
use crate::order::file_tensors;
use crate::ranks::{Division, Ranks};
use std::ops::DerefMut;

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Trains `net`, a box or a mutable reference, on `train`, [`Data`](crate::data::Data) or any other [`Dataset`], and
    /// returns how it went.
    ///
    /// Prints one line per epoch to the standard output, unless [`quiet`](Self::quiet), and, with the feature
    /// `progress`, a bar while the epoch runs if that is a terminal. Also prints a warning if the network overfits (see
    /// [`History::overfitting`]), gradients vanish or explode, or units of a `ReLU` die (see
    /// [`Health`](crate::train::Health)).
    ///
    /// # Errors
    /// If there are no samples, inputs and targets differ in number or are not finite, the last batch is too small for
    /// statistics over the batch (see [`drop_last`](Self::drop_last)), [`carry_state`](Self::carry_state) is set for a
    /// network without recurrent state, the loss refuses a target, a checkpoint cannot be written or continued, the learning
    /// rate is negative or not finite, or the loss, a gradient or a weight is not finite. The network then has the weights
    /// from before the failed step, or the best ones with [`keep_best`](Self::keep_best).
    #[doc(alias("train", "run"))]
    pub fn fit<D, L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: &D,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        D: Dataset<Input: SameInput<N::Input>, Target: SameTarget<Target>>,
        L: Loss<N::Output, Target: LossTarget<D::Target>>,
        Target: Copy + Send + Sync,
    {
        let (train, loss) = (&TypedData::new(train), &TypedLoss::<_, D::Target, _>::new(loss));
        if self.fast_dev_run {
            return self.fit_one_epoch(net, train, loss);
        }
        self.fit_until(self.position.epochs.saturating_add(self.epochs), net, train, loss)
    }

    /// Trains for one of the [`epochs`](Self::epochs), for code that inspects the network after each one or changes the
    /// samples. Calls for single epochs train the same weights as one call of [`fit`](Self::fit), except that
    /// [`keep_best`](Self::keep_best), [`early_stopping`](Self::early_stopping) and the warning of overfitting compare the
    /// epochs of one call, and that no checkpoints and no logs are written.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::Data, loss::CrossEntropy, optim::*, train::*};
    /// # fn example<N: Network<Input = [u32; 16], Output = [[f32; 96]; 16]>>(
    /// #     mut net: Box<N>, text: &[u32],
    /// # ) -> Result<(), TrainError> {
    /// let mut trainer = Trainer::new(Adam::new(1e-3)).epochs(10);
    /// for epoch in 0..10 {
    ///     // Cut at other offsets each time.
    ///     let windows = Data::next_steps(&text[5 * epoch % 16..]);
    ///     trainer.fit_epoch(&mut net, &windows, &CrossEntropy::new())?;
    ///     net.save("so_far.safetensors").expect("a file that can be written");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and if a callback of [`on_step`](Self::on_step) ends the epoch before its last step. The next
    /// call then continues this epoch.
    pub fn fit_epoch<D, L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: &D,
        loss: &L,
    ) -> Result<Epoch, TrainError>
    where
        D: Dataset<Input: SameInput<N::Input>, Target: SameTarget<Target>>,
        L: Loss<N::Output, Target: LossTarget<D::Target>>,
        Target: Copy + Send + Sync,
    {
        let (train, loss) = (&TypedData::new(train), &TypedLoss::<_, D::Target, _>::new(loss));
        let epoch = self.fit_one_epoch(net, train, loss)?.epochs.pop();
        epoch.ok_or_else(|| TrainError::Stopped { epoch: self.position.next_epoch() })
    }

    /// Trains for one epoch, without checkpoints and logs.
    fn fit_one_epoch<L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: DynData<'_, N, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let checkpoints = std::mem::replace(&mut self.checkpoints, Checkpoints::NONE);
        let log_dir = self.log_dir.take();
        let history = self.fit_until(self.position.next_epoch(), net, train, loss);
        (self.checkpoints, self.log_dir) = (checkpoints, log_dir);
        history
    }

    /// Trains up to and including epoch `last`.
    pub(super) fn fit_until<L>(
        &mut self,
        last: usize,
        net: &mut impl DerefMut<Target = N>,
        train: DynData<'_, N, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let world = self.world;
        let ranks = world.map(Ranks::new);
        let result = self.fit_on(ranks.as_ref(), last, net, train, loss);
        if let (Some(world), Err(error)) = (world, &result) {
            // Errors of the messages are those of other ranks.
            if !matches!(error, TrainError::Distributed(_)) {
                world.fail(&error.to_string());
            }
        }
        result
    }

    /// As [`fit_until`](Self::fit_until), on the ranks of a distributed run.
    fn fit_on<'r, L>(
        &mut self,
        ranks: Option<&'r Ranks<'r>>,
        last: usize,
        net: &mut impl DerefMut<Target = N>,
        train: DynData<'_, N, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        if self.carry_state && <N as Node<Root>>::STATE == 0 {
            return Err(TrainError::NoState);
        }
        // Before the first step, whose `update` would panic.
        self.optimizer.prepare(|| file_tensors::<N>().tensors).map_err(TrainError::Groups)?;
        let shares = self.shares(ranks)?;
        let settings = self.run_settings(self.division(ranks, shares.as_ref())?);
        let fast = self.fast_dev_run;
        let first = FirstSamples::<N, Target>::new;
        let first_train = fast
            .then(|| first(DataSet::Training, train, settings.samples_per_step()))
            .transpose()?;
        let first_validation = self.validation.filter(|_| fast);
        let first_validation = first_validation
            .map(|data| first(DataSet::Validation, data, self.batch))
            .transpose()?;
        let train = first_train.as_ref().map_or(train, |first| first as _);
        let validation = first_validation.as_ref().map(|first| first as _).or(self.validation);
        let checked = |set, data| CheckedData::new(set, data, loss, self.prefetch_threads);
        let train = checked(DataSet::Training, train)?;
        let validation = validation.map(|data| checked(DataSet::Validation, data)).transpose()?;
        self.meet(settings.division, train.len(), &mut **net)?;
        self.divide_state(settings.division)?;
        let mut run =
            TrainingRun::new(&mut **net, &train, settings).without(&self.optimizer.frozen());
        let mut data = RunData { train: Samples::new(train, settings), validation };
        data.train.check_batches()?;
        run.check_weights(0, self.optimizer.learning_rate())?;
        if self.is_first_rank() {
            self.prepare_checkpoints()?;
        }
        let mut call = FitCall::new(self, last, data.train.len());
        self.resume_run(&mut run, &mut call)?;
        let result = self.all_epochs(&mut data, &mut run, &mut call);
        call.history.kept = run.restore_best();
        result.map(|()| call.history)
    }

    const fn run_settings<'r>(&self, division: Division<'r>) -> RunSettings<'r> {
        RunSettings {
            batch: self.batch,
            accumulate: self.accumulate,
            drop_last: self.drop_last,
            clip: self.clip,
            carry_state: self.carry_state,
            division,
        }
    }
}
