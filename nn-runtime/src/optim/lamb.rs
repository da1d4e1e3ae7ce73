//! [`LAMB`], which PyTorch does not have.

use super::clip::norm;
use super::moments::{Decay, Moment, MomentRule, Moments, moment_rate, moment_settings};
use super::optimizer::{Divisible, Optimizer, TrainedRange};
use super::pattern::GroupsError;
use super::state::{OptimizerState, StateError};
use super::update::{allocate, for_each_trained};
use crate::kernels::dispatch::dispatch;
use crate::types::Tensor;
use std::ops;

/// Layer-wise adaptive moments for large batches (You et al., 2020): steps of Adam, scaled tensor by tensor so that
/// their norm is the learning rate times the norm of the weights. A tensor of zeros is not scaled.
///
/// Weight decay is part of the step that is scaled; its default is 0.01.
#[derive(Clone, Debug)]
pub struct LAMB {
    moments: Moments,
    /// The step before it is scaled.
    step: Vec<f32>,
    /// The elements of each tensor, once they are known.
    tensors: Option<Vec<ops::Range<usize>>>,
    /// The index of the first element that a step is passed.
    first: usize,
    /// The trained part of each tensor, with its scale.
    scaled: Vec<TrainedRange>,
}

impl LAMB {
    /// An optimiser with learning rate `rate`. Betas are 0.9 and 0.999, eps is 1e-6.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let mut moments = Moments::new("LAMB", rate, Decay::Step);
        (moments.settings.eps, moments.settings.weight_decay) = (1e-6, 0.01);
        Self { moments, step: Vec::new(), tensors: None, first: 0, scaled: Vec::new() }
    }

    moment_settings!();

    /// The rule of the last step that began, for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let settings = self.moments.settings;
        let [of_mean, of_square] = self.moments.corrections();
        move |range| Rule {
            moments: settings.rule(range),
            decay: if range.decay { settings.weight_decay as f32 } else { 0.0 },
            mean: (1.0 / of_mean) as f32,
            root: (1.0 / of_square.sqrt()) as f32,
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
                // A step is passed whole tensors.
                let Some(begin) = tensor.start.checked_sub(self.first) else { continue };
                let range =
                    begin.max(whole.range.start)..(begin + tensor.len()).min(whole.range.end);
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
        self.moments.begin_step(weights.len());
        allocate(&mut self.step, weights.len(), 0.0);
        let rule = self.rule();
        let Moments { mean, square, .. } = &mut self.moments;
        let values = [&mut self.step, mean, square, &mut *weights];
        for_each_trained(values, gradient, trained, rule, |rule, [step, m, s, w], g| {
            direction(rule, step, m, s, w, g);
        });
        self.scale(weights, trained);
        let rate = self.moments.settings.rate;
        let rule = |range: &TrainedRange| (rate * range.rate) as f32;
        for_each_trained([weights], &self.step, &self.scaled, rule, |rate, [w], step| {
            descend(rate, w, step);
        });
    }

    moment_rate!();

    fn divisible(&self) -> Divisible {
        Divisible::ByTensor
    }

    fn settings(&self) -> Vec<(String, f64)> {
        self.moments.settings.listed()
    }

    fn state(&self) -> OptimizerState {
        self.moments.state()
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.moments.set_state(state)
    }

    fn set_first(&mut self, first: usize) {
        self.first = first;
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
    moments: MomentRule,
    decay: f32,
    /// The bias corrections of the mean and of the root of the mean square.
    mean: f32,
    root: f32,
}

dispatch! {
    fn direction<L>(
        rule: Rule,
        step: &mut [f32],
        mean: &mut [f32],
        square: &mut [f32],
        w: &[f32],
        g: &[f32],
    ) {
        for ((((d, m), s), w), g) in step.iter_mut().zip(mean).zip(square).zip(w).zip(g) {
            let Moment { mean, square, .. } = rule.moments.moment::<L>(*w, *m, *s, *g);
            let direction = rule.mean * mean / (square.sqrt() * rule.root + rule.moments.eps);
            (*d, *m, *s) = (direction + rule.decay * w, mean, square);
        }
    }

    fn descend(rate: f32, w: &mut [f32], step: &[f32]) {
        for (w, step) in w.iter_mut().zip(step) {
            *w -= rate * step;
        }
    }
}
