//! [`CrossEntropy`]: PyTorch's `nn.CrossEntropyLoss`.

use super::{Loss, all_steps};
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::rows;
use crate::types::Values;

/// The loss of a choice between classes: `-log softmax(y)[target]`.
///
/// Takes scores (logits), not probabilities: no `Softmax` before it.
///
/// - outputs `[f32; C]` with a class number, `u32`;
/// - sequences `[[f32; C]; T]` with one class number for each step, `[u32; T]`, averaged over the
///   steps; and so on for pictures.
///
/// A choice weighs as much as its right class ([`class_weights`](Self::class_weights)), one whose target is
/// left out ([`ignore_index`](Self::ignore_index)) nothing: the loss is the mean over all choices of a
/// batch, weighted so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    label_smoothing: f32,
    /// One for each class; none if all weigh alike.
    weights: Vec<f32>,
    ignored: Option<u32>,
}

impl CrossEntropy {
    /// Without label smoothing; all classes weigh alike.
    #[must_use]
    pub const fn new() -> Self {
        Self { label_smoothing: 0.0, weights: Vec::new(), ignored: None }
    }

    /// Gives `amount` of the probability that is wished for to all classes alike.
    ///
    /// # Panics
    /// When `amount` is not between 0 and 1.
    #[must_use]
    pub const fn label_smoothing(mut self, amount: f32) -> Self {
        assert!(amount >= 0.0 && amount <= 1.0, "label smoothing is between 0 and 1");
        self.label_smoothing = amount;
        self
    }

    /// How much each class weighs: more for one that is rare.
    ///
    /// # Panics
    /// When there are none, or one is negative, infinite or not a number.
    #[must_use]
    pub fn class_weights(mut self, weights: &[f32]) -> Self {
        assert!(!weights.is_empty(), "one weight for each class");
        let sound = weights.iter().all(|weight| *weight >= 0.0 && weight.is_finite());
        assert!(sound, "a weight is finite and not negative");
        self.weights = weights.to_vec();
        self
    }

    /// Leaves out choices with this target, which need not be a class number: places of a sequence that
    /// are filled up. They count neither for the loss nor for the accuracy.
    #[must_use]
    pub const fn ignore_index(mut self, target: u32) -> Self {
        self.ignored = Some(target);
        self
    }

    /// How much a choice with this target weighs.
    fn weight_of(&self, target: u32) -> f32 {
        if self.ignored == Some(target) { 0.0 } else { self.class_weight(target as usize) }
    }

    fn class_weight(&self, class: usize) -> f32 {
        if self.weights.is_empty() { 1.0 } else { self.weights[class] }
    }

    /// The loss of one choice, times its weight, and its gradient times `scale`.
    fn choice(&self, y: &[f32], target: u32, scale: f32, d_y: &mut [f32]) -> f64 {
        if self.ignored == Some(target) {
            d_y.fill(0.0);
            return 0.0;
        }
        let target = target as usize;
        let mut totals = [0.0; 2];
        exponentials(y, d_y, &mut totals);
        let [largest, sum] = totals;
        let log_sum = f64::from(largest) + f64::from(sum).ln();
        let right = (1.0 - self.label_smoothing) * self.class_weight(target);
        // All that is wished for, of the right class and of all alike, pulls at the softmax.
        let factor = (right + self.smoothed(y.len()).sum::<f32>()) * scale / sum;
        for d in d_y.iter_mut() {
            *d *= factor;
        }
        d_y[target] -= right * scale;
        let mut loss = f64::from(right) * (log_sum - f64::from(y[target]));
        for ((y, d), share) in y.iter().zip(d_y).zip(self.smoothed(y.len())) {
            *d -= share * scale;
            loss += f64::from(share) * (log_sum - f64::from(*y));
        }
        loss
    }

    /// What label smoothing gives to each of the classes; nothing without it.
    fn smoothed(&self, classes: usize) -> impl Iterator<Item = f32> {
        let even = self.label_smoothing / classes as f32;
        let smoothed = if even == 0.0 { 0 } else { classes };
        (0..smoothed).map(move |class| even * self.class_weight(class))
    }
}

dispatch! {
    /// Writes `exp(y - largest)` to `e`, and the largest `y` and the sum of `e` to `totals`. With the
    /// largest taken off, exponentials cannot overflow.
    fn exponentials<L>(y: &[f32], e: &mut [f32], totals: &mut [f32; 2]) {
        let largest = rows::max(y);
        for (e, y) in e.iter_mut().zip(y) {
            *e = exp::<L>(y - largest);
        }
        *totals = [largest, rows::sum(e)];
    }
}

/// Scores of classes, for one choice or for several: `[f32; C]`, `[[f32; C]; T]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold scores of classes",
    note = "they are `[f32; C]`, or arrays of them; a network with several outputs takes a tuple of losses, one \
            for each of them: `(CrossEntropy::new(), MeanSquaredError)`"
)]
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
fn classes<C: Values>(target: &C) -> impl ExactSizeIterator<Item = u32> {
    target.as_floats().iter().map(|bits| bits.to_bits())
}

/// How many choices an output makes.
const fn choices<S: Scores>() -> usize {
    S::LEN / S::CLASSES
}

impl<S: Scores> Loss<S> for CrossEntropy {
    type Target = S::Classes;

    fn check(&self, target: &S::Classes) -> Result<(), String> {
        let (expected, weights) = (S::CLASSES, self.weights.len());
        if weights != 0 && weights != expected {
            return Err(format!("expected {expected} class weights, found {weights}"));
        }
        let wrong = |class: &u32| *class as usize >= expected && self.ignored != Some(*class);
        match classes(target).find(wrong) {
            Some(class) => Err(format!(
                "expected a class number below {expected}, as many as the network has outputs, found {class}"
            )),
            None => Ok(()),
        }
    }

