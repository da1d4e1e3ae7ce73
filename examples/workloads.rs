//! Speed of fixed workloads: `workloads WORKLOAD THREADS` prints one line, separated by tabs:
//! workload, name, threads, figure, unit.
//!
//! | workload | what | figure |
//! |---|---|---|
//! | W1 | the convolutional network for digits, training, batch 64, Adam | images/s |
//! | W2a | the same, inference, one image | us |
//! | W2b | the same, inference, batch 256 | images/s |
//! | W3 | perceptron 784-256-128-10, training, batch 64, Adam | samples/s |
//! | W4 | perceptron 4-16-16-2 with tanh, inference, one input | ns |
//! | W5 | embedding 64, LSTM of 128 over 64 steps, training, batch 32, Adam | tokens/s |
//! | W5b | LSTM of 16 and a dense layer, one step of a stream | ns |
//! | W5c | the same, the 99.99th percentile of 1,000,000 steps, clock included | medians |
//! | W6 | decoder of 4 layers, 4 heads, width 128, context 64, training, batch 12, AdamW | tokens/s |
//! | W6b | the same, generating 64 tokens step by step, each | us |
//! | W6c | the same, one token at the end of 64, without a cache | us |
//! | W7 | ResNet-20 on 32x32x3, training, batch 64, SGD with momentum | images/s |
//! | batch=N | W1 with batches of N | images/s |
//! | width=N | three dense layers of N (a power of two from 16 to 4,096), training, batch 64, Adam | samples/s |
//!
//! The figure is the median of seven blocks after a warm-up. `BENCH_SECONDS` sets the length of a block (default: 0.6).

#[path = "common/timing.rs"]
pub mod timing;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use timing::Blocks;
use unrolled::RngKey;
use unrolled::parallel::with_threads;
use unrolled::prelude::*;

