//! Whole trainings of a small network.

mod common;

use common::Tiny;
use std::ops::ControlFlow;
use unrolled_runtime::data::Data;
use unrolled_runtime::loss::{CrossEntropy, MeanSquaredError};
use unrolled_runtime::optim::schedule::{Exponential, Plateau, Schedule, StepDecay};
use unrolled_runtime::optim::{Adam, AdamW, Clip, Optimizer, SGD, TrainedRange};
use unrolled_runtime::train::{DataSet, TrainError, Trainer};
use unrolled_runtime::{
    BatchError, InferenceExt, RngKey, TrainingExt, WeightSlice, Weights, parallel,
};

/// Points, and their side of a bent line.
fn points(count: usize, seed: u64) -> Data<[f32; 4], u32> {
    let key = RngKey::new(seed);
    let value = |i: usize| 2.0 * key.uniform(i as u64) - 1.0;
    let inputs: Vec<[f32; 4]> =
        (0..count).map(|i| std::array::from_fn(|j| value(4 * i + j))).collect();
    let targets =
        inputs.iter().map(|[a, b, c, _]| u32::from(a.abs() + b > 0.3 * c + 0.4)).collect();
    Data { inputs, targets }
}

#[test]
fn learns() {
    let (train, valid) = (points(1000, 1), points(500, 2));
    let mut net = Tiny::new(5);
    let loss = CrossEntropy::new();
    let before = net.evaluate(&valid, &loss).unwrap();
    let history = Trainer::new(Adam::new(1e-2))
        .batch(16)
        .epochs(12)
        .validate(&valid)
        .quiet()
        .fit(&mut net, &train, &loss)
        .unwrap();
    let after = net.evaluate(&valid, &loss).unwrap();
    assert!(before.accuracy.unwrap() < 0.8 && after.accuracy.unwrap() > 0.95, "{history}");
    assert_eq!(history.epochs.len(), 12);
    let last = history.epochs.last().unwrap();
    assert_eq!((last.number, last.validation), (12, Some(after)));
    assert!(last.training.loss < 0.3 * history.epochs[0].training.loss, "{history}");
    // The last batch of an epoch has 8 samples; all are counted.
    let samples = last.training.accuracy.unwrap() * 1000.0;
    assert!((samples - samples.round()).abs() < 1e-9, "{samples}");
}

#[test]
fn evaluation_agrees_with_single_samples() {
    let (data, net) = (points(5000, 3), Tiny::new(1));
    let score = net.evaluate(&data, &CrossEntropy::new()).unwrap();
    let (mut loss, mut right) = (0.0, 0.0);
    for (x, target) in data.inputs.iter().zip(&data.targets) {
        let [a, b] = net.forward(x).map(f64::from);
        let y = [a, b][*target as usize];
        loss += (a.exp() + b.exp()).ln() - y;
        right += f64::from(u32::from(y >= a.max(b)));
    }
    assert!((score.loss - loss / 5000.0).abs() < 1e-6);
    assert_eq!(score.accuracy, Some(right / 5000.0));
}

/// The weights after a training, as bits.
fn trained_bits(threads: usize, seed: u64) -> Vec<u32> {
    let (train, valid) = (points(333, 1), points(50, 2));
    let mut net = Tiny::new(5);
    parallel::with_threads(threads, || {
        Trainer::new(AdamW::new(1e-2))
            .batch(32)
            .epochs(4)
            .seed(seed)
            .validate(&valid)
            .quiet()
            .fit(&mut net, &train, &CrossEntropy::new().label_smoothing(0.1))
            .unwrap();
    });
    bits(&net)
}

fn bits(net: &Tiny) -> Vec<u32> {
    net.as_floats().iter().map(|w| w.to_bits()).collect()
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let one = trained_bits(1, 7);
    assert_eq!(one, trained_bits(2, 7));
    assert_eq!(one, trained_bits(7, 7));
    assert_ne!(one, trained_bits(1, 8), "another seed, another order");
}

