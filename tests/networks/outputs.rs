//! Networks with several outputs, each with a loss of its own, and several inputs of different types.

use crate::common::{random, same_on_all_threads, temporary};
use unrolled::check_gradients;
use unrolled::prelude::*;

network! {
    /// An image, a table and words as inputs; a class and a position as outputs.
    #[allow(bias_before_batch_norm)]
    struct Fusion(image: 6x6x1, table: 3, words: ..5) -> (class: 4, position: 2) {
        image => Conv2d(3, kernel = 3),
        BatchNorm, Tanh,
        seen: GlobalAvgPool,
        words => Embedding(11, 4),
        read: GRU(3, output = last),
        joined: Concat { seen, read, table },
        Dense(6), Tanh,
        class: Dense(4),
        joined => Dense(5),
        Tanh,
        position: Dense(2),
    }

    /// An output with several axes, one that a later line reads, and one whose layer works in place.
    struct Chained(..5x3) -> (tags: 5x2, read: 2, bent: 4) {
        tags: Dense(2),
        read: GRU(2, output = last),
        Concat { {}, read => { Tanh } },
        bent: Tanh,
    }

    /// The same layers as `Double`, with one output.
    struct Single(4) -> 3 { first: Dense(4), Tanh, last: Dense(3) }

    /// Two outputs, of which one is the other's input.
    struct Double(4) -> (first: 4, last: 3) { first: Dense(4), Tanh, last: Dense(3) }
}

const SIZE: usize = 3;

network! {
    /// Outputs whose sizes are constants.
    struct Constants([SIZE, 2]) -> (steps: [SIZE, { SIZE + 1 }], sum: SIZE) {
        steps: Dense({ SIZE + 1 }),
        GlobalAvgPool,
        sum: Dense(SIZE),
    }

    /// Outputs whose sizes are const generics.
    struct Generic<const N: usize>(4) -> (a: N, b: 2) { a: Dense(N), Tanh, b: Dense(2) }
}

type Words = Sequence<u32, 5>;

fn fusion_samples(count: usize) -> Data<<Fusion as Network>::Input, (u32, [f32; 2])> {
    let input = |i: usize| {
        let seed = i as u64;
        let image = std::array::from_fn(|y| std::array::from_fn(|x| [random(seed, 6 * y + x)]));
        let words: Vec<u32> = (0..=i % 5).map(|j| ((3 * i + j) % 11) as u32).collect();
        let words = Words::new(&words).expect("up to five words");
        (image, std::array::from_fn(|j| random(seed, 100 + j)), words)
    };
    let target = |i: usize| ((i % 4) as u32, [random(7, i), random(8, i)]);
    Data { inputs: (0..count).map(input).collect(), targets: (0..count).map(target).collect() }
}

fn fusion_loss() -> (CrossEntropy, unrolled::loss::Weighted<MeanSquaredError>) {
    (CrossEntropy::new().class_weights(&[1.0, 2.0, 0.5, 1.0]), MeanSquaredError.weighted(0.3))
}

#[test]
fn gradients_are_the_slopes_of_the_sum_of_losses() {
    let data = fusion_samples(9);
    let net = Fusion::new(3);
    let found = check_gradients(&*net, &fusion_loss(), &data.inputs, &data.targets).expect("fit");
    assert!(found.worst < 2e-3, "{found}");

    let xs: Vec<Sequence<[f32; 3], 5>> = (0..7)
        .map(|i| {
            let steps: Vec<[f32; 3]> =
                (0..=i % 5).map(|j| std::array::from_fn(|k| random(i as u64, 3 * j + k))).collect();
            Sequence::new(&steps).expect("up to five steps")
        })
        .collect();
    let targets: Vec<_> = (0..7)
        .map(|i| {
            let tags = std::array::from_fn(|j| std::array::from_fn(|k| random(20 + i, 2 * j + k)));
            (tags, [random(30, i as usize); 2], [random(31, i as usize); 4])
        })
        .collect();
    let loss = (MeanSquaredError, MeanSquaredError.weighted(2.0), MeanSquaredError.weighted(0.5));
    let found = check_gradients(&*Chained::new(3), &loss, &xs, &targets).expect("fit");
    assert!(found.worst < 2e-3, "{found}");

    let found = check_gradients(
        &*Constants::new(1),
        &(MeanSquaredError, MeanSquaredError),
        &[[[0.5, -0.5]; 3], [[0.1, 0.9]; 3]],
        &[([[0.1; 4]; 3], [0.2; 3]), ([[-0.3; 4]; 3], [0.7; 3])],
    );
    assert!(found.as_ref().expect("fit").worst < 2e-3, "{found:?}");
    let found = check_gradients(
        &*Generic::<3>::new(1),
        &(CrossEntropy::new(), MeanSquaredError),
        &[[0.5, -0.5, 0.2, 0.1], [0.1, 0.9, -0.8, 0.3]],
        &[(2, [0.2; 2]), (0, [0.7; 2])],
    );
    assert!(found.as_ref().expect("fit").worst < 2e-3, "{found:?}");
}