    fn sample(&self, y: &[f32], target: &S::Classes, scale: f32, d_y: &mut [f32]) -> f64 {
        let choices = choices::<S>();
        let scale = scale / choices as f32;
        let rows = y.chunks_exact(S::CLASSES).zip(d_y.chunks_exact_mut(S::CLASSES));
        let targets = classes(target);
        let sum: f64 = rows.zip(targets).map(|((y, d), t)| self.choice(y, t, scale, d)).sum();
        sum / choices as f64
    }

    fn weight(&self, target: &S::Classes, steps: usize) -> f64 {
        let choices = choices::<S>();
        let valid = steps * S::LEN / all_steps::<S>() / S::CLASSES;
        if self.weights.is_empty() && self.ignored.is_none() {
            return valid as f64 / choices as f64;
        }
        let weights = classes(target).take(valid).map(|t| f64::from(self.weight_of(t)));
        weights.sum::<f64>() / choices as f64
    }

    fn correct(&self, y: &[f32], target: &S::Classes) -> (usize, usize) {
        let rows = y.chunks_exact(S::CLASSES).zip(classes(target));
        let counted = rows.filter(|(_, target)| self.ignored != Some(*target));
        counted.fold((0, 0), |(right, all), (y, target)| {
            (right + usize::from(is_largest(y, target as usize)), all + 1)
        })
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

/// Whether it stands at `at`; never where one is NaN. To look for it would take longer: one number would wait for
/// the one before.
fn is_largest(y: &[f32], at: usize) -> bool {
    let Some(value) = y.get(at) else { return false };
    let (before, after) = y.split_at(at);
    before.iter().fold(true, |all, other| all & (other < value))
        & after.iter().fold(true, |all, other| all & (other <= value))
}

#[cfg(test)]
mod tests {
    use super::super::Tally;
    use super::super::tests::{check, check_batch};
    use super::*;

    // Expected numbers: scripts/losses.py, PyTorch in float64.
    const Y: [f32; 4] = [0.5, -1.25, 2.0, 0.75];

    #[test]
    fn the_first_of_equal_numbers_is_the_largest() {
        for y in [[3.0, 1.0, 3.0], [1.0, 2.0, 2.0], [0.0; 3], [-1.0, -2.0, -0.5]] {
            let found: Vec<_> = (0..4).filter(|at| is_largest(&y, *at)).collect();
            assert_eq!(found, [largest(&y)], "{y:?}");
        }
        assert!((0..3).all(|at| !is_largest(&[0.0, f32::NAN, 1.0], at)));
    }

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

    /// Scores of three samples of two steps, and their classes; class 9 is ignored.
    const SEQUENCES: [[[f32; 4]; 2]; 3] = [
        [Y, [1.0, 0.0, -0.5, 0.25]],
        [[-0.75, 0.5, 1.5, 0.0], [0.25, 2.0, -1.0, 1.0]],
        [[3.0, -2.0, 0.5, 0.0], [0.5, 0.5, -0.5, 1.25]],
    ];
    const CLASSES: [[u32; 2]; 3] = [[3, 0], [9, 2], [9, 9]];
    const WEIGHTS: [f32; 4] = [0.5, 2.0, 3.0, 1.5];

    #[test]
    fn weighted_means_agree_with_pytorch() {
        let loss = CrossEntropy::new().ignore_index(9);
        check_batch(&loss, &SEQUENCES, &CLASSES, 1.958_737_053_664_891_6);
        let loss = loss.class_weights(&WEIGHTS);
        check_batch(&loss, &SEQUENCES, &CLASSES, 2.657_386_503_516_233_4);
        check_batch(&loss.label_smoothing(0.2), &SEQUENCES, &CLASSES, 2.520_993_984_082_614_3);
    }

    #[test]
    fn a_batch_without_any_weight_has_no_loss_and_no_gradient() {
        let loss = CrossEntropy::new().ignore_index(9);
        let mut tally = Tally::default();
        let mut d_y = [f32::NAN; 8];
        let y = SEQUENCES[2].as_floats();
        tally.count::<[[f32; 4]; 2], _>(&loss, y, &[9, 9], 2, 1.0, &mut d_y);
        assert_eq!((tally.mean_loss(), tally.accuracy(), d_y), (0.0, None, [0.0; 8]));
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
        let loss = loss.ignore_index(0);
        assert_eq!(Loss::<[[f32; 4]; 2]>::correct(&loss, both.as_floats(), &[2, 0]), (1, 1));
    }

    #[test]
    fn a_class_number_out_of_range_is_named() {
        let why = Loss::<[f32; 10]>::check(&CrossEntropy::new(), &10).unwrap_err();
        assert!(why.contains("below 10") && why.contains("found 10"), "{why}");
        assert_eq!(Loss::<[[f32; 10]; 2]>::check(&CrossEntropy::new(), &[9, 0]), Ok(()));
        let ignoring = CrossEntropy::new().ignore_index(u32::MAX);
        assert_eq!(Loss::<[[f32; 10]; 2]>::check(&ignoring, &[9, u32::MAX]), Ok(()));
    }

    #[test]
    fn class_weights_that_do_not_fit_are_told() {
        let loss = CrossEntropy::new().class_weights(&WEIGHTS);
        let why = Loss::<[f32; 10]>::check(&loss, &0).unwrap_err();
        assert_eq!(why, "expected 10 class weights, found 4");
    }
}
