//! `PerStep`: lines that are applied to each step of a sequence have the values and gradients of a network of these lines, for
//! which each step is a sample.

use crate::common::{self, bits, fill, gradient, random_values, same_on_all_threads, temporary};
use std::fs;
use unrolled::optim::Groups;
use unrolled::prelude::*;
use unrolled::{InferenceExt, LayerCtx, RngKey, check_gradients};

const SIDE: usize = 5;

/// `y = weight * x`, with noise in training.
#[derive(Weights)]
#[repr(C)]
struct Noisy<const N: usize> {
    weight: [f32; N],
}

impl<const N: usize> Layer for Noisy<N> {
    type Input = [f32; N];
    type Output = [f32; N];

    fn initialise(&mut self, key: RngKey) {
        self.weight = std::array::from_fn(|i| 0.5 + key.uniform(i as u64));
    }

    fn forward(&self, x: &[f32; N], y: &mut [f32; N]) {
        self.forward_with(x, y, &LayerCtx::INFERENCE);
    }

    fn forward_with(&self, x: &[f32; N], y: &mut [f32; N], ctx: &LayerCtx) {
        for i in 0..N {
            let noise = if ctx.training { ctx.key.uniform(i as u64) } else { 0.0 };
            y[i] = self.weight[i] * x[i] + noise;
        }
    }

    fn backward(
        &self,
        x: &[f32; N],
        _y: &[f32; N],
        d_y: &[f32; N],
        d_x: &mut [f32; N],
        d: &mut Self,
    ) {
        for i in 0..N {
            d_x[i] += self.weight[i] * d_y[i];
            d.weight[i] += x[i] * d_y[i];
        }
    }
}

network! {
    /// The example of the documentation.
    struct Video(12x16x16x1) -> 5 {
        PerStep { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) },
        ReLU,
        LSTM(32, output = last),
        head: Dense(5),
    }
    block Frame() { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) }
    struct OneFrame(16x16x1) -> 16 { Frame() }
    struct Frames(12x16x16x1) -> 12x16 { PerStep { Frame() } }

    /// Fused layers, a residual, dropout, deferred values of a large layer.
    block Features() {
        conv: Conv2d(4, kernel = 3, padding = same), ReLU,
        Residual { Conv2d(4, kernel = 1), Tanh, Dropout(0.25) },
        AvgPool2d(2), Softmax, Flatten, Dropout(0.5), wide: Dense(300), GELU, Dense(5), noisy: Noisy::<5>,
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
        Concat { { PerStep { Noisy::<5> } }, { LSTM(2) }, { SkipSteps() } },
        InstanceNorm, Conv1d(4, kernel = 2), GlobalMaxPool, Dense(3),
    }
    block SkipSteps() { PerStep { Residual { Dense(5), Tanh } skip { Dense(5) } } }
    struct OneSequence(4x3) -> 3 { Sequences() }
    struct EachSequence(3x4x3) -> 3x3 { PerStep { Sequences() } }

    /// Documents of sentences that are read word by word, and a state from one sentence to the next.
    struct Document(3x4) -> 3x2 { PerStep { Sentence() }, GRU(4), Dense(2) }
    struct Stream(6x3x4x2) -> 6x2 {
        Dense(3), Tanh,
        PerStep { PerStep { LSTM(3) }, conv: Conv2d(4, kernel = 2), ReLU, MaxPool2d(2), Flatten, Inside },
        Residual { LSTM(5), Dense(5) },
        PerStep { Dense(2) },
    }
    struct Inside(4) -> 5 { Dense(5), Reshape(5x1), GRU(1), Reshape(5) }

    /// Ragged sequences whose statistics are those of the valid steps.
    struct FrameNet(4x4x2) -> 3 {
        Conv2d(4, kernel = 3, bias = false), bn1: BatchNorm, ReLU, Flatten, Dense(3, bias = false), bn2: BatchNorm,
    }
    struct RaggedFrames(..6x4x4x2) -> 6x3 { PerStep { frame: FrameNet, Dense(3) } }
    struct ValidFrames(4x4x2) -> 3 { frame: FrameNet, Dense(3) }

    /// Sizes that the macro does not know.
    struct Generic<const T: usize, const C: usize>([T, 6, SIDE, 2]) -> [T, C] {
        PerStep { conv: Conv2d(C, kernel = 3), ReLU, GlobalAvgPool, Noisy::<C> -> C, fc: Dense(C) },
        Tanh,
    }
    struct Known(4x6x5x2) -> 4x3 {
        PerStep { conv: Conv2d(3, kernel = 3), ReLU, GlobalAvgPool, Noisy::<3>, fc: Dense(3) },
        Tanh,
    }

    /// Weights that lines inside and outside share.
    struct Shared(text: 8, side: 2x5) -> 8 {
        tokens: text => Embedding(6, 5),
        head: side => [Dense(5), Tanh],
        Add { tokens, head => { GlobalAvgPool } },
        Reshape(4x2x5),
        PerStep { same(head), Dense(6, weight = tokens), Dense(5) },
        body: PerStep { Residual { inner: Dense(5), Tanh } },
        again: same(body),
        Repeat(2, shared = true) { PerStep { GlobalAvgPool, RepeatSteps(2), Dense(5) } },
        Reshape(8x5), Reduce(axis = 1),
    }

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

