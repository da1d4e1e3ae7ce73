//! [`SGD`]: PyTorch's `optim.SGD`.

use super::{Optimizer, for_each_trained, prepare, without_rest};
use crate::kernels::dispatch::dispatch;
use std::ops::Range;

/// Stochastic gradient descent, with momentum if wished.
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
    /// Plain descent at this learning rate.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        let rule = Rule { momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 };
        Self { rate, rule, velocity: Vec::new() }
    }

    /// How much of the last step's velocity is kept.
    #[must_use]
    pub const fn momentum(mut self, momentum: f32) -> Self {
        self.rule.momentum = momentum;
        self
    }

    /// How much less of a gradient is added to the velocity.
    #[must_use]
    pub const fn dampening(mut self, dampening: f32) -> Self {
        self.rule.dampening = dampening;
        self
    }

    /// Looks ahead along the velocity (Sutskever and others, 2013).
    #[must_use]
    pub const fn nesterov(mut self) -> Self {
        self.rule.nesterov = true;
        self
    }

    /// Adds this share of each weight to its gradient.
    #[must_use]
    pub const fn weight_decay(mut self, decay: f32) -> Self {
        self.rule.weight_decay = decay;
        self
    }
}

impl Optimizer for SGD {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]) {
        let (rule, rate) = (self.rule, self.rate as f32);
        if rule.momentum == 0.0 {
            return for_each_trained([weights], gradient, trained, |[w], g| {
                descend(w, g, rate, rule)
            });
        }
        let first = self.velocity.is_empty();
        prepare(&mut self.velocity, weights.len(), 0.0);
        // The first velocity is the gradient itself, without dampening.
        let rule = Rule { dampening: if first { 0.0 } else { rule.dampening }, ..rule };
        for_each_trained([weights, &mut self.velocity], gradient, trained, |[w, v], g| {
            descend_with_momentum(w, v, g, rate, rule);
        });
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
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
            *v = without_rest(rule.momentum * *v + share * g);
            let direction = if rule.nesterov { g + rule.momentum * *v } else { *v };
            *w -= rate * direction;
        }
    }
}
