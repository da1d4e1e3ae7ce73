//! [`RMSprop`]: PyTorch's `optim.RMSprop`.

use super::{Optimizer, for_each_trained, prepare, without_rest};
use crate::kernels::dispatch::dispatch;
use std::ops::Range;

/// Steps divided by the root of the gradient's mean square (Hinton, 2012).
#[derive(Clone, Debug)]
pub struct RMSprop {
    rate: f64,
    alpha: f64,
    eps: f32,
    weight_decay: f32,
    momentum: f32,
    centered: bool,
    square: Vec<f32>,
    mean: Vec<f32>,
    velocity: Vec<f32>,
}

impl RMSprop {
    /// At this learning rate: 1e-2 is PyTorch's. Alpha is 0.99, eps 1e-8.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            square: Vec::new(),
            mean: Vec::new(),
            velocity: Vec::new(),
        }
    }

    /// How slowly the mean of the gradient's square follows.
    #[must_use]
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// What is added to the root of the square, so that nothing is divided by zero.
    #[must_use]
    pub const fn eps(mut self, eps: f32) -> Self {
        self.eps = eps;
        self
    }

    /// Adds this share of each weight to its gradient.
    #[must_use]
    pub const fn weight_decay(mut self, decay: f32) -> Self {
        self.weight_decay = decay;
        self
    }

    /// How much of the last step's velocity is kept.
    #[must_use]
    pub const fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// Divides by the root of the gradient's variance instead: without its mean's square.
    #[must_use]
    pub const fn centered(mut self) -> Self {
        self.centered = true;
        self
    }

    fn rule(&self) -> Rule {
        Rule {
            rate: self.rate as f32,
            alpha: self.alpha as f32,
            share: (1.0 - self.alpha) as f32,
            eps: self.eps,
            decay: self.weight_decay,
            momentum: self.momentum,
        }
    }
}

impl Optimizer for RMSprop {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]) {
        let rule = self.rule();
        prepare(&mut self.square, weights.len(), 0.0);
        if !self.centered && self.momentum == 0.0 {
            return for_each_trained(
                [weights, &mut self.square],
                gradient,
                trained,
                |[w, s], g| {
                    update(rule, w, s, g);
                },
            );
        }
        prepare(&mut self.velocity, weights.len(), 0.0);
        let (square, velocity) = (&mut self.square, &mut self.velocity);
        if !self.centered {
            let values = [weights, square, velocity];
            return for_each_trained(values, gradient, trained, |[w, s, v], g| {
                update_with_momentum(rule, w, s, v, g);
            });
        }
        prepare(&mut self.mean, weights.len(), 0.0);
        let values = [weights, square, velocity, &mut self.mean];
        for_each_trained(values, gradient, trained, |[w, s, v, m], g| {
            update_centered(rule, w, s, v, m, g);
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
    /// `alpha` and `1 - alpha`.
    alpha: f32,
    share: f32,
    eps: f32,
    decay: f32,
    momentum: f32,
}

impl Rule {
    /// The gradient with weight decay, and the mean of its square.
    #[inline(always)]
    fn learn(self, w: f32, square: f32, g: f32) -> [f32; 2] {
        let g = g + self.decay * w;
        [g, without_rest(self.alpha * square + self.share * g * g)]
    }

    /// The new weight and velocity.
    #[inline(always)]
    fn advance(self, w: f32, velocity: f32, square: f32, g: f32) -> [f32; 2] {
        let velocity = without_rest(self.momentum * velocity + g / (square.sqrt() + self.eps));
        [w - self.rate * velocity, velocity]
    }
}

// All of a weight's numbers are read before any is written, as in `Adam`.
dispatch! {
    fn update(rule: Rule, w: &mut [f32], square: &mut [f32], g: &[f32]) {
        for ((w, s), g) in w.iter_mut().zip(square).zip(g) {
            let [g, square] = rule.learn(*w, *s, *g);
            let advanced = *w - rule.rate * g / (square.sqrt() + rule.eps);
            (*w, *s) = (advanced, square);
        }
    }

    fn update_with_momentum(
        rule: Rule,
        w: &mut [f32],
        square: &mut [f32],
        velocity: &mut [f32],
        g: &[f32],
    ) {
        for (((w, s), v), g) in w.iter_mut().zip(square).zip(velocity).zip(g) {
            let [g, square] = rule.learn(*w, *s, *g);
            let [advanced, velocity] = rule.advance(*w, *v, square, g);
            (*w, *s, *v) = (advanced, square, velocity);
        }
    }

    fn update_centered(
        rule: Rule,
        w: &mut [f32],
        square: &mut [f32],
        velocity: &mut [f32],
        mean: &mut [f32],
        g: &[f32],
    ) {
        for ((((w, s), v), m), g) in w.iter_mut().zip(square).zip(velocity).zip(mean).zip(g) {
            let [g, square] = rule.learn(*w, *s, *g);
            let mean = without_rest(*m + rule.share * (g - *m));
            // Rounding must not make a variance negative.
            let variance = (square - mean * mean).max(0.0);
            let [advanced, velocity] = rule.advance(*w, *v, variance, g);
            (*w, *s, *v, *m) = (advanced, square, velocity, mean);
        }
    }
}
