//! The epochs of a [`Trainer`], one after the other.

use super::progress::Progress;
use super::run::{self, Place, Run};
use super::{DataSet, Epoch, History, Score, TrainError, Trainer};
use crate::contract::{Network, Node, Root};
use crate::data::Data;
use crate::loss::{Loss, Tallies};
use crate::optim::Optimizer;
use crate::system::RngKey;
use crate::types::Inputs;
use std::ops::DerefMut;
use std::time::Instant;

impl<O: Optimizer, Input: Inputs, Target> Trainer<'_, O, Input, Target> {
    /// The epochs up to number `last`.
    pub(super) fn fit_until<N, L>(
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
        if self.carries && <N as Node<Root>>::STATE == 0 {
            return Err(TrainError::NothingCarried);
        }
        let stretches = self.carries.then_some(self.batch);
        let mut run = Run::new(&mut **net, train, loss, self.clip, stretches)?;
        if let Some(validation) = self.validation {
            run::check_data::<N, L>(DataSet::Validation, validation, loss)?;
        }
        run.check_batches(self.batch)?;
        run.check_weights(0, self.optimizer.learning_rate())?;
        let mut history = History::default();
        let result = self.all_epochs(last, &mut run, &mut history);
        history.kept = run.restore_best();
        result.map(|()| history)
    }

    fn all_epochs<N, L>(
        &mut self,
        last: usize,
        run: &mut Run<'_, N, L>,
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
            for sign in &health.signs {
                if !self.told.iter().any(|other| other.is_like(sign)) {
                    progress.warn(sign);
                    self.told.push(sign.clone());
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
        run: &mut Run<'_, N, L>,
        progress: &mut Progress,
    ) -> Result<Epoch, TrainError>
    where
        N: Network<Input = Input>,
        L: Loss<N::Output, Target = Target>,
    {
        let number = self.epochs_done + 1;
        self.set_learning_rate(false);
        let clock = Instant::now();
        let key = RngKey::new(self.seed);
        run.begin_epoch(key, number);
        let steps = run.samples().div_ceil(self.batch);
        progress.begin_epoch(number, steps);
        let mut tally = Tallies::default();
        for step in 0..steps {
            let place = Place { epoch: number, step: step + 1, steps };
            let key = key.fold_in(self.steps_done);
            self.set_learning_rate(true);
            let first = step * self.batch;
            let sum = run.step(first, self.batch, key, &mut self.optimizer, place)?;
            tally = tally.with(&sum);
            self.steps_done += 1;
            progress.step(&tally);
        }
        self.epochs_done = number;
        run.check_weights(number, self.optimizer.learning_rate())?;
        let training_seconds = clock.elapsed().as_secs_f64();
        let training = Score::of::<N>(&tally);
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

    /// Before a step, or before the first one of an epoch.
    fn set_learning_rate(&mut self, each_step: bool) {
        if let Some(plan) = self.plan.as_mut().filter(|plan| plan.each_step == each_step) {
            let done = if each_step { self.steps_done as usize } else { self.epochs_done };
            plan.set(&mut self.optimizer, done);
        }
    }
}
