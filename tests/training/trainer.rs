//! The settings of a trainer: accumulated gradients, last batches, early stopping, callbacks.

use super::threads::{Image, data};
use crate::common::bits;
use std::ops::ControlFlow;
use unrolled::prelude::*;
use unrolled::train::{EarlyStopping, TrainError};

network! {
    struct Small(8x8x2) -> 3 { Flatten, Dense(16), ReLU, Dropout(0.25), Dense(3) }

    #[allow(bias_before_batch_norm)]
    struct Normalised(8x8x2) -> 3 { Flatten, Dense(8), BatchNorm, ReLU, Dense(3) }

    struct Chunk(2) -> 2x3 { Embedding(3, 4), LSTM(4), Dense(3) }
}

/// The weights after three epochs of 113 samples whose weights differ.
fn accumulated(batch: usize, batches: usize) -> (Vec<f32>, usize) {
    let (train, loss) = (data(113, 1), CrossEntropy::new().class_weights(&[0.5, 1.0, 3.0]));
    let (mut net, mut steps) = (Small::new(5), 0);
    Trainer::new(SGD::new(0.1).momentum(0.9))
        .batch(batch)
        .accumulate(batches)
        .epochs(3)
        .on_step(|_| steps += 1)
        .quiet()
        .fit(&mut net, &train, &loss)
        .expect("sound data");
    (net.params().to_vec(), steps)
}

/// The last step of an epoch has 13 samples: a batch of 10 and one of 3.
#[test]
fn accumulated_gradients_are_those_of_a_large_batch() {
    let (large, few) = (accumulated(50, 1), accumulated(10, 5));
    assert_eq!((large.1, few.1), (9, 9));
    for (i, (large, few)) in large.0.iter().zip(&few.0).enumerate() {
        assert!((large - few).abs() < 2e-6, "weight {i}: {large} and {few}");
    }
}

/// A function of a program that has the network itself, not its box.
fn train_epochs<N: Network<Input = Image, Output = [f32; 3]>>(net: &mut N, each: bool) {
    let (train, loss) = (data(40, 1), CrossEntropy::new());
    let mut trainer = Trainer::new(SGD::new(0.1)).epochs(2).quiet();
    if each {
        for _ in 0..2 {
            trainer.fit_epoch(net, &train, &loss).expect("sound data");
        }
    } else {
        trainer.fit(net, &train, &loss).expect("sound data");
    }
}

#[test]
fn a_network_is_trained_as_its_box_is() {
    let mut boxed = Small::new(5);
    let mut trainer = Trainer::new(SGD::new(0.1)).epochs(2).quiet();
    trainer.fit(&mut boxed, &data(40, 1), &CrossEntropy::new()).expect("sound data");
    for each in [false, true] {
        let mut net = Small::new(5);
        train_epochs(&mut *net, each);
        assert_eq!(bits(net.params()), bits(boxed.params()));
    }
    let mut borrowed = &mut *Small::new(5);
    let mut trainer = Trainer::new(SGD::new(0.1)).epochs(2).quiet();
    trainer.fit(&mut borrowed, &data(40, 1), &CrossEntropy::new()).expect("sound data");
    assert_eq!(bits(borrowed.params()), bits(boxed.params()));
}

#[test]
fn a_last_batch_that_is_too_small_is_refused_or_dropped() {
    let (train, loss) = (data(21, 1), CrossEntropy::new());
    let trainer = || Trainer::new(SGD::new(0.1)).batch(5).epochs(2).quiet();
    let mut net = Normalised::new(1);
    let error = trainer().fit(&mut net, &train, &loss).expect_err("a batch of one sample");
    let expected = TrainError::LastBatch { samples: 21, batch: 5, least: 2, found: 1 };
    assert_eq!(error, expected);
    let mut steps = Vec::new();
    let mut dropping =
        trainer().drop_last(true).on_step(|step| steps.push((step.step, step.steps)));
    dropping.fit(&mut net, &train, &loss).expect("four batches");
    drop(dropping);
    assert_eq!(steps, [1, 2, 3, 4, 1, 2, 3, 4].map(|step| (step, 4)));
    // One batch that is smaller than the batch size is no last one.
    let error = trainer().fit(&mut net, &data(1, 1), &loss).expect_err("one sample");
    assert!(matches!(error, TrainError::Data { .. }), "{error}");
    let error = trainer().drop_last(true).fit(&mut net, &data(4, 1), &loss).expect_err("no batch");
    assert_eq!(error, TrainError::NoBatch { samples: 4, batch: 5 });
}

