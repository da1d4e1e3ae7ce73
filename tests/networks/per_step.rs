//! `PerStep`: lines that are applied to each step of a sequence have the values and gradients of a network of these lines, for
//! which each step is a sample.

use crate::common::{self, bits, fill, gradient, random_values, same_on_all_threads, temporary};
use std::fs;
use unrolled::optim::Groups;
use unrolled::prelude::*;
use unrolled::{InferenceExt, RngKey, check_gradients};

/// `y = weight * x`, with noise in training.
#[derive(Weights)]
#[repr(C)]
struct Noisy {
    weight: [f32; 5],
}

impl Layer for Noisy {
    type Input = [f32; 5];
    type Output = [f32; 5];

    fn initialise(&mut self, _key: RngKey) {
        self.weight = [0.5, -1.0, 2.0, 1.5, 0.75];
    }

    fn forward(&self, x: &[f32; 5], y: &mut [f32; 5]) {
        *y = std::array::from_fn(|i| self.weight[i] * x[i]);
    }

    fn forward_with(&self, x: &[f32; 5], y: &mut [f32; 5], ctx: &unrolled::LayerCtx) {
        self.forward(x, y);
        if ctx.training {
            y.iter_mut().zip(0..).for_each(|(y, i)| *y += ctx.key.uniform(i));
        }
    }

    fn backward(
        &self,
        x: &[f32; 5],
        _y: &[f32; 5],
        d_y: &[f32; 5],
        d_x: &mut [f32; 5],
        d: &mut Self,
    ) {
        for i in 0..5 {
            d_x[i] += self.weight[i] * d_y[i];
            d.weight[i] += x[i] * d_y[i];
        }
    }
}

network! {
    block Frame() {
        conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16),
    }
    /// The example of the documentation.
    struct Video(12x16x16x1) -> 5 {
        PerStep { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) },
        ReLU,
        LSTM(32, output = last),
        head: Dense(5),
    }
    struct OneFrame(16x16x1) -> 16 { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) }
    struct Frames(12x16x16x1) -> 12x16 {
        PerStep { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) },
    }

    /// Fused layers, a residual, dropout, deferred values of a large layer.
    block Features() {
        conv: Conv2d(4, kernel = 3, padding = same), ReLU,
        Residual { Conv2d(4, kernel = 1), Tanh, Dropout(0.25) },
        AvgPool2d(2), Softmax, Flatten, Dropout(0.5), wide: Dense(300), GELU, Dense(5), noisy: Noisy,
    }
    struct OneImage(6x6x2) -> 5 { Features() }
    struct Images(4x6x6x2) -> 4x5 { PerStep { Features() } }

    /// Statistics over batch and steps.
    block Normed() {
        conv: Conv2d(4, kernel = 3, bias = false), BatchNorm, ReLU,
        Residual { Conv2d(4, kernel = 1, bias = false), BatchNorm },
        GlobalAvgPool, Dense(6, bias = false), BatchNorm, Tanh, Dense(3),
    }
    struct OneNormed(6x6x2) -> 3 { Normed() }
    struct EachNormed(5x6x6x2) -> 5x3 { PerStep { Normed() } }

    /// Sentences of words.
    block Sentence() {
        Embedding(9, 6), PositionalEncoding,
        Residual { MultiHeadAttention(2, causal = true) }, GRU(4), LSTM(3, output = last), Tanh,
    }
    struct OneSentence(4) -> 3 { Sentence() }
    struct Sentences(3x4) -> 3x3 { PerStep { Sentence() } }

    /// Sequences in the body: convolutions, pools, norms, a nested network and a hand-written layer.
    struct Inner(4x5) -> 2x5 { Conv1d(5, kernel = 3, padding = 1), GroupNorm(5), MaxPool1d(2), bn: BatchNorm }
    block Sequences() {
        Dense(5), inner: Inner,
        Concat { { PerStep { Noisy } }, { LSTM(2) }, { SkipSteps() } },
        InstanceNorm, Conv1d(4, kernel = 2), GlobalMaxPool, Dense(3),
    }
    block SkipSteps() { PerStep { Residual { Dense(5), Tanh } skip { Dense(5) } } }
    struct OneSequence(4x3) -> 3 { Sequences() }
    struct EachSequence(3x4x3) -> 3x3 { PerStep { Sequences() } }

    /// Steps of steps.
    struct Twice(3x4x5) -> 3x4x2 {
        PerStep { PerStep { Dense(3), Dropout(0.3), Tanh }, PerStep { Dense(2) } },
    }
    struct TwiceOnce(4x5) -> 4x2 { PerStep { Dense(3), Dropout(0.3), Tanh }, PerStep { Dense(2) } }
}

