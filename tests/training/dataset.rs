//! Data sets that are not in memory: the same bits as those that are, errors, and transforms with keys.

use super::threads::{Image, data};
use crate::common::{bits, temporary};
use std::fs;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;
use unrolled::data::{Augment, Dataset, Split, Subset, WeightedSamples, Windows, balanced_weights};
use unrolled::metrics::Perplexity;
use unrolled::prelude::*;
use unrolled::train::{Confusion, DataSet, TrainError, measure};
use unrolled::{BatchError, RngKey};

network! {
    struct Small(8x8x2) -> 3 { Flatten, Dense(16, bias = false), BatchNorm, ReLU, Dropout(0.25), Dense(3) }

    struct Forecast(4x1) -> 1x1 { Flatten, Dense(1), Reshape(1x1) }

    struct Chunk(2) -> 2x3 { Embedding(3, 4), LSTM(4), Dense(3) }
}

/// Samples that are loaded one by one, some of them slowly.
struct Lazy<Input, Target>(Data<Input, Target>);

impl<Input: Copy + Sync, Target: Copy + Sync> Dataset for Lazy<Input, Target> {
    type Input = Input;
    type Target = Target;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, i: usize, _key: RngKey) -> (Input, Target) {
        if i.is_multiple_of(17) {
            thread::sleep(Duration::from_millis(1));
        }
        (self.0.inputs[i], self.0.targets[i])
    }
}

/// The bits of the trained weights, and those of all losses and metrics.
fn train<D>(train: &D, valid: &D) -> (Vec<u32>, Vec<[u64; 3]>)
where
    D: Dataset<Input = Image, Target = u32>,
{
    train_on(train, valid, 1)
}

/// As [`train`], with samples that `threads` threads load.
fn train_on<D>(train: &D, valid: &D, threads: usize) -> (Vec<u32>, Vec<[u64; 3]>)
where
    D: Dataset<Input = Image, Target = u32>,
{
    let mut net = Small::new(5);
    let history = Trainer::new(Adam::new(1e-2))
        .batch(10)
        .accumulate(2)
        .drop_last(true)
        .prefetch_threads(threads)
        .epochs(3)
        .validate(valid)
        .metric(Perplexity::new())
        .quiet()
        .fit(&mut net, train, &CrossEntropy::new())
        .expect("sound data");
    let values = history.epochs.iter().map(|epoch| {
        let validation = epoch.validation.expect("validated").loss;
        let metric = epoch.metrics.get("perplexity").expect("a metric");
        [epoch.training.loss, validation, metric].map(f64::to_bits)
    });
    (bits(net.params()), values.collect())
}

#[test]
fn loaded_samples_train_to_the_bits_of_samples_in_memory() {
    let (samples, valid) = (data(53, 1), data(20, 2));
    let expected = train(&samples, &valid);
    assert!(train(&Lazy(samples.clone()), &Lazy(valid.clone())) == expected);
    // A transform that changes nothing.
    let same = |image, class, _| (image, class);
    assert!(train(&(&samples).map(same), &(&valid).map(same)) == expected);
}

#[test]
fn the_number_of_threads_that_load_changes_no_bit() {
    let (samples, valid) = (data(53, 1), data(20, 2));
    let weights = balanced_weights(&samples.targets);
    let of = |samples: &Data<Image, u32>, weights: &[f32]| {
        WeightedSamples::new(augmented(Lazy(samples.clone())), weights).expect("positive weights")
    };
    let run = |threads| train_on(&of(&samples, &weights), &of(&valid, &weights[..20]), threads);
    let expected = run(1);
    assert!(run(2) == expected && run(5) == expected);
}

#[test]
fn parts_of_a_data_set_train_like_a_data_set_of_the_same_samples() {
    let (samples, valid) = (data(80, 1), data(20, 2));
    let Split { train: indices, .. } = Split::stratified(&samples.targets, 0.25, 3).expect("both");
    let part: Data<Image, u32> =
        indices.iter().map(|i| (samples.inputs[*i], samples.targets[*i])).collect();
    let all = (0..20).collect();
    assert!(
        train(&Subset::new(&samples, indices), &Subset::new(&valid, all)) == train(&part, &valid)
    );
}