network! {
    /// Classifies handwritten digits.
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3), ReLU, MaxPool2d(2),
        conv2: Conv2d(64, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        fc1: Dense(128), ReLU, Dropout(0.5),
        fc2: Dense(10),
    }

    /// A perceptron for images.
    pub struct Perceptron(784) -> 10 {
        fc1: Dense(256), ReLU,
        fc2: Dense(128), ReLU,
        fc3: Dense(10),
    }

    /// Dense layers of one width.
    pub struct Stack<const WIDTH: usize>(WIDTH) -> WIDTH {
        Dense(WIDTH), ReLU,
        Dense(WIDTH), ReLU,
        Dense(WIDTH),
    }

    /// A perceptron that takes nanoseconds.
    pub struct Tiny(4) -> 2 {
        fc1: Dense(16), Tanh,
        fc2: Dense(16), Tanh,
        fc3: Dense(2),
    }

    /// Predicts the next character at each step.
    pub struct Characters(text: 64) -> 64x65 {
        Embedding(65, 64), LSTM(128), Dense(65),
    }

    /// A recurrent network that takes nanoseconds.
    pub struct Filter(..64x1) -> 64x1 {
        LSTM(16), Dense(1),
    }

    /// Predicts the next character by causal attention.
    pub struct Gpt(text: 64) -> 64x65 {
        Embedding(65, 128), PositionalEmbedding,
        Repeat(4) { TransformerEncoder(128, heads = 4, hidden = 512, dropout = 0.0, causal = true) },
        LayerNorm,
        Dense(65, bias = false),
    }

    /// Two convolutions with a skip connection.
    block Basic(channels) {
        Residual {
            Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm,
        },
        ReLU,
    }

    /// The same, halving height and width.
    block Halving(channels) {
        Residual {
            Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm,
        } skip {
            Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm,
        },
        ReLU,
    }

    /// He et al. 2015, for CIFAR-10.
    pub struct ResNet20(32x32x3) -> 10 {
        Conv2d(16, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU,
        Repeat(3) { Basic(16) },
        Halving(32), Repeat(2) { Basic(32) },
        Halving(64), Repeat(2) { Basic(64) },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, threads] = arguments.as_slice() else {
        eprintln!("usage: workloads WORKLOAD THREADS");
        return ExitCode::FAILURE;
    };
    let Some(threads) = threads.parse().ok().filter(|threads| *threads > 0) else {
        eprintln!("THREADS is `{threads}`, expected a number above 0");
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
    if let Some((axis, size)) = workload.split_once('=') {
        return growth(axis, size.parse().ok()?);
    }
    Some(match workload {
        "W1" => (digits(64), "images/s"),
        "W2a" => {
            let (net, x) = (Digits::new(1), random(1));
            (1e6 * seconds_per_call(|| keep(net.forward(black_box(&x)))), "us")
        }
        "W2b" => (inference(&*Digits::new(1), 256), "images/s"),
        "W3" => {
            let net = &mut *Perceptron::new(1);
            (64.0 / training(net, 64, Adam::new(1e-3), random, class), "samples/s")
        }
        "W4" => {
            let (net, x) = (Tiny::new(1), random(1));
            (1e9 * seconds_per_call(|| keep(net.forward(black_box(&x)))), "ns")
        }
        "W5" => {
            let net = &mut *Characters::new(1);
            let seconds = training(net, 32, Adam::new(1e-3), characters, characters);
            (32.0 * 64.0 / seconds, "tokens/s")
        }
        "W5b" => {
            let (net, mut state, x) = (Filter::new(1), State::new(), random(1));
            (1e9 * seconds_per_call(|| keep(net.step(&mut state, black_box(&x)))), "ns")
        }
        "W5c" => (slowest_step(), "medians"),
        "W6" => {
            let net = &mut *Gpt::new(1);
            let seconds = training(net, 12, AdamW::new(1e-3), characters, characters);
            (12.0 * 64.0 / seconds, "tokens/s")
        }
        "W6b" => {
            let (net, mut state, text) = (Gpt::new(1), State::new(), characters(1));
            let generate = || {
                state.reset();
                text.iter().for_each(|token| keep(net.step(&mut state, black_box(token))));
            };
            (1e6 / 64.0 * seconds_per_call(generate), "us")
        }
        "W6c" => {
            let (net, text) = (Gpt::new(1), characters(1));
            (1e6 * seconds_per_call(|| keep(net.forward(black_box(&text)))), "us")
        }
        "W7" => {
            let net = &mut *ResNet20::new(1);
            let sgd = SGD::new(0.1).momentum(0.9);
            (64.0 / training(net, 64, sgd, random, class), "images/s")
        }
        _ => return None,
    })
}

/// The time that 99.99% of the steps of a stream stay below, in medians.
fn slowest_step() -> f64 {
    let (net, mut state, x) = (Filter::new(1), State::new(), random(1));
    let mut times = vec![Duration::ZERO; 1_000_000];
    for time in &mut times {
        let begin = Instant::now();
        keep(net.step(&mut state, black_box(&x)));
        *time = begin.elapsed();
    }
    times.sort_unstable();
    times[999_900].as_secs_f64() / times[500_000].as_secs_f64()
}

/// One network with a given batch size, or one batch size with a given width of layers.
fn growth(axis: &str, size: usize) -> Option<(f64, &'static str)> {
    Some(match (axis, size) {
        ("batch", 1..) => (digits(size), "images/s"),
        ("width", 16) => (stack::<16>(), "samples/s"),
        ("width", 32) => (stack::<32>(), "samples/s"),
        ("width", 64) => (stack::<64>(), "samples/s"),
        ("width", 128) => (stack::<128>(), "samples/s"),
        ("width", 256) => (stack::<256>(), "samples/s"),
        ("width", 512) => (stack::<512>(), "samples/s"),
        ("width", 1024) => (stack::<1024>(), "samples/s"),
        ("width", 2048) => (stack::<2048>(), "samples/s"),
        ("width", 4096) => (stack::<4096>(), "samples/s"),
        _ => return None,
    })
}

/// Images per second of [`Digits`] in training.
fn digits(batch: usize) -> f64 {
    let seconds = training(&mut *Digits::new(1), batch, Adam::new(1e-3), random, class);
    batch as f64 / seconds
}

/// Samples per second of a [`Stack`] in training.
fn stack<const WIDTH: usize>() -> f64 {
    64.0 / training(&mut *Stack::<WIDTH>::new(1), 64, Adam::new(1e-3), random, class)
}

/// Seconds of a training step on batches of `batch` samples from `input` and `target`.
///
/// The targets change from step to step, so that the network cannot overfit and gradients keep their ordinary size.
fn training<N, T>(
    net: &mut N,
    batch: usize,
    mut optimizer: impl Optimizer,
    input: impl Fn(u64) -> N::Input,
    target: impl Fn(u64) -> T,
) -> f64
where
    N: Network,
    T: Copy,
    CrossEntropy: Loss<N::Output, Target = T>,
{
    let inputs: Vec<N::Input> = (0..batch as u64).map(input).collect();
    let targets: Vec<T> = (0..16 * batch as u64).map(target).collect();
    let mut batches = targets.chunks_exact(batch).cycle();
    let mut d_net = N::zeros();
    let (loss, mut step) = (CrossEntropy::default(), 0);
    seconds_per_call(|| {
        let targets = batches.next().unwrap_or_default();
        step += 1;
        let loss = net.loss_and_gradients(&loss, &inputs, targets, &mut d_net, RngKey::new(step));
        keep(loss.expect("as many targets as inputs"));
        optimizer.update(&mut *net, &d_net);
    })
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

/// An input of random values in `[-2, 2)`.
fn random<V: Values>(seed: u64) -> V {
    let key = RngKey::new(1).fold_in(seed);
    let mut value = V::zeroed();
    for (i, v) in value.as_floats_mut().iter_mut().enumerate() {
        *v = 4.0 * key.uniform(i as u64) - 2.0;
    }
    value
}

/// A random class.
fn class(seed: u64) -> u32 {
    (RngKey::new(2).bits(seed) % 10) as u32
}

/// A random text.
fn characters(seed: u64) -> [u32; 64] {
    let key = RngKey::new(3).fold_in(seed);
    std::array::from_fn(|i| (key.bits(i as u64) % 65) as u32)
}

/// Keeps the compiler from removing the computation of an unused value.
fn keep<T>(value: T) {
    black_box(value);
}

/// The median of seven blocks.
fn seconds_per_call(call: impl FnMut()) -> f64 {
    const COUNT: usize = 7;
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0.6);
    let blocks = Blocks { count: COUNT, block: Duration::from_secs_f64(seconds) };
    blocks.seconds_per_call(call)[COUNT / 2]
}
