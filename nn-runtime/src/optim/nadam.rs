//! [`NAdam`]: PyTorch's `optim.NAdam`.

use super::moments::{Decay, Moment, MomentRule, Moments, moment_rate, moment_settings};
use super::optimizer::{Divisible, Optimizer, TrainedRange, settings};
use super::state::{OptimizerState, StateError};
use super::update::for_each_trained;
use crate::hyper::Range;
use crate::kernels::dispatch::dispatch;

/// Adam with Nesterov momentum (Dozat, 2016), whose momentum grows during the first steps. Weight decay is added to the
/// gradient, unless it is [decoupled](Self::decoupled_weight_decay).
#[derive(Clone, Debug)]
pub struct NAdam {
    moments: Moments,
    momentum_decay: f64,
    /// The product of the momenta of all steps.
    product: f64,
}

impl NAdam {
    /// An optimiser with learning rate `rate`; PyTorch's default is 2e-3. Betas are 0.9 and 0.999, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let moments = Moments::new("NAdam", rate, Decay::Gradient);
        Self { moments, momentum_decay: 4e-3, product: 1.0 }
    }

    moment_settings!();

    /// Shrinks the weights themselves instead of changing the gradient, as in [`AdamW`](super::AdamW):
    /// `decoupled_weight_decay=True`.
    #[must_use]
    pub const fn decoupled_weight_decay(mut self) -> Self {
        self.moments.settings.decay = Decay::Weights;
        self
    }

    /// Sets how fast the momentum grows.
    ///
    /// # Panics
    /// If `decay` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn momentum_decay(mut self, decay: f64) -> Self {
        let settings = &self.moments.settings;
        self.momentum_decay = settings.checked("momentum decay", decay, Range::NonNegative);
        self
    }

    /// The momentum of step `step`.
    fn momentum(&self, step: u64) -> f64 {
        let (first, _) = self.moments.settings.betas;
        first * (1.0 - 0.5 * 0.96_f64.powf(step as f64 * self.momentum_decay))
    }

    /// The product of the momenta of the first `steps` steps, or of so many that the rest has no effect on `1 - product`: a
    /// damaged file may have any number of steps.
    fn product_of(&self, steps: u64) -> f64 {
        let mut product = 1.0;
        for step in 1..=steps {
            if product < 0.25 * f64::EPSILON {
                break;
            }
            product *= self.momentum(step);
        }
        product
    }

    /// The rule of the last step that began, for each range of weights.
    fn rule(&self) -> impl Fn(&TrainedRange) -> Rule + Sync + use<> {
        let Self { moments, product, .. } = self;
        let (settings, product, steps) = (moments.settings, *product, moments.steps);
        let [now, next] = [self.momentum(steps), self.momentum(steps.saturating_add(1))];
        let [_, of_square] = moments.corrections();
        move |range| {
            let rate = settings.rate * range.rate;
            Rule {
                moments: settings.rule(range),
                of_gradient: (rate * (1.0 - now) / (1.0 - product)) as f32,
                of_mean: (rate * next / (1.0 - product * next)) as f32,
                root: (1.0 / of_square.sqrt()) as f32,
            }
        }
    }
}

impl Optimizer for NAdam {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.moments.begin_step(weights.len());
        self.product *= self.momentum(self.moments.steps);
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
        let momentum = settings([("momentum decay", self.momentum_decay)]);
        [self.moments.settings.listed(), momentum].concat()
    }

    fn state(&self) -> OptimizerState {
        self.moments.state()
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.moments.set_state(state)?;
        self.product = self.product_of(self.moments.steps);
        Ok(())
    }
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    moments: MomentRule,
    /// The learning rates of the gradient and of its mean, with their bias corrections.
    of_gradient: f32,
    of_mean: f32,
    /// The bias correction of the root of the mean square.
    root: f32,
}

// All values of a weight are read before any is written, against 4K aliasing as in `Adam`.
dispatch! {
    fn update<L>(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let Moment { weight, gradient, mean, square } = rule.moments.moment::<L>(*w, *m, *s, *g);
            let direction = rule.of_gradient * gradient + rule.of_mean * mean;
            let advanced = weight - direction / (square.sqrt() * rule.root + rule.moments.eps);
            (*w, *m, *s) = (advanced, mean, square);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A damaged file may have any number of steps.
    #[test]
    fn any_number_of_steps_is_restored_at_once() {
        for betas in [(0.9, 0.999), (0.999, 0.999)] {
            let mut optimizer = NAdam::new(0.1).betas(betas.0, betas.1);
            let values = Moments::VALUES.map(|name| (name.to_owned(), vec![0.5]));
            let optimizer_name = optimizer.state().optimizer;
            let values = values.to_vec();
            let state = OptimizerState { optimizer: optimizer_name, steps: u64::MAX, values };
            optimizer.set_state(state).expect("its own state");
            let mut weights = [1.0];
            optimizer.step(&mut weights, &[0.5], &[(0..1).into()]);
            assert!(weights[0].is_finite() && weights[0] < 1.0, "{weights:?}");
            assert_eq!(optimizer.state().steps, u64::MAX);
        }
    }

    #[test]
    fn a_restored_product_has_the_effect_of_the_product_of_all_steps() {
        let mut optimizer = NAdam::new(0.1);
        for _ in 0..400 {
            optimizer.step(&mut [1.0], &[0.5], &[(0..1).into()]);
            let restored = optimizer.product_of(optimizer.moments.steps);
            assert_eq!(1.0 - restored, 1.0 - optimizer.product);
        }
    }
}
