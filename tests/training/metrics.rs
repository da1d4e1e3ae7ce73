//! Metrics of a trainer, and of a network.

use super::threads::data;
use unrolled::metrics::{MeanAbsoluteError, Perplexity, R2};
use unrolled::prelude::*;
use unrolled::train::{Confusion, Metric, measure};
use unrolled::{Sequence, infer_batch};

network! {
    struct Classes(8x8x2) -> 3 { Flatten, Dense(8), ReLU, Dense(3) }

    struct Values(8x8x2) -> 2 { Flatten, Dense(2) }

    struct Steps(..5x1) -> 5x3 { Dense(3) }
}

#[test]
fn epochs_have_the_metrics_of_the_validation_data() {
    let (train, valid) = (data(40, 1), data(25, 2));
    let mut net = Classes::new(1);
    let history = Trainer::new(Adam::new(0.01))
        .epochs(2)
        .validate(&valid)
        .metric(Accuracy::new())
        .metric(F1::macro_average())
        .metric(Perplexity::new())
        .quiet()
        .fit(&mut net, &train, &CrossEntropy::new())
        .expect("sound data");
    let last = history.epochs.last().expect("two epochs");
    let score = last.validation.expect("validated");
    assert_eq!(last.metrics.get("accuracy"), score.accuracy);
    let perplexity = last.metrics.get("perplexity").expect("a metric");
    assert!((perplexity - score.loss.exp()).abs() < 1e-5, "{perplexity} {}", score.loss);
    let f1 = measure(&*net, &valid, F1::macro_average()).expect("sound data");
    assert_eq!(last.metrics.get("F1 (macro)"), Some(f1));
    let shown = history.to_string();
    assert!(shown.contains("accuracy  accuracy  F1 (macro)  perplexity"), "{shown}");
    assert!(last.to_string().contains(", F1 (macro) 0."), "{last}");
    // The confusion matrix of the predictions has the same accuracy.
    let mut scores = vec![[0.0; 3]; 25];
    infer_batch(&*net, &valid.inputs, &mut scores);
    let largest =
        |y: &[f32; 3]| (0..3_u32).rev().max_by(|a, b| y[*a as usize].total_cmp(&y[*b as usize]));
    let predicted = scores.iter().filter_map(largest);
    let confusion = Confusion::<3>::from_pairs(valid.targets.iter().copied().zip(predicted));
    assert_eq!(Some(confusion.accuracy()), score.accuracy);
    assert_eq!(confusion, Confusion::of(&*net, &valid).expect("sound data"));
}

#[test]
fn without_validation_data_metrics_are_those_of_the_training_data() {
    let inputs = data(30, 1).inputs;
    let targets = inputs.iter().map(|x| [x[0][0][0], x[1][0][0] - 2.0 * x[7][7][1]]).collect();
    let train = Data { inputs, targets };
    let mut net = Values::new(1);
    let history = Trainer::new(Adam::new(0.02))
        .epochs(60)
        .metric(MeanAbsoluteError::new())
        .metric(R2::new())
        .quiet()
        .fit(&mut net, &train, &MeanSquaredError)
        .expect("sound data");
    let [first, last] = [0, 59].map(|i| history.epochs[i].metrics);
    assert_eq!(last.get("R2"), measure(&*net, &train, R2::new()).ok());
    assert!(first.get("R2") < Some(0.5) && last.get("R2") > Some(0.95), "{first:?} {last:?}");
    assert!(last.get("mean absolute error") < first.get("mean absolute error"));
}

/// The number of elements of the outputs that it has received.
#[derive(Default)]
struct Elements(usize);

impl<Target> Metric<[[f32; 3]; 5], Target> for Elements {
    fn name(&self) -> &'static str {
        "elements"
    }
    fn add(&mut self, y: &[f32], _: &Target) {
        self.0 += y.len();
    }
    fn value(&self) -> f64 {
        self.0 as f64
    }
    fn reset(&mut self) {
        self.0 = 0;
    }
}

#[test]
fn metrics_of_sequences_have_the_valid_steps() {
    let sequence = |len| Sequence::new(&[[0.5]; 5][..len]).expect("a sequence");
    let data = Data { inputs: vec![sequence(2), sequence(5)], targets: vec![[1_u32; 5]; 2] };
    let net = Steps::new(1);
    assert_eq!(measure(&*net, &data, Elements::default()).ok(), Some(21.0));
    let accuracy = measure(&*net, &data, Accuracy::new()).ok();
    let score = net.evaluate(&data, &CrossEntropy::new()).expect("sound data");
    assert_eq!(accuracy, score.accuracy);
}
