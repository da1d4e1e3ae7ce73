//! Learning-rate schedules: PyTorch's `optim.lr_scheduler`.
//!
//! A trainer calls a schedule for the learning rate before each epoch
//! ([`schedule_epochs`](crate::train::Trainer::schedule_epochs)) or before each step
//! ([`schedule_steps`](crate::train::Trainer::schedule_steps)). The counts that schedules take are in that unit: epochs
//! with `schedule_epochs`, steps with `schedule_steps`.

use crate::hyper::{Range, at_least_one, checked, refuse};
use std::f64::consts::PI;
use std::fmt;

/// The learning rate as a function of time.
pub trait Schedule {
    /// Returns the learning rate of the next epoch or step, after `done` of them. `base` is the learning rate that the
    /// optimiser was made with.
    fn rate(&mut self, base: f64, done: usize) -> f64;

    /// Receives the loss of each epoch: the validation loss, or the training loss without validation data. Does nothing
    /// by default.
    fn observe(&mut self, loss: f64) {
        let _ = loss;
    }
}

/// A function of `base` and `done`, such as `|base: f64, done: usize| base / (1.0 + 0.1 * done as f64)`.
impl<F: FnMut(f64, usize) -> f64> Schedule for F {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        self(base, done)
    }
}

/// A constant fraction of the learning rate at first, all of it afterwards: `ConstantLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    factor: f64,
    count: usize,
}

impl Constant {
    /// The learning rate times `factor` for the first `count` epochs or steps.
    ///
    /// # Panics
    /// If `factor` is not a number from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn new(factor: f64, count: usize) -> Self {
        Self { factor: checked("Constant: factor", factor, Range::Fraction), count }
    }
}

impl Schedule for Constant {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        if done < self.count { base * self.factor } else { base }
    }
}

/// Step decay: the learning rate is multiplied by `gamma` at regular intervals, `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepDecay {
    every: usize,
    gamma: f64,
}

impl StepDecay {
    /// Multiplies the learning rate by `gamma` after every `every` epochs or steps.
    ///
    /// # Panics
    /// If `every` is 0, or `gamma` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(every: usize, gamma: f64) -> Self {
        let every = at_least_one("StepDecay: interval", every);
        Self { every, gamma: checked("StepDecay: gamma", gamma, Range::NonNegative) }
    }
}

impl Schedule for StepDecay {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        base * self.gamma.powf((done / self.every) as f64)
    }
}

/// Step decay at chosen times: the learning rate is multiplied by `gamma` at each milestone, `MultiStepLR`.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStep {
    milestones: Vec<usize>,
    gamma: f64,
}

impl MultiStep {
    /// Multiplies the learning rate by `gamma` after each of these numbers of epochs or steps.
    ///
    /// # Panics
    /// If the milestones do not rise, or `gamma` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(milestones: &[usize], gamma: f64) -> Self {
        if !milestones.is_sorted_by(|a, b| a < b) {
            let found = format!("{milestones:?}");
            refuse(&"MultiStep: milestones", &found, "rising numbers of epochs or steps");
        }
        let gamma = checked("MultiStep: gamma", gamma, Range::NonNegative);
        Self { milestones: milestones.to_vec(), gamma }
    }
}

impl Schedule for MultiStep {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        let passed = self.milestones.iter().filter(|milestone| **milestone <= done).count();
        base * self.gamma.powf(passed as f64)
    }
}

/// Exponential decay: the learning rate is multiplied by `gamma` each time, `ExponentialLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    gamma: f64,
}

impl Exponential {
    /// Multiplies the learning rate by `gamma` after each epoch or step.
    ///
    /// # Panics
    /// If `gamma` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(gamma: f64) -> Self {
        Self { gamma: checked("Exponential: gamma", gamma, Range::NonNegative) }
    }
}

impl Schedule for Exponential {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        base * self.gamma.powf(done as f64)
    }
}

/// Cosine annealing with optional linear warm-up (Loshchilov and Hutter, 2017): `CosineAnnealingLR`, after `LinearLR` in
/// a `SequentialLR`. Stays at the lowest learning rate afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    total: usize,
    warm_up: usize,
    start_factor: f64,
    least: f64,
}

