//! The same seed gives the same bits, on any number of threads: whole trainings, at once or epoch by epoch.

use unrolled::prelude::*;
use unrolled::{RngKey, parallel};

network! {
    /// All of a shard's passage at once.
    struct OnePhase(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), Dropout(0.25),
        Flatten, Dense(70), GELU, Dropout(0.5), Dense(3),
    }

    /// Shards wait for each other.
    struct ManyPhases(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, ReLU,
        Residual { Conv2d(4, kernel = 3, padding = same), BatchNorm, Dropout(0.1) },
        GlobalAvgPool, BatchNorm, Dense(3),
    }

    /// Rows of the picture that look at each other.
    struct Attention(8x8x2) -> 3 {
        Reshape(8x16), TransformerEncoder(16, heads = 4, hidden = 70, causal = true), GlobalAvgPool, Dense(3),
    }

    /// Layers that wish for larger shards.
    struct Recurrent(8x8x2) -> 3 {
        Reshape(8x16), LSTM(70), GRU(80, output = last), Dense(3),
    }
}

type Picture = [[[f32; 2]; 8]; 8];

fn data(count: usize, seed: u64) -> Data<Picture, u32> {
    let key = RngKey::new(seed);
    let mut data = Data::default();
    for i in 0..count {
        let mut picture: Picture = [[[0.0; 2]; 8]; 8];
        for (j, pixel) in picture.as_flattened_mut().as_flattened_mut().iter_mut().enumerate() {
            *pixel = key.fold_in(i as u64).uniform(j as u64) - 0.5;
        }
        data.inputs.push(picture);
        data.targets.push((i % 3) as u32);
    }
    data
}

/// The weights after a training, and the losses of its epochs, as bits.
fn train<N: Network<Input = Picture, Output = [f32; 3]>>(
    threads: usize,
    seed: u64,
) -> (Vec<u32>, Vec<[u64; 2]>) {
    // The last batch has 13 samples.
    let (train, valid) = (data(113, 1), data(45, 2));
    let mut net = N::new(5);
    let history = parallel::with_threads(threads, || {
        Trainer::new(AdamW::new(1e-2))
            .batch(50)
            .epochs(3)
            .seed(seed)
            .validate(&valid)
            .quiet()
            .fit(&mut net, &train, &CrossEntropy::new())
            .unwrap()
    });
    let losses = history
        .epochs
        .iter()
        .map(|epoch| [epoch.training.loss.to_bits(), epoch.validation.unwrap().loss.to_bits()]);
    (net.params().iter().map(|w| w.to_bits()).collect(), losses.collect())
}

/// The weights after a training of which each epoch is asked for by itself.
fn train_by_epochs<N: Network<Input = Picture, Output = [f32; 3]>>(seed: u64) -> Vec<u32> {
    let (train, mut net) = (data(113, 1), N::new(5));
    let mut trainer = Trainer::new(AdamW::new(1e-2)).batch(50).epochs(3).seed(seed).quiet();
    let numbers = [1, 2, 3].map(|_| {
        trainer.fit_epoch(&mut net, &train, &CrossEntropy::new()).expect("sound data").number
    });
    assert_eq!(numbers, [1, 2, 3]);
    net.params().iter().map(|w| w.to_bits()).collect()
}

fn check<N: Network<Input = Picture, Output = [f32; 3]>>() {
    let one = train::<N>(1, 7);
    for threads in [2, 7] {
        assert!(one == train::<N>(threads, 7), "{threads} threads");
    }
    assert!(one != train::<N>(1, 8), "another seed, another order");
    assert!(one.0 == train_by_epochs::<N>(7), "epoch by epoch");
}

#[test]
fn one_phase() {
    check::<OnePhase>();
}

#[test]
fn many_phases() {
    check::<ManyPhases>();
}

#[test]
fn attention() {
    check::<Attention>();
}

#[test]
fn recurrent() {
    check::<Recurrent>();
}
