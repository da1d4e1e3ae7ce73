//! [`Moments`]: what Adam and its variants have in common.

use super::optimizer::{TrainedRange, settings};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny};
use crate::hyper::{Range, checked};
use crate::kernels::{Lanes, mul_add};

/// The settings of Adam and its variants, and their state: running means of the gradient and of its square.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub(super) settings: Settings,
    pub(super) steps: u64,
    pub(super) mean: Vec<f32>,
    pub(super) square: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The name of the optimiser.
    pub(super) name: &'static str,
    pub(super) rate: f64,
    pub(super) betas: (f64, f64),
    pub(super) eps: f64,
    pub(super) weight_decay: f64,
    pub(super) decay: Decay,
}

/// What weight decay changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decay {
    /// The gradient (L2 penalty).
    Gradient,
    /// The weights themselves: decoupled decay.
    Weights,
    /// The step, by the optimiser itself.
    Step,
}

impl Moments {
    /// The names of both means in PyTorch.
    pub(super) const VALUES: [&str; 2] = ["exp_avg", "exp_avg_sq"];

    /// Betas are 0.9 and 0.999, eps is 1e-8, weight decay 0.
    #[track_caller]
    pub(super) fn new(name: &'static str, rate: f64, decay: Decay) -> Self {
        let rate = checked(format_args!("{name}: learning rate"), rate, Range::NonNegative);
        let (betas, eps, weight_decay) = ((0.9, 0.999), 1e-8, 0.0);
        let settings = Settings { name, rate, betas, eps, weight_decay, decay };
        Self { settings, steps: 0, mean: Vec::new(), square: Vec::new() }
    }

    /// Begins a step on `len` weights.
    pub(super) fn begin_step(&mut self, len: usize) {
        // A damaged file may have any number of steps.
        self.steps = self.steps.saturating_add(1);
        allocate(&mut self.mean, len, 0.0);
        allocate(&mut self.square, len, 0.0);
    }

    /// The number of steps as an exponent.
    pub(super) fn exponent(&self) -> i32 {
        i32::try_from(self.steps).unwrap_or(i32::MAX)
    }

    /// What a mean of ones, which starts at zero, would be after all steps: means are divided by it.
    pub(super) fn corrections(&self) -> [f64; 2] {
        let (steps, (first, second)) = (self.exponent(), self.settings.betas);
        [1.0 - first.powi(steps), 1.0 - second.powi(steps)]
    }

    pub(super) fn state(&self) -> OptimizerState {
        let [mean, square] = Self::VALUES;
        OptimizerState::new(self.settings.name, self.steps)
            .with(mean, &self.mean)
            .with(square, &self.square)
    }

    pub(super) fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        let targets = [&mut self.mean, &mut self.square];
        self.steps = state.restore(self.settings.name, Self::VALUES, targets)?;
        Ok(())
    }
}

impl Settings {
    /// Returns `value` if the setting may have it.
    #[track_caller]
    pub(super) fn checked(&self, setting: &str, value: f64, range: Range) -> f64 {
        checked(format_args!("{}: {setting}", self.name), value, range)
    }

    /// The constants of one step for a range of weights.
    pub(super) fn rule(&self, range: &TrainedRange) -> MomentRule {
        let decay = if range.decay { self.weight_decay } else { 0.0 };
        let (of_gradient, of_weights) = match self.decay {
            Decay::Gradient => (decay, 0.0),
            Decay::Weights => (0.0, self.rate * range.rate * decay),
            Decay::Step => (0.0, 0.0),
        };
        MomentRule {
            decay: of_gradient as f32,
            keep: (1.0 - of_weights) as f32,
            share1: (1.0 - self.betas.0) as f32,
            beta2: self.betas.1 as f32,
            share2: (1.0 - self.betas.1) as f32,
            eps: self.eps as f32,
        }
    }

    /// The names and values of all but the learning rate.
    pub(super) fn listed(&self) -> Vec<(String, f64)> {
        let decoupled = f64::from(self.decay == Decay::Weights);
        settings([
            ("first beta", self.betas.0),
            ("second beta", self.betas.1),
            ("eps", self.eps),
            ("weight decay", self.weight_decay),
            ("decoupled weight decay", decoupled),
        ])
    }
}

/// The constants of the running means, and of weight decay, for one range of weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct MomentRule {
    /// The factor of the weight in its gradient.
    decay: f32,
    /// The factor of the weight itself.
    keep: f32,
    /// `1 - beta1`, `beta2` and `1 - beta2`.
    share1: f32,
    beta2: f32,
    share2: f32,
    pub(super) eps: f32,
}

/// A weight in a step.
pub(super) struct Moment {
    /// The weight after decay.
    pub(super) weight: f32,
    /// Its gradient, with weight decay.
    pub(super) gradient: f32,
    /// The new means.
    pub(super) mean: f32,
    pub(super) square: f32,
}

impl MomentRule {
    /// The new means for a weight with the gradient `g`.
    #[inline(always)]
    pub(super) fn moment<L: Lanes>(self, weight: f32, mean: f32, square: f32, g: f32) -> Moment {
        let gradient = mul_add::<L>(self.decay, weight, g);
        let mean = flush_tiny(mul_add::<L>(self.share1, gradient - mean, mean));
        let square =
            flush_tiny(mul_add::<L>(self.share2 * gradient, gradient, self.beta2 * square));
        Moment { weight: weight * self.keep, gradient, mean, square }
    }
}

/// The settings that Adam and its variants have in common, of a type with [`Moments`].
macro_rules! moment_settings {
    () => {
        /// Sets the decay rates of the running means of the gradient and of its square.
        ///
        /// # Panics
        /// If one is not a number of at least 0 and below 1.
        #[must_use]
        #[track_caller]
        pub fn betas(mut self, first: f64, second: f64) -> Self {
            let settings = &mut self.moments.settings;
            let first = settings.checked("first beta", first, $crate::hyper::Range::Decay);
            let second = settings.checked("second beta", second, $crate::hyper::Range::Decay);
            settings.betas = (first, second);
            self
        }

        /// Sets the term that is added to the root of the mean square, against division by zero.
        ///
        /// # Panics
        /// If `eps` is not a finite number of at least 0.
        #[must_use]
        #[track_caller]
        pub fn eps(mut self, eps: f64) -> Self {
            let settings = &mut self.moments.settings;
            settings.eps = settings.checked("eps", eps, $crate::hyper::Range::NonNegative);
            self
        }

        /// Sets the weight decay, which pulls weights towards zero.
        ///
        /// # Panics
        /// If `decay` is not a finite number of at least 0.
        #[must_use]
        #[track_caller]
        pub fn weight_decay(mut self, decay: f64) -> Self {
            let (settings, range) = (&mut self.moments.settings, $crate::hyper::Range::NonNegative);
            settings.weight_decay = settings.checked("weight decay", decay, range);
            self
        }
    };
}

/// The methods of [`Optimizer`](super::Optimizer) for the learning rate, of a type with [`Moments`].
macro_rules! moment_rate {
    () => {
        fn learning_rate(&self) -> f64 {
            self.moments.settings.rate
        }

        #[track_caller]
        fn set_learning_rate(&mut self, rate: f64) {
            let (settings, range) = (&mut self.moments.settings, $crate::hyper::Range::NonNegative);
            settings.rate = settings.checked("learning rate", rate, range);
        }
    };
}

pub(super) use {moment_rate, moment_settings};
