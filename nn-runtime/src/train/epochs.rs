//! The loop over epochs and steps.

use super::callbacks::Step;
use super::early_stopping::Patience;
use super::error::TrainError;
use super::history::{Epoch, GradientNorms, History, Score};
use super::log::EventFile;
use super::position::{Begun, Position};
use super::progress::Progress;
use super::samples::{RunData, Samples};
use super::trainer::Trainer;
use super::training_run::{StepIndex, TrainingRun};
use crate::contract::Network;
use crate::loss::{Loss, LossSums};
use crate::optim::Optimizer;
use crate::ranks::Traffic;
use crate::system::{RngKey, Stopwatch};
use std::ops::ControlFlow;

/// What one call of [`Trainer::fit`](crate::train::Trainer::fit) records.
pub(super) struct FitCall {
    /// The last epoch.
    last: usize,
    /// The number of training samples.
    #[cfg_attr(not(feature = "files"), allow(dead_code, reason = "checkpoints compare it"))]
    pub(super) samples: usize,
    pub(super) history: History,
    pub(super) patience: Option<Patience>,
    progress: Progress,
    /// Whether overfitting was reported.
    warned: bool,
    /// TensorBoard's event file, once an epoch is logged.
    pub(super) events: Option<EventFile>,
}

impl FitCall {
    /// A call of `trainer` up to epoch `last` with `samples` training samples.
    pub(super) fn new<O: Optimizer, N: Network, Target>(
        trainer: &Trainer<'_, O, N, Target>,
        last: usize,
        samples: usize,
    ) -> Self {
        Self {
            last,
            samples,
            history: History::default(),
            patience: trainer.early_stopping.map(Patience::new),
            progress: Progress::new(
                trainer.quiet || !trainer.is_first_rank(),
                last.max(trainer.epochs),
            ),
            warned: false,
            events: None,
        }
    }

