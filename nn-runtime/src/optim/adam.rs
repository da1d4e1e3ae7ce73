//! [`Adam`] and [`AdamW`]: PyTorch's `optim.Adam` and `optim.AdamW`.

use super::optimizer::{Optimizer, TrainedRange};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;
use crate::kernels::{Lanes, mul_add};

/// Adam, adaptive moment estimation (Kingma and Ba, 2015). Weight decay is added to the gradient; its default is 0.
pub type Adam = AdamLike<false>;

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), which shrinks the weights themselves; its default
/// is 0.01.
pub type AdamW = AdamLike<true>;

/// [`Adam`] and [`AdamW`], which differ only in their weight decay.
#[derive(Clone, Debug)]
pub struct AdamLike<const DECOUPLED: bool> {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    amsgrad: bool,
    steps: u64,
    mean: Vec<f32>,
    square: Vec<f32>,
    largest_square: Vec<f32>,
}

impl<const DECOUPLED: bool> AdamLike<DECOUPLED> {
    const NAME: &str = if DECOUPLED { "AdamW" } else { "Adam" };
    /// The names of its values in PyTorch.
    const MEAN: &str = "exp_avg";
    const SQUARE: &str = "exp_avg_sq";
    const LARGEST_SQUARE: &str = "max_exp_avg_sq";
    const RATE: &str = if DECOUPLED { "AdamW: learning rate" } else { "Adam: learning rate" };
    const BETAS: [&str; 2] = if DECOUPLED {
        ["AdamW: first beta", "AdamW: second beta"]
    } else {
        ["Adam: first beta", "Adam: second beta"]
    };
    const EPS: &str = if DECOUPLED { "AdamW: eps" } else { "Adam: eps" };
    const DECAY: &str = if DECOUPLED { "AdamW: weight decay" } else { "Adam: weight decay" };

    /// An optimiser with learning rate `rate`; 1e-3 is a common first choice. Betas are 0.9 and 0.999, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked(Self::RATE, rate, Range::NonNegative),
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: if DECOUPLED { 0.01 } else { 0.0 },
            amsgrad: false,
            steps: 0,
            mean: Vec::new(),
            square: Vec::new(),
            largest_square: Vec::new(),
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
            checked(Self::BETAS[0], first, Range::Decay),
            checked(Self::BETAS[1], second, Range::Decay),
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
        self.eps = checked(Self::EPS, eps, Range::NonNegative);
        self
    }

    /// Sets the weight decay, which pulls weights towards zero.
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = checked(Self::DECAY, decay, Range::NonNegative);
        self
    }

    /// Divides by the largest mean square so far (`AMSGrad`; Reddi et al., 2018).
    #[must_use]
    pub const fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
        self
    }

    /// The rule of step `self.steps` for each range of weights, with the bias corrections of both means folded in.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<DECOUPLED> {
        let Self { rate, betas: (beta1, beta2), eps, weight_decay, .. } = *self;
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let correction = 1.0 - beta1.powi(steps);
        let root = (1.0 / (1.0 - beta2.powi(steps)).sqrt()) as f32;
        move |range| {
            let rate = rate * range.rate;
            let decay = if range.decay { weight_decay } else { 0.0 };
            let (decay, shrink) = if DECOUPLED { (0.0, rate * decay) } else { (decay, 0.0) };
            Rule {
                decay: decay as f32,
                keep: (1.0 - shrink) as f32,
                share1: (1.0 - beta1) as f32,
                beta2: beta2 as f32,
                share2: (1.0 - beta2) as f32,
                step: (rate / correction) as f32,
                root,
                eps: eps as f32,
            }
        }
    }
}

impl<const DECOUPLED: bool> Optimizer for AdamLike<DECOUPLED> {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.steps += 1;
        let rule = self.rule();
        allocate(&mut self.mean, weights.len(), 0.0);
        allocate(&mut self.square, weights.len(), 0.0);
        let (mean, square) = (&mut self.mean, &mut self.square);
        if !self.amsgrad {
            return for_each_trained(
                [weights, mean, square],
                gradient,
                trained,
                rule,
                |rule, [w, m, s], g| {
                    update(rule, w, m, s, g);
                },
            );
        }
        allocate(&mut self.largest_square, weights.len(), 0.0);
        let values = [weights, mean, square, &mut self.largest_square];
        for_each_trained(values, gradient, trained, rule, |rule, [w, m, s, l], g| {
            update_amsgrad(rule, w, m, s, l, g);
        });
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked(Self::RATE, rate, Range::NonNegative);
    }

    fn state(&self) -> OptimizerState {
        OptimizerState::new(Self::NAME, self.steps)
            .with(Self::MEAN, &self.mean)
            .with(Self::SQUARE, &self.square)
            .with(Self::LARGEST_SQUARE, &self.largest_square)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        let Self { mean, square, largest_square, .. } = self;
        self.steps = if self.amsgrad {
            let names = [Self::MEAN, Self::SQUARE, Self::LARGEST_SQUARE];
            state.restore(Self::NAME, names, [mean, square, largest_square])?
        } else {
            state.restore(Self::NAME, [Self::MEAN, Self::SQUARE], [mean, square])?
        };
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
    /// The learning rate with the bias correction of the mean, which starts at zero.
    step: f32,
    /// The same correction for the root of the mean square.
    root: f32,
    eps: f32,
}

impl Rule {
    /// Returns the weight after decoupled decay, and the new means of its gradient and of the gradient's square.
    #[inline(always)]
    fn moments<L: Lanes>(self, w: f32, mean: f32, square: f32, g: f32) -> [f32; 3] {
        let g = mul_add::<L>(self.decay, w, g);
        let mean = flush_tiny(mul_add::<L>(self.share1, g - mean, mean));
        let square = flush_tiny(mul_add::<L>(self.share2 * g, g, self.beta2 * square));
        [w * self.keep, mean, square]
    }

    /// Returns the weight after the step.
    #[inline(always)]
    fn advance<L: Lanes>(self, w: f32, mean: f32, square: f32) -> f32 {
        w - self.step * mean / mul_add::<L>(square.sqrt(), self.root, self.eps)
    }
}

// All values of a weight are read before any is written. Slices that are a multiple of 4 kB apart have the same low
// address bits; a load after a store to such an address waits for the store (4K aliasing): the update took a sixth
// longer.
dispatch! {
    fn update<L>(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let [decayed, mean, square] = rule.moments::<L>(*w, *m, *s, *g);
            let advanced = rule.advance::<L>(decayed, mean, square);
            (*w, *m, *s) = (advanced, mean, square);
        }
    }

    fn update_amsgrad<L>(
        rule: Rule,
        w: &mut [f32],
        mean: &mut [f32],
        square: &mut [f32],
        largest: &mut [f32],
        g: &[f32],
    ) {
        for ((((w, m), s), l), g) in w.iter_mut().zip(mean).zip(square).zip(largest).zip(g) {
            let [decayed, mean, square] = rule.moments::<L>(*w, *m, *s, *g);
            let largest = l.max(square);
            let advanced = rule.advance::<L>(decayed, mean, largest);
            (*w, *m, *s, *l) = (advanced, mean, square, largest);
        }
    }
}
