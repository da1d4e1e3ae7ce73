//! [`RAdam`]: PyTorch's `optim.RAdam`.

use super::moments::{Decay, Moment, MomentRule, Moments, moment_rate, moment_settings};
use super::optimizer::{Divisible, Optimizer, TrainedRange};
use super::state::{OptimizerState, StateError};
use super::update::for_each_trained;
use crate::kernels::dispatch::dispatch;

/// Rectified Adam (Liu et al., 2020): the first steps, whose mean square is uncertain, are those of SGD with momentum,
/// so that no warm-up of the learning rate is needed.
///
/// Weight decay is added to the gradient, unless it is [decoupled](Self::decoupled_weight_decay).
#[derive(Clone, Debug)]
pub struct RAdam {
    moments: Moments,
}

impl RAdam {
    /// An optimiser with learning rate `rate`; PyTorch's default is 1e-3. Betas are 0.9 and 0.999, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        Self { moments: Moments::new("RAdam", rate, Decay::Gradient) }
    }

    moment_settings!();

    /// Shrinks the weights themselves instead of changing the gradient, as in [`AdamW`](super::AdamW):
    /// `decoupled_weight_decay=True`.
    #[must_use]
    pub const fn decoupled_weight_decay(mut self) -> Self {
        self.moments.settings.decay = Decay::Weights;
        self
    }

    /// The factor that corrects the variance of the adaptive rate at step `steps`; `None` while the variance is
    /// unknown.
    fn rectification(&self, steps: i32) -> Option<f64> {
        let (_, beta2) = self.moments.settings.betas;
        // The length of the simple moving average that approximates the exponential one; `limit` is that after many
        // steps.
        let limit = 2.0 / (1.0 - beta2) - 1.0;
        let power = beta2.powi(steps);
        let length = limit - 2.0 * f64::from(steps) * power / (1.0 - power);
        let ratio =
            (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
        (length > 5.0).then(|| ratio.sqrt())
    }

    /// The rule of the last step that began, for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let settings = self.moments.settings;
        let [of_mean, of_square] = self.moments.corrections();
        let rectification = self.rectification(self.moments.exponent());
        let root = of_square.sqrt();
        move |range| {
            let step = settings.rate * range.rate / of_mean;
            Rule {
                moments: settings.rule(range),
                plain: if rectification.is_none() { step as f32 } else { 0.0 },
                adaptive: rectification.map_or(0.0, |factor| (step * factor * root) as f32),
            }
        }
    }
}

impl Optimizer for RAdam {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.moments.begin_step(weights.len());
        let rule = self.rule();
        let Moments { mean, square, .. } = &mut self.moments;
        for_each_trained([weights, mean, square], gradient, trained, rule, |rule, [w, m, s], g| {
            update(rule, w, m, s, g);
        });
    }

    moment_rate!();

    fn divisible(&self) -> Divisible {
        Divisible::ByElement
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
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    moments: MomentRule,
    /// The factors of the mean, and of the mean over the root of the mean square. One of them is 0.
    plain: f32,
    adaptive: f32,
}

// All values of a weight are read before any is written, against 4K aliasing as in `Adam`.
dispatch! {
    fn update<L>(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let Moment { weight, mean, square, .. } = rule.moments.moment::<L>(*w, *m, *s, *g);
            let factor = rule.plain + rule.adaptive / (square.sqrt() + rule.moments.eps);
            (*w, *m, *s) = (weight - factor * mean, mean, square);
        }
    }
}
