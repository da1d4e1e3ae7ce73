//! [`Adam`] and [`AdamW`]: PyTorch's `optim.Adam` and `optim.AdamW`.

use super::{Optimizer, for_each_trained, prepare, without_rest};
use crate::kernels::dispatch::dispatch;
use crate::kernels::{Lanes, mul_add};
use std::ops::Range;

/// Adaptive moments (Kingma and Ba, 2015). Weight decay is part of the gradient; 0 unless set.
pub type Adam = AdamLike<false>;

/// Adam whose weight decay acts on the weights themselves (Loshchilov and Hutter, 2019); 0.01 unless
/// set.
pub type AdamW = AdamLike<true>;

/// [`Adam`] and [`AdamW`], which differ in their weight decay only.
#[derive(Clone, Debug)]
pub struct AdamLike<const DECOUPLED: bool> {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    amsgrad: bool,
    steps: i32,
    mean: Vec<f32>,
    square: Vec<f32>,
    largest_square: Vec<f32>,
}

impl<const DECOUPLED: bool> AdamLike<DECOUPLED> {
    /// At this learning rate: 1e-3 is a good one to begin with. Betas are 0.9 and 0.999, eps is 1e-8.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
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

    /// How slowly the means of the gradient and of its square follow.
    #[must_use]
    pub const fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }

    /// What is added to the root of the square, so that nothing is divided by zero.
    #[must_use]
    pub const fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// How strongly weights are drawn to zero.
    #[must_use]
    pub const fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = decay;
        self
    }

    /// Divides by the largest mean square so far (Reddi and others, 2018).
    #[must_use]
    pub const fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
        self
    }

    /// The numbers of step `self.steps`.
    fn rule(&self) -> Rule {
        let (beta1, beta2) = self.betas;
        let (decay, shrink) =
            if DECOUPLED { (0.0, self.rate * self.weight_decay) } else { (self.weight_decay, 0.0) };
        Rule {
            decay: decay as f32,
            keep: (1.0 - shrink) as f32,
            share1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            share2: (1.0 - beta2) as f32,
            step: (self.rate / (1.0 - beta1.powi(self.steps))) as f32,
            root: (1.0 / (1.0 - beta2.powi(self.steps)).sqrt()) as f32,
            eps: self.eps as f32,
        }
    }
}

impl<const DECOUPLED: bool> Optimizer for AdamLike<DECOUPLED> {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]) {
        self.steps = self.steps.saturating_add(1);
        let rule = self.rule();
        prepare(&mut self.mean, weights.len(), 0.0);
        prepare(&mut self.square, weights.len(), 0.0);
        let (mean, square) = (&mut self.mean, &mut self.square);
        if !self.amsgrad {
            return for_each_trained([weights, mean, square], gradient, trained, |[w, m, s], g| {
                update(rule, w, m, s, g);
            });
        }
        prepare(&mut self.largest_square, weights.len(), 0.0);
        let values = [weights, mean, square, &mut self.largest_square];
        for_each_trained(values, gradient, trained, |[w, m, s, l], g| {
            update_amsgrad(rule, w, m, s, l, g);
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
    /// The share of the weight that is added to its gradient.
    decay: f32,
    /// The share of the weight that stays.
    keep: f32,
    /// `1 - beta1`, `beta2` and `1 - beta2`.
    share1: f32,
    beta2: f32,
    share2: f32,
    /// The learning rate with the mean's correction for its start at zero.
    step: f32,
    /// The same correction for the square's root.
    root: f32,
    eps: f32,
}

impl Rule {
    /// What becomes of a weight, by decay alone, and of the means of its gradient and of that one's square.
    #[inline(always)]
    fn learn<L: Lanes>(self, w: f32, mean: f32, square: f32, g: f32) -> [f32; 3] {
        let g = mul_add::<L>(self.decay, w, g);
        let mean = without_rest(mul_add::<L>(self.share1, g - mean, mean));
        let square = without_rest(mul_add::<L>(self.share2 * g, g, self.beta2 * square));
        [w * self.keep, mean, square]
    }

    #[inline(always)]
    fn advance<L: Lanes>(self, w: f32, mean: f32, square: f32) -> f32 {
        w - self.step * mean / mul_add::<L>(square.sqrt(), self.root, self.eps)
    }
}

// All of a weight's numbers are read before any is written: where the slices lie whole pages apart, a processor takes
// the place of what is written for that of what is read next, and waits.
dispatch! {
    fn update<L>(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let [decayed, mean, square] = rule.learn::<L>(*w, *m, *s, *g);
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
            let [decayed, mean, square] = rule.learn::<L>(*w, *m, *s, *g);
            let largest = l.max(square);
            let advanced = rule.advance::<L>(decayed, mean, largest);
            (*w, *m, *s, *l) = (advanced, mean, square, largest);
        }
    }
}