impl Cosine {
    /// From the optimiser's learning rate to 0 over `total` epochs or steps, warm-up included.
    ///
    /// # Panics
    /// If `total` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(total: usize) -> Self {
        let total = at_least_one("Cosine: total", total);
        Self { total, warm_up: 0, start_factor: 1.0, least: 0.0 }
    }

    /// Sets the lowest learning rate.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn least(mut self, rate: f64) -> Self {
        self.least = checked("Cosine: lowest learning rate", rate, Range::NonNegative);
        self
    }

    /// Raises the learning rate linearly over the first `count` epochs or steps, from `start_factor` times the
    /// optimiser's. With a `count` of the total or more there is no annealing.
    ///
    /// # Panics
    /// If `start_factor` is not a number from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn warm_up(mut self, count: usize, start_factor: f64) -> Self {
        self.warm_up = count;
        self.start_factor = checked("Cosine: start factor", start_factor, Range::Fraction);
        self
    }
}

impl Schedule for Cosine {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        if done < self.warm_up {
            let share = done as f64 / self.warm_up as f64;
            return base * (self.start_factor + (1.0 - self.start_factor) * share);
        }
        // At least 1: the warm-up may be as long as the schedule.
        let annealing = self.total.saturating_sub(self.warm_up).max(1);
        let share = (done - self.warm_up).min(annealing) as f64 / annealing as f64;
        anneal(base, self.least, share)
    }
}

/// One-cycle schedule (Smith and Topin, 2018): the learning rate rises to a maximum and then falls far below its first
/// value, `OneCycleLR` with two phases of cosine annealing. Momentum is constant, and the optimiser's own learning rate
/// is ignored. For [`schedule_steps`](crate::train::Trainer::schedule_steps).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    largest: f64,
    total: usize,
    rising: f64,
    div_factor: f64,
    final_div_factor: f64,
}

impl OneCycle {
    /// A cycle of `total` steps with the maximum `largest`. The first 30% of the steps rise from a 25th of the maximum;
    /// the last learning rate is a 10000th of the first.
    ///
    /// # Panics
    /// If `largest` is not a finite number of at least 0, or `total` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(largest: f64, total: usize) -> Self {
        let largest = checked("OneCycle: largest learning rate", largest, Range::NonNegative);
        let total = at_least_one("OneCycle: total", total);
        Self { largest, total, rising: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }

    /// Sets the fraction of the steps in which the learning rate rises: PyTorch's `pct_start`.
    ///
    /// # Panics
    /// If `fraction` is not a number from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn rising(mut self, fraction: f64) -> Self {
        self.rising = checked("OneCycle: rising fraction", fraction, Range::Fraction);
        self
    }

    /// Sets the divisors: the first learning rate is the largest divided by `first`, the last one the first divided by
    /// `last`.
    ///
    /// # Panics
    /// If one is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn div_factors(mut self, first: f64, last: f64) -> Self {
        self.div_factor = checked("OneCycle: first divisor", first, Range::Positive);
        self.final_div_factor = checked("OneCycle: last divisor", last, Range::Positive);
        self
    }
}

impl Schedule for OneCycle {
    fn rate(&mut self, _base: f64, done: usize) -> f64 {
        let (first, now) = (self.largest / self.div_factor, done as f64);
        // PyTorch's phases end at these steps, which need not be whole numbers.
        let (top, end) = (self.rising * self.total as f64 - 1.0, self.total as f64 - 1.0);
        if now <= top {
            return anneal(first, self.largest, if top > 0.0 { now / top } else { 1.0 });
        }
        let last = first / self.final_div_factor;
        anneal(self.largest, last, ((now - top) / (end - top)).min(1.0))
    }
}

/// Cosine annealing from `begin` (share 0) to `end` (share 1).
fn anneal(begin: f64, end: f64, share: f64) -> f64 {
    end + (begin - end) / 2.0 * (1.0 + (PI * share).cos())
}

/// Schedules one after the other, `SequentialLR`: each begins at its milestone as if training began there.
///
/// ```
/// use unrolled_runtime::optim::schedule::{Constant, Exponential, Schedule, Sequential};
///
/// // 5 epochs at a tenth of the learning rate, and then 10% less in each.
/// let mut schedule = Sequential::new(Constant::new(0.1, 5)).then(5, Exponential::new(0.9));
/// assert_eq!(schedule.rate(0.5, 4), 0.05);
/// assert_eq!(schedule.rate(0.5, 5), 0.5);
/// ```
pub struct Sequential<'a> {
    /// Each with its milestone, in ascending order; the first one at 0.
    schedules: Vec<(usize, Box<dyn Schedule + Send + 'a>)>,
    /// The index of the one that set the last learning rate.
    current: usize,
}

