//! [`SGD`]: PyTorch's `optim.SGD`.

use super::optimizer::Optimizer;
use super::update::{flush_tiny, for_each_trained, prepare};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;
use std::ops;

/// Stochastic gradient descent, with optional momentum.
#[derive(Clone, Debug)]
pub struct SGD {
    rate: f64,
    rule: Rule,
    velocity: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    momentum: f32,
    dampening: f32,
    nesterov: bool,
    weight_decay: f32,
}

impl SGD {
    /// An optimiser with learning rate `rate`, without momentum and weight decay.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let rate = checked("SGD: learning rate", rate, Range::NonNegative);
        let rule = Rule { momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 };
        Self { rate, rule, velocity: Vec::new() }
    }

    /// Sets the factor of the last step's velocity.
    ///
    /// # Panics
    /// If `momentum` is not a number of at least 0 and below 1, or 0 after [`nesterov`](Self::nesterov).
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.rule.momentum = checked("SGD: momentum", momentum, Range::Decay);
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
        self.rule.dampening = checked("SGD: dampening", dampening, Range::Fraction);
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
        self.rule.nesterov = true;
        self.check_nesterov();
        self
    }

    #[track_caller]
    fn check_nesterov(&self) {
        let Rule { momentum, dampening, nesterov, .. } = self.rule;
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
        self.rule.weight_decay = checked("SGD: weight decay", decay, Range::NonNegative);
        self
    }
}

impl Optimizer for SGD {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[ops::Range<usize>]) {
        let (rule, rate) = (self.rule, self.rate as f32);
        if rule.momentum == 0.0 {
            return for_each_trained([weights], gradient, trained, |[w], g| {
                descend(w, g, rate, rule)
            });
        }
        let first = self.velocity.is_empty();
        prepare(&mut self.velocity, weights.len(), 0.0);
        // As in PyTorch the first velocity is the gradient itself, without dampening.
        let rule = Rule { dampening: if first { 0.0 } else { rule.dampening }, ..rule };
        for_each_trained([weights, &mut self.velocity], gradient, trained, |[w, v], g| {
            descend_with_momentum(w, v, g, rate, rule);
        });
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("SGD: learning rate", rate, Range::NonNegative);
    }
}

dispatch! {
    fn descend(weights: &mut [f32], gradient: &[f32], rate: f32, rule: Rule) {
        for (w, g) in weights.iter_mut().zip(gradient) {
            *w -= rate * (g + rule.weight_decay * *w);
        }
    }

    fn descend_with_momentum(
        weights: &mut [f32],
        velocity: &mut [f32],
        gradient: &[f32],
        rate: f32,
        rule: Rule,
    ) {
        let share = 1.0 - rule.dampening;
        for ((w, v), g) in weights.iter_mut().zip(velocity).zip(gradient) {
            let g = g + rule.weight_decay * *w;
            *v = flush_tiny(rule.momentum * *v + share * g);
            let direction = if rule.nesterov { g + rule.momentum * *v } else { *v };
            *w -= rate * direction;
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
