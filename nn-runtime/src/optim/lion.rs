//! [`Lion`], which PyTorch does not have.

use super::optimizer::{Divisible, Optimizer, TrainedRange, settings};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;

/// Evolved sign momentum (Chen et al., 2023): each weight moves by the learning rate, in the direction of a mean of its
/// gradients. It needs half of Adam's memory, a learning rate 3 to 10 times smaller, and a weight decay as much larger.
///
/// Weight decay is decoupled, as in [`AdamW`](super::AdamW); its default is 0.
#[derive(Clone, Debug)]
pub struct Lion {
    rate: f64,
    betas: (f64, f64),
    weight_decay: f64,
    mean: Vec<f32>,
}

impl Lion {
    const NAME: &str = "Lion";
    /// The name of the mean, that of Adam's in PyTorch.
    const MEAN: &str = "exp_avg";

    /// An optimiser with learning rate `rate`; the paper's default is 1e-4. Betas are 0.9 and 0.99.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("Lion: learning rate", rate, Range::NonNegative),
            betas: (0.9, 0.99),
            weight_decay: 0.0,
            mean: Vec::new(),
        }
    }

    /// Sets the weight of the running mean in the direction of a step, and the decay rate of the mean.
    ///
    /// # Panics
    /// If one is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (
            checked("Lion: first beta", first, Range::Decay),
            checked("Lion: second beta", second, Range::Decay),
        );
        self
    }

    /// Sets the weight decay, which pulls weights towards zero.
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = checked("Lion: weight decay", decay, Range::NonNegative);
        self
    }
}

impl Optimizer for Lion {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        let Self { rate, betas: (beta1, beta2), weight_decay, .. } = *self;
        let rule = |range: &TrainedRange| {
            let rate = rate * range.rate;
            let decay = if range.decay { weight_decay } else { 0.0 };
            Rule {
                rate: rate as f32,
                keep: (1.0 - rate * decay) as f32,
                share1: (1.0 - beta1) as f32,
                share2: (1.0 - beta2) as f32,
            }
        };
        allocate(&mut self.mean, weights.len(), 0.0);
        let values = [weights, &mut self.mean];
        for_each_trained(values, gradient, trained, rule, |rule, [w, m], g| update(rule, w, m, g));
    }

    fn divisible(&self) -> Divisible {
        Divisible::ByElement
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("Lion: learning rate", rate, Range::NonNegative);
    }

    fn settings(&self) -> Vec<(String, f64)> {
        settings([
            ("first beta", self.betas.0),
            ("second beta", self.betas.1),
            ("weight decay", self.weight_decay),
        ])
    }

    fn state(&self) -> OptimizerState {
        OptimizerState::new(Self::NAME, 0).with(Self::MEAN, &self.mean)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        state.restore(Self::NAME, [Self::MEAN], [&mut self.mean]).map(drop)
    }
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    rate: f32,
    /// The factor of the weight itself (decoupled decay).
    keep: f32,
    /// `1 - beta1` and `1 - beta2`.
    share1: f32,
    share2: f32,
}

/// The sign of `x`; 0 for 0, unlike [`f32::signum`], so that weights without gradient stay.
#[inline(always)]
fn sign(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

dispatch! {
    fn update(rule: Rule, w: &mut [f32], mean: &mut [f32], g: &[f32]) {
        for ((w, m), g) in w.iter_mut().zip(mean).zip(g) {
            let direction = sign(*m + rule.share1 * (g - *m));
            let mean = flush_tiny(*m + rule.share2 * (g - *m));
            (*w, *m) = (*w * rule.keep - rule.rate * direction, mean);
        }
    }
}
