//! Learning rates that change while a network learns: PyTorch's `optim.lr_scheduler`.
//!
//! A trainer asks before each epoch
//! ([`schedule_epochs`](crate::train::Trainer::schedule_epochs)) or before each step
//! ([`schedule_steps`](crate::train::Trainer::schedule_steps)).

use std::f64::consts::PI;

/// Which learning rate comes when.
pub trait Schedule {
    /// The learning rate of the next epoch, or the next step, after `done` of them. `base` is the one
    /// that the optimiser was made with.
    fn rate(&mut self, base: f64, done: usize) -> f64;

    /// Hears the loss of each epoch: on the validation data, or on the training data if there are none.
    fn observe(&mut self, loss: f64) {
        let _ = loss;
    }
}

/// A constant part of the learning rate at first, all of it from then on: `ConstantLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant {
    factor: f64,
    count: usize,
}

impl Constant {
    /// The learning rate times `factor` for the first `count`.
    #[must_use]
    pub const fn new(factor: f64, count: usize) -> Self {
        Self { factor, count }
    }
}

impl Schedule for Constant {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        if done < self.count { base * self.factor } else { base }
    }
}

/// Falls in steps: `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    every: usize,
    gamma: f64,
}

impl Step {
    /// Is multiplied with `gamma` after each `every`.
    ///
    /// # Panics
    /// When `every` is 0.
    #[must_use]
    pub const fn new(every: usize, gamma: f64) -> Self {
        assert!(every > 0, "a step takes at least one epoch");
        Self { every, gamma }
    }
}

impl Schedule for Step {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        base * self.gamma.powf((done / self.every) as f64)
    }
}

/// Falls by the same factor each time: `ExponentialLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    gamma: f64,
}

impl Exponential {
    /// Is multiplied with `gamma` each time.
    #[must_use]
    pub const fn new(gamma: f64) -> Self {
        Self { gamma }
    }
}

impl Schedule for Exponential {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        base * self.gamma.powf(done as f64)
    }
}

/// Half a wave of the cosine down (Loshchilov and Hutter, 2017), after a straight way up if wished:
/// `CosineAnnealingLR`, behind `LinearLR` in a `SequentialLR`. Stays at the end where it arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    total: usize,
    warm_up: usize,
    start_factor: f64,
    least: f64,
}

impl Cosine {
    /// Down to 0 after `total` epochs or steps, warm-up included.
    #[must_use]
    pub const fn new(total: usize) -> Self {
        Self { total, warm_up: 0, start_factor: 1.0, least: 0.0 }
    }

    /// Down to this learning rate.
    #[must_use]
    pub const fn least(mut self, rate: f64) -> Self {
        self.least = rate;
        self
    }

    /// Rises on a straight line first, for `count` epochs or steps, from `start_factor` times the learning
    /// rate.
    #[must_use]
    pub const fn warm_up(mut self, count: usize, start_factor: f64) -> Self {
        self.warm_up = count;
        self.start_factor = start_factor;
        self
    }
}

impl Schedule for Cosine {
    fn rate(&mut self, base: f64, done: usize) -> f64 {
        if done < self.warm_up {
            let share = done as f64 / self.warm_up as f64;
            return base * (self.start_factor + (1.0 - self.start_factor) * share);
        }
        let way = self.total.saturating_sub(self.warm_up).max(1);
        between(base, self.least, (done - self.warm_up).min(way) as f64 / way as f64)
    }
}

/// Up and, over a longer time, far down again (Smith and Topin, 2018), asked before each step:
/// `OneCycleLR`, in two phases along cosines. Momentum stays as it is. The optimiser's own learning rate
/// does not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    largest: f64,
    total: usize,
    share_up: f64,
    div_factor: f64,
    final_div_factor: f64,
}

impl OneCycle {
    /// Up to the learning rate `largest`; `total` steps in all, 30% of them on the way up. Begins at a
    /// 25th of it and ends at a 10000th of that.
    #[must_use]
    pub const fn new(largest: f64, total: usize) -> Self {
        Self { largest, total, share_up: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }

    /// The share of the steps on the way up, from 0 to 1.
    #[must_use]
    pub const fn share_up(mut self, share: f64) -> Self {
        self.share_up = share;
        self
    }

    /// What the largest learning rate is divided by at the beginning, and the first one at the end.
    #[must_use]
    pub const fn div_factors(mut self, first: f64, last: f64) -> Self {
        self.div_factor = first;
        self.final_div_factor = last;
        self
    }
}

impl Schedule for OneCycle {
    fn rate(&mut self, _base: f64, done: usize) -> f64 {
        let (first, now) = (self.largest / self.div_factor, done as f64);
        let (top, end) = (self.share_up * self.total as f64 - 1.0, self.total as f64 - 1.0);
        if now <= top {
            return between(first, self.largest, if top > 0.0 { now / top } else { 1.0 });
        }
        let last = first / self.final_div_factor;
        between(self.largest, last, ((now - top) / (end - top)).min(1.0))
    }
}

/// From `begin` (share 0) to `end` (share 1) along half a wave of the cosine.
fn between(begin: f64, end: f64, share: f64) -> f64 {
    end + (begin - end) / 2.0 * (1.0 + (PI * share).cos())
}

/// Falls where the loss no longer does: `ReduceLROnPlateau`. Asked before each epoch.
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

/// A learning rate that would fall by less stays.
const LEAST_CHANGE: f64 = 1e-8;

impl Plateau {
    /// A tenth of the learning rate after more than 10 epochs in which the loss did not fall by at least
    /// 0.01%.
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

    /// What the learning rate is multiplied with.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How many epochs in turn may be no better.
    #[must_use]
    pub const fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// By which share of the best loss so far a better one has to be below it.
    #[must_use]
    pub const fn threshold(mut self, share: f64) -> Self {
        self.threshold = share;
        self
    }

    /// For how many epochs after a fall nothing is counted.
    #[must_use]
    pub const fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// Not below this learning rate.
    #[must_use]
    pub const fn least(mut self, rate: f64) -> Self {
        self.least = rate;
        self
    }

    fn fall(&mut self) {
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
            self.fall();
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

    // Expected numbers: scripts/schedules.py, PyTorch.
    #[test]
    fn falling_rates_agree_with_pytorch() {
        check(Constant::new(0.25, 3), &[0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.8]);
        check(Step::new(3, 0.5), &[0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]);
        check(
            Exponential::new(0.9),
            &[0.8, 0.72, 0.648, 0.5832, 0.52488, 0.472392, 0.425_152_8, 0.382_637_52],
        );
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
            OneCycle::new(0.5, 8).share_up(0.5).div_factors(10.0, 100.0),
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
    fn a_cosine_stays_where_it_arrived() {
        let mut cosine = Cosine::new(5).least(0.1);
        assert!((cosine.rate(0.8, 5) - 0.1).abs() < 1e-12);
        assert!((cosine.rate(0.8, 8) - 0.1).abs() < 1e-12);
    }
}
