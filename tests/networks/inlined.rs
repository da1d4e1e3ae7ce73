//! Networks that take nanoseconds are compiled into one function. Its outputs have the bits of the kernels for batches,
//! on all instruction sets of the machine.

use crate::common;
use unrolled::__private::{infer_inlined, step_inlined};
use unrolled::Isa;
use unrolled::prelude::*;
use unrolled::{Root, Streaming};

network! {
    struct Tiny(4) -> 2 { Dense(16), Tanh, Dense(16), Tanh, Dense(2) }

    struct Odd(3) -> 5 {
        Dense(7), Sigmoid, Dense(17, bias = false), LeakyReLU(0.1), Dense(33), GELU, Dropout(0.5), Dense(5),
    }

    #[allow(softmax_at_output)]
    struct Wide(20) -> 10 { Dense(40), ReLU, Dense(130), SiLU, Dense(10), Softmax }

    #[allow(softmax_at_output)]
    struct Steps(6x5) -> 6x3 { Dense(9), ELU, Residual { Dense(9), Softplus }, Dense(3), LogSoftmax }

    /// A sum of parts.
    struct Long(700) -> 4 { Dense(9), Tanh, Dense(4) }

    struct Nested(4) -> 3 { inner: Tiny, ReLU, Dense(3) }

    struct Lstm(..6x1) -> 6x1 { LSTM(16), Dense(1) }

    struct Deep(..6x3) -> 6x2 { LSTM(20, layers = 3), Tanh, Dense(2) }

    struct Projected(..6x3) -> 6x4 { LSTM(9, layers = 2, projection = 5), Dense(4) }

    struct Bare(..6x2) -> 6x8 { LSTM(8, bias = false), LayerNorm }

    struct Gru(..6x3) -> 6x4 { GRU(20), GRU(5, bias = false), Dense(4) }

    struct Rnn(..6x4) -> 6x2 { RNN(7), RNN(33, nonlinearity = relu), Dense(2) }

    /// Sums of parts, whose initial values are both biases.
    struct LongSteps(..6x600) -> 6x2 { RNN(10), Dense(2) }

    struct Mixed(..6x4) -> 6x4 { Conv1d(6, kernel = 3, padding = causal), ReLU, GRU(4) }

    /// Causal convolutions that are inlined, one with groups that is not, and joins.
    struct Taps(x: ..6x3) -> 6x3 {
        Conv1d(17, kernel = 3, dilation = 2, padding = causal), Tanh,
        narrow: Conv1d(3, kernel = 2, bias = false, padding = causal),
        Conv1d(6, kernel = 2, groups = 3, padding = causal),
        point: Conv1d(3, kernel = 1, padding = causal),
        sum: Add { point, narrow },
        difference: Sub { sum, x },
        product: Mul { difference, narrow },
        Max { product, x },
    }

    /// A convolution whose sum is too long to be inlined.
    struct LongTaps(..6x200) -> 6x4 { Conv1d(4, kernel = 3, padding = causal) }
}

/// Random values in `[-2, 2)`.
fn random(len: usize, seed: u64) -> Vec<f32> {
    (0..len).map(|i| 2.0 * common::random(seed, i)).collect()
}

/// A network whose weights are small enough that no activation saturates.
fn network<N: Network>() -> Box<N> {
    let mut net = N::new(3);
    let weights = random(N::LEN, 4);
    net.params_mut().iter_mut().zip(weights).for_each(|(w, random)| *w = 0.2 * random);
    net
}

/// Compares the bits on the best instruction set, on which the batch was computed. Others fuse multiply-adds in other
/// places, so their results differ by rounding.
#[track_caller]
fn compare(isa: Isa, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    if isa == Isa::best() {
        return assert_eq!(found, expected, "{isa:?}");
    }
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{isa:?}: {found}, not {expected}");
    }
}

fn check_forward<N: Network<Input: Values>>() {
    let net = network::<N>();
    let samples: Vec<N::Input> = (0..9)
        .map(|i| *N::Input::from_floats(&random(<N::Input as Values>::LEN, 10 + i)))
        .collect();
    let mut batch = vec![N::Output::zeroed(); samples.len()];
    net.forward_batch(&samples, &mut batch);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        for (x, y) in samples.iter().zip(&batch) {
            let found = infer_inlined(isa, &*net, &[x.as_floats()]);
            compare(isa, found.as_floats(), y.as_floats());
        }
    }
}

fn check_steps<N, const X: usize, const Y: usize>()
where
    N: Network<Input = Sequence<[f32; X], 6>, Output = [[f32; Y]; 6]> + Streaming<Root>,
{
    let net = network::<N>();
    let x: [[f32; X]; 6] = *Values::from_floats(&random(6 * X, 5));
    let mut whole = [[[0.0; Y]; 6]];
    net.forward_batch(&[Sequence::new(&x).unwrap()], &mut whole);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let mut state = State::<N>::new();
        for (x, y) in x.iter().zip(&whole[0]) {
            let found: [f32; Y] = step_inlined(isa, &*net, &mut state, &[x]);
            compare(isa, &found, y);
        }
        let mut after = State::<N>::new();
        let _ = net.forward_from(&mut after, &Sequence::new(&x).unwrap());
        compare(isa, state.values(), after.values());
    }
}

#[test]
fn a_sample_has_the_bits_of_a_batch() {
    check_forward::<Tiny>();
    check_forward::<Odd>();
    check_forward::<Wide>();
    check_forward::<Steps>();
    check_forward::<Long>();
    check_forward::<Nested>();
}

#[test]
fn steps_have_the_bits_of_the_sequence() {
    check_steps::<Lstm, 1, 1>();
    check_steps::<Deep, 3, 2>();
    check_steps::<Projected, 3, 4>();
    check_steps::<Bare, 2, 8>();
    check_steps::<Gru, 3, 4>();
    check_steps::<Rnn, 4, 2>();
    check_steps::<LongSteps, 600, 2>();
    check_steps::<Mixed, 4, 4>();
    check_steps::<Taps, 3, 3>();
    check_steps::<LongTaps, 200, 4>();
}

/// The public functions call the inlined ones in optimised builds, and return the same bits in all.
#[test]
fn public_functions_have_the_same_bits() {
    let (net, x) = (network::<Tiny>(), [0.25, -1.0, 0.5, 2.0]);
    assert_eq!(net.forward(&x), infer_inlined(Isa::best(), &*net, &[&x]));
    let net = network::<Lstm>();
    let (mut state, mut inlined) = (State::new(), State::new());
    for i in 0..5 {
        let x = [i as f32 - 2.0];
        let y: [f32; 1] = step_inlined(Isa::best(), &*net, &mut inlined, &[&x]);
        assert_eq!(net.step(&mut state, &x), y);
    }
    assert_eq!(state.values(), inlined.values());
}
