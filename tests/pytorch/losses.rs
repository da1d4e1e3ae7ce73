//! Losses and their gradients against PyTorch.

use crate::case::{Case, copy, floats};
use unrolled::loss::{
    BatchLoss, BinaryCrossEntropyWithLogits, BinaryFocalWithLogits, CTC, Dice, Focal, GaussianNLL,
    Hinge, InfoNCE, KLDivergence, LabelSequence, MarginRanking, MultiMargin, NLL, NTXent,
    PoissonNLL, Quantile, Triplet,
};
use unrolled::prelude::*;

const STEPS: usize = 12;
const CLASSES: usize = 5;
type Vector = [f32; 16];
type Scores = [[f32; CLASSES]; STEPS];

network! {
    struct Normal(x: 4) -> (mean: 8, var: 8) {
        mean: Dense(8),
        var: x => Dense(8),
    }
}

/// The mean loss of a batch, and the gradients of its outputs.
fn mean_loss<O: Values, L: Loss<O>>(loss: &L, ys: &[O], targets: &[L::Target]) -> (f32, Vec<O>) {
    assert!(targets.iter().all(|target| loss.check(target).is_ok()));
    let weight: f64 = targets.iter().map(|t| loss.weight(t, O::SHAPE.dim(0))).sum();
    let mut d_ys = vec![O::zeroed(); ys.len()];
    let mut sum = 0.0;
    for ((y, target), d_y) in ys.iter().zip(targets).zip(&mut d_ys) {
        let scale = (1.0 / weight) as f32;
        sum += loss.sample(y.as_floats(), target, scale, d_y.as_floats_mut());
    }
    ((sum / weight) as f32, d_ys)
}

fn check<O: Values, L: Loss<O>>(case: &Case, name: &str, loss: &L, targets: &[L::Target]) {
    let (found, d_ys) = mean_loss(loss, &case.outputs::<O>(&format!("{name}.y")), targets);
    case.compare(&format!("{name}.loss"), [found]);
    case.compare(&format!("{name}.d_y"), floats(&d_ys));
}

/// A loss whose targets have the type of outputs.
fn check_values<O: Values, L: Loss<O, Target: Values>>(case: &Case, name: &str, loss: &L) {
    check::<O, L>(case, name, loss, &case.outputs::<L::Target>(&format!("{name}.target")));
}

/// A loss of class indices.
fn check_classes<L: Loss<Scores, Target = [u32; STEPS]>>(case: &Case, name: &str, loss: &L) {
    let classes = case.values(&format!("{name}.target"));
    let targets: Vec<[u32; STEPS]> = classes
        .chunks_exact(STEPS)
        .map(|chunk| std::array::from_fn(|step| chunk[step] as u32))
        .collect();
    check(case, name, loss, &targets);
}

#[test]
fn losses_of_values() {
    let case = Case::read("losses");
    let pos_weights: [f32; 16] = std::array::from_fn(|i| i as f32 * 0.25 + 0.25);
    let bce = BinaryCrossEntropyWithLogits::new().pos_weights(&pos_weights);
    check_values::<Vector, _>(&case, "bce", &bce);
    check_values::<Scores, _>(&case, "kl", &KLDivergence::new());
    check_values::<Vector, _>(&case, "poisson", &PoissonNLL::new());
    check_values::<Vector, _>(&case, "hinge", &Hinge::new());
    check_values::<Vector, _>(&case, "quantile", &Quantile::new(0.9));
    check_values::<Vector, _>(&case, "binary_focal", &BinaryFocalWithLogits::new());
    check_values::<Scores, _>(&case, "dice", &Dice::new().with_logits());
    check_values::<<Normal as Network>::Output, _>(&case, "gaussian", &GaussianNLL::new());
}

#[test]
fn losses_of_classes() {
    let case = Case::read("losses");
    let weights: [f32; CLASSES] = std::array::from_fn(|i| i as f32 * 0.5 + 0.25);
    let nll = NLL::new().class_weights(&weights).ignore_index(1);
    check_classes(&case, "nll", &nll);
    check_classes(&case, "multi_margin", &MultiMargin::new().class_weights(&weights));
    check_classes(&case, "focal", &Focal::new());
}

/// `ctc_loss` returns the gradient of scores, assuming that a softmax is before it: that of log-probabilities plus the
/// probabilities times the minus sum of it.
#[test]
fn ctc_of_scores() {
    let case = Case::read("losses");
    let labels: Vec<LabelSequence<5>> = case
        .values("ctc.target")
        .chunks_exact(5)
        .map(|row| {
            let labels: Vec<u32> = row.iter().filter(|l| **l >= 0.0).map(|l| *l as u32).collect();
            LabelSequence::new(&labels).expect("at most 5")
        })
        .collect();
    let scores = case.values("ctc.y");
    let log_p: Vec<f64> = scores
        .chunks_exact(CLASSES)
        .flat_map(|row| {
            let log_sum = row.iter().map(|y| y.exp()).sum::<f64>().ln();
            row.iter().map(move |y| y - log_sum)
        })
        .collect();
    let mut ys = vec![[[0.0; CLASSES]; STEPS]; labels.len()];
    for (y, log_p) in ys.iter_mut().zip(log_p.chunks_exact(STEPS * CLASSES)) {
        copy(log_p, y.as_floats_mut());
    }
    let (found, mut d_ys) = mean_loss(&CTC::new(), &ys, &labels);
    case.compare("ctc.loss", [found]);
    for (d_y, y) in d_ys.iter_mut().flatten().zip(ys.iter().flatten()) {
        let sum: f32 = d_y.iter().sum();
        for (d, log_p) in d_y.iter_mut().zip(y) {
            *d -= log_p.exp() * sum;
        }
    }
    case.compare("ctc.d_y", floats(&d_ys));
}

#[test]
fn losses_of_batches() {
    fn check(case: &Case, name: &str, loss: &impl BatchLoss<Vector>) {
        let outputs: Vec<Vector> = case.outputs(&format!("{name}.y"));
        let mut d_outputs = vec![[f32::NAN; 16]; outputs.len()];
        let found = loss.loss_and_gradient(&outputs, &mut d_outputs).expect("whole groups");
        case.compare(&format!("{name}.loss"), [found as f32]);
        case.compare(&format!("{name}.d_y"), floats(&d_outputs));
    }
    let case = Case::read("losses");
    check(&case, "triplet", &Triplet::new().margin(8.0));
    check(&case, "margin_ranking", &MarginRanking::new().margin(0.5));
    check(&case, "info_nce", &InfoNCE::new(0.1).symmetric());
    check(&case, "nt_xent", &NTXent::new(0.5));
}