#[test]
fn data_sets_of_data_without_enough_targets_are_refused() {
    let mut samples = data(20, 1);
    samples.targets.truncate(3);
    let refused = |samples: &dyn Dataset<Input = Image, Target = u32>| {
        let mut trainer = Trainer::new(Adam::new(1e-2)).quiet();
        trainer.fit(&mut Small::new(1), &samples, &CrossEntropy::new()).unwrap_err()
    };
    let source = BatchError::Targets { inputs: 20, targets: 3 };
    let expected = TrainError::Data { data: DataSet::Training, source };
    assert_eq!(refused(&augmented(&samples)), expected);
    assert_eq!(refused(&Subset::new(&samples, vec![7, 19])), expected);
    let weighted = WeightedSamples::new(&samples, &[1.0; 20]).expect("positive weights");
    assert_eq!(refused(&weighted), expected);
}

#[test]
fn windows_of_a_series_are_learnt() {
    let series: Vec<[f32; 1]> = (0..200).map(|i| [(i as f32 * 0.3).sin()]).collect();
    let windows = Windows::<_, 4, 1>::new(&series);
    let mut net = Forecast::new(1);
    let history = Trainer::new(Adam::new(0.02))
        .epochs(30)
        .quiet()
        .fit(&mut net, &windows, &MeanSquaredError)
        .expect("sound data");
    // A sine is a linear function of its last two values.
    assert!(history.epochs[29].training.loss < 1e-3, "{history}");
}

#[test]
fn loaded_chunks_pass_states_on() {
    fn train(chunks: &impl Dataset<Input = [u32; 2], Target = [u32; 2]>) -> (Vec<u32>, u64) {
        let mut net = Chunk::new(3);
        let trainer = Trainer::new(SGD::new(0.1)).batch(4).epochs(2).carry_state().quiet();
        let mut trainer = trainer.validate(chunks);
        let history = trainer.fit(&mut net, chunks, &CrossEntropy::new()).expect("sound data");
        let validation = history.epochs[1].validation.expect("validated");
        (bits(net.params()), validation.loss.to_bits())
    }
    let text: Vec<u32> = (0..83).map(|i| i * i % 3).collect();
    let chunks = Data::next_steps(&text);
    let expected = train(&chunks);
    assert!(train(&Lazy(chunks)) == expected);
}

/// Images that are changed at random.
fn augmented<D>(samples: D) -> impl Dataset<Input = Image, Target = u32>
where
    D: Dataset<Input = Image, Target = u32>,
{
    let augment = Augment::new().shift(1).flip();
    samples.map(move |image: Image, class, key| (augment.image(&image, key), class))
}

#[test]
fn transforms_are_others_in_each_epoch_and_the_same_in_each_run() {
    let samples = data(40, 1);
    let seen = std::sync::Mutex::new(Vec::new());
    let watched = augmented(&samples).map(|image, class, _| {
        seen.lock().expect("no panic").push(image);
        (image, class)
    });
    let run = || {
        let mut net = Small::new(1);
        let mut trainer = Trainer::new(SGD::new(0.1)).batch(40).epochs(2).quiet();
        trainer.fit(&mut net, &watched, &CrossEntropy::new()).expect("sound data");
        (bits(net.params()), std::mem::take(&mut *seen.lock().expect("no panic")))
    };
    let (weights, images) = run();
    assert!(run() == (weights, images.clone()));
    let (first, second) = images.split_at(40);
    let changed = second.iter().filter(|image| !first.contains(image)).count();
    assert!(changed > 20, "{changed} of 40 images are changed in another way");
}

#[test]
fn a_run_on_changed_images_is_resumed() {
    let samples = data(53, 1);
    let run = |name: &str, stops: &[u64]| {
        let folder = temporary(&format!("datasets/{name}"));
        fs::remove_dir_all(&folder).ok();
        let mut net = Small::new(1);
        for stop in stops.iter().map(Some).chain([None]) {
            net = Small::new(1);
            Trainer::new(Adam::new(0.01))
                .batch(10)
                .epochs(3)
                .checkpoint(&folder)
                .resume(true)
                .on_step(|step| match stop {
                    Some(stop) if step.total_steps == *stop => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                })
                .quiet()
                .fit(&mut net, &augmented(&samples), &CrossEntropy::new())
                .expect("sound data");
        }
        bits(net.params())
    };
    assert_eq!(run("parts", &[4, 9, 14]), run("whole", &[]));
}

