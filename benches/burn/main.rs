//! Small steps of perceptrons with [burn](https://burn.dev) on its CPU backend `flex`, built without threads: prints a line
//! for each step, its name and the microseconds, separated by a tab. `scripts/small_steps.py` compares them with ours.
//!
//!     cd benches/burn && cargo build --release --locked

#[path = "../../examples/common/timing.rs"]
mod timing;

use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Distribution};
use std::hint::black_box;
use std::time::Duration;
use timing::Blocks;

type Activation = fn(Tensor<2>) -> Tensor<2>;

/// Dense layers with an activation between them.
#[derive(Module, Debug)]
struct Perceptron {
    layers: Vec<Linear>,
}

impl Perceptron {
    fn new(sizes: &[usize], device: &Device) -> Self {
        let layer = |sizes: &[usize]| LinearConfig::new(sizes[0], sizes[1]).init(device);
        Self { layers: sizes.windows(2).map(layer).collect() }
    }

    fn forward(&self, mut x: Tensor<2>, activation: Activation) -> Tensor<2> {
        let (last, hidden) = self.layers.split_last().expect("two sizes or more");
        for layer in hidden {
            x = activation(layer.forward(x));
        }
        last.forward(x)
    }
}

/// A network and its optimiser. An update takes the network and returns another one.
struct Trained {
    net: Option<Perceptron>,
    adam: ModuleOptimizer,
}

impl Trained {
    fn new(sizes: &[usize], device: &Device) -> Self {
        Self { net: Some(Perceptron::new(sizes, device)), adam: AdamConfig::new().init() }
    }

    /// A step on the mean squared error of what `output` computes with the network.
    fn step(&mut self, target: Tensor<2>, output: impl FnOnce(&Perceptron) -> Tensor<2>) {
        let net = self.net.take().expect("a network between steps");
        let d_net = MseLoss::new().forward(output(&net), target, Reduction::Mean).backward();
        let d_net = GradientsParams::from_grads(d_net, &net);
        self.net = Some(self.adam.step(1e-3, net, d_net));
    }
}

fn samples(n: usize, values: usize, device: &Device) -> Tensor<2> {
    Tensor::random([n, values], Distribution::Uniform(0.0, 1.0), device)
}

fn step(sizes: &[usize], activation: Activation, n: usize) -> impl FnMut() {
    let device = Device::flex().autodiff();
    let mut trained = Trained::new(sizes, &device);
    let (x, target) = (samples(n, sizes[0], &device), samples(n, sizes[sizes.len() - 1], &device));
    move || trained.step(target.clone(), |net| net.forward(x.clone(), activation))
}

/// An update of deep Q-learning: the values of the next states, then a step on those of the states.
fn q_learning(sizes: &[usize], n: usize) -> impl FnMut() {
    let (inference, training) = (Device::flex(), Device::flex().autodiff());
    let target = Perceptron::new(sizes, &inference);
    let mut trained = Trained::new(sizes, &training);
    let (states, next) = (samples(n, 4, &training), samples(n, 4, &inference));
    move || {
        let values = target.forward(next.clone(), relu).max_dim(1) * 0.99 + 0.5;
        trained.step(values.autodiff(), |net| net.forward(states.clone(), relu).narrow(1, 0, 1));
    }
}

fn inference(sizes: &[usize], n: usize) -> impl FnMut() {
    let device = Device::flex();
    let (net, x) = (Perceptron::new(sizes, &device), samples(n, sizes[0], &device));
    move || {
        black_box(net.forward(x.clone(), relu));
    }
}

/// A step and its name.
type Named = (&'static str, Box<dyn FnMut()>);

/// The names are those of `small_steps.rs`.
fn main() {
    let (tiny, actions, large) = (&[2, 32, 2], &[4, 64, 64, 2], &[784, 256, 128, 10]);
    let all: [Named; 6] = [
        ("2-32-2, step, batch 1", Box::new(step(tiny, tanh, 1))),
        ("2-32-2, step, batch 64", Box::new(step(tiny, tanh, 64))),
        ("4-64-64-2, step, batch 1", Box::new(step(actions, relu, 1))),
        ("4-64-64-2, Q-learning, batch 64", Box::new(q_learning(actions, 64))),
        ("4-64-64-2, forward_batch of 64", Box::new(inference(actions, 64))),
        ("784-256-128-10, step, batch 64", Box::new(step(large, relu, 64))),
    ];
    let blocks = Blocks { count: 21, block: Duration::from_millis(15) };
    for (name, call) in all {
        let seconds = blocks.seconds_per_call(call);
        println!("{name}\t{:.2}", 1e6 * seconds[seconds.len() / 2]);
    }
}
