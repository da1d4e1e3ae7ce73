//! [`Adagrad`]: PyTorch's `optim.Adagrad`.

use super::optimizer::{Divisible, Optimizer, TrainedRange, UntouchedRows, decimal, settings};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;

/// Adagrad (Duchi et al., 2011): steps are divided by the root of the sum of all squared gradients, so that weights
/// with rare gradients, such as the embeddings of rare words, take larger steps.
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
    const NAME: &str = "Adagrad";
    /// The sum's name in PyTorch.
    const SUM: &str = "sum";

    /// An optimiser with learning rate `rate`; PyTorch's default is 1e-2. Eps is 1e-10.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("Adagrad: learning rate", rate, Range::NonNegative),
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            steps: 0,
            sum: Vec::new(),
        }
    }

    /// Divides the learning rate by `1 + steps * decay`.
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn lr_decay(mut self, decay: f64) -> Self {
        self.lr_decay = checked("Adagrad: learning rate decay", decay, Range::NonNegative);
        self
    }

    /// Adds `decay` times each weight to its gradient (L2 penalty).
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f32) -> Self {
        self.weight_decay = checked("Adagrad: weight decay", decay, Range::NonNegative);
        self
    }

    /// Sets the initial value of the sum of squared gradients.
    ///
    /// # Panics
    /// If `value` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn initial_accumulator_value(mut self, value: f32) -> Self {
        let name = "Adagrad: initial accumulator value";
        self.initial_accumulator_value = checked(name, value, Range::NonNegative);
        self
    }

    /// Sets the term that is added to the root of the sum, against division by zero.
    ///
    /// # Panics
    /// If `eps` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn eps(mut self, eps: f32) -> Self {
        self.eps = checked("Adagrad: eps", eps, Range::NonNegative);
        self
    }
}

impl Optimizer for Adagrad {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        let rate = self.rate / (1.0 + self.steps as f64 * self.lr_decay);
        let (decay, eps) = (self.weight_decay, self.eps);
        let rule = |range: &TrainedRange| Rule {
            rate: (rate * range.rate) as f32,
            decay: if range.decay { decay } else { 0.0 },
            eps,
        };
        self.steps = self.steps.saturating_add(1);
        allocate(&mut self.sum, weights.len(), self.initial_accumulator_value);
        let values = [weights, &mut self.sum];
        for_each_trained(values, gradient, trained, rule, |rule, [w, s], g| {
            update(rule, w, s, g);
        });
    }

    fn divisible(&self) -> Divisible {
        Divisible::ByElement
    }

    fn untouched_rows(&self) -> UntouchedRows {
        // With an eps of 0, the step of a weight without a gradient may be 0 / 0.
        UntouchedRows::unchanged_if(self.weight_decay == 0.0 && self.eps > 0.0)
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("Adagrad: learning rate", rate, Range::NonNegative);
    }

    fn settings(&self) -> Vec<(String, f64)> {
        settings([
            ("learning rate decay", self.lr_decay),
            ("eps", decimal(self.eps)),
            ("weight decay", decimal(self.weight_decay)),
            ("initial accumulator", decimal(self.initial_accumulator_value)),
        ])
    }

    fn state(&self) -> OptimizerState {
        OptimizerState::new(Self::NAME, self.steps).with(Self::SUM, &self.sum)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.steps = state.restore(Self::NAME, [Self::SUM], [&mut self.sum])?;
        Ok(())
    }
}

/// The constants of one step for one range of weights.
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
