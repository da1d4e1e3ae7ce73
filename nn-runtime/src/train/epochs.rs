//! [`FitCall`]: the loop over epochs and steps.

use super::callbacks::Step;
#[cfg(feature = "ctrl-c")]
use super::ctrl_c::CtrlC;
use super::early_stopping::Patience;
use super::error::TrainError;
use super::history::{Epoch, GradientNorms, History, Score};
use super::log::EventFile;
use super::position::{Begun, Position};
use super::progress::Progress;
use super::review::Review;
use super::samples::Samples;
use super::trainer::TrainerCore;
use super::training_run::{StepIndex, TrainingRun};
use crate::loss::LossSums;
use crate::optim::Optimizer;
use crate::order::NetworkInfo;
use crate::ranks::Traffic;
use crate::system::{RngKey, Stopwatch};
use std::ops::ControlFlow;

/// One call of [`Trainer::fit`](crate::train::Trainer::fit), and what it records.
pub(super) struct FitCall<'r, 'a> {
    pub(super) net: NetworkInfo,
    pub(super) core: &'r mut TrainerCore<'a>,
    pub(super) optimizer: &'r mut dyn Optimizer,
    pub(super) review: &'r mut dyn Review,
    /// The last epoch.
    last: usize,
    /// The number of training samples.
    pub(super) samples: usize,
    pub(super) history: History,
    pub(super) patience: Option<Patience>,
    progress: Progress,
    /// Whether overfitting was reported.
    warned: bool,
    /// TensorBoard's event file, once an epoch is logged.
    pub(super) events: Option<EventFile>,
    #[cfg(feature = "ctrl-c")]
    ctrl_c: Option<CtrlC>,
}