#[test]
fn ignored_samples_have_no_gradient() {
    let loss = CrossEntropy::new().class_weights(&[0.5, 2.0]).ignore_index(7);
    let some = points(20, 1);
    let mut more = some.clone();
    let others = points(60, 2);
    more.inputs.extend(&others.inputs);
    more.targets.extend([7; 60]);
    let gradient = |data: &Data<[f32; 4], u32>| {
        let (mut net, mut d_net) = (Tiny::new(5), Tiny::zeros());
        let mean = net
            .loss_and_gradients(&loss, &data.inputs, &data.targets, &mut d_net, RngKey::new(1))
            .unwrap();
        let score = net.evaluate(data, &loss).unwrap();
        assert!((score.loss - f64::from(mean)).abs() < 1e-6, "{mean} {score}");
        (mean, d_net, score.accuracy)
    };
    let ((mean, d_net, accuracy), (mean_of_more, d_more, accuracy_of_more)) =
        (gradient(&some), gradient(&more));
    assert!((mean - mean_of_more).abs() < 1e-6, "{mean} {mean_of_more}");
    assert_eq!(accuracy, accuracy_of_more);
    for (a, b) in d_net.as_floats().iter().zip(d_more.as_floats()) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn a_weighted_mean_is_that_of_single_samples() {
    let (weights, data) = ([0.5, 2.0], points(20, 1));
    let (mut net, mut d_net, mut d_one) = (Tiny::new(5), Tiny::zeros(), Tiny::zeros());
    let (mut total, mut sum, mut d_sum) = (0.0, 0.0, vec![0.0; d_net.as_floats().len()]);
    for (x, &target) in data.inputs.iter().zip(&data.targets) {
        let plain = CrossEntropy::new();
        let loss =
            net.loss_and_gradients(&plain, &[*x], &[target], &mut d_one, RngKey::new(1)).unwrap();
        let weight = weights[target as usize];
        total += weight;
        sum += weight * loss;
        d_sum.iter_mut().zip(d_one.as_floats()).for_each(|(sum, d)| *sum += weight * d);
    }
    let loss = CrossEntropy::new().class_weights(&weights);
    let mean = net
        .loss_and_gradients(&loss, &data.inputs, &data.targets, &mut d_net, RngKey::new(1))
        .unwrap();
    assert!((mean - sum / total).abs() < 1e-6, "{mean} {sum} {total}");
    for (d, sum) in d_net.as_floats().iter().zip(d_sum) {
        assert!((d - sum / total).abs() < 1e-6, "{d} {sum} {total}");
    }
}

#[test]
fn a_second_fit_continues_where_the_first_one_ended() {
    let (train, loss) = (points(100, 1), CrossEntropy::new());
    let (mut once, mut twice) = (Tiny::new(5), Tiny::new(5));
    Trainer::new(Adam::new(1e-2)).epochs(6).quiet().fit(&mut once, &train, &loss).unwrap();
    let mut trainer = Trainer::new(Adam::new(1e-2)).epochs(3).quiet();
    trainer.fit(&mut twice, &train, &loss).unwrap();
    let history = trainer.fit(&mut twice, &train, &loss).unwrap();
    assert_eq!(bits(&once), bits(&twice));
    assert_eq!(history.epochs.iter().map(|epoch| epoch.number).collect::<Vec<_>>(), [4, 5, 6]);
}

#[test]
fn a_step_is_the_optimisers_on_the_batchs_gradient() {
    let data = points(10, 1);
    let (mut trained, mut by_hand) = (Tiny::new(5), Tiny::new(5));
    let loss = CrossEntropy::new();
    Trainer::new(SGD::new(0.5))
        .batch(10)
        .epochs(1)
        .quiet()
        .fit(&mut trained, &data, &loss)
        .unwrap();
    let mut d_net = Tiny::zeros();
    by_hand
        .loss_and_gradients(&loss, &data.inputs, &data.targets, &mut d_net, RngKey::new(1))
        .unwrap();
    for (w, d) in by_hand.params_mut().iter_mut().zip(d_net.params()) {
        *w -= 0.5 * d;
    }
    // Samples are added up in another order.
    for (a, b) in trained.params().iter().zip(by_hand.params()) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn a_trainer_clips_gradients() {
    let data = points(10, 1);
    let loss = CrossEntropy::new();
    let step = |clip: Option<Clip>| {
        let mut net = Tiny::new(5);
        let before = net.as_floats().to_vec();
        let trainer = Trainer::new(SGD::new(1.0)).batch(10).epochs(1).quiet();
        let mut trainer = if let Some(clip) = clip { trainer.clip(clip) } else { trainer };
        trainer.fit(&mut net, &data, &loss).unwrap();
        before.iter().zip(net.as_floats()).map(|(a, b)| a - b).collect::<Vec<f32>>()
    };
    let norm = |d: &[f32]| d.iter().map(|d| d * d).sum::<f32>().sqrt();
    let plain = step(None);
    let (by_norm, by_value) = (step(Some(Clip::Norm(0.01))), step(Some(Clip::Value(0.02))));
    assert!(norm(&plain) > 0.1 && plain.iter().any(|d| d.abs() > 0.05), "{plain:?}");
    let factor = 0.01 / norm(&plain);
    for ((plain, by_norm), by_value) in plain.iter().zip(&by_norm).zip(&by_value) {
        assert!((by_norm - plain * factor).abs() < 1e-6, "{by_norm} {plain}");
        assert!((by_value - plain.clamp(-0.02, 0.02)).abs() < 1e-6, "{by_value} {plain}");
    }
    // Clipped values are smaller, with the same sign.
    let adaptive = step(Some(Clip::Adaptive { ratio: 0.001, except: &[] }));
    assert!(norm(&adaptive) < 0.1 * norm(&plain) && norm(&adaptive) > 0.0);
    for (plain, adaptive) in plain.iter().zip(&adaptive) {
        assert!(adaptive.abs() <= plain.abs() && adaptive * plain >= 0.0, "{adaptive} {plain}");
    }
}

#[test]
fn schedules_count_epochs_or_steps_through_all_calls_of_fit() {
    let (data, loss) = (points(20, 1), CrossEntropy::new());
    let rates = |mut trainer: Trainer<'_, SGD, Tiny, u32>| {
        let mut net = Tiny::new(5);
        let mut fit = || trainer.fit(&mut net, &data, &loss).unwrap().epochs;
        let epochs: Vec<_> = fit().into_iter().chain(fit()).collect();
        epochs.iter().map(|epoch| epoch.learning_rate).collect::<Vec<f64>>()
    };
    let trainer = || Trainer::new(SGD::new(0.5)).batch(8).epochs(2).quiet();
    assert_eq!(rates(trainer().schedule_epochs(Exponential::new(0.5))), [0.5, 0.25, 0.125, 0.0625]);
    // Three steps per epoch: 2, 5, 8 and 11 steps are done before the last one of each.
    assert_eq!(rates(trainer().schedule_steps(StepDecay::new(3, 0.5))), [0.5, 0.25, 0.125, 0.0625]);
    // No loss falls to a hundredth of the best one.
    let plateau = Plateau::new().threshold(0.99).patience(0).factor(0.5);
    assert_eq!(rates(trainer().schedule_epochs(plateau)), [0.5, 0.5, 0.25, 0.125]);
}

#[test]
fn the_best_weights_can_be_kept() {
    let (train, valid, loss) = (points(100, 1), points(100, 2), CrossEntropy::new());
    let mut net = Tiny::new(5);
    // The learning rate from epoch 4 on destroys the weights.
    let history = Trainer::new(SGD::new(0.0))
        .learning_rate(|epoch| if epoch < 4 { 0.1 } else { 100.0 })
        .epochs(6)
        .validate(&valid)
        .keep_best(true)
        .quiet()
        .fit(&mut net, &train, &loss)
        .unwrap();
    let rates: Vec<f64> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert_eq!(rates, [0.1, 0.1, 0.1, 100.0, 100.0, 100.0]);
    let best = history.kept.unwrap();
    assert!(best < 4, "{history}");
    let score = net.evaluate(&valid, &loss).unwrap();
    assert_eq!(history.epochs[best - 1].validation, Some(score));
    assert!(history.epochs.iter().all(|epoch| epoch.validation.unwrap().loss >= score.loss));
}

#[test]
fn a_callback_stops_training() {
    let mut seen = Vec::new();
    let history = Trainer::new(SGD::new(0.1))
        .on_epoch(|epoch, _| {
            seen.push(epoch.number);
            if epoch.number == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .quiet()
        .fit(&mut Tiny::new(5), &points(20, 1), &CrossEntropy::new())
        .unwrap();
    assert_eq!((history.epochs.len(), seen), (3, vec![1, 2, 3]));
}

#[test]
fn a_gradient_that_overflows_names_its_layer() {
    let data = Data { inputs: vec![[1.0, 0.0, 0.0, 0.0]; 8], targets: vec![[0.0, 0.0]; 8] };
    let mut net = Tiny::zeros();
    // The hidden value is 1e-20 and the output 1, but the gradient of `fc1` overflows: 2 * 1e19 * 1e20.
    net.fc1.weight[0] = [1e-20, 0.0, 0.0];
    net.fc2.weight[0] = [1e20, 0.0];
    let targets = vec![[-1e19, 0.0]; 8];
    let data = Data { targets, ..data };
    let before = bits(&net);
    let error =
        Trainer::new(SGD::new(0.1)).quiet().fit(&mut net, &data, &MeanSquaredError).unwrap_err();
    let TrainError::Gradient { epoch: 1, step: 1, layer, index: 0, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(layer, "fc1");
    let message = error.to_string();
    assert!(
        message.contains("`fc1`") && message.contains("a smaller learning rate than 0.1"),
        "{message}"
    );
    assert_eq!(bits(&net), before, "weights from before the step");
}

#[test]
fn a_loss_that_overflows_names_the_layer_with_the_largest_weight() {
    let data = Data { inputs: vec![[1.0, 200.0, 0.0, 0.0]; 8], targets: vec![0; 8] };
    let mut net = Tiny::new(1);
    net.fc1.weight[0] = [3e38, 0.0, 0.0];
    net.fc2.weight[0] = [1e3, 0.0];
    let error =
        Trainer::new(SGD::new(0.1)).quiet().fit(&mut net, &data, &CrossEntropy::new()).unwrap_err();
    let TrainError::Loss { epoch: 1, step: 1, layer, .. } = &error else { panic!("{error}") };
    assert_eq!(layer, "fc1");
    let message = error.to_string();
    for part in ["epoch 1, step 1", "3.000e38, in layer `fc1`", "Inputs reach 200: try to scale"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_learning_rate_that_is_too_high_is_reported_with_epoch_and_step() {
    let data = points(100, 1);
    let error = Trainer::new(SGD::new(1e30))
        .batch(10)
        .quiet()
        .fit(&mut Tiny::new(1), &data, &CrossEntropy::new())
        .unwrap_err();
    let (TrainError::Loss { epoch, step, .. } | TrainError::Gradient { epoch, step, .. }) = error
    else {
        panic!("{error}")
    };
    assert!(epoch == 1 && step > 1, "the weights before the first step are fine");
}

#[test]
fn weights_that_are_not_finite_are_reported_before_training() {
    let mut net = Tiny::new(1);
    // `ReLU` hides this value from the loss.
    net.fc1.bias[2] = f32::NEG_INFINITY;
    let data = points(10, 1);
    let error =
        Trainer::new(SGD::new(0.1)).quiet().fit(&mut net, &data, &CrossEntropy::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "before training: the weights of layer `fc1` are not finite (-inf at index 14)"
    );
}

#[test]
fn an_input_that_is_not_finite_is_reported_with_its_sample() {
    let (train, mut valid) = (points(10, 1), points(10, 2));
    valid.inputs[7][2] = f32::NAN;
    let error = Trainer::new(SGD::new(0.1))
        .validate(&valid)
        .quiet()
        .fit(&mut Tiny::new(1), &train, &CrossEntropy::new())
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("validation data: sample 7 has the value NaN at index 2"),
        "{message}"
    );
}

#[test]
fn targets_that_do_not_fit_are_reported() {
    let mut train = points(10, 1);
    train.targets[4] = 2;
    let fit = |train: &Data<[f32; 4], u32>| {
        let mut trainer = Trainer::new(SGD::new(0.1)).quiet();
        trainer.fit(&mut Tiny::new(1), train, &CrossEntropy::new()).unwrap_err()
    };
    let message = fit(&train).to_string();
    assert!(
        message.starts_with("training data: target 4: expected a class index below 2"),
        "{message}"
    );
    train.targets.truncate(3);
    assert_eq!(
        fit(&train),
        TrainError::Data {
            data: DataSet::Training,
            source: BatchError::Targets { inputs: 10, targets: 3 }
        }
    );
    let message = fit(&Data::default()).to_string();
    assert_eq!(message, "training data: there are no samples: expected at least one");
}

#[test]
fn two_fits_without_a_last_epoch() {
    let stop = |_: &_, _: &_| ControlFlow::Break(());
    let mut trainer = Trainer::new(SGD::new(0.1)).epochs(usize::MAX).on_epoch(stop).quiet();
    let mut net = Tiny::new(5);
    for number in [1, 2] {
        let history = trainer.fit(&mut net, &points(20, 1), &CrossEntropy::new()).unwrap();
        assert_eq!(history.epochs[0].number, number);
    }
}

/// A schedule by a function of the number of steps.
struct ByStep<F>(F);

impl<F: FnMut(usize) -> f64> Schedule for ByStep<F> {
    fn rate(&mut self, _base: f64, done: usize) -> f64 {
        self.0(done)
    }
}

#[test]
fn learning_rates_that_are_not_finite_leave_the_weights() {
    let (data, loss) = (points(20, 1), CrossEntropy::new());
    for wrong in [f64::NAN, f64::INFINITY, -0.5] {
        let mut net = Tiny::new(5);
        let fit = |net: &mut Box<Tiny>, trainer: Trainer<'_, SGD, Tiny, u32>| {
            trainer.batch(10).epochs(3).quiet().fit(net, &data, &loss).unwrap_err()
        };
        let steps = ByStep(|done| if done < 3 { 0.1 } else { wrong });
        let found = fit(&mut net, Trainer::new(SGD::new(0.1)).schedule_steps(steps));
        let expected =
            format!("epoch 2, step 2: the learning rate is {wrong}: expected a finite number");
        assert!(found.to_string().starts_with(&expected), "{found}");
        assert!(net.as_floats().iter().all(|weight| weight.is_finite()));
        let before = bits(&net);
        let found = fit(&mut net, Trainer::new(SGD::new(0.1)).learning_rate(|_| wrong));
        assert!(matches!(found, TrainError::LearningRate { epoch: 1, step: 1, .. }), "{found}");
        assert_eq!(bits(&net), before);
    }
}

/// An optimiser of the user's, which accepts any learning rate.
struct Careless;

impl Optimizer for Careless {
    fn step(&mut self, weights: &mut [f32], _: &[f32], _: &[TrainedRange]) {
        weights.fill(f32::NAN);
    }
    fn learning_rate(&self) -> f64 {
        f64::NAN
    }
    fn set_learning_rate(&mut self, _: f64) {}
}

#[test]
fn optimisers_with_a_wrong_learning_rate_are_refused() {
    let mut net = Tiny::new(5);
    let found = Trainer::new(Careless).quiet().fit(&mut net, &points(20, 1), &CrossEntropy::new());
    assert!(matches!(found, Err(TrainError::LearningRate { epoch: 1, step: 1, .. })));
    assert!(net.as_floats().iter().all(|weight| weight.is_finite()));
}
