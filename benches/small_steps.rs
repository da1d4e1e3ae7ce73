//! Steps of small networks on one and on two threads, of which the second is not to cost anything: prints the median
//! microseconds of both, and their ratio.
//!
//!     small_steps [WORD]     # those whose names contain the word
//!
//! Blocks of both take turns, so that both see the same load of the machine.

use std::hint::black_box;
use std::time::Instant;
use unrolled::parallel::with_threads;
use unrolled::prelude::*;
use unrolled_benches::random;

network! {
    /// A perceptron for points in the plane.
    struct Tiny(2) -> 2 { Dense(32), Tanh, Dense(2) }
}

network! {
    /// The values of two actions, as for CartPole.
    struct Actions(4) -> 2 { Dense(64), ReLU, Dense(64), ReLU, Dense(2) }
}

network! {
    /// A small convolutional network.
    struct Small(8x8x1) -> 4 { Conv2d(8, kernel = 3, bias = false), BatchNorm, ReLU, MaxPool2d(2), Flatten, Dense(4) }
}

network! {
    /// A recurrent network for short series.
    struct Series(16x2) -> 1 { GRU(16, output = last), Dense(1) }
}

network! {
    /// Large enough for two threads.
    struct Large(784) -> 10 { Dense(256), ReLU, Dense(128), ReLU, Dense(10) }
}

/// `n` samples of `K` values.
fn samples<const K: usize>(n: usize) -> Vec<[f32; K]> {
    random(n * K, K as u64).as_chunks().0.to_vec()
}

/// A training step on `n` samples.
fn step<N: Network>(inputs: Vec<N::Input>, targets: Vec<N::Output>) -> impl FnMut()
where
    N::Output: Values,
    MeanSquaredError: Loss<N::Output, Target = N::Output>,
{
    let (mut net, mut d_net, mut adam) = (N::new(1), N::zeros(), Adam::new(1e-3));
    move || {
        let (loss, key) = (MeanSquaredError, RngKey::new(1));
        net.loss_and_gradients(&loss, &inputs, &targets, &mut d_net, key).expect("valid samples");
        adam.update(&mut net, &d_net);
    }
}

/// An update of deep Q-learning: the values of the next states, then a step on those of the states.
fn q_learning(n: usize) -> impl FnMut() {
    let (mut net, mut d_net, mut adam) = (Actions::new(1), Actions::zeros(), Adam::new(1e-3));
    let (target, mut pass) = (Actions::new(2), TrainPass::<Actions>::new(n));
    let (states, next) = (samples::<4>(n), samples::<4>(n));
    let (mut values, mut d_values) = (vec![[0.0; 2]; n], vec![[0.0; 2]; n]);
    move || {
        target.forward_batch(&next, &mut values);
        let found = pass.forward(&mut net, &states, RngKey::new(1)).expect("valid samples");
        for ((d, found), next) in d_values.iter_mut().zip(found).zip(&values) {
            d[0] = (found[0] - 0.5 - 0.99 * next[0].max(next[1])) / 64.0;
        }
        pass.backward(&net, &d_values, &mut d_net, None).expect("a forward pass");
        adam.update(&mut net, &d_net);
    }
}

/// A neural ODE of 20 steps of Euler's method on 32 points: forward, and the adjoint with the gradients of each step.
fn neural_ode() -> impl FnMut() {
    let (mut net, mut d_net, mut adam) = (Tiny::new(1), Tiny::zeros(), Adam::new(1e-3));
    let mut pass = TrainPass::<Tiny>::new(32);
    let start = samples::<2>(32);
    let mut states = vec![start.clone(); 21];
    let (mut d_state, mut d_input, mut sum) = (start.clone(), start, Tiny::zeros());
    move || {
        for t in 0..20 {
            let slopes = pass.forward(&mut net, &states[t], RngKey::new(1)).expect("valid");
            let next =
                states[t].iter().zip(slopes).map(|(x, d)| [x[0] + 0.05 * d[0], x[1] + 0.05 * d[1]]);
            let next: Vec<[f32; 2]> = next.collect();
            states[t + 1].copy_from_slice(&next);
        }
        d_state.copy_from_slice(&states[20]);
        sum.params_mut().fill(0.0);
        for t in (0..20).rev() {
            pass.forward(&mut net, &states[t], RngKey::new(1)).expect("valid");
            pass.backward(&net, &d_state, &mut d_net, Some(&mut d_input)).expect("a forward pass");
            for (d, d_x) in d_state.iter_mut().zip(&d_input) {
                (d[0], d[1]) = (d[0] + 0.05 * d_x[0], d[1] + 0.05 * d_x[1]);
            }
            sum.params_mut().iter_mut().zip(d_net.params()).for_each(|(sum, d)| *sum += 0.05 * d);
        }
        adam.update(&mut net, &sum);
    }
}

