//! Speed on fixed workloads: `workloads WORKLOAD THREADS` prints one line, tab separated:
//! workload, name, threads, figure, unit.
//!
//! | workload | what | figure |
//! |---|---|---|
//! | W1 | the digits' convolutional network, training, batch 64, Adam | images/s |
//! | W2a | the same, inference, one image | us |
//! | W2b | the same, inference, batch 256 | images/s |
//! | W3 | perceptron 784-256-128-10, training, batch 64, Adam | samples/s |
//! | W4 | perceptron 4-16-16-2 with tanh, inference, one input | ns |
//!
//! After a warm-up the median of seven blocks counts, each `BENCH_SECONDS` (0.6) long.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use unrolled::Streams;
use unrolled::parallel::with_threads;
use unrolled::prelude::*;

network! {
    /// The walkthrough's classifier of handwritten digits.
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3), ReLU, MaxPool2d(2),
        conv2: Conv2d(64, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        fc1: Dense(128), ReLU, Dropout(0.5),
        fc2: Dense(10),
    }

    /// A perceptron for pictures.
    pub struct Perceptron(784) -> 10 {
        fc1: Dense(256), ReLU,
        fc2: Dense(128), ReLU,
        fc3: Dense(10),
    }

    /// A perceptron that takes nanoseconds.
    pub struct Tiny(4) -> 2 {
        fc1: Dense(16), Tanh,
        fc2: Dense(16), Tanh,
        fc3: Dense(2),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, threads] = arguments.as_slice() else {
        eprintln!("usage: workloads WORKLOAD THREADS");
        return ExitCode::FAILURE;
    };
    let Some(threads) = threads.parse().ok().filter(|threads| *threads > 0) else {
        eprintln!("THREADS is `{threads}`, but must be a number above 0");
        return ExitCode::FAILURE;
    };
    let Some((figure, unit)) = with_threads(threads, || measure(workload)) else {
        eprintln!("there is no workload `{workload}`");
        return ExitCode::FAILURE;
    };
    println!("{workload}\tours\t{threads}\t{figure:.6e}\t{unit}");
    ExitCode::SUCCESS
}

/// The figure of a workload and its unit.
fn measure(workload: &str) -> Option<(f64, &'static str)> {
    Some(match workload {
        "W1" => (training(&mut *Digits::new(1), 64), "images/s"),
        "W2a" => {
            let (net, x) = (Digits::new(1), random(1));
            (1e6 * seconds_per_call(|| keep(net.forward(black_box(&x)))), "us")
        }
        "W2b" => (inference(&*Digits::new(1), 256), "images/s"),
        "W3" => (training(&mut *Perceptron::new(1), 64), "samples/s"),
        "W4" => {
            let (net, x) = (Tiny::new(1), random(1));
            (1e9 * seconds_per_call(|| keep(net.forward(black_box(&x)))), "ns")
        }
        _ => return None,
    })
}

/// Samples per second of a training step with Adam on batches of `batch`.
///
/// The labels change from step to step, so that the network never fits them: gradients stay of
/// ordinary size.
fn training<N>(net: &mut N, batch: usize) -> f64
where
    N: Network<Input: Values, Output = [f32; 10]>,
{
    let inputs: Vec<N::Input> = (0..batch).map(|i| random(i as u64)).collect();
    let streams = Streams::new(2);
    let label = |i| (streams.bits(i) % 10) as u32;
    let labels: Vec<u32> = (0..16 * batch as u64).map(label).collect();
    let mut turns = labels.chunks_exact(batch).cycle();
    let trained: Vec<_> = N::trained().into_iter().map(|(_, range)| range).collect();
    let mut d_net = N::zeros();
    let mut adam = Adam::new(1e-3);
    let loss = CrossEntropy::default();
    let seconds = seconds_per_call(|| {
        let labels = turns.next().unwrap_or_default();
        let loss = net.loss_and_gradients(&loss, &inputs, labels, &mut d_net);
        keep(loss.expect("as many labels as inputs"));
        adam.step(net.params_mut(), d_net.params(), &trained);
    });
    batch as f64 / seconds
}

/// Samples per second of inference on batches of `batch`.
fn inference<N: Network<Input: Values>>(net: &N, batch: usize) -> f64 {
    let inputs: Vec<N::Input> = (0..batch).map(|i| random(i as u64)).collect();
    let mut outputs = vec![N::Output::zeroed(); batch];
    let seconds = seconds_per_call(|| {
        net.forward_batch(black_box(&inputs), &mut outputs);
        black_box(&mut outputs);
    });
    batch as f64 / seconds
}

/// An input of numbers in `[-2, 2)`.
fn random<V: Values>(stream: u64) -> V {
    let streams = Streams::new(1).child(stream);
    let mut value = V::zeroed();
    for (i, v) in value.as_floats_mut().iter_mut().enumerate() {
        *v = 4.0 * streams.uniform(i as u64) - 2.0;
    }
    value
}

/// Keeps the compiler from leaving out what nobody looks at.
fn keep<T>(value: T) {
    black_box(value);
}

/// The median of seven blocks.
fn seconds_per_call(mut call: impl FnMut()) -> f64 {
    const BLOCKS: usize = 7;
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0.6);
    let block = Duration::from_secs_f64(seconds);
    let begin = Instant::now();
    let mut calls = 0_u32;
    while calls < 3 || begin.elapsed() < 2 * block {
        call();
        calls += 1;
    }
    let per_block =
        (block.as_secs_f64() * f64::from(calls) / begin.elapsed().as_secs_f64()).max(1.0);
    let mut blocks: Vec<f64> = (0..BLOCKS)
        .map(|_| {
            let begin = Instant::now();
            (0..per_block as u64).for_each(|_| call());
            begin.elapsed().as_secs_f64() / per_block.floor()
        })
        .collect();
    blocks.sort_by(f64::total_cmp);
    blocks[BLOCKS / 2]
}
