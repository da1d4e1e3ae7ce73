//! [`SGD`]: PyTorch's `optim.SGD`.

use super::optimizer::{Divisible, Optimizer, TrainedRange, UntouchedRows, decimal, settings};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;

/// Stochastic gradient descent, with optional momentum.
#[derive(Clone, Debug)]
pub struct SGD {
    rate: f64,
    settings: Settings,
    velocity: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    momentum: f32,
    dampening: f32,
    nesterov: bool,
    weight_decay: f32,
}

impl SGD {
    const NAME: &str = "SGD";
    /// The velocity's name in PyTorch.
    const VELOCITY: &str = "momentum_buffer";

    /// An optimiser with learning rate `rate`, without momentum and weight decay.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let rate = checked("SGD: learning rate", rate, Range::NonNegative);
        let settings =
            Settings { momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 };
        Self { rate, settings, velocity: Vec::new() }
    }

    /// Sets the factor of the last step's velocity.
    ///
    /// # Panics
    /// If `momentum` is not a number of at least 0 and below 1, or 0 after [`nesterov`](Self::nesterov).
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.settings.momentum = checked("SGD: momentum", momentum, Range::Decay);
        self.check_nesterov();
        self
    }

    /// Adds only `1 - dampening` times the gradient to the velocity.
    ///
    /// # Panics
    /// If `dampening` is not a number from 0 to 1, or not 0 after [`nesterov`](Self::nesterov).
    #[must_use]
    #[track_caller]
    pub fn dampening(mut self, dampening: f32) -> Self {
        self.settings.dampening = checked("SGD: dampening", dampening, Range::Fraction);
        self.check_nesterov();
        self
    }

    /// Nesterov momentum (Sutskever et al., 2013). Call [`momentum`](Self::momentum) first.
    ///
    /// # Panics
    /// Without momentum, or with dampening, as in PyTorch.
    #[must_use]
    #[track_caller]
    pub fn nesterov(mut self) -> Self {
        self.settings.nesterov = true;
        self.check_nesterov();
        self
    }

    #[track_caller]
    fn check_nesterov(&self) {
        let Settings { momentum, dampening, nesterov, .. } = self.settings;
        assert!(
            !nesterov || momentum > 0.0,
            "SGD: `nesterov` needs momentum: call `momentum` with a number above 0 before it"
        );
        assert!(
            !nesterov || dampening == 0.0,
            "SGD: dampening {dampening} is not allowed with `nesterov`: leave out `dampening`"
        );
    }

    /// Adds `decay` times each weight to its gradient (L2 penalty).
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f32) -> Self {
        self.settings.weight_decay = checked("SGD: weight decay", decay, Range::NonNegative);
        self
    }
}

impl Optimizer for SGD {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        let Self { rate, settings, velocity } = self;
        if settings.momentum == 0.0 {
            let rule = |range: &TrainedRange| Rule::new(*rate, *settings, range);
            return for_each_trained([weights], gradient, trained, rule, |rule, [w], g| {
                descend(w, g, rule);
            });
        }
        // As in PyTorch the first velocity is the gradient itself, without dampening.
        let dampening = if velocity.is_empty() { 0.0 } else { settings.dampening };
        let settings = Settings { dampening, ..*settings };
        allocate(velocity, weights.len(), 0.0);
        let rule = |range: &TrainedRange| Rule::new(*rate, settings, range);
        for_each_trained([weights, velocity], gradient, trained, rule, |rule, [w, v], g| {
            descend_with_momentum(w, v, g, rule);
        });
    }

    fn divisible(&self) -> Divisible {
        Divisible::ByElement
    }

    fn untouched_rows(&self) -> UntouchedRows {
        let Settings { momentum, weight_decay, .. } = self.settings;
        UntouchedRows::unchanged_if(momentum == 0.0 && weight_decay == 0.0)
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("SGD: learning rate", rate, Range::NonNegative);
    }

    fn settings(&self) -> Vec<(String, f64)> {
        settings([
            ("momentum", decimal(self.settings.momentum)),
            ("dampening", decimal(self.settings.dampening)),
            ("Nesterov momentum", self.settings.nesterov.into()),
            ("weight decay", decimal(self.settings.weight_decay)),
        ])
    }

    fn state(&self) -> OptimizerState {
        OptimizerState::new(Self::NAME, 0).with(Self::VELOCITY, &self.velocity)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        // Without momentum there is no velocity: that of a run with momentum is refused.
        if self.settings.momentum == 0.0 {
            return state.check(Self::NAME, &[]).map(drop);
        }
        state.restore(Self::NAME, [Self::VELOCITY], [&mut self.velocity]).map(drop)
    }
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    rate: f32,
    momentum: f32,
    share: f32,
    nesterov: bool,
    weight_decay: f32,
}

impl Rule {
    fn new(rate: f64, settings: Settings, range: &TrainedRange) -> Self {
        let Settings { momentum, dampening, nesterov, weight_decay } = settings;
        Self {
            rate: (rate * range.rate) as f32,
            momentum,
            share: 1.0 - dampening,
            nesterov,
            weight_decay: if range.decay { weight_decay } else { 0.0 },
        }
    }
}

dispatch! {
    fn descend(weights: &mut [f32], gradient: &[f32], rule: Rule) {
        for (w, g) in weights.iter_mut().zip(gradient) {
            *w -= rule.rate * (g + rule.weight_decay * *w);
        }
    }

    fn descend_with_momentum(
        weights: &mut [f32],
        velocity: &mut [f32],
        gradient: &[f32],
        rule: Rule,
    ) {
        for ((w, v), g) in weights.iter_mut().zip(velocity).zip(gradient) {
            let g = g + rule.weight_decay * *w;
            *v = flush_tiny(rule.momentum * *v + rule.share * g);
            let direction = if rule.nesterov { g + rule.momentum * *v } else { *v };
            *w -= rule.rate * direction;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SGD;

    #[test]
    #[should_panic(expected = "call `momentum` with a number above 0 before it")]
    fn nesterov_needs_momentum() {
        let _ = SGD::new(0.1).nesterov().momentum(0.9);
    }

    #[test]
    #[should_panic(expected = "SGD: dampening 0.5 is not allowed with `nesterov`")]
    fn nesterov_allows_no_dampening() {
        let _ = SGD::new(0.1).momentum(0.9).dampening(0.5).nesterov();
    }

    #[test]
    #[should_panic(expected = "SGD: dampening 0.5 is not allowed with `nesterov`")]
    fn the_order_of_calls_makes_no_difference() {
        let _ = SGD::new(0.1).momentum(0.9).nesterov().dampening(0.5);
    }
}