fn inference(n: usize) -> impl FnMut() {
    let (net, inputs) = (Actions::new(1), samples::<4>(n));
    let mut outputs = vec![[0.0; 2]; n];
    move || {
        net.forward_batch(black_box(&inputs), &mut outputs);
        black_box(&mut outputs);
    }
}

fn input_gradients(n: usize) -> impl FnMut() {
    let (net, inputs) = (Actions::new(1), samples::<4>(n));
    let mut d_inputs = inputs.clone();
    move || {
        net.input_gradients(&inputs, |_, d| d[0] = 1.0, &mut d_inputs).expect("valid samples");
        black_box(&mut d_inputs);
    }
}

fn images(n: usize) -> Vec<[[[f32; 1]; 8]; 8]> {
    samples::<8>(8 * n)
        .as_chunks::<8>()
        .0
        .iter()
        .map(|image| image.map(|row| row.map(|x| [x])))
        .collect()
}

fn series(n: usize) -> Vec<[[f32; 2]; 16]> {
    samples::<2>(16 * n).as_chunks().0.to_vec()
}

/// A step and its name.
type Named = (&'static str, Box<dyn FnMut()>);

fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    let mut all: Vec<Named> = vec![
        ("2-32-2, step, batch 1", Box::new(step::<Tiny>(samples(1), samples(1)))),
        ("2-32-2, step, batch 64", Box::new(step::<Tiny>(samples(64), samples(64)))),
        ("4-64-64-2, step, batch 1", Box::new(step::<Actions>(samples(1), samples(1)))),
        ("4-64-64-2, Q-learning, batch 64", Box::new(q_learning(64))),
        ("4-64-64-2, forward_batch of 64", Box::new(inference(64))),
        ("4-64-64-2, forward_batch of 1,024", Box::new(inference(1024))),
        ("4-64-64-2, input_gradients of 64", Box::new(input_gradients(64))),
        ("2-32-2, neural ODE of 20 steps, batch 32", Box::new(neural_ode())),
        ("8x8 convolution, step, batch 16", Box::new(step::<Small>(images(16), samples(16)))),
        ("GRU of 16, 16 steps, step, batch 16", Box::new(step::<Series>(series(16), samples(16)))),
        ("784-256-128-10, step, batch 16", Box::new(step::<Large>(samples(16), samples(16)))),
        ("784-256-128-10, step, batch 64", Box::new(step::<Large>(samples(64), samples(64)))),
    ];
    println!("| step | 1 thread, µs | 2 threads, µs | ratio |\n|---|---|---|---|");
    for (name, call) in all.iter_mut().filter(|(name, _)| name.contains(&word)) {
        let [one, two] = medians(call);
        println!("| {name} | {:.2} | {:.2} | {:.2} |", 1e6 * one, 1e6 * two, two / one);
    }
}

/// Median seconds of `call` on one thread and on two, over blocks of about 0.1 ms: less than the time for which the system lets a
/// thread run, so that on a machine with other programs most blocks are not interrupted.
fn medians(call: &mut dyn FnMut()) -> [f64; 2] {
    let mut block = |threads: usize, calls: usize| {
        with_threads(threads, || {
            let begin = Instant::now();
            (0..calls).for_each(|_| call());
            begin.elapsed().as_secs_f64() / calls as f64
        })
    };
    // Also warms up.
    let calls = (0.0001 / block(1, 20).min(block(2, 20))).ceil() as usize;
    let (begin, mut times) = (Instant::now(), [Vec::new(), Vec::new()]);
    while begin.elapsed().as_secs_f64() < 1.0 {
        for (threads, times) in [1, 2].into_iter().zip(&mut times) {
            times.push(block(threads, calls));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}
