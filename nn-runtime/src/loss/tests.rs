//! What the tests of all losses share, and tests of sums over samples.

use super::loss_trait::{OneOutput, add_sample, all_steps};
use super::{
    BatchLoss, BinaryCrossEntropyWithLogits, BinaryFocalWithLogits, CTC, CosineSimilarity,
    CrossEntropy, Dice, Focal, Hinge, Huber, KLDivergence, LabelSequence, Loss, LossSum,
    MeanAbsoluteError, MeanSquaredError, MultiMargin, NLL, PoissonNLL, Quantile,
};
use crate::types::Values;

/// Compares the gradient of a loss with differences of the loss, and the loss with `expected`.
pub(super) fn check<O: Values, L: Loss<O>>(loss: &L, y: &O, target: &L::Target, expected: f64) {
    assert_eq!(loss.check(target), Ok(()));
    let mut d_y = vec![f32::NAN; O::LEN];
    let found = loss.sample(y.as_floats(), target, 0.5, &mut d_y);
    assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
    let mut moved = *y;
    let mut unused = vec![0.0; O::LEN];
    for (i, d) in d_y.iter().enumerate() {
        let mut at = |shift: f32| {
            moved.as_floats_mut()[i] = y.as_floats()[i] + shift;
            loss.sample(moved.as_floats(), target, 1.0, &mut unused)
        };
        let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
        moved.as_floats_mut()[i] = y.as_floats()[i];
        let analytic = 2.0 * f64::from(*d);
        assert!((numeric - analytic).abs() < 2e-4, "{i}: {numeric} {analytic}");
    }
}

/// Adds one sample with its whole output to `sum`.
pub(super) fn add_whole<O: Values, L: Loss<O>>(
    loss: &L,
    y: &[f32],
    target: &L::Target,
    d_y: &mut [f32],
    sum: &mut LossSum,
) {
    let steps = all_steps::<O>();
    add_sample::<O, L>(loss, OneOutput { y, target, steps, scale: 1.0, d_y }, sum);
}