#[test]
fn training_ends_without_improvement() {
    let (train, valid, loss) = (data(30, 1), data(30, 2), CrossEntropy::new());
    // Random classes: the validation loss rises once the training samples are memorised.
    let mut net = Small::new(1);
    let history = Trainer::new(Adam::new(0.05))
        .epochs(200)
        .validate(&valid)
        .early_stopping(EarlyStopping::patience(3))
        .keep_best(true)
        .quiet()
        .fit(&mut net, &train, &loss)
        .expect("sound data");
    let losses: Vec<f64> =
        history.epochs.iter().map(|epoch| epoch.validation.expect("validated").loss).collect();
    let best = history.kept.expect("the best epoch");
    assert_eq!(losses.len(), best + 3, "{losses:?}");
    assert!(losses.iter().all(|loss| losses[best - 1] <= *loss));
    assert_eq!(net.evaluate(&valid, &loss).expect("sound data").loss, losses[best - 1]);
}

/// Stopped in the middle of an epoch and continued by the same trainer.
#[test]
fn a_stopped_epoch_is_continued() {
    fn train<N: Network>(
        data: &Data<N::Input, u32>,
        loss: &impl unrolled::loss::Loss<N::Output, Target = u32>,
        stop: Option<u64>,
    ) -> (Vec<u32>, Vec<f64>) {
        let mut net = N::new(3);
        let mut trainer =
            Trainer::new(Adam::new(1e-2)).batch(10).epochs(3).quiet().on_step(|step| match stop {
                Some(stop) if step.total_steps == stop => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            });
        let mut losses = Vec::new();
        for _ in 0..2 {
            let history = trainer.fit(&mut net, data, loss).expect("sound data");
            losses.extend(history.epochs.iter().map(|epoch| epoch.training.loss));
            if losses.len() >= 3 {
                break;
            }
        }
        losses.truncate(3);
        (bits(net.params()), losses)
    }
    let (train_data, loss) = (data(35, 1), CrossEntropy::new());
    let whole = train::<Normalised>(&train_data, &loss, None);
    // At the end of an epoch: two epochs and three more.
    let (_, losses) = train::<Normalised>(&train_data, &loss, Some(8));
    assert_eq!(losses, whole.1);
    // In the middle of the second one.
    let (_, losses) = train::<Normalised>(&train_data, &loss, Some(6));
    assert_eq!(losses, whole.1);
}

#[test]
fn a_stopped_epoch_is_an_error_of_fit_epoch_and_continued() {
    let (train, loss) = (data(35, 1), CrossEntropy::new());
    let fit = |stop: u64| {
        let mut net = Small::new(3);
        let flow = move |step: &unrolled::train::Step| match step.total_steps == stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let mut trainer = Trainer::new(SGD::new(0.1)).batch(10).quiet().on_step(flow);
        let found = [(); 3].map(|()| trainer.fit_epoch(&mut net, &train, &loss));
        (found, bits(net.params()))
    };
    let ([first, second, third], weights) = fit(6);
    assert_eq!(first.map(|epoch| epoch.number), Ok(1));
    assert_eq!(
        second.unwrap_err().to_string(),
        "epoch 2: `on_step` ended it before its last step; the next call continues it"
    );
    assert_eq!(third.map(|epoch| epoch.number), Ok(2));
    // The last step of an epoch completes it.
    let ([_, second, third], _) = fit(8);
    assert_eq!([second, third].map(|found| found.map(|epoch| epoch.number)), [Ok(2), Ok(3)]);
    let mut net = Small::new(3);
    let mut trainer = Trainer::new(SGD::new(0.1)).batch(10).epochs(2).quiet();
    trainer.fit(&mut net, &train, &loss).expect("sound data");
    assert_eq!(weights, bits(net.params()));
}