#[test]
fn outputs_are_the_values_of_their_lines() {
    let (single, double) = (Single::new(5), Double::new(5));
    assert_eq!(single.params(), double.params());
    let xs = [[0.5, -1.0, 0.25, 2.0], [1.0, 0.0, -0.5, 0.125]];
    for x in &xs {
        let y = double.forward(x);
        assert_eq!(y.last, single.forward(x));
        let first: [f32; 4] = std::array::from_fn(|j| {
            let products = x.iter().zip(&double.first.weight).map(|(x, row)| x * row[j]);
            products.sum::<f32>() + double.first.bias[j]
        });
        let near =
            y.first.iter().zip(&first).all(|(found, expected)| (found - expected).abs() < 1e-6);
        assert!(near, "{:?} {first:?}", y.first);
    }
    let mut ys = [double.forward(&[0.0; 4]); 2];
    double.forward_batch(&xs, &mut ys);
    assert_eq!(ys, xs.map(|x| double.forward(&x)));
}

#[test]
fn each_output_has_a_mean_of_its_own() {
    // The part of the gradient that belongs to one output is that of a network with this output only.
    let xs = [[0.5, -1.0, 0.25, 2.0], [1.0, 0.0, -0.5, 0.125], [0.3, 0.2, 0.1, 0.0]];
    let classes = [0, 2, 1];
    let cross_entropy = CrossEntropy::new().class_weights(&[3.0, 1.0, 0.5]);
    let (mut single, mut d_single) = (Single::new(5), Single::zeros());
    let expected = single
        .loss_and_gradients(&cross_entropy, &xs, &classes, &mut d_single, RngKey::new(1))
        .expect("fit");
    let (mut double, mut d_double) = (Double::new(5), Double::zeros());
    let targets = classes.map(|class| ([0.0; 4], class));
    let loss = (MeanSquaredError.weighted(0.0), cross_entropy);
    let found = double
        .loss_and_gradients(&loss, &xs, &targets, &mut d_double, RngKey::new(1))
        .expect("fit");
    assert_eq!((found, d_double.params()), (expected, d_single.params()));
}

#[test]
fn steps_after_the_end_count_for_no_output() {
    let x = Sequence::<[f32; 3], 5>::new(&[[0.5, -0.5, 1.0], [0.1, 0.2, 0.3]]).expect("two steps");
    let mut net = Chained::new(2);
    let y = net.forward(&x);
    assert_eq!(y.tags[2..], [[0.0; 2]; 3]);
    assert!(y.tags[..2].as_flattened().iter().all(|y| *y != 0.0));
    // Their targets do not matter.
    let loss = (MeanSquaredError, MeanSquaredError, MeanSquaredError);
    let mut d_net = Chained::zeros();
    let mut at = |after_the_end: f32| {
        let mut tags = [[0.25; 2]; 5];
        tags[2..].fill([after_the_end; 2]);
        let target = [(tags, [0.0; 2], [0.0; 4])];
        net.loss_and_gradients(&loss, &[x], &target, &mut d_net, RngKey::new(1)).expect("fit")
    };
    assert_eq!(at(0.0).to_bits(), at(9.0).to_bits());
}

#[test]
fn the_trainer_reports_each_output() {
    let data = fusion_samples(40);
    let train = || {
        let mut net = Fusion::new(3);
        let mut trainer = Trainer::new(Adam::new(1e-2)).batch(8).epochs(12).quiet().validate(&data);
        let history = trainer.fit(&mut net, &data, &fusion_loss()).expect("sound data");
        (net, history)
    };
    let (net, history) = train();
    let weights = same_on_all_threads(|| train().0.params().to_vec());
    assert_eq!(weights, net.params());
    let (first, last) = (history.epochs[0].training, history.epochs[11].training);
    assert!(last.loss < 0.9 * first.loss, "{first} {last}");
    let names: Vec<&str> = last.outputs().map(|output| output.name).collect();
    assert_eq!(names, ["class", "position"]);
    let sum: f64 = last.outputs().map(|output| output.loss).sum();
    assert!((sum - last.loss).abs() < 1e-9);
    let accuracies: Vec<bool> = last.outputs().map(|output| output.accuracy.is_some()).collect();
    assert_eq!(accuracies, [true, false]);
    let score = net.evaluate(&data, &fusion_loss()).expect("sound data");
    assert_eq!(Some(score), history.epochs[11].validation);
}

#[test]
fn wrong_targets_name_their_output() {
    let mut data = fusion_samples(3);
    data.targets[1].0 = 4;
    let error = Fusion::new(1).evaluate(&data, &fusion_loss()).expect_err("no such class");
    assert_eq!(
        error.to_string(),
        "target 1: output `class`: expected a class index below 4, the number of the network's outputs, found 4"
    );
}

#[test]
fn summaries_and_constants_list_the_outputs() {
    let summary = Fusion::summary();
    assert!(summary.starts_with("Fusion: 6x6x1, 3, 5 -> class 4, position 2\n"), "{summary}");
    assert!(!summary.contains("outputs"), "{summary}");
    let names: Vec<&str> = Fusion::LAYERS.iter().map(|layer| layer.name).collect();
    assert_eq!(names[names.len() - 3..], ["dense_2", "tanh_3", "position"]);
    let outputs: Vec<_> =
        <Chained as Shaped>::OUTPUTS.iter().map(|output| output.steps.is_some()).collect();
    assert_eq!(outputs, [true, false, false]);
}

#[test]
fn files_do_not_depend_on_outputs() {
    let path = temporary("outputs/double.safetensors");
    Double::new(5).save(&path).expect("written");
    let net = Double::load(&path).expect("read");
    assert_eq!(net.params(), Double::new(5).params());
}