impl<'a> Sequential<'a> {
    /// Begins with `first`.
    #[must_use]
    pub fn new(first: impl Schedule + Send + 'a) -> Self {
        Self { schedules: vec![(0, Box::new(first))], current: 0 }
    }

    /// Continues with `next` after `milestone` epochs or steps, counted from the beginning of training.
    ///
    /// # Panics
    /// If `milestone` is not above the one before.
    #[must_use]
    #[track_caller]
    pub fn then(mut self, milestone: usize, next: impl Schedule + Send + 'a) -> Self {
        if self.schedules.last().is_some_and(|(last, _)| milestone <= *last) {
            refuse(
                &"Sequential: milestone",
                &milestone,
                "more than the milestone before, and than 0",
            );
        }
        self.schedules.push((milestone, Box::new(next)));
        self
    }
}

/// Shows the milestones.
impl fmt::Debug for Sequential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milestones: Vec<_> = self.schedules.iter().map(|(milestone, _)| milestone).collect();
        f.debug_struct("Sequential").field("milestones", &milestones).finish_non_exhaustive()
    }
}

impl Schedule for Sequential<'_> {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        let begun = self.schedules.iter().filter(|(milestone, _)| *milestone <= done).count();
        self.current = begun - 1;
        let (milestone, schedule) = &mut self.schedules[self.current];
        schedule.rate(base, done - *milestone)
    }

    /// Passes the loss to the schedule of the last epoch.
    fn observe(&mut self, loss: f64) {
        self.schedules[self.current].1.observe(loss);
    }
}

/// Reduces the learning rate when the loss stops falling: `ReduceLROnPlateau`. For
/// [`schedule_epochs`](crate::train::Trainer::schedule_epochs).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    factor: f64,
    patience: usize,
    threshold: f64,
    cooldown: usize,
    least: f64,
    rate: Option<f64>,
    best: f64,
    bad: usize,
    cooling: usize,
}

/// PyTorch's `eps`: smaller reductions are not made.
const LEAST_CHANGE: f64 = 1e-8;

impl Plateau {
    /// Divides the learning rate by 10 after more than 10 epochs without a loss at least 0.01% below the best one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
            least: 0.0,
            rate: None,
            best: f64::INFINITY,
            bad: 0,
            cooling: 0,
        }
    }

    /// Sets the factor of a reduction.
    ///
    /// # Panics
    /// If `factor` is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = checked("Plateau: factor", factor, Range::Decay);
        self
    }

    /// Sets the number of consecutive epochs without improvement that are tolerated.
    #[must_use]
    pub const fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Sets the fraction of the best loss by which a loss has to be below it to count as an improvement.
    ///
    /// # Panics
    /// If `fraction` is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn threshold(mut self, fraction: f64) -> Self {
        self.threshold = checked("Plateau: threshold", fraction, Range::Decay);
        self
    }

    /// Sets the number of epochs after a reduction that are not counted.
    #[must_use]
    pub const fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// Sets the lowest learning rate.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn least(mut self, rate: f64) -> Self {
        self.least = checked("Plateau: lowest learning rate", rate, Range::NonNegative);
        self
    }

    fn reduce(&mut self) {
        if let Some(rate) = &mut self.rate {
            let lower = (*rate * self.factor).max(self.least);
            if *rate - lower > LEAST_CHANGE {
                *rate = lower;
            }
        }
        self.cooling = self.cooldown;
        self.bad = 0;
    }
}

impl Default for Plateau {
    fn default() -> Self {
        Self::new()
    }
}

impl Schedule for Plateau {
    fn rate(&mut self, base: f64, _done: usize) -> f64 {
        *self.rate.get_or_insert(base)
    }

