//! A training step of an `Embedding` of many rows, of which each batch has a few: prints the milliseconds of a step of a
//! trainer, on one thread and on two, for several optimisers.
//!
//!     cargo run --release -p unrolled-benches --bin embedding

use std::time::Duration;
use unrolled::parallel::with_threads;
use unrolled::prelude::*;
use unrolled_benches::timing::Blocks;

network! {
    /// The mean vector of the tokens of a sample, and a class.
    pub struct Net(4) -> 2 { tokens: Embedding(1_000_000, 64), GlobalAvgPool, Dense(2) }
}

/// Samples of a batch: 1,024 tokens.
const BATCH: usize = 256;

/// Steps of an epoch.
const STEPS: usize = 256;

fn main() {
    println!("{:<10} {:>9} {:>9}", "optimiser", "1 thread", "2 threads");
    line("SGD", || SGD::new(0.01));
    line("Adagrad", || Adagrad::new(0.01));
    line("lazy Adam", || Adam::new(0.001).lazy());
    line("Adam", || Adam::new(0.001));
}

fn line<O: Optimizer>(name: &str, optimizer: impl Fn() -> O) {
    let [one, two] = [1, 2].map(|threads| with_threads(threads, || measure(optimizer())));
    println!("{name:<10} {:>9.3} {:>9.3}", 1e3 * one, 1e3 * two);
}

/// Seconds of a step, the least of three epochs, with what an epoch costs once.
fn measure<O: Optimizer>(optimizer: O) -> f64 {
    let key = RngKey::new(1);
    let token = |i: usize| (key.bits(i as u64) % 1_000_000) as u32;
    let inputs: Vec<[u32; 4]> =
        (0..STEPS * BATCH).map(|i| std::array::from_fn(|t| token(4 * i + t))).collect();
    let data = Data { targets: (0..inputs.len() as u32).map(|i| i % 2).collect(), inputs };
    let mut net = Net::zeros();
    let mut trainer = Trainer::new(optimizer).batch(BATCH).epochs(1000).quiet();
    let loss = CrossEntropy::new();
    let epoch = || {
        trainer.fit_epoch(&mut net, &data, &loss).expect("valid data");
    };
    let blocks = Blocks { count: 3, block: Duration::from_millis(1) };
    blocks.seconds_per_call(epoch)[0] / STEPS as f64
}