#[test]
fn a_stopped_epoch_of_chunks_is_continued_with_its_states() {
    let text: Vec<u32> = (0..81).map(|i| i * i % 3).collect();
    let (chunks, loss) = (Data::next_steps(&text), CrossEntropy::new());
    let fit = |stop| {
        let mut net = Chunk::new(3);
        let mut trainer = Trainer::new(SGD::new(0.1)).batch(4).epochs(1).carry_state().quiet();
        if let Some(stop) = stop {
            let flow = move |at: &unrolled::train::Step| match at.total_steps == stop {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            trainer = trainer.on_step(flow);
            assert!(trainer.fit(&mut net, &chunks, &loss).expect("sound data").epochs.is_empty());
        }
        trainer.fit(&mut net, &chunks, &loss).expect("sound data");
        bits(net.params())
    };
    assert_eq!(fit(Some(4)), fit(None));
}

#[test]
fn callbacks_see_steps_epochs_and_the_network() {
    let (train, mut seen, mut weights) = (data(25, 1), Vec::new(), Vec::new());
    let mut net = Small::new(1);
    Trainer::new(SGD::new(0.5))
        .batch(10)
        .epochs(2)
        .schedule_steps(unrolled::optim::schedule::Exponential::new(0.5))
        .on_step(|step| seen.push(*step))
        .on_epoch(|epoch, net: &Small| weights.push((epoch.number, net.params().to_vec())))
        .quiet()
        .fit(&mut net, &train, &CrossEntropy::new())
        .expect("sound data");
    let places: Vec<_> = seen.iter().map(|s| (s.epoch, s.step, s.steps, s.total_steps)).collect();
    assert_eq!(
        places,
        [(1, 1, 3, 1), (1, 2, 3, 2), (1, 3, 3, 3), (2, 1, 3, 4), (2, 2, 3, 5), (2, 3, 3, 6)]
    );
    let rates: Vec<f64> = seen.iter().map(|step| step.learning_rate).collect();
    assert_eq!(rates, [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015_625]);
    assert!(seen.iter().all(|step| step.loss > 0.0));
    assert_eq!((weights.len(), weights[1].0), (2, 2));
    assert!(weights[0].1 != weights[1].1);
    assert_eq!(weights[1].1, net.params());
}

#[test]
fn closures_are_schedules() {
    let (train, mut rates) = (data(20, 1), Vec::new());
    let schedule = |base: f64, done: usize| base / (1 + done) as f64;
    let trainer = || Trainer::new(SGD::new(0.5)).batch(10).epochs(2).quiet();
    for trainer in [trainer().schedule_steps(schedule), trainer().schedule_epochs(schedule)] {
        let mut trainer = trainer.on_step(|step| rates.push(step.learning_rate));
        trainer.fit(&mut Small::new(1), &train, &CrossEntropy::new()).expect("sound data");
    }
    assert_eq!(rates, [0.5, 0.25, 0.5 / 3.0, 0.125, 0.5, 0.5, 0.25, 0.25]);
}

#[test]
fn a_trainer_moves_to_another_thread() {
    let train = data(20, 1);
    let trainer = Trainer::new(Adam::new(0.01))
        .learning_rate(|_| 0.01)
        .on_epoch(|_, _| {})
        .validate(&train)
        .quiet();
    std::thread::scope(|scope| {
        let mut trainer = trainer;
        scope.spawn(move || {
            trainer
                .fit(&mut Small::new(1), &data(20, 1), &CrossEntropy::new())
                .expect("sound data");
        });
    });
}
