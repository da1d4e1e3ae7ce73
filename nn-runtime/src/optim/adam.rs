//! [`Adam`] and [`AdamW`]: PyTorch's `optim.Adam` and `optim.AdamW`.

use super::moments::{Decay, Moment, MomentRule, Moments, moment_rate, moment_settings};
use super::optimizer::{Divisible, Optimizer, TrainedRange, UntouchedRows, settings};
use super::state::{OptimizerState, StateError};
use super::update::{allocate, for_each_trained};
use crate::kernels::dispatch::dispatch;
use crate::kernels::{Lanes, mul_add};

/// Adam, adaptive moment estimation (Kingma and Ba, 2015). Weight decay is added to the gradient; its default is 0.
pub type Adam = AdamLike<false>;

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): the decay shrinks the weights themselves; its
/// default is 0.01.
pub type AdamW = AdamLike<true>;

/// [`Adam`] and [`AdamW`], which differ only in weight decay.
#[derive(Clone, Debug)]
pub struct AdamLike<const DECOUPLED: bool> {
    moments: Moments,
    amsgrad: bool,
    lazy: bool,
    largest_square: Vec<f32>,
}

impl<const DECOUPLED: bool> AdamLike<DECOUPLED> {
    /// An optimiser with learning rate `rate`; 1e-3 is a common first choice. Betas are 0.9 and 0.999, eps is 1e-8.
    ///
    /// # Panics
    /// If `rate` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let mut moments = if DECOUPLED {
            Moments::new("AdamW", rate, Decay::Weights)
        } else {
            Moments::new("Adam", rate, Decay::Gradient)
        };
        moments.settings.weight_decay = if DECOUPLED { 0.01 } else { 0.0 };
        Self { moments, amsgrad: false, lazy: false, largest_square: Vec::new() }
    }

    moment_settings!();

    /// Divides by the largest mean square so far (`AMSGrad`; Reddi et al., 2018).
    #[must_use]
    pub const fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
        self
    }

    /// Leaves out the rows of an [`Embedding`](crate::layers::Embedding) that no sample of a batch has: their weights and their
    /// means stay as they are, without weight decay, and a step takes the time of the other rows. Otherwise the mean of an earlier
    /// gradient still moves them. This is PyTorch's `SparseAdam`, but with `eps` added where [`Adam`] adds it; other weights
    /// are updated as always.
    ///
    /// Only trainers and [`update_sparse`](super::OptimizerExt::update_sparse) know these rows. A trainer must not accumulate
    /// gradients, and must not be distributed.
    #[doc(alias("SparseAdam"))]
    #[must_use]
    pub const fn lazy(mut self) -> Self {
        self.lazy = true;
        self
    }
}

impl<const DECOUPLED: bool> Optimizer for AdamLike<DECOUPLED> {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        let largest_square = self.amsgrad.then_some(&mut self.largest_square);
        step(&mut self.moments, largest_square, weights, gradient, trained);
    }

    moment_rate!();

    fn divisible(&self) -> Divisible {
        Divisible::ByElement
    }

    fn untouched_rows(&self) -> UntouchedRows {
        if self.lazy { UntouchedRows::LeftOut } else { UntouchedRows::Updated }
    }

    fn settings(&self) -> Vec<(String, f64)> {
        let mut all = self.moments.settings.listed();
        all.extend(settings([("AMSGrad", f64::from(self.amsgrad))]));
        if self.lazy {
            all.extend(settings([("lazy", 1.0)]));
        }
        all
    }

    fn state(&self) -> OptimizerState {
        self.moments.state().with(LARGEST_SQUARE, &self.largest_square)
    }

    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        let largest_square = self.amsgrad.then_some(&mut self.largest_square);
        set_state(&mut self.moments, largest_square, state)
    }
}

/// The name of AMSGrad's largest mean square in PyTorch.
const LARGEST_SQUARE: &str = "max_exp_avg_sq";

/// One step. With `largest_square` that of AMSGrad. Not generic, so that it is compiled once, with this crate.
fn step(
    moments: &mut Moments,
    largest_square: Option<&mut Vec<f32>>,
    weights: &mut [f32],
    gradient: &[f32],
    trained: &[TrainedRange],
) {
    moments.begin_step(weights.len());
    let Some(largest_square) = largest_square else {
        return advance(moments, weights, gradient, trained);
    };
    let rule = Rule::of_step(moments);
    let Moments { mean, square, .. } = moments;
    allocate(largest_square, weights.len(), 0.0);
    let values = [weights, mean, square, largest_square];
    for_each_trained(values, gradient, trained, rule, |rule, [w, m, s, l], g| {
        update_amsgrad(rule, w, m, s, l, g);
    });
}

/// The step of Adam without AMSGrad, after [`Moments::begin_step`].
pub(super) fn advance(
    moments: &mut Moments,
    weights: &mut [f32],
    gradient: &[f32],
    trained: &[TrainedRange],
) {
    let rule = Rule::of_step(moments);
    let values = [weights, &mut moments.mean, &mut moments.square];
    for_each_trained(values, gradient, trained, rule, |rule, [w, m, s], g| {
        update(rule, w, m, s, g);
    });
}

fn set_state(
    moments: &mut Moments,
    largest_square: Option<&mut Vec<f32>>,
    state: OptimizerState,
) -> Result<(), StateError> {
    let Some(largest_square) = largest_square else { return moments.set_state(state) };
    let [mean, square] = Moments::VALUES;
    let names = [mean, square, LARGEST_SQUARE];
    let Moments { settings, mean, square, steps } = moments;
    *steps = state.restore(settings.name, names, [mean, square, largest_square])?;
    Ok(())
}

/// The constants of one step for one range of weights.
#[derive(Clone, Copy, Debug)]
struct Rule {
    moments: MomentRule,
    /// The learning rate with the bias correction of the mean, which starts at zero.
    step: f32,
    /// The same correction for the root of the mean square.
    root: f32,
}

impl Rule {
    /// Those of each range in the step that has begun.
    fn of_step(moments: &Moments) -> impl Fn(&TrainedRange) -> Self + Sync + use<> {
        let [of_mean, of_square] = moments.corrections();
        let (settings, root) = (moments.settings, (1.0 / of_square.sqrt()) as f32);
        move |range| Self {
            moments: settings.rule(range),
            step: (settings.rate * range.rate / of_mean) as f32,
            root,
        }
    }

    /// Returns the weight after the step.
    #[inline(always)]
    fn advance<L: Lanes>(self, w: f32, mean: f32, square: f32) -> f32 {
        w - self.step * mean / mul_add::<L>(square.sqrt(), self.root, self.moments.eps)
    }
}

// All values of a weight are read before any is written. Slices that are a multiple of 4 kB apart have the same low
// address bits; a load after a store to such an address waits for the store (4K aliasing): the update took a sixth
// longer.
dispatch! {
    fn update<L>(rule: Rule, w: &mut [f32], mean: &mut [f32], square: &mut [f32], g: &[f32]) {
        for (((w, m), s), g) in w.iter_mut().zip(mean).zip(square).zip(g) {
            let Moment { weight, mean, square, .. } = rule.moments.moment::<L>(*w, *m, *s, *g);
            let advanced = rule.advance::<L>(weight, mean, square);
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
            let Moment { weight, mean, square, .. } = rule.moments.moment::<L>(*w, *m, *s, *g);
            let largest = l.max(square);
            let advanced = rule.advance::<L>(weight, mean, largest);
            (*w, *m, *s, *l) = (advanced, mean, square, largest);
        }
    }
}
