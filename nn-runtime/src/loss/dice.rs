//! [`Dice`]: the loss of segmentation.

use super::loss_trait::{Loss, row_len};
use super::target_error::{TargetError, check_range};
use crate::hyper::{Range, checked};
use crate::kernels::Baseline;
use crate::kernels::elementwise::sigmoid;
use crate::types::Values;

/// Dice loss (Milletari, Navab and Ahmadi, 2016) of a mask: `1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth)`,
/// with sums over all pixels of an image. The last axis is that of the channels, as in `[[[f32; C]; W]; H]`: each has a mask,
/// and their losses are averaged. A mask of one channel is `HxWx1`, since `HxW` would have one in each column; an output of
/// one axis is one mask. Unlike the mean of a loss of each pixel, it does not depend on how much of the image is background.
///
/// Outputs are probabilities, as of `Sigmoid` or `Softmax`, or scores ([`with_logits`](Self::with_logits)). Targets
/// have the output's type; their values are 1 inside of the mask, 0 outside, or a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dice {
    smooth: f32,
    logits: bool,
}

impl Dice {
    /// Of probabilities, with a `smooth` of 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { smooth: 1.0, logits: false }
    }

    /// Takes scores (logits) and applies the sigmoid itself: put no `Sigmoid` before it.
    #[must_use]
    pub const fn with_logits(self) -> Self {
        Self { logits: true, ..self }
    }

    /// Sets the number that is added to both sums, which makes an empty mask, rightly predicted, a loss of 0.
    ///
    /// # Panics
    /// If `smooth` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn smooth(self, smooth: f32) -> Self {
        Self { smooth: checked("Dice: smooth", smooth, Range::Positive), ..self }
    }

    /// The loss of one channel, whose values are every `step`th one, and its gradient times `factor`.
    fn channel(&self, step: usize, y: &[f32], t: &[f32], factor: f64, d_y: &mut [f32]) -> f64 {
        let probability = |y: f32| if self.logits { sigmoid::<Baseline>(y) } else { y };
        let (mut both, mut sum) = (0.0, 0.0);
        for (y, t) in y.iter().step_by(step).zip(t.iter().step_by(step)) {
            let (p, t) = (f64::from(probability(*y)), f64::from(*t));
            both += p * t;
            sum += p + t;
        }
        let divisor = sum + f64::from(self.smooth);
        let dice = (2.0 * both + f64::from(self.smooth)) / divisor;
        let values = y.iter().step_by(step).zip(t.iter().step_by(step));
        for (d, (y, t)) in d_y.iter_mut().step_by(step).zip(values) {
            let slope = factor * (dice - 2.0 * f64::from(*t)) / divisor;
            let d_p = if self.logits { probability(*y) * probability(-*y) } else { 1.0 };
            *d = slope as f32 * d_p;
        }
        1.0 - dice
    }
}

impl Default for Dice {
    fn default() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for Dice {
    type Target = Output;

    fn applies(&self) -> Option<&'static str> {
        self.logits.then_some("Sigmoid")
    }

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_range(target.as_floats(), 0.0, 1.0)
    }

    /// A sequence shorter than its shape has sums over its valid steps.
    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        if y.is_empty() {
            return 0.0;
        }
        // An output of one axis is one mask.
        let channels = if Output::SHAPE.rank() < 2 { 1 } else { row_len::<Output>() };
        let (t, factor) = (&target.as_floats()[..y.len()], f64::from(scale) / channels as f64);
        let of_channel = |c: usize| self.channel(channels, &y[c..], &t[c..], factor, &mut d_y[c..]);
        (0..channels).map(of_channel).sum::<f64>() / channels as f64
    }

    /// 1: a sequence counts as much as any other one, whatever its length.
    fn weight(&self, _: &Output, _: usize) -> f64 {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    const Y: [[f32; 2]; 3] = [[0.5, 0.25], [0.125, 0.75], [1.0, 0.0]];
    const T: [[f32; 2]; 3] = [[1.0, 0.0], [0.0, 0.5], [1.0, 1.0]];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check(&Dice::new(), &Y, &T, 0.31756756756756754);
        check(&Dice::new().smooth(0.25).with_logits(), &Y, &T, 0.3661352970495058);
        check(&Dice::new(), &[0.5, 0.25, 0.125], &[1.0, 0.0, 1.0], 0.4193548387096774);
    }

    #[test]
    fn the_right_mask_has_no_loss_and_neither_has_an_empty_one() {
        let mut d_y = [f32::NAN; 6];
        let masks = [[1.0, 0.0], [0.0, 0.0], [1.0, 0.0_f32]];
        assert_eq!(Dice::new().sample(masks.as_floats(), &masks, 1.0, &mut d_y), 0.0);
        let loss = Dice::new().with_logits().sample(&[-1e30; 6], &[[0.0; 2]; 3], 1.0, &mut d_y);
        assert_eq!((loss, d_y), (0.0, [0.0; 6]));
        let nan = [[f32::NAN; 2]; 3];
        assert!(Dice::new().sample(nan.as_floats(), &masks, 1.0, &mut d_y).is_nan());
    }

    #[test]
    fn a_target_out_of_range_is_named() {
        let error = Dice::new().check(&[0.0_f32, 255.0]).unwrap_err();
        assert_eq!(error.to_string(), "expected values from 0 to 1, found 255 at index 1");
    }
}