    /// Records an epoch. Returns whether training continues.
    fn record(&mut self, epoch: Epoch) -> ControlFlow<()> {
        self.history.epochs.push(epoch);
        if let Some(warning) = self.history.overfitting().filter(|_| !self.warned) {
            self.progress.print(&warning);
            self.warned = true;
        }
        if let Some(patience) = &mut self.patience {
            patience.observe(epoch.number, epoch.watched().loss);
            if patience.is_exhausted() {
                self.progress.print(patience);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

impl<O: Optimizer, N: Network, Target> Trainer<'_, O, N, Target> {
    pub(super) fn all_epochs<L>(
        &mut self,
        data: &mut RunData<'_, N, L>,
        run: &mut TrainingRun<'_, N, L>,
        call: &mut FitCall,
    ) -> Result<(), TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        if self.position.epochs == 0 {
            call.progress.begin();
        }
        // A resumed run may have ended.
        let ended = call.patience.as_ref().is_some_and(Patience::is_exhausted);
        while !ended && self.position.epochs < call.last {
            // A callback may stop training inside of an epoch, or after its last step.
            let (epoch, stopped) = match self.one_epoch(data, run, call)? {
                ControlFlow::Continue(epoch) => (epoch, false),
                ControlFlow::Break(Some(epoch)) => (epoch, true),
                ControlFlow::Break(None) => break,
            };
            if self.keep_best {
                run.remember(&epoch);
            }
            call.progress.end_epoch(&epoch);
            let callback = self.callbacks.after_epoch(&epoch, run.net());
            let callback = run.agree(callback)?;
            let patience = call.record(epoch);
            run.collect_gradients_of_epoch()?;
            self.report_health(data, run, call);
            if self.is_first_rank() {
                self.write_logs(run, call)?;
            }
            self.write_checkpoints(run, call, None)?;
            if stopped || callback.is_break() || patience.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Prints each kind of warning once.
    fn report_health<L>(
        &mut self,
        data: &RunData<'_, N, L>,
        run: &TrainingRun<'_, N, L>,
        call: &mut FitCall,
    ) where
        L: Loss<N::Output, Target = Target>,
    {
        let in_memory = data.train.data().in_memory();
        let health = run.health(in_memory.map_or(&[], |(inputs, _)| inputs));
        for warning in &health.warnings {
            if !self.printed.iter().any(|other| other.is_like(warning)) {
                call.progress.print(warning);
                self.printed.push(warning.clone());
            }
        }
        let (epoch, layers) = (self.position.epochs, health.gradients.clone());
        call.history.gradient_norms.push(GradientNorms { epoch, layers });
        call.history.health = Some(health);
    }

    /// One epoch, or the rest of one that was stopped. `Break` if a callback stops training: with the epoch if it is
    /// complete.
    fn one_epoch<L>(
        &mut self,
        data: &mut RunData<'_, N, L>,
        run: &mut TrainingRun<'_, N, L>,
        call: &mut FitCall,
    ) -> Result<ControlFlow<Option<Epoch>, Epoch>, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let number = self.position.next_epoch();
        let clock = Stopwatch::start();
        let begun = self.position.begun.take().filter(|begun| begun.step < data.train.steps());
        let begun = begun.unwrap_or_default();
        let steps = data.train.steps() - begun.step;
        let (sums, flow) = self.all_steps(begun, &mut data.train, run, call)?;
        if self.position.begun.is_some() {
            return Ok(ControlFlow::Break(None));
        }
        self.position.epochs = number;
        run.check_weights(number, self.optimizer.learning_rate())?;
        let training_seconds = clock.seconds();
        let training = Score::of::<N>(&sums);
        let validation = self.evaluate(data, run)?;
        let epoch = Epoch {
            number,
            learning_rate: self.optimizer.learning_rate(),
            training,
            validation,
            metrics: self.take_metrics(),
            seconds: clock.seconds().unwrap_or(0.0),
            samples_per_second: training_seconds
                .map_or(0.0, |seconds| data.train.samples_of(steps) as f64 / seconds),
        };
        let loss = epoch.watched().loss;
        self.position.losses.push(loss);
        if let Some(plan) = &mut self.plan {
            plan.schedule.observe(loss);
        }
        Ok(match flow {
            ControlFlow::Continue(()) => ControlFlow::Continue(epoch),
            ControlFlow::Break(()) => ControlFlow::Break(Some(epoch)),
        })
    }

    /// The score on the validation data, if there are any. Adds the samples to the metrics.
    fn evaluate<L>(
        &mut self,
        data: &RunData<'_, N, L>,
        run: &TrainingRun<'_, N, L>,
    ) -> Result<Option<Score>, TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        // The same in each epoch, so that scores can be compared.
        let key = RngKey::new(self.seed).fold_in(RngKey::hash("validation samples"));
        if let Some(validation) = &data.validation {
            return run.evaluate(validation, key, &mut self.metrics).map(Some);
        }
        if !self.metrics.is_empty() {
            run.evaluate(data.train.data(), key, &mut self.metrics)?;
        }
        Ok(None)
    }

    /// The steps of an epoch after those that are done. Returns the loss sums of all of them. `Break` if a callback stops
    /// training; where steps are left, the position then has those that are done.
    fn all_steps<L>(
        &mut self,
        begun: Begun,
        samples: &mut Samples<'_, N, L>,
        run: &mut TrainingRun<'_, N, L>,
        call: &mut FitCall,
    ) -> Result<(LossSums, ControlFlow<()>), TrainError>
    where
        L: Loss<N::Output, Target = Target>,
    {
        let Begun { step: done, mut sums, state } = begun;
        let (epoch, steps) = (self.position.next_epoch(), samples.steps());
        let key = RngKey::new(self.seed);
        samples.begin_epoch(key, epoch);
        run.begin_epoch(&state);
        self.set_learning_rate(false, StepIndex { epoch, step: done + 1, steps })?;
        call.progress.begin_epoch(epoch, done..steps);
        let flow = samples.for_each_step(done..steps, |before, samples| {
            let step = before + 1;
            let at = StepIndex { epoch, step, steps };
            self.set_learning_rate(true, at)?;
            let key = key.fold_in(self.position.steps);
            let traffic = run.traffic();
            let of_step = run.step(at, samples, key, &mut self.optimizer)?;
            let traffic = run.traffic().since(traffic);
            self.position.steps = self.position.steps.saturating_add(1);
            sums = sums.with(&of_step);
            call.progress.step(&sums);
            let flow = self.callbacks.after_step(&self.step(at, of_step.mean_loss(), traffic));
            let flow = run.agree(flow)?;
            if step < steps && (flow.is_break() || self.is_checkpoint_due()) {
                let begun = Begun { step, sums, state: run.all_state()? };
                self.write_checkpoints(run, call, Some(begun.clone()))?;
                self.position.begun = flow.is_break().then_some(begun);
            }
            Ok(flow)
        })?;
        if flow.is_break() {
            call.progress.clear();
        }
        Ok((sums, flow))
    }

    /// The argument of a callback.
    fn step(&self, at: StepIndex, loss: f64, traffic: Traffic) -> Step {
        let StepIndex { epoch, step, steps } = at;
        let total_steps = self.position.steps;
        let learning_rate = self.optimizer.learning_rate();
        Step { epoch, step, steps, total_steps, loss, learning_rate, traffic }
    }

    /// Sets the learning rate by the schedule, before the step `at` or, not `each_step`, before the first step of an epoch.
    fn set_learning_rate(&mut self, each_step: bool, at: StepIndex) -> Result<(), TrainError> {
        if let Some(plan) = self.plan.as_mut().filter(|plan| plan.each_step == each_step) {
            let &Position { epochs, steps, .. } = &self.position;
            let done = if each_step { steps as usize } else { epochs };
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
