//! [`RMSprop`]: PyTorch's `optim.RMSprop`.

use super::optimizer::{Divisible, Optimizer, TrainedRange, decimal, settings};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;

/// RMSprop (Hinton, 2012): steps are divided by the root of the running mean of squared gradients.
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
    const NAME: &str = "RMSprop";
    /// The names of its values in PyTorch.
    const SQUARE: &str = "square_avg";
    const VELOCITY: &str = "momentum_buffer";
    const MEAN: &str = "grad_avg";

    /// An optimiser with learning rate `rate`; PyTorch's default is 1e-2. Alpha is 0.99, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("RMSprop: learning rate", rate, Range::NonNegative),
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

    /// Sets the decay rate of the running mean of squared gradients.
    ///
    /// # Panics
    /// If `alpha` is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = checked("RMSprop: alpha", alpha, Range::Decay);
        self
    }

    /// Sets the term that is added to the root of the mean square, against division by zero.
    ///
    /// # Panics
    /// If `eps` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn eps(mut self, eps: f32) -> Self {
        self.eps = checked("RMSprop: eps", eps, Range::NonNegative);
        self
    }

    /// Adds `decay` times each weight to its gradient (L2 penalty).
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f32) -> Self {
        self.weight_decay = checked("RMSprop: weight decay", decay, Range::NonNegative);
        self
    }

    /// Sets the factor of the last step's velocity.
    ///
    /// # Panics
    /// If `momentum` is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = checked("RMSprop: momentum", momentum, Range::Decay);
        self
    }

    /// Divides by the root of the gradient's variance instead of its mean square.
    #[must_use]
    pub const fn centered(mut self) -> Self {
        self.centered = true;
        self
    }

    /// The rule of a step for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let Self { rate, alpha, eps, weight_decay, momentum, .. } = *self;
        move |range| Rule {
            rate: (rate * range.rate) as f32,
            alpha: alpha as f32,
            share: (1.0 - alpha) as f32,
            eps,
            decay: if range.decay { weight_decay } else { 0.0 },
            momentum,
        }
    }
}

impl Optimizer for RMSprop {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        let rule = self.rule();
        allocate(&mut self.square, weights.len(), 0.0);
        if !self.centered && self.momentum == 0.0 {
            let values = [weights, &mut self.square];
            return for_each_trained(values, gradient, trained, rule, |rule, [w, s], g| {
                update(rule, w, s, g);
            });
        }
        allocate(&mut self.velocity, weights.len(), 0.0);
        let (square, velocity) = (&mut self.square, &mut self.velocity);
        if !self.centered {
            let values = [weights, square, velocity];
            return for_each_trained(values, gradient, trained, rule, |rule, [w, s, v], g| {
                update_with_momentum(rule, w, s, v, g);
            });
        }
        allocate(&mut self.mean, weights.len(), 0.0);
        let values = [weights, square, velocity, &mut self.mean];
        for_each_trained(values, gradient, trained, rule, |rule, [w, s, v, m], g| {
            update_centered(rule, w, s, v, m, g);
        });
    }

    fn divisible(&self) -> Divisible {
        Divisible::ByElement
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("RMSprop: learning rate", rate, Range::NonNegative);
    }

    fn settings(&self) -> Vec<(String, f64)> {
        settings([
            ("alpha", self.alpha),
            ("eps", decimal(self.eps)),
            ("weight decay", decimal(self.weight_decay)),
            ("momentum", decimal(self.momentum)),
            ("centered", self.centered.into()),
        ])
    }

    fn state(&self) -> OptimizerState {
        OptimizerState::new(Self::NAME, 0)
            .with(Self::SQUARE, &self.square)
            .with(Self::VELOCITY, &self.velocity)
            .with(Self::MEAN, &self.mean)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        let Self { square, velocity, mean, .. } = self;
        let steps = if self.centered {
            let names = [Self::SQUARE, Self::VELOCITY, Self::MEAN];
            state.restore(Self::NAME, names, [square, velocity, mean])
        } else if self.momentum > 0.0 {
            let names = [Self::SQUARE, Self::VELOCITY];
            state.restore(Self::NAME, names, [square, velocity])
        } else {
            state.restore(Self::NAME, [Self::SQUARE], [square])
        };
        steps.map(drop)
    }
}

/// The constants of one step for one range of weights.
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
    /// Returns the gradient with weight decay, and the new mean of its square.
    #[inline(always)]
    fn moments(self, w: f32, square: f32, g: f32) -> [f32; 2] {
        let g = g + self.decay * w;
        [g, flush_tiny(self.alpha * square + self.share * g * g)]
    }

    /// Returns the new weight and velocity.
    #[inline(always)]
    fn advance(self, w: f32, velocity: f32, square: f32, g: f32) -> [f32; 2] {
        let velocity = flush_tiny(self.momentum * velocity + g / (square.sqrt() + self.eps));
        [w - self.rate * velocity, velocity]
    }
}

// All values of a weight are read before any is written, against 4K aliasing as in `Adam`.
dispatch! {
    fn update(rule: Rule, w: &mut [f32], square: &mut [f32], g: &[f32]) {
        for ((w, s), g) in w.iter_mut().zip(square).zip(g) {
            let [g, square] = rule.moments(*w, *s, *g);
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
            let [g, square] = rule.moments(*w, *s, *g);
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
            let [g, square] = rule.moments(*w, *s, *g);
            let mean = flush_tiny(*m + rule.share * (g - *m));
            // Rounding can make the difference negative, whose root is NaN.
            let variance = (square - mean * mean).max(0.0);
            let [advanced, velocity] = rule.advance(*w, *v, variance, g);
            (*w, *s, *v, *m) = (advanced, square, velocity, mean);
        }
    }
}
