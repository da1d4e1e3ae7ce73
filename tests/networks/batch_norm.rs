//! Batch statistics in whole networks: nested, in blocks, on any number of threads.

use crate::common::{bits, random, same_on_all_threads};
use unrolled::check_gradients;
use unrolled::prelude::*;

network! {
    /// Convolutions with BatchNorm in a skip connection. All activations are smooth, for finite differences.
    block Normalised(channels) {
        Residual {
            Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, SiLU,
            Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm(affine = false),
        },
        SiLU,
    }

    /// A network of three phases, a layer of the next one.
    struct Trunk(6x6x2) -> 4 {
        stem: Conv2d(4, kernel = 3, bias = false), BatchNorm, SiLU,
        Repeat(2) { Normalised(4) },
        GlobalAvgPool,
    }

    /// BatchNorm over features, after a network with BatchNorm over pixels.
    struct Images(6x6x2) -> 3 {
        trunk: Trunk,
        norm: BatchNorm,
        Dropout(0.25),
        head: Dense(3),
    }

    /// BatchNorm over several values per channel of each sample.
    #[allow(batch_norm_at_output)]
    struct Small(4x2) -> 8 {
        norm: BatchNorm, Flatten,
    }
}

type Image = <Images as Network>::Input;

/// A batch of 61 samples, which is split into shards of different sizes.
fn batch() -> (Vec<Image>, Vec<u32>) {
    let mut next = 0;
    let mut number = || {
        next += 1;
        random(3, next)
    };
    let image = |_| {
        let mut image = [[[0.0; 2]; 6]; 6];
        image.as_flattened_mut().as_flattened_mut().fill_with(&mut number);
        image
    };
    ((0..61).map(image).collect(), (0..61).map(|i| i % 3).collect())
}

/// The loss of a step, the network with updated running statistics, and the gradient.
fn step() -> (f32, Box<Images>, Box<Images>) {
    let (inputs, targets) = batch();
    let mut net = Images::new(1);
    let mut d_net = Images::zeros();
    let loss =
        net.loss_and_gradients(&CrossEntropy::new(), &inputs, &targets, &mut d_net, RngKey::new(1));
    (loss.unwrap(), net, d_net)
}

#[test]
fn results_do_not_depend_on_threads() {
    // Gradients and running statistics.
    same_on_all_threads(|| {
        let (loss, net, d_net) = step();
        (loss.to_bits(), bits(net.params()), bits(d_net.params()))
    });
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (inputs, targets) = batch();
    let net = Images::new(2);
    let check = check_gradients(&*net, &CrossEntropy::new(), &inputs[..7], &targets[..7]);
    let check = check.unwrap();
    assert!(check.worst < 1e-3, "{check:?}");
}

#[test]
fn running_statistics_are_updated_but_not_trained() {
    let (_, net, d_net) = step();
    assert_eq!(net.norm.num_batches_tracked, 1.0);
    assert!(net.norm.running_var.iter().all(|variance| *variance != 1.0));
    assert_eq!(d_net.norm.running_mean, [0.0; 4]);
    assert_eq!(d_net.norm.running_var, [0.0; 4]);
    let trained: usize = Images::trained().iter().map(|(_, range)| range.len()).sum();
    assert_eq!(trained, Images::PARAMS);
}

#[test]
fn one_value_per_channel_is_an_error() {
    let (inputs, targets) = batch();
    let mut net = Images::new(1);
    let before = bits(net.params());
    let mut d_net = Images::zeros();
    let error = net
        .loss_and_gradients(
            &CrossEntropy::new(),
            &inputs[..1],
            &targets[..1],
            &mut d_net,
            RngKey::new(1),
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected at least 2 samples per training batch, found 1: `BatchNorm` needs more than 1 \
         value per channel"
    );
    assert_eq!(bits(net.params()), before);

    // One sample is enough where it has four values per channel.
    let mut small = Small::new(1);
    let mut d_small = Small::zeros();
    let (x, targets) = ([[[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]], [1]);
    small
        .loss_and_gradients(&CrossEntropy::new(), &x, &targets, &mut d_small, RngKey::new(1))
        .unwrap();
    assert_eq!(small.norm.running_mean, [0.1 * 1.5, 0.1 * 0.75]);
}

#[test]
fn an_epoch_whose_last_batch_is_too_small_is_refused_before_it_starts() {
    let (inputs, targets) = batch();
    let data = Data { inputs, targets };
    let mut net = Images::new(1);
    let mut trainer = Trainer::new(Adam::new(1e-3)).batch(30).epochs(1).quiet();
    let error = trainer.fit(&mut net, &data, &CrossEntropy::new()).unwrap_err();
    assert!(
        error.to_string().contains("leave a last batch of 1, but `BatchNorm` needs at least 2"),
        "{error}"
    );
    let mut trainer = Trainer::new(Adam::new(1e-3)).batch(31).epochs(1).quiet();
    trainer.fit(&mut net, &data, &CrossEntropy::new()).unwrap();
    assert_eq!(net.norm.num_batches_tracked, 2.0);
}

#[test]
fn a_failed_step_does_not_update_running_statistics() {
    let (inputs, targets) = batch();
    let mut net = Images::new(1);
    // Sums of squares overflow, so the loss is not finite.
    Values::as_floats_mut(&mut net.trunk.stem.weight).fill(1e38);
    let before = bits(net.params());
    let mut trainer = Trainer::new(Adam::new(1e-3)).epochs(1).quiet();
    let error = trainer.fit(&mut net, &Data { inputs, targets }, &CrossEntropy::new());
    assert!(error.unwrap_err().to_string().contains("the loss is NaN"));
    assert_eq!(bits(net.params()), before);
}