impl<'r, 'a> FitCall<'r, 'a> {
    /// A call up to epoch `last` with `samples` training samples.
    pub(super) fn new(
        net: NetworkInfo,
        core: &'r mut TrainerCore<'a>,
        optimizer: &'r mut dyn Optimizer,
        review: &'r mut dyn Review,
        (last, samples): (usize, usize),
    ) -> Self {
        let progress = Progress::new(core.quiet || !core.is_first_rank(), last.max(core.epochs));
        Self {
            net,
            last,
            samples,
            history: History::default(),
            patience: core.early_stopping.map(Patience::new),
            progress,
            warned: false,
            events: None,
            #[cfg(feature = "ctrl-c")]
            ctrl_c: core.stop_on_ctrl_c.then(CtrlC::begin).flatten(),
            core,
            optimizer,
            review,
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

    pub(super) fn all_epochs(
        &mut self,
        samples: &mut Samples<'_>,
        run: &mut TrainingRun<'_>,
    ) -> Result<(), TrainError> {
        if self.core.position.epochs == 0 {
            self.progress.begin();
        }
        // A resumed run may have ended.
        let ended = self.patience.as_ref().is_some_and(Patience::is_exhausted);
        while !ended && self.core.position.epochs < self.last {
            // A callback may stop training inside of an epoch, or after its last step.
            let (epoch, stopped) = match self.one_epoch(samples, run)? {
                ControlFlow::Continue(epoch) => (epoch, false),
                ControlFlow::Break(Some(epoch)) => (epoch, true),
                ControlFlow::Break(None) => break,
            };
            if self.core.keep_best {
                run.remember(&epoch);
            }
            self.progress.end_epoch(&epoch);
            let callback = self.review.after_epoch(&epoch, run.net());
            let callback = run.agree(callback)?;
            let patience = self.record(epoch);
            run.collect_gradients_of_epoch()?;
            self.report_health(run);
            if self.core.is_first_rank() {
                self.write_logs(run)?;
            }
            self.write_checkpoints(run, None)?;
            if stopped || callback.is_break() || patience.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Prints each kind of warning once.
    fn report_health(&mut self, run: &TrainingRun<'_>) {
        let health = run.health();
        for warning in &health.warnings {
            if !self.core.printed.iter().any(|other| other.is_like(warning)) {
                self.progress.print(warning);
                self.core.printed.push(warning.clone());
            }
        }
        let (epoch, layers) = (self.core.position.epochs, health.gradients.clone());
        self.history.gradient_norms.push(GradientNorms { epoch, layers });
        self.history.health = Some(health);
    }

    /// One epoch, or the rest of one that was stopped. `Break` if a callback stops training: with the epoch if it is
    /// complete.
    fn one_epoch(
        &mut self,
        samples: &mut Samples<'_>,
        run: &mut TrainingRun<'_>,
    ) -> Result<ControlFlow<Option<Epoch>, Epoch>, TrainError> {
        let number = self.core.position.next_epoch();
        let clock = Stopwatch::start();
        let begun = self.core.position.begun.take().filter(|begun| begun.step < samples.steps());
        let begun = begun.unwrap_or_default();
        let steps = samples.steps() - begun.step;
        let (sums, flow) = self.all_steps(begun, samples, run)?;
        if self.core.position.begun.is_some() {
            return Ok(ControlFlow::Break(None));
        }
        self.core.position.epochs = number;
        run.check_weights(number, self.optimizer.learning_rate())?;
        let training_seconds = clock.seconds();
        let training = Score::of(self.net.outputs, &sums);
        // The same in each epoch, so that scores can be compared.
        let key = RngKey::new(self.core.seed).fold_in(RngKey::hash("validation samples"));
        let validation = self.review.evaluate(run.net(), run.evaluation(key))?;
        let validation = validation.map(|sums| Score::of(self.net.outputs, &sums));
        let epoch = Epoch {
            number,
            learning_rate: self.optimizer.learning_rate(),
            training,
            validation,
            metrics: self.review.take_metrics(),
            seconds: clock.seconds().unwrap_or(0.0),
            samples_per_second: training_seconds
                .map_or(0.0, |seconds| samples.samples_of(steps) as f64 / seconds),
        };
        let loss = epoch.watched().loss;
        self.core.position.losses.push(loss);
        if let Some(plan) = &mut self.core.plan {
            plan.schedule.observe(loss);
        }
        Ok(match flow {
            ControlFlow::Continue(()) => ControlFlow::Continue(epoch),
            ControlFlow::Break(()) => ControlFlow::Break(Some(epoch)),
        })
    }

    /// The steps of an epoch after those that are done. Returns the loss sums of all of them. `Break` if a callback stops
    /// training; where steps are left, the position then has those that are done.
    fn all_steps(
        &mut self,
        begun: Begun,
        samples: &mut Samples<'_>,
        run: &mut TrainingRun<'_>,
    ) -> Result<(LossSums, ControlFlow<()>), TrainError> {
        let Begun { step: done, mut sums, state } = begun;
        let (epoch, steps) = (self.core.position.next_epoch(), samples.steps());
        let key = RngKey::new(self.core.seed);
        samples.begin_epoch(key, epoch);
        run.begin_epoch(&state);
        self.set_learning_rate(false, StepIndex { epoch, step: done + 1, steps })?;
        self.progress.begin_epoch(epoch, done..steps);
        let flow = samples.for_each_step(done..steps, &mut |before, samples| {
            let step = before + 1;
            let at = StepIndex { epoch, step, steps };
            self.set_learning_rate(true, at)?;
            let key = key.fold_in(self.core.position.steps);
            let traffic = run.traffic();
            let of_step = run.step(at, samples, key, self.optimizer)?;
            let traffic = run.traffic().since(traffic);
            self.core.position.steps = self.core.position.steps.saturating_add(1);
            sums = sums.with(&of_step);
            self.progress.step(&sums);
            let flow = run.agree(self.after_step(at, of_step.mean_loss(), traffic))?;
            if step < steps && (flow.is_break() || self.is_checkpoint_due()) {
                let begun = Begun { step, sums, state: run.all_state()? };
                self.write_checkpoints(run, Some(begun.clone()))?;
                self.core.position.begun = flow.is_break().then_some(begun);
            }
            Ok(flow)
        })?;
        if flow.is_break() {
            self.progress.clear();
        }
        Ok((sums, flow))
    }

    /// Calls the callback of a step. `Break` ends training: the callback breaks, or the user has pressed Ctrl-C.
    fn after_step(&mut self, at: StepIndex, loss: f64, traffic: Traffic) -> ControlFlow<()> {
        let flow = self.call_on_step(at, loss, traffic);
        #[cfg(feature = "ctrl-c")]
        if self.ctrl_c.as_ref().is_some_and(CtrlC::is_pressed) {
            self.progress.print(&format_args!(
                "Ctrl-C: training ends after step {} of epoch {}",
                at.step, at.epoch
            ));
            return ControlFlow::Break(());
        }
        flow
    }

    fn call_on_step(&mut self, at: StepIndex, loss: f64, traffic: Traffic) -> ControlFlow<()> {
        let Some(callback) = &mut self.core.on_step else { return ControlFlow::Continue(()) };
        let StepIndex { epoch, step, steps } = at;
        let total_steps = self.core.position.steps;
        let learning_rate = self.optimizer.learning_rate();
        callback(&Step { epoch, step, steps, total_steps, loss, learning_rate, traffic })
    }

    /// Sets the learning rate by the schedule, before the step `at` or, not `each_step`, before the first step of an epoch.
    fn set_learning_rate(&mut self, each_step: bool, at: StepIndex) -> Result<(), TrainError> {
        if let Some(plan) = self.core.plan.as_mut().filter(|plan| plan.each_step == each_step) {
            let &Position { epochs, steps, .. } = &self.core.position;
            let done = if each_step { steps as usize } else { epochs };
            let rate = plan.rate(self.optimizer, done);
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
