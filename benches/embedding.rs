//! A training step of an `Embedding` of many rows, of which each batch has a few: prints the milliseconds of a step in a loop of
//! one's own and of a trainer, on one thread and on two, for several optimisers.
//!
//!     cargo run --release -p unrolled-benches --bin embedding

use std::time::Duration;
use unrolled::optim::SparseGradient;
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
    println!("{:<10} {:>17} {:>17}", "", "own loop", "trainer");
    println!("{:<10}{}", "optimiser", format!(" {:>8} {:>8}", "1 thread", "2").repeat(2));
    line("SGD", || SGD::new(0.01));
    line("Adagrad", || Adagrad::new(0.01));
    line("lazy Adam", || Adam::new(0.001).lazy());
    line("Adam", || Adam::new(0.001));
}

fn line<O: Optimizer>(name: &str, optimizer: impl Fn() -> O) {
    print!("{name:<10}");
    for measure in [of_own_loop, of_trainer] {
        for threads in [1, 2] {
            let seconds = with_threads(threads, || measure(optimizer()));
            print!(" {:>8.3}", 1e3 * seconds);
        }
    }
    println!();
}

/// The samples of an epoch.
fn samples() -> Data<[u32; 4], u32> {
    let key = RngKey::new(1);
    let token = |i: usize| (key.bits(i as u64) % 1_000_000) as u32;
    let inputs: Vec<[u32; 4]> =
        (0..STEPS * BATCH).map(|i| std::array::from_fn(|t| token(4 * i + t))).collect();
    Data { targets: (0..inputs.len() as u32).map(|i| i % 2).collect(), inputs }
}

/// Seconds of a step, the least of three epochs.
fn seconds_of_step(epoch: impl FnMut()) -> f64 {
    let blocks = Blocks { count: 3, block: Duration::from_millis(1) };
    blocks.seconds_per_call(epoch)[0] / STEPS as f64
}

fn of_own_loop<O: Optimizer>(mut optimizer: O) -> f64 {
    let (data, loss) = (samples(), CrossEntropy::new());
    let (mut net, mut d_net) = (Net::zeros(), SparseGradient::new());
    seconds_of_step(|| {
        let batches = data.inputs.chunks(BATCH).zip(data.targets.chunks(BATCH));
        for (step, (inputs, targets)) in (0..).zip(batches) {
            let key = RngKey::new(step);
            net.loss_and_sparse_gradients(&loss, inputs, targets, &mut d_net, key)
                .expect("valid data");
            optimizer.update_sparse(&mut net, &d_net);
        }
    })
}

/// With what an epoch costs once, such as a check of all weights.
fn of_trainer<O: Optimizer>(optimizer: O) -> f64 {
    let (data, loss, mut net) = (samples(), CrossEntropy::new(), Net::zeros());
    let mut trainer = Trainer::new(optimizer).batch(BATCH).epochs(1000).quiet();
    seconds_of_step(|| {
        trainer.fit_epoch(&mut net, &data, &loss).expect("valid data");
    })
}