/// The names of all weights in files.
fn names<N: Network>() -> Vec<String> {
    N::tensors().into_iter().map(|tensor| tensor.name).collect()
}

/// What a training step computes: outputs, weight gradient, input gradients, and the weights afterwards.
fn train<N: Network>(net: &N, x: &[f32], d_y: &[f32]) -> [Vec<f32>; 4] {
    let x: Vec<N::Input> = inputs(x);
    let mut d_x = x.clone();
    let mut net = net.clone_boxed();
    let mut pass = TrainPass::<N>::new(x.len());
    let y = pass.forward(&mut net, &x, RngKey::new(3)).expect("a batch");
    let y = y.iter().flat_map(|y| y.as_floats().to_vec()).collect();
    let mut d_outputs = vec![N::Output::zeroed(); x.len()];
    for (d_output, d) in d_outputs.iter_mut().zip(d_y.chunks_exact(N::Output::LEN)) {
        d_output.as_floats_mut().copy_from_slice(d);
    }
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
    assert_eq!(names::<Each>(), names::<One>());
    let len = Each::Input::zero().input(0).len();
    let steps = len / One::Input::zero().input(0).len();
    assert_eq!((Each::MACS, Each::Output::LEN), (steps * One::MACS, steps * One::Output::LEN));
    let x = elements::<Each::Input>(samples * len);

    let mut y_each = vec![Each::Output::zeroed(); samples];
    let mut y_one = vec![One::Output::zeroed(); samples * steps];
    each.forward_batch(&inputs(&x), &mut y_each);
    one.forward_batch(&inputs(&x), &mut y_one);
    let y_each: Vec<u32> = y_each.iter().flat_map(|y| bits(y.as_floats())).collect();
    let y_one: Vec<u32> = y_one.iter().flat_map(|y| bits(y.as_floats())).collect();
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

#[test]
fn gradients_are_those_of_finite_differences() {
    let squares = MeanSquaredError;
    let (video, x) = (Video::new(2), inputs(&elements::<[[[[f32; 1]; 16]; 16]; 12]>(2 * 3072)));
    let check = check_gradients(&*video, &squares, &x, &[[0.5; 5], [-0.5; 5]]).unwrap();
    assert!(check.worst < 1e-3, "{check}");
    let (shared, x) =
        (Shared::new(2), [([1, 5, 0, 2, 2, 3, 4, 1], [[0.5; 5]; 2]), ([0; 8], [[-1.0; 5]; 2])]);
    let check = check_gradients(&*shared, &squares, &x, &[[0.5; 8], [-0.5; 8]]).unwrap();
    assert!(check.worst < 1e-3, "{check}");
    let (document, x) = (Document::new(2), [[[1, 5, 0, 2], [8, 3, 4, 1], [1; 4]], [[7; 4]; 3]]);
    let check = check_gradients(&*document, &squares, &x, &[[[0.5; 2]; 3]; 2]).unwrap();
    assert!(check.worst < 1e-3, "{check}");
}

#[test]
fn a_step_is_one_call_of_the_lines() {
    fn check<X: Values, Y: Values + PartialEq + std::fmt::Debug, const T: usize, N>(
        step: impl Fn(&N, &mut State<N>, &X) -> Y,
        x: [X; T],
    ) where
        N: Network<Input = [X; T], Output = [Y; T]>,
        [X; T]: Inputs,
        [Y; T]: Values,
    {
        let (net, mut state) = (N::new(1), State::new());
        let mut whole = [[Y::zeroed(); T]];
        net.forward_batch(&[x], &mut whole);
        for (x, y) in x.iter().zip(&whole[0]) {
            assert_eq!(step(&net, &mut state, x), *y);
        }
    }
    check(Stream::step, random_values(1));
    check(Document::step, [[1, 5, 0, 2], [8, 3, 4, 1], [7; 4]]);
    // No state of the layers in the body, which begin anew.
    assert_eq!((Stream::STATE_LEN, Document::STATE_LEN), (10, 4));
    let (net, x) = (Stream::new(1), random_values::<[[[[f32; 2]; 4]; 3]; 6]>(1));
    let (mut state, mut workspace) =
        ([0.0; Stream::STATE_LEN], [f32::NAN; Stream::STEP_WORKSPACE_LEN]);
    for (x, y) in x.iter().zip(net.forward(&x)) {
        assert_eq!(net.step_in(&mut state, &mut workspace, x), y);
    }
    let mut state = State::new();
    assert_eq!(net.forward_from(&mut state, &x), net.forward(&x));
}

#[test]
fn statistics_of_ragged_sequences_are_those_of_valid_steps() {
    let lengths = [2, 6, 1, 3];
    let step = |i: usize| random_values::<[[[f32; 2]; 4]; 4]>(i as u64);
    let sequences = lengths.map(|length| {
        let steps: Vec<_> = (0..length).map(|i| step(10 * length + i)).collect();
        Sequence::<_, 6>::new(&steps).unwrap()
    });
    let frames: Vec<_> = sequences.iter().flat_map(|it| it.steps().to_vec()).collect();
    let d_frames: Vec<[f32; 3]> =
        (0..frames.len()).map(|i| random_values(100 + i as u64)).collect();
    let mut next = d_frames.iter();
    let d_sequences: [[[f32; 3]; 6]; 4] = lengths.map(|length| {
        // No gradient of a step after the end is read.
        std::array::from_fn(|i| if i < length { *next.next().unwrap() } else { [f32::NAN; 3] })
    });
    let (mut each, mut one) = (RaggedFrames::new(1), ValidFrames::new(1));
    one.params_mut().copy_from_slice(each.params());
    let mut pass = TrainPass::<RaggedFrames>::new(4);
    let y = pass.forward(&mut each, &sequences, RngKey::new(1)).unwrap().to_vec();
    let mut d_each = RaggedFrames::zeros();
    let mut d_x = sequences;
    pass.backward(&each, &d_sequences, &mut d_each, Some(&mut d_x)).unwrap();
    let mut pass = TrainPass::<ValidFrames>::new(frames.len());
    let expected = pass.forward(&mut one, &frames, RngKey::new(1)).unwrap().to_vec();
    let (mut d_one, mut d_expected) = (ValidFrames::zeros(), frames);
    pass.backward(&one, &d_frames, &mut d_one, Some(&mut d_expected)).unwrap();

    assert_close(each.params(), one.params(), "running statistics");
    assert_close(d_each.params(), d_one.params(), "weight gradient");
    let (mut expected, mut d_expected) = (expected.iter(), d_expected.iter());
    for (length, (y, d_x)) in lengths.into_iter().zip(y.iter().zip(&d_x)) {
        for (i, (y, d_x)) in y.iter().zip(d_x.all()).enumerate() {
            let (found, d_found) = (y.as_floats(), d_x.as_floats());
            if i < length {
                assert_close(found, expected.next().unwrap().as_floats(), "output");
                assert_close(d_found, d_expected.next().unwrap().as_floats(), "input gradient");
            } else {
                assert!(found.iter().chain(d_found).all(|x| *x == 0.0), "after the end");
            }
        }
    }
}

#[test]
fn sizes_may_be_constants() {
    let (mut generic, known) = (Generic::<4, 3>::new(1), Known::new(1));
    generic.params_mut().copy_from_slice(known.params());
    let x = random_values(1);
    assert_eq!(generic.forward(&x), known.forward(&x));
    assert_eq!(Generic::<4, 3>::MACS, Known::MACS);
    let targets = [random_values(2)];
    let loss = MeanSquaredError;
    assert_eq!(
        gradient(&mut *generic, &loss, &[x], &targets),
        gradient(&mut *known.clone_boxed(), &loss, &[x], &targets)
    );
}

#[test]
fn lines_may_be_frozen() {
    let (mut net, x) = (Video::new(1), vec![random_values::<[[[[f32; 1]; 16]; 16]; 12]>(1); 2]);
    let before = net.clone_boxed();
    let data = Data { inputs: x, targets: vec![1_u32, 2] };
    let optimizer = Groups::new(SGD::new(0.1)).freeze("conv").freeze("dense");
    Trainer::new(optimizer)
        .batch(2)
        .epochs(1)
        .quiet()
        .fit(&mut net, &data, &CrossEntropy::new())
        .unwrap();
    assert_eq!(net.conv.weight, before.conv.weight);
    assert_eq!(net.dense.weight, before.dense.weight);
    assert_ne!(net.head.weight, before.head.weight);
}

#[test]
fn values_of_all_steps_are_seen() {
    let (net, x) = (Video::new(1), random_values::<[[[[f32; 1]; 16]; 16]; 12]>(1));
    let activations = net.activations(&x).unwrap();
    let mut frame = OneFrame::new(1);
    let len = OneFrame::LEN;
    frame.params_mut().copy_from_slice(&net.params()[..len]);
    for (path, dims) in [
        ("conv", &[12, 14, 14, 8][..]),
        ("max_pool2d", &[12, 7, 7, 8]),
        ("flatten", &[12, 392]),
        ("dense", &[12, 16]),
        ("per_step", &[12, 16]),
        ("lstm", &[32]),
    ] {
        let activation = activations.get(path).unwrap();
        assert_eq!(activation.shape.dims(), dims, "{path}");
        assert_eq!(activation.values.len(), activation.shape.len(), "{path}");
    }
    let each: Vec<f32> = x.iter().flat_map(|x| frame.forward(x)).collect();
    assert_eq!(activations.get("per_step").unwrap().values, each);
    assert_eq!(activations.iter().filter(|(path, _)| *path == "per_step").count(), 1);
    let twice = Twice::new(1).activations(&random_values(1)).unwrap();
    assert_eq!(twice.get("dense").unwrap().shape.dims(), [3, 4, 3]);

    let loss = |net: &Video, x| net.forward(x).iter().sum::<f32>();
    let mut d_x = [x];
    net.input_gradients(&[x], |_, d| *d = [1.0; 5], &mut d_x).unwrap();
    let mut moved = x;
    let at = [3, 7, 8, 0];
    moved[at[0]][at[1]][at[2]][at[3]] += 1e-2;
    let numeric = (loss(&net, &moved) - loss(&net, &x)) / 1e-2;
    let found = d_x[0][at[0]][at[1]][at[2]][at[3]];
    assert!((found - numeric).abs() < 1e-3, "{found} {numeric}");
}

#[test]
fn weights_have_the_names_of_the_lines() {
    let video = names::<Video>();
    assert_eq!(video[..4], ["conv.weight", "conv.bias", "dense.weight", "dense.bias"]);
    network! {
        struct Named(3x4x4x1) -> 3x2 {
            frames: PerStep [Conv2d(2, kernel = 3), ReLU, Flatten, Dense(2)],
            Tanh,
            PerStep { Dense(2), Tanh, per_step: Dense(2), ReLU },
            _: PerStep { last: Dense(2), Tanh },
            own: PerStep { _: Dense(2) },
        }
    }
    let named = names::<Named>();
    let weights: Vec<&str> = named.iter().filter_map(|name| name.strip_suffix(".weight")).collect();
    assert_eq!(weights, ["frames.0", "frames.3", "dense", "per_step", "last", "own"]);
    let net = Named::new(1);
    let _: (&[f32; 2], &[f32; 2]) = (&net.own.bias, &net.per_step.bias);
    let path = temporary("per_step/named.safetensors");
    net.save(&path).unwrap();
    assert_eq!(Named::load(&path).unwrap().params(), net.params());
    fs::remove_file(path).unwrap();
    let summary = Video::summary();
    assert!(summary.contains("\nper_step    PerStep                  12x16 "), "{summary}");
}
