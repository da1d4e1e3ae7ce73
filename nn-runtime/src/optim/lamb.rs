//! [`LAMB`], which PyTorch does not have.

use super::clip::norm;
use super::optimizer::{Optimizer, TrainedRange};
use super::pattern::GroupsError;
use super::state::{OptimizerState, StateError};
use super::update::{allocate, flush_tiny, for_each_trained};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;
use crate::types::Tensor;
use std::ops;

/// Layer-wise adaptive moments for large batches (You et al., 2020): steps of Adam, scaled tensor by tensor so that
/// their norm is the learning rate times the norm of the weights. A tensor of zeros is not scaled.
///
/// Weight decay is part of the step that is scaled; its default is 0.01.
#[derive(Clone, Debug)]
pub struct LAMB {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    steps: u64,
    mean: Vec<f32>,
    square: Vec<f32>,
    /// The step before it is scaled.
    step: Vec<f32>,
    /// The elements of each tensor, once they are known.
    tensors: Option<Vec<ops::Range<usize>>>,
    /// The trained part of each tensor, with its scale.
    scaled: Vec<TrainedRange>,
}

impl LAMB {
    const NAME: &str = "LAMB";
    /// The names of its values, those of Adam in PyTorch.
    const VALUES: [&str; 2] = ["exp_avg", "exp_avg_sq"];

    /// An optimiser with learning rate `rate`. Betas are 0.9 and 0.999, eps is 1e-6.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self {
            rate: checked("LAMB: learning rate", rate, Range::NonNegative),
            betas: (0.9, 0.999),
            eps: 1e-6,
            weight_decay: 0.01,
            steps: 0,
            mean: Vec::new(),
            square: Vec::new(),
            step: Vec::new(),
            tensors: None,
            scaled: Vec::new(),
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
            checked("LAMB: first beta", first, Range::Decay),
            checked("LAMB: second beta", second, Range::Decay),
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
        self.eps = checked("LAMB: eps", eps, Range::NonNegative);
        self
    }

    /// Sets the weight decay, which pulls weights towards zero.
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = checked("LAMB: weight decay", decay, Range::NonNegative);
        self
    }

    /// The rule of step `self.steps` for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let Self { betas: (beta1, beta2), eps, weight_decay, .. } = *self;
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let mean = (1.0 / (1.0 - beta1.powi(steps))) as f32;
        let root = (1.0 / (1.0 - beta2.powi(steps)).sqrt()) as f32;
        move |range| Rule {
            decay: if range.decay { weight_decay as f32 } else { 0.0 },
            share1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            share2: (1.0 - beta2) as f32,
            mean,
            root,
            eps: eps as f32,
        }
    }

    /// Computes the scale of each tensor's trained part.
    fn scale(&mut self, weights: &[f32], trained: &[TrainedRange]) {
        let tensors = self.tensors.as_ref().expect(
            "`LAMB` scales steps tensor by tensor: call `update` or, before `step`, `prepare`",
        );
        self.scaled.clear();
        for whole in trained {
            for tensor in tensors {
                let begin = tensor.start.max(whole.range.start);
                let range = begin..tensor.end.min(whole.range.end);
                if range.is_empty() {
                    continue;
                }
                let norms = [&weights[range.clone()], &self.step[range.clone()]].map(norm);
                let ratio = if norms.contains(&0.0) { 1.0 } else { norms[0] / norms[1] };
                self.scaled.push(TrainedRange { range, rate: whole.rate * ratio, ..*whole });
            }
        }
    }
}

impl Optimizer for LAMB {
    /// # Panics
    /// Before [`prepare`](Optimizer::prepare), which [`update`](super::OptimizerExt::update) calls.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.steps += 1;
        let rule = self.rule();
        for values in [&mut self.mean, &mut self.square, &mut self.step] {
            allocate(values, weights.len(), 0.0);
        }
        let values = [&mut self.step, &mut self.mean, &mut self.square, &mut *weights];
        for_each_trained(values, gradient, trained, rule, |rule, [step, m, s, w], g| {
            direction(rule, step, m, s, w, g);
        });
        self.scale(weights, trained);
        let rate = self.rate;
        let rule = |range: &TrainedRange| (rate * range.rate) as f32;
        for_each_trained([weights], &self.step, &self.scaled, rule, |rate, [w], step| {
            descend(rate, w, step);
        });
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = checked("LAMB: learning rate", rate, Range::NonNegative);
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

    fn prepare(&mut self, tensors: fn() -> Vec<Tensor>) -> Result<(), GroupsError> {
        let ranges = || {
            let owned = tensors().into_iter().filter(|tensor| !tensor.shared);
            let mut ranges: Vec<_> = owned.map(|tensor| tensor.range()).collect();
            // Ranges of a step are in ascending order.
            ranges.sort_unstable_by_key(|range| range.start);
            ranges
        };
        self.tensors.get_or_insert_with(ranges);
        Ok(())
    }
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    decay: f32,
    /// `1 - beta1`, `beta2` and `1 - beta2`.
    share1: f32,
    beta2: f32,
    share2: f32,
    /// The bias corrections of the mean and of the root of the mean square.
    mean: f32,
    root: f32,
    eps: f32,
}

dispatch! {
    fn direction(
        rule: Rule,
        step: &mut [f32],
        mean: &mut [f32],
        square: &mut [f32],
        w: &[f32],
        g: &[f32],
    ) {
        for ((((d, m), s), w), g) in step.iter_mut().zip(mean).zip(square).zip(w).zip(g) {
            let mean = flush_tiny(*m + rule.share1 * (g - *m));
            let square = flush_tiny(rule.beta2 * *s + rule.share2 * g * g);
            let direction = rule.mean * mean / (square.sqrt() * rule.root + rule.eps);
            (*d, *m, *s) = (direction + rule.decay * w, mean, square);
        }
    }

    fn descend(rate: f32, w: &mut [f32], step: &[f32]) {
        for (w, step) in w.iter_mut().zip(step) {
            *w -= rate * step;
        }
    }
}
