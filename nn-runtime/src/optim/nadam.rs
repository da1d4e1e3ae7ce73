//! [`NAdam`]: PyTorch's `optim.NAdam`.

use super::optimizer::{Optimizer, TrainedRange};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;

/// Adam with Nesterov momentum (Dozat, 2016), whose momentum grows during the first steps.
#[derive(Clone, Debug)]
pub struct NAdam {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    decoupled: bool,
    momentum_decay: f64,
    steps: u64,
    /// The product of the momenta of all steps.
    product: f64,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl NAdam {
    const NAME: &str = "NAdam";
    /// The names of its values in PyTorch.
    const VALUES: [&str; 2] = ["exp_avg", "exp_avg_sq"];

    /// An optimiser with learning rate `rate`; PyTorch's default is 2e-3. Betas are 0.9 and 0.999, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("NAdam: learning rate", rate, Range::NonNegative),
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
            momentum_decay: 4e-3,
            steps: 0,
            product: 1.0,
            mean: Vec::new(),
            square: Vec::new(),
        }
    }

    /// Sets the decay rates of the running means of the gradient and of its square.
    ///
    /// # Panics
    /// If one is not a number of at least 0 and below 1.
    #[must_use]
    #[track_caller]
    pub fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (
            checked("NAdam: first beta", first, Range::Decay),
            checked("NAdam: second beta", second, Range::Decay),
        );
        self
    }

    /// Sets the term that is added to the root of the mean square, against division by zero.
    ///
    /// # Panics
    /// If `eps` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = checked("NAdam: eps", eps, Range::NonNegative);
        self
    }

    /// Adds `decay` times each weight to its gradient (L2 penalty).
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = checked("NAdam: weight decay", decay, Range::NonNegative);
        self
    }

    /// Shrinks the weights themselves instead of changing the gradient, as in [`AdamW`](super::AdamW):
    /// `decoupled_weight_decay=True`.
    #[must_use]
    pub const fn decoupled_weight_decay(mut self) -> Self {
        self.decoupled = true;
        self
    }

    /// Sets how fast the momentum grows.
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn momentum_decay(mut self, decay: f64) -> Self {
        self.momentum_decay = checked("NAdam: momentum decay", decay, Range::NonNegative);
        self
    }

    /// The momentum of step `step`.
    fn momentum(&self, step: u64) -> f64 {
        self.betas.0 * (1.0 - 0.5 * 0.96_f64.powf(step as f64 * self.momentum_decay))
    }

    /// The product of the momenta of the first `steps` steps.
    fn product_of(&self, steps: u64) -> f64 {
        (1..=steps).fold(1.0, |product, step| product * self.momentum(step))
    }

    /// The rule of step `self.steps` for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let Self { rate, betas: (beta1, beta2), eps, weight_decay, decoupled, product, .. } = *self;
        let [now, next] = [self.momentum(self.steps), self.momentum(self.steps + 1)];
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let root = (1.0 / (1.0 - beta2.powi(steps)).sqrt()) as f32;
        move |range| {
            let rate = rate * range.rate;
            let decay = if range.decay { weight_decay } else { 0.0 };
            let (decay, shrink) = if decoupled { (0.0, rate * decay) } else { (decay, 0.0) };
            Rule {
                decay: decay as f32,
                keep: (1.0 - shrink) as f32,
                share1: (1.0 - beta1) as f32,
                beta2: beta2 as f32,
                share2: (1.0 - beta2) as f32,
                of_gradient: (rate * (1.0 - now) / (1.0 - product)) as f32,
                of_mean: (rate * next / (1.0 - product * next)) as f32,
                root,
                eps: eps as f32,
            }
        }
    }
}

impl Optimizer for NAdam {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.steps += 1;
        self.product *= self.momentum(self.steps);
        let rule = self.rule();
        allocate(&mut self.mean, weights.len(), 0.0);
        allocate(&mut self.square, weights.len(), 0.0);
        let values = [weights, &mut self.mean, &mut self.square];
        for_each_trained(values, gradient, trained, rule, |rule, [w, m, s], g| {
            update(rule, w, m, s, g);
        });
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("NAdam: learning rate", rate, Range::NonNegative);
    }

    fn state(&self) -> OptimizerState {
        let [mean, square] = Self::VALUES;
        OptimizerState::new(Self::NAME, self.steps)
            .with(mean, &self.mean)
            .with(square, &self.square)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        let targets = [&mut self.mean, &mut self.square];
        self.steps = state.restore(Self::NAME, Self::VALUES, targets)?;
        self.product = self.product_of(self.steps);
        Ok(())
    }
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// The factor of the weight in its gradient (coupled decay).
    decay: f32,
    /// The factor of the weight itself (decoupled decay).
    keep: f32,
    /// `1 - beta1`, `beta2` and `1 - beta2`.
    share1: f32,
    beta2: f32,
    share2: f32,
    /// The learning rates of the gradient and of its mean, with their bias corrections.
    of_gradient: f32,
    of_mean: f32,
    /// The bias correction of the root of the mean square.
    root: f32,
    eps: f32,
}

// All values of a weight are read before any is written, against 4K aliasing as in `Adam`.
dispatch! {
    fn update(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let g = g + rule.decay * *w;
            let mean = flush_tiny(*m + rule.share1 * (g - *m));
            let square = flush_tiny(rule.beta2 * *s + rule.share2 * g * g);
            let direction = rule.of_gradient * g + rule.of_mean * mean;
            let advanced = *w * rule.keep - direction / (square.sqrt() * rule.root + rule.eps);
            (*w, *m, *s) = (advanced, mean, square);
        }
    }
}
