//! [`BinaryCrossEntropyWithLogits`]: PyTorch's `nn.BCEWithLogitsLoss`.

use super::Loss;
use crate::kernels::Baseline;
use crate::kernels::elementwise::{sigmoid, softplus};
use crate::types::Values;

/// The loss of yes-or-no questions, one for each number of the output, averaged over them:
/// `-t log sigmoid(y) - (1 - t) log(1 - sigmoid(y))`.
///
/// Takes scores (logits), not probabilities: no `Sigmoid` before it. Targets have the output's type
/// and hold 1 for yes, 0 for no, or a probability between. A positive score counts as yes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinaryCrossEntropyWithLogits {
    pos_weight: f32,
}

impl BinaryCrossEntropyWithLogits {
    /// Both answers weigh alike.
    #[must_use]
    pub const fn new() -> Self {
        Self { pos_weight: 1.0 }
    }

    /// The answer yes weighs `weight` times as much: more than 1 finds more of what is rare.
    ///
    /// # Panics
    /// When `weight` is negative, infinite or not a number.
    #[must_use]
    pub const fn pos_weight(self, weight: f32) -> Self {
        assert!(weight >= 0.0 && weight.is_finite(), "a weight is finite and not negative");
        Self { pos_weight: weight }
    }
}

impl Default for BinaryCrossEntropyWithLogits {
    fn default() -> Self {
        Self::new()
    }
}

impl<Output: Values> Loss<Output> for BinaryCrossEntropyWithLogits {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), String> {
        let target = target.as_floats();
        match target.iter().position(|t| !(0.0..=1.0).contains(t)) {
            Some(i) => {
                Err(format!("expected numbers from 0 to 1, found {} at place {i}", target[i]))
            }
            None => Ok(()),
        }
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        let factor = scale / Output::LEN as f32;
        let mut sum = 0.0;
        for ((y, t), d) in y.iter().zip(target.as_floats()).zip(d_y) {
            let weight = 1.0 + (self.pos_weight - 1.0) * t;
            *d = ((1.0 - t) - weight * sigmoid::<Baseline>(-y)) * factor;
            sum += f64::from((1.0 - t) * y + weight * softplus::<Baseline>(-y));
        }
        sum / Output::LEN as f64
    }

    fn correct(&self, y: &[f32], target: &Output) -> (usize, usize) {
        let pairs = y.iter().zip(target.as_floats());
        (pairs.filter(|(y, t)| (**y > 0.0) == (**t > 0.5)).count(), Output::LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    // Expected numbers: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let (y, t) = ([0.5, -1.25, 2.0, -30.0], [1.0, 0.0, 0.25, 0.0]);
        check(&BinaryCrossEntropyWithLogits::new(), &y, &t, 0.588_233_519_142_136_2);
        check(&BinaryCrossEntropyWithLogits::new().pos_weight(3.0), &y, &t, 0.841_138_012_612_561);
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut d_y = [0.0; 2];
        let (y, t) = ([1000.0, -1000.0], [0.0, 1.0]);
        let loss = BinaryCrossEntropyWithLogits::new().sample(&y, &t, 1.0, &mut d_y);
        assert_eq!((loss, d_y), (1000.0, [0.5, -0.5]));
    }

    #[test]
    fn counts_by_sign() {
        let y = [0.5, -1.0, 2.0];
        assert_eq!(BinaryCrossEntropyWithLogits::new().correct(&y, &[1.0, 1.0, 0.9]), (2, 3));
    }

    #[test]
    fn a_target_out_of_range_is_named() {
        let why = BinaryCrossEntropyWithLogits::new().check(&[0.0_f32, 1.5]).unwrap_err();
        assert!(why.contains("from 0 to 1") && why.contains("1.5 at place 1"), "{why}");
    }
}
