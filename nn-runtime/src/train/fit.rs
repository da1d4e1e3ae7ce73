//! [`Trainer::fit`]: checks, all epochs, and the best weights.

use super::checkpoints::Checkpoints;
use super::epochs::FitCall;
use super::error::{DataSet, TrainError};
use super::history::{Epoch, History};
use super::loader::CheckedData;
use super::review::TypedReview;
use super::run_settings::RunSettings;
use super::same_types::{LossTarget, SameInput, SameTarget, TypedData, TypedLoss};
use super::samples::Samples;
use super::shard_optimizer::shares;
use super::slots::DynData;
use super::task::Task;
use super::trainer::{Trainer, TrainerCore};
use super::training_run::TrainingRun;
use super::trial::FirstSamples;
use crate::contract::Network;
use crate::data::Dataset;
use crate::loss::Loss;
use crate::optim::{AsNetworkMut, Optimizer};
use crate::order::NetworkInfo;
use crate::ranks::{Division, Ranks};

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    /// Trains `net`, a network or a box of one, on `train`, [`Data`](crate::data::Data) or any other [`Dataset`], and
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
    pub fn fit<D, L, K>(
        &mut self,
        net: &mut impl AsNetworkMut<K, Net = N>,
        train: &D,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        D: Dataset<Input: SameInput<N::Input>, Target: SameTarget<Target>>,
        L: Loss<N::Output, Target: LossTarget<D::Target>>,
        Target: Copy + Send + Sync,
    {
        let (train, loss) = (&TypedData::new(train), &TypedLoss::<_, D::Target, _>::new(loss));
        if self.core.fast_dev_run {
            return self.fit_one_epoch(net.network_mut(), train, loss);
        }
        let last = self.core.position.epochs.saturating_add(self.core.epochs);
        self.fit_until(last, net.network_mut(), train, loss)
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
    pub fn fit_epoch<D, L, K>(
        &mut self,
        net: &mut impl AsNetworkMut<K, Net = N>,
        train: &D,
        loss: &L,
    ) -> Result<Epoch, TrainError>
    where
        D: Dataset<Input: SameInput<N::Input>, Target: SameTarget<Target>>,
        L: Loss<N::Output, Target: LossTarget<D::Target>>,
        Target: Copy + Send + Sync,
    {
        let (train, loss) = (&TypedData::new(train), &TypedLoss::<_, D::Target, _>::new(loss));
        let epoch = self.fit_one_epoch(net.network_mut(), train, loss)?.epochs.pop();
        epoch.ok_or_else(|| TrainError::Stopped { epoch: self.core.position.next_epoch() })
    }

    /// Trains for one epoch, without checkpoints and logs.
    fn fit_one_epoch<L>(
        &mut self,
        net: &mut N,
        train: DynData<'_, N, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let checkpoints = std::mem::replace(&mut self.core.checkpoints, Checkpoints::NONE);
        let log_dir = self.core.log_dir.take();
        let history = self.fit_until(self.core.position.next_epoch(), net, train, loss);
        (self.core.checkpoints, self.core.log_dir) = (checkpoints, log_dir);
        history
    }

    /// Trains up to and including epoch `last`.
    pub(super) fn fit_until<L>(
        &mut self,
        last: usize,
        net: &mut N,
        train: DynData<'_, N, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let result = self.fit_checked(last, net, train, loss);
        if let Err(error) = &result {
            self.core.tell_other_ranks(error);
        }
        result
    }

    /// As [`fit_until`](Self::fit_until), where other ranks are not told of errors.
    fn fit_checked<L>(
        &mut self,
        last: usize,
        net: &mut N,
        train: DynData<'_, N, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let Self { optimizer, validation, metrics, on_epoch, core } = self;
        let info = NetworkInfo::of::<N>();
        core.prepare(&info, optimizer)?;
        let fast = core.fast_dev_run;
        let first = |set, data, most| {
            fast.then(|| FirstSamples::<N, Target>::new(set, data, most)).transpose()
        };
        let first_train =
            first(DataSet::Training, train, core.batch.saturating_mul(core.accumulate))?;
        let train = first_train.as_ref().map_or(train, |first| first as _);
        let first_validation = validation.map(|data| first(DataSet::Validation, data, core.batch));
        let first_validation = first_validation.transpose()?.flatten();
        let validation = first_validation.as_ref().map(|first| first as _).or(*validation);
        let checked = |set, data| CheckedData::new(set, data, loss, core.prefetch_threads);
        let train = checked(DataSet::Training, train)?;
        let validation = validation.map(|data| checked(DataSet::Validation, data)).transpose()?;
        let mut review = TypedReview { train: &train, validation, metrics, on_epoch };
        let call = FitCall::new(info, core, optimizer, &mut review, (last, train.len()));
        fit_task(call, &train, net.as_floats_mut())
    }
}

impl TrainerCore<'_> {
    /// Checks what does not depend on the data, before the first step, whose update would panic.
    fn prepare(&self, info: &NetworkInfo, optimizer: &mut dyn Optimizer) -> Result<(), TrainError> {
        if self.carry_state && info.state == 0 {
            return Err(TrainError::NoState);
        }
        optimizer.prepare(info.tensors).map_err(TrainError::Groups)
    }

    /// Ends the other ranks of a distributed run because of an error. Errors of the messages are those of other ranks.
    fn tell_other_ranks(&self, error: &TrainError) {
        if let (Some(world), false) = (self.world, matches!(error, TrainError::Distributed(_))) {
            world.fail(&error.to_string());
        }
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

/// Trains the weights `net` on `task`. Not generic, so that it is compiled once, with this crate.
fn fit_task(
    mut call: FitCall<'_, '_>,
    task: &dyn Task,
    net: &mut [f32],
) -> Result<History, TrainError> {
    let ranks = call.core.world.map(Ranks::new);
    let ranks = ranks.as_ref();
    let shares = shares(call.core, &*call.optimizer, &call.net, ranks)?;
    let settings = call.core.run_settings(call.core.division(ranks, shares.as_ref())?);
    call.meet(settings.division, net)?;
    call.divide_state(settings.division)?;
    let mut run = TrainingRun::new(call.net, net, task, settings)
        .without(&call.optimizer.frozen())
        .recording_rows_for(&*call.optimizer)?;
    let mut samples = Samples::new(task, call.core.prefetch_threads, settings);
    samples.check_batches(call.net.min_batch)?;
    run.check_weights(0, call.optimizer.learning_rate())?;
    if call.core.is_first_rank() {
        call.prepare_checkpoints()?;
    }
    call.resume_run(&mut run)?;
    let result = call.all_epochs(&mut samples, &mut run);
    call.history.kept = run.restore_best();
    result.map(|()| call.history)
}