/// The elements of all inputs, one after the other.
fn flat<I: Inputs>(inputs: &[I]) -> Vec<f32> {
    inputs.iter().flat_map(|input| input.input(0).to_vec()).collect()
}

/// Inputs with these elements.
fn inputs<I: Inputs>(elements: &[f32]) -> Vec<I> {
    let one = |elements: &[f32]| {
        let mut input = I::zero();
        input.input_mut(0).copy_from_slice(elements);
        input
    };
    elements.chunks_exact(I::zero().input(0).len()).map(one).collect()
}

/// `count` elements of inputs: numbers, or tokens below 9.
fn elements<I: Inputs>(count: usize) -> Vec<f32> {
    let random = (0..count).map(|i| common::random(5, i));
    if I::REAL[0] {
        return random.collect();
    }
    random.map(|x| f32::from_bits((9.0 * x.abs()) as u32)).collect()
}

/// What a training step computes: outputs, weight gradient, input gradients, and the weights afterwards.
fn train<N: Network>(net: &N, x: &[f32], d_y: &[f32]) -> [Vec<f32>; 4] {
    let x: Vec<N::Input> = inputs(x);
    let mut d_x = x.clone();
    let mut net = net.clone_boxed();
    let mut pass = TrainPass::<N>::new(x.len());
    let y = pass.forward(&mut net, &x, RngKey::new(3)).expect("a batch");
    let y = y.iter().flat_map(|y| y.as_floats().to_vec()).collect();
    let len = N::Output::LEN;
    let d_outputs: Vec<N::Output> = d_y
        .chunks_exact(len)
        .map(|d| {
            let mut d_output = N::Output::zeroed();
            d_output.as_floats_mut().copy_from_slice(d);
            d_output
        })
        .collect();
    let mut d_net = N::zeros();
    pass.backward(&net, &d_outputs, &mut d_net, Some(&mut d_x)).expect("a forward pass before");
    [y, d_net.params().to_vec(), flat(&d_x), net.params().to_vec()]
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-3_f32, |max, x| max.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 2e-5 * largest, "{what} {i}: {a}, but {b} step by step");
    }
}

/// Compares a network with one of the same lines, for which each step is a sample.
#[track_caller]
fn check<Each: Network, One: Network>(samples: usize) {
    let (mut each, mut one) = (Each::new(1), One::new(1));
    // No zeros, which would hide mistakes.
    for (weight, i) in one.params_mut().iter_mut().zip(0..) {
        *weight += 0.1 * common::random(7, i).abs();
    }
    each.params_mut().copy_from_slice(one.params());
    assert_eq!(Each::PARAMS, One::PARAMS);
    let names = |tensors: Vec<unrolled::Tensor>| -> Vec<String> {
        tensors.into_iter().map(|tensor| tensor.name).collect()
    };
    assert_eq!(names(Each::tensors()), names(One::tensors()));
    let len = Each::Input::zero().input(0).len();
    let steps = len / One::Input::zero().input(0).len();
    assert_eq!((Each::MACS, Each::Output::LEN), (steps * One::MACS, steps * One::Output::LEN));
    let x = elements::<Each::Input>(samples * len);

    let mut y_each = vec![Each::Output::zeroed(); samples];
    let mut y_one = vec![One::Output::zeroed(); samples * steps];
    each.forward_batch(&inputs(&x), &mut y_each);
    one.forward_batch(&inputs(&x), &mut y_one);
    let values = |y: &[f32]| bits(y);
    let y_each: Vec<u32> = y_each.iter().flat_map(|y| values(y.as_floats())).collect();
    let y_one: Vec<u32> = y_one.iter().flat_map(|y| values(y.as_floats())).collect();
    assert_eq!(y_each, y_one, "inference");

    let mut d_y = vec![0.0; y_one.len()];
    fill(&mut d_y, 11);
    let found = same_on_all_threads(|| train(&*each, &x, &d_y));
    let expected = train(&*one, &x, &d_y);
    for (what, (found, expected)) in ["output", "weight gradient", "input gradient", "weights"]
        .iter()
        .zip(found.iter().zip(&expected))
    {
        assert_close(found, expected, what);
    }
}

#[test]
fn images() {
    check::<Frames, OneFrame>(1);
    check::<Frames, OneFrame>(5);
    check::<Images, OneImage>(7);
}

#[test]
fn statistics_over_batch_and_steps() {
    check::<EachNormed, OneNormed>(1);
    check::<EachNormed, OneNormed>(6);
}

#[test]
fn sequences_in_each_step() {
    check::<Sentences, OneSentence>(1);
    check::<Sentences, OneSentence>(9);
    check::<EachSequence, OneSequence>(6);
}

#[test]
fn steps_of_steps() {
    check::<Twice, TwiceOnce>(4);
}
