//! [`CrossEntropy`]: PyTorch's `nn.CrossEntropyLoss`.

use super::Loss;
use crate::Values;
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::rows;

/// The loss of a choice between classes: `-log softmax(y)[target]`.
///
/// Takes scores (logits), not probabilities: no `Softmax` before it.
///
/// - outputs `[f32; C]` with a class number, `u32`;
/// - sequences `[[f32; C]; T]` with one class number for each step, `[u32; T]`, averaged over the
///   steps; and so on for pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    label_smoothing: f32,
}

impl CrossEntropy {
    /// Without label smoothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { label_smoothing: 0.0 }
    }

    /// Gives `amount` of the probability that is wished for to all classes alike.
    ///
    /// # Panics
    /// When `amount` is not between 0 and 1.
    #[must_use]
    pub const fn label_smoothing(self, amount: f32) -> Self {
        assert!(amount >= 0.0 && amount <= 1.0, "label smoothing is between 0 and 1");
        Self { label_smoothing: amount }
    }

    /// The loss of one choice, and its gradient times `scale`.
    fn choice(&self, y: &[f32], target: usize, scale: f32, d_y: &mut [f32]) -> f64 {
        let mut totals = [0.0; 2];
        exponentials(y, d_y, &mut totals);
        let [largest, sum] = totals;
        let log_sum = f64::from(largest) + f64::from(sum).ln();
        let even = self.label_smoothing / y.len() as f32;
        let factor = scale / sum;
        for d in d_y.iter_mut() {
            *d = *d * factor - even * scale;
        }
        d_y[target] -= (1.0 - self.label_smoothing) * scale;
        let loss = f64::from(1.0 - self.label_smoothing) * (log_sum - f64::from(y[target]));
        if self.label_smoothing == 0.0 {
            return loss;
        }
        let others: f64 = y.iter().map(|y| log_sum - f64::from(*y)).sum();
        loss + f64::from(even) * others
    }
}

dispatch! {
    /// Writes `exp(y - largest)` to `e`, and the largest `y` and the sum of `e` to `totals`. With the
    /// largest taken off, exponentials cannot overflow.
    fn exponentials(y: &[f32], e: &mut [f32], totals: &mut [f32; 2]) {
        let largest = rows::max(y);
        for (e, y) in e.iter_mut().zip(y) {
            *e = exp(y - largest);
        }
        *totals = [largest, rows::sum(e)];
    }
}

/// Scores of classes, for one choice or for several: `[f32; C]`, `[[f32; C]; T]`.
pub trait Scores: Values {
    /// A class number for each choice.
    type Classes: Values;
    /// Between how many classes the choice is.
    const CLASSES: usize;
}

impl<const C: usize> Scores for [f32; C] {
    type Classes = u32;
    const CLASSES: usize = C;
}

impl<S: Scores, const T: usize> Scores for [S; T] {
    type Classes = [S::Classes; T];
    const CLASSES: usize = S::CLASSES;
}

/// The class numbers of a target. See [`Values`]: they travel as the bits of floats.
fn classes<C: Values>(target: &C) -> impl ExactSizeIterator<Item = usize> {
    target.as_floats().iter().map(|bits| bits.to_bits() as usize)
}

impl<S: Scores> Loss<S> for CrossEntropy {
    type Target = S::Classes;

    fn check(&self, target: &S::Classes) -> Result<(), String> {
        match classes(target).find(|class| *class >= S::CLASSES) {
            Some(class) => Err(format!(
                "expected a class number below {}, as many as the network has outputs, found {class}",
                S::CLASSES
            )),
            None => Ok(()),
        }
    }

    fn sample(&self, y: &[f32], target: &S::Classes, scale: f32, d_y: &mut [f32]) -> f64 {
        let targets = classes(target);
        let choices = targets.len();
        let scale = scale / choices as f32;
        let rows = y.chunks_exact(S::CLASSES).zip(d_y.chunks_exact_mut(S::CLASSES));
        let sum: f64 = rows.zip(targets).map(|((y, d), t)| self.choice(y, t, scale, d)).sum();
        sum / choices as f64
    }

    fn correct(&self, y: &[f32], target: &S::Classes) -> (usize, usize) {
        let targets = classes(target);
        let choices = targets.len();
        let rows = y.chunks_exact(S::CLASSES).zip(targets);
        (rows.filter(|(y, target)| largest(y) == *target).count(), choices)
    }
}

/// Where the largest number stands: the first of them if there are several.
pub(crate) fn largest(y: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in y.iter().enumerate() {
        if *value > y[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    // Expected numbers: scripts/losses.py, PyTorch in float64.
    const Y: [f32; 4] = [0.5, -1.25, 2.0, 0.75];

    #[test]
    fn agrees_with_pytorch() {
        check(&CrossEntropy::new(), &Y, &2, 0.437_228_058_613_902_6);
        check(&CrossEntropy::new(), &Y, &1, 3.687_228_058_613_902_3);
        check(&CrossEntropy::new().label_smoothing(0.1), &Y, &1, 3.512_228_058_613_902_5);
        let sequence = [Y, [1.0, 0.0, -0.5, 0.25]];
        check(
            &CrossEntropy::new().label_smoothing(0.25),
            &sequence,
            &[3, 0],
            1.338_598_304_803_352_5,
        );
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut d_y = [0.0; 2];
        let y = [1000.0_f32, -1000.0];
        let loss = Loss::<[f32; 2]>::sample(&CrossEntropy::new(), &y, &1, 1.0, &mut d_y);
        assert_eq!((loss, d_y), (2000.0, [1.0, -1.0]));
    }

    #[test]
    fn counts_right_choices() {
        let loss = CrossEntropy::new();
        assert_eq!(Loss::<[f32; 4]>::correct(&loss, &Y, &2), (1, 1));
        assert_eq!(Loss::<[f32; 4]>::correct(&loss, &Y, &3), (0, 1));
        let both = [Y, Y];
        assert_eq!(Loss::<[[f32; 4]; 2]>::correct(&loss, both.as_floats(), &[2, 0]), (1, 2));
    }

    #[test]
    fn a_class_number_out_of_range_is_named() {
        let why = Loss::<[f32; 10]>::check(&CrossEntropy::new(), &10).unwrap_err();
        assert!(why.contains("below 10") && why.contains("found 10"), "{why}");
        assert_eq!(Loss::<[[f32; 10]; 2]>::check(&CrossEntropy::new(), &[9, 0]), Ok(()));
    }
}
