//! [`Adagrad`]: PyTorch's `optim.Adagrad`.

use super::{Optimizer, for_each_trained, prepare};
use crate::kernels::dispatch::dispatch;
use std::ops::Range;

/// Steps divided by the root of the sum of all squared gradients (Duchi and others, 2011): weights
/// that are rarely needed, such as those of rare words, take larger steps.
#[derive(Clone, Debug)]
pub struct Adagrad {
    rate: f64,
    lr_decay: f64,
    weight_decay: f32,
    initial_accumulator_value: f32,
    eps: f32,
    steps: u64,
    sum: Vec<f32>,
}

impl Adagrad {
    /// At this learning rate: 1e-2 is PyTorch's. Eps is 1e-10.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            steps: 0,
            sum: Vec::new(),
        }
    }

    /// By how much each step divides the learning rate more: by `1 + steps * decay`.
    #[must_use]
    pub const fn lr_decay(mut self, decay: f64) -> Self {
        self.lr_decay = decay;
        self
    }

    /// Adds this share of each weight to its gradient.
    #[must_use]
    pub const fn weight_decay(mut self, decay: f32) -> Self {
        self.weight_decay = decay;
        self
    }

    /// With which value the sum of squared gradients begins.
    #[must_use]
    pub const fn initial_accumulator_value(mut self, value: f32) -> Self {
        self.initial_accumulator_value = value;
        self
    }

    /// What is added to the root of the sum, so that nothing is divided by zero.
    #[must_use]
    pub const fn eps(mut self, eps: f32) -> Self {
        self.eps = eps;
        self
    }
}

impl Optimizer for Adagrad {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]) {
        let rule = Rule {
            rate: (self.rate / (1.0 + self.steps as f64 * self.lr_decay)) as f32,
            decay: self.weight_decay,
            eps: self.eps,
        };
        self.steps += 1;
        prepare(&mut self.sum, weights.len(), self.initial_accumulator_value);
        for_each_trained([weights, &mut self.sum], gradient, trained, |[w, s], g| {
            update(rule, w, s, g);
        });
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

/// What one step does to each weight.
#[derive(Clone, Copy, Debug)]
struct Rule {
    rate: f32,
    decay: f32,
    eps: f32,
}

dispatch! {
    fn update(rule: Rule, w: &mut [f32], sum: &mut [f32], g: &[f32]) {
        for ((w, s), g) in w.iter_mut().zip(sum).zip(g) {
            let g = g + rule.decay * *w;
            *s += g * g;
            *w -= rule.rate * g / (s.sqrt() + rule.eps);
        }
    }
}
