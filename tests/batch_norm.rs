//! Statistics over the batch in whole networks: nested, in blocks, on any number of threads.

use unrolled::data::Data;
use unrolled::loss::CrossEntropy;
use unrolled::optim::Adam;
use unrolled::parallel::with_threads;
use unrolled::prelude::*;
use unrolled::train::Trainer;
use unrolled::{RngKey, check_gradients};

network! {
    /// Convolutions and their statistics around a shortcut; smooth, for finite differences.
    block Normalised(channels) {
        Residual {
            Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, SiLU,
            Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm(affine = false),
        },
        SiLU,
    }

    /// A network of three phases, which is a layer of the next.
    struct Trunk(6x6x2) -> 4 {
        stem: Conv2d(4, kernel = 3, bias = false), BatchNorm, SiLU,
        Repeat(2) { Normalised(4) },
        GlobalAvgPool,
    }

    /// Statistics over single numbers of each sample, behind a network that has statistics.
    struct Pictures(6x6x2) -> 3 {
        trunk: Trunk,
        norm: BatchNorm,
        Dropout(0.25),
        head: Dense(3),
    }

    /// Statistics over several numbers of each sample.
    struct Small(4x2) -> 8 {
        norm: BatchNorm, Flatten,
    }
}

type Picture = <Pictures as Network>::Input;

/// A batch of 61: shards of different sizes.
fn batch() -> (Vec<Picture>, Vec<u32>) {
    let key = RngKey::new(3);
    let mut next = 0;
    let mut number = || {
        next += 1;
        2.0 * key.uniform(next) - 1.0
    };
    let picture = |_| {
        let mut picture = [[[0.0; 2]; 6]; 6];
        picture.as_flattened_mut().as_flattened_mut().fill_with(&mut number);
        picture
    };
    ((0..61).map(picture).collect(), (0..61).map(|i| i % 3).collect())
}

/// The gradient of a step, and the network after it, whose running statistics have moved.
fn step(threads: usize) -> (f32, Box<Pictures>, Box<Pictures>) {
    let (inputs, targets) = batch();
    let mut net = Pictures::new(1);
    let mut d_net = Pictures::zeros();
    let loss = with_threads(threads, || {
        net.loss_and_gradients(&CrossEntropy::default(), &inputs, &targets, &mut d_net).unwrap()
    });
    (loss, net, d_net)
}

fn bits(net: &Pictures) -> Vec<u32> {
    net.params().iter().map(|number| number.to_bits()).collect()
}

#[test]
fn threads_do_not_show() {
    let (loss, net, d_net) = step(1);
    for threads in [2, 7] {
        let (other_loss, other_net, other_d_net) = step(threads);
        assert_eq!(other_loss.to_bits(), loss.to_bits());
        assert_eq!(bits(&other_net), bits(&net), "running statistics");
        assert_eq!(bits(&other_d_net), bits(&d_net), "gradients");
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (inputs, targets) = batch();
    let net = Pictures::new(2);
    let check = check_gradients(&*net, &CrossEntropy::default(), &inputs[..7], &targets[..7]);
    let check = check.unwrap();
    assert!(check.worst < 1e-3, "{check:?}");
}

#[test]
fn running_statistics_move_and_are_not_trained() {
    let (_, net, d_net) = step(2);
    assert_eq!(net.norm.num_batches_tracked, 1.0);
    assert!(net.norm.running_var.iter().all(|variance| *variance != 1.0));
    assert_eq!(d_net.norm.running_mean, [0.0; 4]);
    assert_eq!(d_net.norm.running_var, [0.0; 4]);
    let trained: usize = Pictures::trained().iter().map(|(_, range)| range.len()).sum();
    assert_eq!(trained, Pictures::PARAMS);
}

#[test]
fn one_value_per_channel_is_an_error() {
    let (inputs, targets) = batch();
    let mut net = Pictures::new(1);
    let before = bits(&net);
    let mut d_net = Pictures::zeros();
    let error = net
        .loss_and_gradients(&CrossEntropy::default(), &inputs[..1], &targets[..1], &mut d_net)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected at least 2 samples at a time in training, found 1: `BatchNorm` needs more than 1 \
         value per channel"
    );
    assert_eq!(bits(&net), before);

    // Four values per channel in one sample are enough.
    let mut small = Small::new(1);
    let mut d_small = Small::zeros();
    let (x, targets) = ([[[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]], [1]);
    small.loss_and_gradients(&CrossEntropy::default(), &x, &targets, &mut d_small).unwrap();
    assert_eq!(small.norm.running_mean, [0.1 * 1.5, 0.1 * 0.75]);
}

#[test]
fn an_epoch_whose_last_batch_is_too_small_does_not_begin() {
    let (inputs, targets) = batch();
    let data = Data { inputs, targets };
    let mut net = Pictures::new(1);
    let mut trainer = Trainer::new(Adam::new(1e-3)).batch(30).epochs(1).quiet();
    let error = trainer.fit(&mut net, &data, &CrossEntropy::default()).unwrap_err();
    assert!(error.to_string().contains("at least 2 samples at a time"), "{error}");
    let mut trainer = Trainer::new(Adam::new(1e-3)).batch(31).epochs(1).quiet();
    trainer.fit(&mut net, &data, &CrossEntropy::default()).unwrap();
    assert_eq!(net.norm.num_batches_tracked, 2.0);
}

#[test]
fn a_step_that_fails_does_not_move_running_statistics() {
    let (inputs, targets) = batch();
    let mut net = Pictures::new(1);
    // Sums of squares overflow, and the loss is not finite.
    Values::as_floats_mut(&mut net.trunk.stem.weight).fill(1e38);
    let before = bits(&net);
    let mut trainer = Trainer::new(Adam::new(1e-3)).epochs(1).quiet();
    let error = trainer.fit(&mut net, &Data { inputs, targets }, &CrossEntropy::default());
    assert!(error.unwrap_err().to_string().contains("the loss is NaN"));
    assert_eq!(bits(&net), before);
}
