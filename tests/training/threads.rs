//! Training with the same seed has the same bits on any number of threads, all epochs at once or one by one.

use crate::common::{bits, same_on_all_threads};
use unrolled::RngKey;
use unrolled::prelude::*;

network! {
    /// Shards are independent.
    struct OnePhase(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), ReLU, MaxPool2d(2), Dropout(0.25),
        Flatten, Dense(70), GELU, Dropout(0.5), Dense(3),
    }

    /// Shards wait for each other at each BatchNorm.
    #[allow(bias_before_batch_norm)]
    struct ManyPhases(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, ReLU,
        Residual { Conv2d(4, kernel = 3, padding = same), BatchNorm, Dropout(0.1) },
        GlobalAvgPool, BatchNorm, Dense(3),
    }

    /// Attention between the rows of the image.
    #[allow(attention_without_positions)]
    struct Attention(8x8x2) -> 3 {
        Reshape(8x16), TransformerEncoder(16, heads = 4, hidden = 70, causal = true), GlobalAvgPool, Dense(3),
    }

    /// Layers that request larger shards.
    struct Recurrent(8x8x2) -> 3 {
        Reshape(8x16), LSTM(70), GRU(80, output = last), Dense(3),
    }
}

pub(crate) type Image = [[[f32; 2]; 8]; 8];

pub(crate) fn data(count: usize, seed: u64) -> Data<Image, u32> {
    let key = RngKey::new(seed);
    let mut data = Data::default();
    for i in 0..count {
        let mut image: Image = [[[0.0; 2]; 8]; 8];
        for (j, pixel) in image.as_flattened_mut().as_flattened_mut().iter_mut().enumerate() {
            *pixel = key.fold_in(i as u64).uniform(j as u64) - 0.5;
        }
        data.inputs.push(image);
        data.targets.push((i % 3) as u32);
    }
    data
}

/// The bits of the trained weights and of the losses of all epochs.
fn train<N: Network<Input = Image, Output = [f32; 3]>>(seed: u64) -> (Vec<u32>, Vec<[u64; 2]>) {
    // The last batch has 13 samples.
    let (train, valid) = (data(113, 1), data(45, 2));
    let mut net = N::new(5);
    let history = Trainer::new(AdamW::new(1e-2))
        .batch(50)
        .epochs(3)
        .seed(seed)
        .validate(&valid)
        .quiet()
        .fit(&mut net, &train, &CrossEntropy::new())
        .unwrap();
    let losses = history
        .epochs
        .iter()
        .map(|epoch| [epoch.training.loss.to_bits(), epoch.validation.unwrap().loss.to_bits()]);
    (bits(net.params()), losses.collect())
}

/// The bits of the weights after training with one call per epoch.
fn train_by_epochs<N: Network<Input = Image, Output = [f32; 3]>>(seed: u64) -> Vec<u32> {
    let (train, mut net) = (data(113, 1), N::new(5));
    let mut trainer = Trainer::new(AdamW::new(1e-2)).batch(50).epochs(3).seed(seed).quiet();
    let epochs = [1, 2, 3].map(|_| {
        trainer.fit_epoch(&mut net, &train, &CrossEntropy::new()).expect("sound data").number
    });
    assert_eq!(epochs, [1, 2, 3]);
    bits(net.params())
}

fn check<N: Network<Input = Image, Output = [f32; 3]>>() {
    let found = same_on_all_threads(|| train::<N>(7));
    assert!(found != train::<N>(8), "another seed changes the order of samples");
    assert!(found.0 == train_by_epochs::<N>(7), "one call per epoch");
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