/// Compares the mean loss of a batch with `expected`, and its gradient with differences of the mean.
pub(super) fn check_batch<O: Values, L: Loss<O>>(
    loss: &L,
    ys: &[O],
    targets: &[L::Target],
    expected: f64,
) {
    let steps = all_steps::<O>();
    let total: f64 = targets.iter().map(|target| loss.weight(target, steps)).sum();
    let mut d_y = vec![f32::NAN; O::LEN];
    let mut mean = |ys: &[O]| {
        let mut sum = LossSum::default();
        for (y, target) in ys.iter().zip(targets) {
            assert_eq!(loss.check(target), Ok(()));
            add_whole::<O, L>(loss, y.as_floats(), target, &mut d_y, &mut sum);
        }
        sum.mean_loss()
    };
    let found = mean(ys);
    assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
    let mut d_y = vec![f32::NAN; O::LEN];
    for (sample, y) in ys.iter().enumerate() {
        loss.sample(y.as_floats(), &targets[sample], (1.0 / total) as f32, &mut d_y);
        for (i, d) in d_y.iter().enumerate() {
            let mut at = |shift: f32| {
                let mut moved = ys.to_vec();
                moved[sample].as_floats_mut()[i] += shift;
                mean(&moved)
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((numeric - f64::from(*d)).abs() < 2e-4, "{sample}, {i}: {numeric} {d}");
        }
    }
}

#[test]
fn steps_after_the_end_are_ignored() {
    let mut sum = LossSum::default();
    let (y, target) = ([[1.0_f32, 2.0], [5.0, 5.0]], [[0.0, 0.0], [f32::MAX, 0.0]]);
    let mut d_y = [f32::NAN; 4];
    let sample =
        OneOutput { y: y.as_floats(), target: &target, steps: 1, scale: 2.0, d_y: &mut d_y };
    add_sample(&MeanSquaredError, sample, &mut sum);
    // The mean over the two valid values is 2.5, with half the weight of a whole sample.
    assert_eq!((sum.weight, sum.mean_loss()), (0.5, 2.5));
    assert_eq!(d_y, [1.0, 2.0, 0.0, 0.0]);
}

#[test]
fn an_output_without_valid_steps_has_no_loss() {
    fn sample<L: Loss<[[f32; 3]; 2]>>(loss: &L, target: &L::Target) {
        let (mut sum, mut d_y) = (LossSum::default(), [f32::NAN; 6]);
        let one = OneOutput { y: &[0.5; 6], target, steps: 0, scale: 1.0, d_y: &mut d_y };
        add_sample(loss, one, &mut sum);
        let name = std::any::type_name::<L>();
        assert_eq!((sum.loss, sum.correct, sum.predictions), (0.0, 0, 0), "{name}");
        assert_eq!(d_y, [0.0; 6], "{name}");
    }
    let (classes, zeros, signs) = ([2_u32, 0], [[0.0_f32; 3]; 2], [[1.0_f32, -1.0, 1.0]; 2]);
    sample(&CrossEntropy::new(), &classes);
    sample(&Focal::new(), &classes);
    sample(&MultiMargin::new(), &classes);
    sample(&NLL::new(), &classes);
    sample(&BinaryCrossEntropyWithLogits::new(), &zeros);
    sample(&BinaryFocalWithLogits::new(), &zeros);
    sample(&CosineSimilarity, &signs);
    sample(&Dice::new(), &zeros);
    sample(&Hinge::new(), &signs);
    sample(&Huber::new(), &signs);
    sample(&KLDivergence::new(), &zeros);
    sample(&MeanAbsoluteError, &signs);
    sample(&MeanSquaredError, &signs);
    sample(&PoissonNLL::new(), &zeros);
    sample(&Quantile::new(0.5), &signs);
    sample(&CTC::<2>::new(), &LabelSequence::new(&[]).expect("up to 2"));
    sample(&CTC::<2>::new().zero_infinity(), &LabelSequence::new(&[1]).expect("up to 2"));
}

#[test]
fn predictions_are_those_of_valid_steps() {
    fn accuracy<L: Loss<[[f32; 2]; 3]>>(loss: &L, target: &L::Target) -> (usize, usize) {
        let (mut sum, mut d_y) = (LossSum::default(), [f32::NAN; 6]);
        let y = [0.5, -0.5, 1.0, 1.0, 1.0, 1.0];
        add_sample(
            loss,
            OneOutput { y: &y, target, steps: 2, scale: 1.0, d_y: &mut d_y },
            &mut sum,
        );
        (sum.correct, sum.predictions)
    }
    let target = [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]];
    assert_eq!(accuracy(&BinaryCrossEntropyWithLogits::new(), &target), (3, 4));
    assert_eq!(accuracy(&BinaryFocalWithLogits::new(), &target), (3, 4));
    assert_eq!(accuracy(&Hinge::new(), &[[1.0, -1.0], [1.0, -1.0], [1.0, 1.0]]), (3, 4));
}

/// Compares the loss of a batch with `expected`, and its gradient with differences of the loss.
pub(super) fn check_batch_loss<O: Values>(loss: &impl BatchLoss<O>, outputs: &[O], expected: f64) {
    let mut d_outputs = vec![O::zeroed(); outputs.len()];
    let found = loss.loss_and_gradient(outputs, &mut d_outputs).unwrap();
    assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found} {expected}");
    let mut unused = d_outputs.clone();
    for (sample, d) in d_outputs.iter().enumerate() {
        for (i, d) in d.as_floats().iter().enumerate() {
            let mut at = |shift: f32| {
                let mut moved = outputs.to_vec();
                moved[sample].as_floats_mut()[i] += shift;
                loss.loss_and_gradient(&moved, &mut unused).unwrap()
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((numeric - f64::from(*d)).abs() < 2e-4, "{sample}, {i}: {numeric} {d}");
        }
    }
}
