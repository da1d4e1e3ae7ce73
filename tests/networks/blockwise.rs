//! Lines that inference computes block by block: the same bits as line by line, which `activations` computes.

use crate::common::bits;
use unrolled::prelude::*;
use unrolled::{RngKey, Values};

network! {
    /// All rows that can be computed blockwise, in an order in which some overwrite their input.
    #[allow(activation_at_output, activation_twice, dropout_before_batch_norm)]
    struct Every(21x20x24) -> 21x20x24 {
        Conv2d(24, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        first: Residual { Conv2d(24, kernel = 3, padding = same, bias = false), BatchNorm },
        GELU, Scale(0.5), PReLU(per_channel = true),
        Sub { {}, first }, Abs, Dropout(0.5), Mul { {}, first }, LeakyReLU,
        last: Clip(-1.0, 0.5), Max { {}, first }, Min { {}, last }, Tanh,
    }

    /// The input is the caller's, and the output has other readers.
    #[allow(batch_norm_at_output, activation_twice)]
    struct Borrowed(a: 30x30x7, b: 30x30x7) -> (x: 30x30x7, y: 30x30x7) {
        a => BatchNorm, shared: ReLU, Sigmoid, x: Add { {}, b },
        shared => BatchNorm, Neg, y: Add { {}, shared },
    }

    /// A convolution with a pool, which has `BatchNorm` to itself before it, and views between lines.
    #[allow(bias_before_batch_norm)]
    struct Views(40x40x3) -> 5 {
        Conv2d(16, kernel = 3), ReLU, MaxPool2d(2), BatchNorm, ReLU,
        Reshape(361x16), BatchNorm, SiLU, Flatten, Exp, Log, Dense(5),
    }

    /// Step by step and as a whole.
    struct Steps(200x16) -> 200x16 {
        Conv1d(16, kernel = 3, padding = causal, bias = false), BatchNorm, ReLU,
        Residual { Dense(16, bias = false), BatchNorm }, ReLU, Dense(16),
    }
}

/// A network with random weights, gains and running statistics, which are positive.
fn network<N: Network>() -> Box<N> {
    let mut net = N::new(3);
    for (i, float) in net.params_mut().iter_mut().enumerate() {
        *float = float.abs() + 0.1 * RngKey::new(9).uniform(i as u64);
    }
    net
}

fn random<T: Values>(seed: u64) -> Box<T> {
    let mut value = T::zeroed_box();
    for (i, x) in value.as_floats_mut().iter_mut().enumerate() {
        *x = 2.0 * RngKey::new(seed).uniform(i as u64) - 1.0;
    }
    value
}

/// Compares the outputs of a batch with those of lines that are computed one after the other.
fn check<N: Network>(inputs: &[N::Input], outputs: &[&str]) {
    let net = network::<N>();
    let mut batch = N::Output::zeroed_vec(inputs.len());
    net.forward_batch(inputs, &mut batch);
    for (input, y) in inputs.iter().zip(&batch) {
        let lines = net.activations(input).expect("sound inputs");
        let expected: Vec<f32> = outputs
            .iter()
            .flat_map(|path| lines.get(path).expect("a line").values.iter().copied())
            .collect();
        assert!(expected.iter().all(|x| x.is_finite()));
        assert!(bits(y.as_floats()) == bits(&expected));
    }
}

fn inputs<T: Values>() -> Vec<T> {
    (0..3).map(|seed| *random(seed)).collect()
}

#[test]
fn all_rows_have_the_same_bits() {
    check::<Every>(&inputs(), &["tanh"]);
}

#[test]
fn values_with_other_readers_stay() {
    let (a, b) = (inputs::<[[[f32; 7]; 30]; 30]>(), inputs());
    let pairs: Vec<_> = a.into_iter().zip(b.into_iter().rev()).collect();
    check::<Borrowed>(&pairs, &["x", "y"]);
}

#[test]
fn views_and_pools_end_a_list() {
    check::<Views>(&inputs(), &["dense"]);
}

#[test]
fn steps_have_the_bits_of_the_whole_sequence() {
    let net = network::<Steps>();
    let x = random::<[[f32; 16]; 200]>(5);
    check::<Steps>(std::slice::from_ref(&*x), &["dense_2"]);
    let whole = net.forward(&x);
    let mut state = State::<Steps>::new();
    for (x, expected) in x.iter().zip(&whole) {
        assert!(bits(&net.step(&mut state, x)) == bits(expected));
    }
}
