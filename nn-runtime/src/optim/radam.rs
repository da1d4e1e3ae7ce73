//! [`RAdam`]: PyTorch's `optim.RAdam`.

use super::optimizer::{Optimizer, TrainedRange};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;

/// Rectified Adam (Liu et al., 2020): the first steps, whose mean square is uncertain, are those of SGD with momentum,
/// so that no warm-up of the learning rate is needed.
#[derive(Clone, Debug)]
pub struct RAdam {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    decoupled: bool,
    steps: u64,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl RAdam {
    const NAME: &str = "RAdam";
    /// The names of its values in PyTorch.
    const VALUES: [&str; 2] = ["exp_avg", "exp_avg_sq"];

    /// An optimiser with learning rate `rate`; PyTorch's default is 1e-3. Betas are 0.9 and 0.999, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("RAdam: learning rate", rate, Range::NonNegative),
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
            steps: 0,
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
            checked("RAdam: first beta", first, Range::Decay),
            checked("RAdam: second beta", second, Range::Decay),
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
        self.eps = checked("RAdam: eps", eps, Range::NonNegative);
        self
    }

    /// Adds `decay` times each weight to its gradient (L2 penalty).
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = checked("RAdam: weight decay", decay, Range::NonNegative);
        self
    }

    /// Shrinks the weights themselves instead of changing the gradient, as in [`AdamW`](super::AdamW):
    /// `decoupled_weight_decay=True`.
    #[must_use]
    pub const fn decoupled_weight_decay(mut self) -> Self {
        self.decoupled = true;
        self
    }

    /// The factor that corrects the variance of the adaptive rate at step `steps`; `None` while the variance is
    /// unknown.
    fn rectification(&self, steps: i32) -> Option<f64> {
        let beta2 = self.betas.1;
        // The length of the simple moving average that approximates the exponential one; `limit` is that after many
        // steps.
        let limit = 2.0 / (1.0 - beta2) - 1.0;
        let power = beta2.powi(steps);
        let length = limit - 2.0 * f64::from(steps) * power / (1.0 - power);
        let ratio =
            (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
        (length > 5.0).then(|| ratio.sqrt())
    }

    /// The rule of step `self.steps` for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let Self { rate, betas: (beta1, beta2), eps, weight_decay, decoupled, .. } = *self;
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let correction = 1.0 - beta1.powi(steps);
        let rectification = self.rectification(steps);
        let root = (1.0 - beta2.powi(steps)).sqrt();
        move |range| {
            let rate = rate * range.rate;
            let decay = if range.decay { weight_decay } else { 0.0 };
            let (decay, shrink) = if decoupled { (0.0, rate * decay) } else { (decay, 0.0) };
            let step = rate / correction;
            Rule {
                decay: decay as f32,
                keep: (1.0 - shrink) as f32,
                share1: (1.0 - beta1) as f32,
                beta2: beta2 as f32,
                share2: (1.0 - beta2) as f32,
                plain: if rectification.is_none() { step as f32 } else { 0.0 },
                adaptive: rectification.map_or(0.0, |factor| (step * factor * root) as f32),
                eps: eps as f32,
            }
        }
    }
}

impl Optimizer for RAdam {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.steps += 1;
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
        self.rate = checked("RAdam: learning rate", rate, Range::NonNegative);
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
    /// The factors of the mean, and of the mean over the root of the mean square. One of them is 0.
    plain: f32,
    adaptive: f32,
    eps: f32,
}

// All values of a weight are read before any is written, against 4K aliasing as in `Adam`.
dispatch! {
    fn update(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let g = g + rule.decay * *w;
            let mean = flush_tiny(*m + rule.share1 * (g - *m));
            let square = flush_tiny(rule.beta2 * *s + rule.share2 * g * g);
            let factor = rule.plain + rule.adaptive / (square.sqrt() + rule.eps);
            let advanced = *w * rule.keep - factor * mean;
            (*w, *m, *s) = (advanced, mean, square);
        }
    }
}