#[test]
fn samples_that_do_not_fit_are_named() {
    let fit = |samples: Data<Image, u32>| {
        let mut trainer = Trainer::new(SGD::new(0.1)).batch(10).quiet();
        trainer.fit(&mut Small::new(1), &Lazy(samples), &CrossEntropy::new()).expect_err("bad data")
    };
    let mut wrong = data(30, 1);
    wrong.targets[23] = 3;
    let error = fit(wrong);
    let TrainError::Data { data: DataSet::Training, source } = &error else { panic!("{error}") };
    assert!(matches!(source, BatchError::Target { index: 23, .. }), "{error}");
    let mut wrong = data(30, 1);
    wrong.inputs[17][2][3][1] = f32::INFINITY;
    let error = fit(wrong);
    assert!(matches!(error, TrainError::Input { sample: 17, index: 39, .. }), "{error}");
    let error = fit(Data::default());
    assert!(error.to_string().starts_with("training data: there are no samples"), "{error}");
}

#[test]
fn loaded_samples_are_evaluated_to_the_bits_of_samples_in_memory() {
    // More than are in memory at a time.
    let samples = data(5000, 1);
    let (net, loss, lazy) = (Small::new(5), CrossEntropy::new(), Lazy(samples.clone()));
    let expected = net.evaluate(&samples, &loss).expect("sound data");
    assert_eq!(net.evaluate(&lazy, &loss), Ok(expected));
    let expected = measure(&*net, &samples, Perplexity::new()).expect("sound data");
    assert_eq!(measure(&*net, &lazy, Perplexity::new()), Ok(expected));
    let expected = Confusion::of(&*net, &samples).expect("sound data");
    assert_eq!(expected.counts().as_flattened().iter().sum::<usize>(), 5000);
    assert_eq!(Confusion::of(&*net, &lazy), Ok(expected));
}

#[test]
fn an_evaluation_is_repeated_with_the_same_random_changes() {
    let (net, loss, samples) = (Small::new(5), CrossEntropy::new(), data(200, 1));
    let changed = augmented(&samples);
    let score = net.evaluate(&changed, &loss);
    assert!(score.is_ok() && score == net.evaluate(&changed, &loss));
    assert_ne!(score, net.evaluate(&samples, &loss));
}

#[test]
fn samples_that_cannot_be_evaluated_are_named() {
    let (net, loss) = (Small::new(5), CrossEntropy::new());
    let mut wrong = data(5000, 1);
    wrong.targets[4321] = 3;
    let found = Confusion::of(&*net, &wrong).expect_err("no such class");
    assert!(matches!(found, BatchError::Target { index: 4321, .. }), "{found}");
    assert_eq!(net.evaluate(&wrong, &loss), Err(found.clone()));
    let lazy = Lazy(wrong);
    assert_eq!(net.evaluate(&lazy, &loss), Err(found.clone()));
    assert_eq!(Confusion::of(&*net, &lazy), Err(found));
    let none = Lazy(data(0, 1));
    assert_eq!(net.evaluate(&none, &loss), Err(BatchError::Empty));
    let mut short = data(20, 1);
    short.targets.truncate(3);
    let found = net.evaluate(&Subset::new(&short, vec![1]), &loss);
    assert_eq!(found, Err(BatchError::Targets { inputs: 20, targets: 3 }));

    let net = Chunk::new(1);
    let tokens = Data { inputs: vec![[0, 1], [2, 3]], targets: vec![[0_u32; 2]; 2] };
    let found = net.evaluate(&tokens, &loss).expect_err("no such token");
    assert!(matches!(found, BatchError::Input { index: 1, .. }), "{found}");
    let lazy = Lazy(tokens);
    assert_eq!(measure(&*net, &lazy, Perplexity::new()), Err(found.clone()));
    assert_eq!(net.evaluate(&lazy, &loss), Err(found));
}

#[test]
#[should_panic(expected = "a scoped thread panicked")]
fn a_data_set_that_panics_ends_the_run() {
    let samples = data(30, 1);
    let broken = samples.map(|image, class, _| {
        assert!(class < 2, "an image that cannot be read");
        (image, class)
    });
    let mut trainer = Trainer::new(SGD::new(0.1)).batch(10).quiet();
    let _ = trainer.fit(&mut Small::new(1), &broken, &CrossEntropy::new());
}