    fn observe(&mut self, loss: f64) {
        if loss < self.best * (1.0 - self.threshold) {
            self.best = loss;
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.bad = 0;
        }
        if self.bad > self.patience {
            self.reduce();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The losses of `scripts/schedules.py`.
    const LOSSES: [f64; 15] =
        [1.0, 0.9, 0.89995, 0.95, 0.9, 0.91, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6];

    #[track_caller]
    fn check(mut schedule: impl Schedule, expected: &[f64]) {
        for (done, (loss, expected)) in LOSSES.into_iter().zip(expected).enumerate() {
            let found = schedule.rate(0.8, done);
            assert!((found - expected).abs() < 1e-11, "{done}: found {found}, expected {expected}");
            schedule.observe(loss);
        }
    }

    // Expected values: scripts/schedules.py, PyTorch.
    #[test]
    fn falling_rates_agree_with_pytorch() {
        check(Constant::new(0.25, 3), &[0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.8]);
        check(StepDecay::new(3, 0.5), &[0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]);
        check(
            Exponential::new(0.9),
            &[0.8, 0.72, 0.648, 0.5832, 0.52488, 0.472392, 0.425_152_8, 0.382_637_52],
        );
    }

    #[test]
    fn milestones_agree_with_pytorch() {
        check(MultiStep::new(&[2, 3, 6], 0.5), &[0.8, 0.8, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1]);
        let sequential = Sequential::new(Constant::new(0.25, 9))
            .then(2, StepDecay::new(2, 0.5))
            .then(6, Exponential::new(0.9));
        check(sequential, &[0.2, 0.2, 0.8, 0.8, 0.4, 0.4, 0.8, 0.72]);
    }

    #[test]
    fn only_the_schedule_of_the_epoch_observes_its_loss() {
        let plateau = Plateau::new().factor(0.5).patience(0);
        let mut schedule = Sequential::new(plateau).then(2, plateau);
        let rates: Vec<f64> = (0..4)
            .map(|done| {
                let rate = schedule.rate(0.8, done);
                schedule.observe(if done < 3 { 1.0 } else { 2.0 });
                rate
            })
            .collect();
        assert_eq!(rates, [0.8, 0.8, 0.8, 0.8]);
        assert_eq!(schedule.rate(0.8, 4), 0.4);
    }

    #[test]
    #[should_panic(expected = "Sequential: milestone 3 is not allowed")]
    fn milestones_rise() {
        let _ = Sequential::new(Exponential::new(0.9))
            .then(3, Exponential::new(0.8))
            .then(3, Exponential::new(0.7));
    }

    #[test]
    fn cosines_agree_with_pytorch() {
        check(
            Cosine::new(8).least(0.1),
            &[
                0.8,
                0.773_357_836_379,
                0.697_487_373_415,
                0.583_939_201_328,
                0.45,
                0.316_060_798_672,
                0.202_512_626_585,
                0.126_642_163_621,
            ],
        );
        check(
            Cosine::new(8).warm_up(3, 0.25),
            &[
                0.2,
                0.4,
                0.6,
                0.8,
                0.723_606_797_75,
                0.523_606_797_75,
                0.276_393_202_25,
                0.076_393_202_25,
            ],
        );
    }

    #[test]
    fn one_cycle_agrees_with_pytorch() {
        check(
            OneCycle::new(0.5, 10),
            &[
                0.02,
                0.26,
                0.5,
                0.475_242_316_007,
                0.405_872_826_975,
                0.305_631_010_968,
                0.194_370_989_032,
                0.094_129_173_025,
            ],
        );
        check(
            OneCycle::new(0.5, 8).rising(0.5).div_factors(10.0, 100.0),
            &[0.05, 0.1625, 0.3875, 0.5, 0.426_849_918_601, 0.25025, 0.073_650_081_399, 0.0005],
        );
    }

    #[test]
    fn plateaus_agree_with_pytorch() {
        check(
            Plateau::new().factor(0.5).patience(1),
            &[0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.025],
        );
        check(
            Plateau::new().factor(0.25).patience(0).threshold(0.2).cooldown(1).least(0.02),
            &[0.8, 0.8, 0.2, 0.2, 0.05, 0.05, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02],
        );
    }

    #[test]
    fn a_cosine_stays_at_its_lowest_rate() {
        let mut cosine = Cosine::new(5).least(0.1);
        assert!((cosine.rate(0.8, 5) - 0.1).abs() < 1e-12);
        assert!((cosine.rate(0.8, 8) - 0.1).abs() < 1e-12);
    }
}
