//! [`GaussianNLL`]: PyTorch's `nn.GaussianNLLLoss`.

use super::loss_sum::LossSums;
use super::loss_trait::{Loss, OutputSample, all_steps};
use super::target_error::{TargetError, check_finite};
use crate::hyper::{Range, checked};
use crate::types::{Outputs, Values};

/// Negative log-likelihood of a normal distribution, averaged over all values:
/// `(log(var) + (mean - t)^2 / var) / 2`.
///
/// For networks with two outputs of the same shape, the mean and the variance: `-> (mean: 3, var: 3)`, where the second
/// ends with `Softplus`, for example. Targets have the type of one of them. Variances below
/// [`eps`](Self::eps), negative ones too, count as `eps`, but have a gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianNLL {
    full: bool,
    eps: f32,
}

impl GaussianNLL {
    /// Without the constant `log(2 pi) / 2`; variances are at least 1e-6.
    #[must_use]
    pub const fn new() -> Self {
        Self { full: false, eps: 1e-6 }
    }

    /// Adds the constant `log(2 pi) / 2`, so that the loss is the likelihood's.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { full: true, ..self }
    }

    /// Sets the least variance.
    ///
    /// # Panics
    /// If `eps` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn eps(self, eps: f32) -> Self {
        Self { eps: checked("GaussianNLL: eps", eps, Range::Positive), ..self }
    }

    /// The loss of one value, and its derivatives by mean and variance.
    fn of_value(&self, mean: f32, var: f32, target: f32) -> (f64, [f64; 2]) {
        // Not `max`, which would drop NaN.
        let var = f64::from(if var < self.eps { self.eps } else { var });
        let difference = f64::from(mean) - f64::from(target);
        let scaled = difference / var;
        let constant = if self.full { std::f64::consts::TAU.ln() } else { 0.0 };
        let loss = 0.5 * (var.ln() + difference * scaled + constant);
        (loss, [scaled, 0.5 * (1.0 / var - scaled * scaled)])
    }
}

impl Default for GaussianNLL {
    fn default() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl<Output, Y: Values> Loss<Output> for GaussianNLL
where
    Output: Outputs<Each = (Y, Y)>,
{
    type Target = Y;

    fn check(&self, target: &Y) -> Result<(), TargetError> {
        check_finite(target.as_floats())
    }

    /// For outputs all of whose steps are valid.
    fn sample(&self, y: &[f32], target: &Y, scale: f32, d_y: &mut [f32]) -> f64 {
        self.valid(y, target, scale, d_y, Y::LEN)
    }

    fn add_weights(&self, _: &Y, steps: &[usize], weights: &mut [f64]) {
        weights[0] += valid_steps(steps) as f64 / all_steps::<Y>() as f64;
    }

    fn accumulate(&self, sample: OutputSample<'_, Y>, sums: &mut LossSums) {
        let OutputSample { y, target, steps, scales, d_y } = sample;
        let valid = valid_steps(steps);
        let sum = &mut sums.0[0];
        sum.samples += 1;
        sum.weight += valid as f64 / all_steps::<Y>() as f64;
        sum.loss += self.valid(y, target, scales[0], d_y, valid * (Y::LEN / all_steps::<Y>()));
    }
}

/// The steps that both outputs have.
fn valid_steps(steps: &[usize]) -> usize {
    steps[0].min(steps[1])
}

impl GaussianNLL {
    /// The loss of the first `valid` values of both outputs.
    fn valid<Y: Values>(
        &self,
        y: &[f32],
        target: &Y,
        scale: f32,
        d_y: &mut [f32],
        valid: usize,
    ) -> f64 {
        let factor = f64::from(scale) / Y::LEN as f64;
        d_y.fill(0.0);
        let ((means, vars), (d_means, d_vars)) = (y.split_at(Y::LEN), d_y.split_at_mut(Y::LEN));
        let mut sum = 0.0;
        for (i, t) in target.as_floats()[..valid].iter().enumerate() {
            let (loss, [d_mean, d_var]) = self.of_value(means[i], vars[i], *t);
            d_means[i] = (d_mean * factor) as f32;
            d_vars[i] = (d_var * factor) as f32;
            sum += loss;
        }
        sum / Y::LEN as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use unrolled_shape::Shape;

    /// The output of a network with `-> (mean: 3, var: 3)`.
    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    struct Normal {
        mean: [f32; 3],
        var: [f32; 3],
    }

    // SAFETY: two arrays of `f32`, without padding.
    unsafe impl Values for Normal {
        const SHAPE: Shape = <[f32; 6] as Values>::SHAPE;
        const REAL: bool = true;
    }

    impl Outputs for Normal {
        type Each = ([f32; 3], [f32; 3]);
        const NAMES: &'static [&'static str] = &["mean", "var"];
    }

    const Y: Normal = Normal { mean: [0.5, -1.25, 2.0], var: [0.5, 2.0, 1.25] };
    const T: [f32; 3] = [1.0, 0.5, 0.25];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check(&GaussianNLL::new(), &Y, &T, 0.7840655918857017);
        check(&GaussianNLL::new().full(), &Y, &T, 1.7030041250903742);
    }

    #[test]
    fn a_variance_below_eps_counts_as_eps_and_nan_stays_nan() {
        let sample = |var| {
            let y = Normal { mean: [0.0; 3], var: [var; 3] };
            let mut d_y = [f32::NAN; 6];
            let loss = GaussianNLL::new().eps(0.5);
            (Loss::<Normal>::sample(&loss, y.as_floats(), &T, 1.0, &mut d_y), d_y)
        };
        assert_eq!(sample(-1.0), sample(0.5));
        assert_eq!(sample(0.0), sample(0.5));
        assert!(sample(f32::NAN).0.is_nan());
    }

    #[test]
    fn only_valid_steps_count() {
        let mut d_y = [f32::NAN; 6];
        let mut sums = LossSums::default();
        let (y, steps, scales) = (Y.as_floats(), [2, 2], [1.0, 1.0]);
        let loss = GaussianNLL::new();
        let sample = OutputSample::new(y, &T, &steps, &scales, &mut d_y);
        Loss::<Normal>::accumulate(&loss, sample, &mut sums);
        let mut weights = [0.0; 2];
        Loss::<Normal>::add_weights(&loss, &T, &steps, &mut weights);
        let expected: f64 = (0..2).map(|i| loss.of_value(Y.mean[i], Y.var[i], T[i]).0).sum();
        assert_eq!((weights[0], sums.0[0].weight), (2.0 / 3.0, 2.0 / 3.0));
        assert!((sums.mean_loss() - expected / 2.0).abs() < 1e-12);
        assert_eq!((d_y[2], d_y[5]), (0.0, 0.0));
    }
}
