//! [`Trainer::fit`]: the loop over epochs and steps.

use super::error::{DataSet, TrainError};
use super::history::{Epoch, History, Score};
use super::progress::Progress;
use super::trainer::Trainer;
use super::training_run::{RunSettings, StepIndex, TrainingRun, check_data};
use crate::contract::{Network, Node, Root};
use crate::data::Data;
use crate::loss::{Loss, LossSums};
use crate::optim::Optimizer;
use crate::order::file_tensors;
use crate::system::RngKey;
use crate::types::Inputs;
use std::ops::DerefMut;
use std::time::Instant;

impl<O: Optimizer, Input: Inputs, Target> Trainer<'_, O, Input, Target> {
    /// Trains `net`, a box or a mutable reference, and returns how it went.
    ///
    /// Prints one line per epoch to the standard output, unless [`quiet`](Self::quiet), and, with the feature
    /// `progress`, a bar while the epoch runs if that is a terminal. Also prints a warning if the network overfits (see
    /// [`History::overfitting`]), gradients vanish or explode, or units of a `ReLU` die (see
    /// [`Health`](crate::train::Health)).
    ///
    /// # Errors
    /// If there are no samples, inputs and targets differ in number or are not finite, the last batch is too small for
    /// statistics over the batch, [`carry_state`](Self::carry_state) is set for a network without recurrent state, the
    /// loss refuses a target, the learning rate is negative or not finite, or the loss, a gradient or a weight is not
    /// finite. The network then has the weights from before the failed step, or the best ones with [`keep_best`](Self::keep_best).
    pub fn fit<N, L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: &Data<Input, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        self.fit_until(self.epochs_done.saturating_add(self.epochs), net, train, loss)
    }

    /// Trains for one of the [`epochs`](Self::epochs), for code that inspects the network after each one or changes the
    /// samples. Calls for single epochs train the same weights as one call of [`fit`](Self::fit), except that
    /// [`keep_best`](Self::keep_best) and the warning of overfitting compare the epochs of one call.
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
    /// As [`fit`](Self::fit).
    pub fn fit_epoch<N, L>(
        &mut self,
        net: &mut impl DerefMut<Target = N>,
        train: &Data<Input, Target>,
        loss: &L,
    ) -> Result<Epoch, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        let history = self.fit_until(self.epochs_done + 1, net, train, loss)?;
        Ok(history.epochs[0])
    }

    /// Trains up to and including epoch `last`.
    fn fit_until<N, L>(
        &mut self,
        last: usize,
        net: &mut impl DerefMut<Target = N>,
        train: &Data<Input, Target>,
        loss: &L,
    ) -> Result<History, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        if self.carry_state && <N as Node<Root>>::STATE == 0 {
            return Err(TrainError::NoState);
        }
        let settings =
            RunSettings { batch: self.batch, clip: self.clip, carry_state: self.carry_state };
        // Before the first step, whose `update` would panic.
        self.optimizer.prepare(|| file_tensors::<N>().tensors).map_err(TrainError::Groups)?;
        let mut run = TrainingRun::new(&mut **net, train, loss, settings)?;
        if let Some(validation) = self.validation {
            check_data::<N, L>(DataSet::Validation, validation, loss)?;
        }
        run.check_batches()?;
        run.check_weights(0, self.optimizer.learning_rate())?;
        let mut history = History::default();
        let result = self.all_epochs(last, &mut run, &mut history);
        history.kept = run.restore_best();
        result.map(|()| history)
    }

    fn all_epochs<N, L>(
        &mut self,
        last: usize,
        run: &mut TrainingRun<'_, N, L>,
        history: &mut History,
    ) -> Result<(), TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        let mut progress = Progress::new(self.quiet, last.max(self.epochs));
        if self.epochs_done == 0 {
            progress.begin();
        }
        let mut warned = false;
        while self.epochs_done < last {
            let epoch = self.one_epoch(run, &mut progress)?;
            if self.keep_best {
                run.remember(&epoch);
            }
            progress.end_epoch(&epoch);
            let stop = self.on_epoch.as_mut().is_some_and(|f| f(&epoch).is_break());
            history.epochs.push(epoch);
            if let Some(warning) = history.overfitting().filter(|_| !warned) {
                progress.warn(&warning);
                warned = true;
            }
            let health = run.health();
            for warning in &health.warnings {
                if !self.printed.iter().any(|other| other.is_like(warning)) {
                    progress.warn(warning);
                    self.printed.push(warning.clone());
                }
            }
            history.health = Some(health);
            if stop {
                break;
            }
        }
        Ok(())
    }

    fn one_epoch<N, L>(
        &mut self,
        run: &mut TrainingRun<'_, N, L>,
        progress: &mut Progress,
    ) -> Result<Epoch, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        let number = self.epochs_done + 1;
        let clock = Instant::now();
        let key = RngKey::new(self.seed);
        run.begin_epoch(key, number);
        let steps = run.samples().div_ceil(self.batch);
        self.set_learning_rate(false, StepIndex { epoch: number, step: 1, steps })?;
        progress.begin_epoch(number, steps);
        let mut sums = LossSums::default();
        for step in 1..=steps {
            let at = StepIndex { epoch: number, step, steps };
            let key = key.fold_in(self.steps_done);
            self.set_learning_rate(true, at)?;
            sums = sums.with(&run.step(at, key, &mut self.optimizer)?);
            self.steps_done += 1;
            progress.step(&sums);
        }
        self.epochs_done = number;
        run.check_weights(number, self.optimizer.learning_rate())?;
        let training_seconds = clock.elapsed().as_secs_f64();
        let training = Score::of::<N>(&sums);
        let validation = self.validation.map(|data| run.evaluate(data));
        if let Some(plan) = &mut self.plan {
            plan.schedule.observe(validation.unwrap_or(training).loss);
        }
        Ok(Epoch {
            number,
            learning_rate: self.optimizer.learning_rate(),
            training,
            validation,
            seconds: clock.elapsed().as_secs_f64(),
            samples_per_second: run.samples() as f64 / training_seconds,
        })
    }

    /// Sets the learning rate by the schedule, before the step `at` or, not `each_step`, before the first step of an epoch.
    fn set_learning_rate(&mut self, each_step: bool, at: StepIndex) -> Result<(), TrainError> {
        if let Some(plan) = self.plan.as_mut().filter(|plan| plan.each_step == each_step) {
            let done = if each_step { self.steps_done as usize } else { self.epochs_done };
            let rate = plan.rate(&self.optimizer, done);
            // Before the optimiser has it, which may panic.
            check_learning_rate(rate, at)?;
            self.optimizer.set_learning_rate(rate);
        }
        // An optimiser of the user's may have any rate.
        check_learning_rate(self.optimizer.learning_rate(), at)
    }
}

/// Refuses a learning rate that would destroy the weights.
fn check_learning_rate(rate: f64, at: StepIndex) -> Result<(), TrainError> {
    if rate.is_finite() && rate >= 0.0 {
        return Ok(());
    }
    let StepIndex { epoch, step, .. } = at;
    Err(TrainError::LearningRate { epoch, step, rate })
}
