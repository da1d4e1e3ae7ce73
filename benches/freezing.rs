//! A training step of a convolutional network on one thread, with all layers trained and with all but the last two layers
//! frozen: prints the microseconds of both, separated by a tab.
//!
//!     freezing BATCH
//!
//! `scripts/freezing.py` compares them with PyTorch.

use unrolled::parallel::with_threads;
use unrolled::prelude::*;
use unrolled_benches::seconds_per_call;

network! {
    /// A front of three convolutions, and a head.
    pub struct Net(32x32x3) -> 10 {
        conv1: Conv2d(32, kernel = 3, padding = 1, bias = false), norm1: BatchNorm, ReLU,
        conv2: Conv2d(64, kernel = 3, padding = 1, bias = false), norm2: BatchNorm, ReLU, MaxPool2d(2),
        conv3: Conv2d(64, kernel = 3, padding = 1, bias = false), norm3: BatchNorm, ReLU, MaxPool2d(2),
        Flatten,
        fc1: Dense(128), ReLU,
        fc2: Dense(10),
    }
}

/// Steps of an epoch.
const STEPS: usize = 4;

fn main() -> Result<(), String> {
    let batch = std::env::args().nth(1).and_then(|it| it.parse().ok());
    let batch = batch.ok_or("expected BATCH, a number")?;
    let sgd = || Groups::new(SGD::new(0.01).momentum(0.9));
    let [whole, head] = with_threads(1, || {
        [measure(sgd(), batch), measure(sgd().freeze("conv*").freeze("norm*"), batch)]
    });
    println!("{:.1}\t{:.1}", 1e6 * whole, 1e6 * head);
    Ok(())
}

/// Seconds of a step.
fn measure(optimizer: Groups<SGD>, batch: usize) -> f64 {
    let mut inputs = vec![[[[0.0_f32; 3]; 32]; 32]; STEPS * batch];
    let values = inputs.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    values.iter_mut().enumerate().for_each(|(i, x)| *x = RngKey::new(1).uniform(i as u64) - 0.5);
    let data = Data { targets: (0..inputs.len() as u32).map(|i| i % 10).collect(), inputs };
    let mut net = Net::new(1);
    let mut trainer = Trainer::new(optimizer).batch(batch).epochs(1000).quiet();
    let loss = CrossEntropy::new();
    let epoch = || {
        trainer.fit_epoch(&mut net, &data, &loss).expect("valid data");
    };
    seconds_per_call(epoch) / STEPS as f64
}
