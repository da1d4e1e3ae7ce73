//! Networks whose input is token indices, `[u32; STEPS]`. Indices outside of the vocabulary are errors.

use crate::common::{gradient, same_on_all_threads};
use unrolled::prelude::*;
use unrolled::{BatchError, InputError};

network! {
    struct Words(text: 5) -> 2 {
        words: Embedding(7, 3, padding_index = 0),
        PositionalEncoding,
        GRU(4, output = last),
        Dense(2),
    }

    /// One text in two embeddings, and real features.
    struct Both(text: 3x2, table: 4) -> 6 {
        Concat {
            text => { Flatten, Embedding(5, 2), GlobalAvgPool },
            text => { Embedding(5, 3), Flatten, Dense(2) },
            table => { Dense(2) },
        },
    }
}

const TEXT: [u32; 5] = [1, 6, 2, 0, 0];
const WRONG: [u32; 5] = [1, 6, 7, 0, 0];

/// The error that `WRONG` causes.
const WHY: &str =
    "layer `words` has 7 tokens with the numbers 0 to 6, but number 2 of the input is token 7";

#[test]
fn reads_tokens() {
    let net = Words::new(1);
    let other = net.forward(&[1, 6, 2, 0, 1]);
    assert_ne!(net.forward(&TEXT), other);
    let mut outputs = [[0.0; 2]; 2];
    net.forward_batch(&[TEXT, [1, 6, 2, 0, 1]], &mut outputs);
    assert_eq!(outputs, [net.forward(&TEXT), other]);
}

#[test]
fn tokens_outside_of_the_vocabulary_are_errors() {
    let mut net = Words::new(1);
    let why = InputError::Token { layer: "words", token: 7, place: 2, vocabulary: 7 };
    assert_eq!(why.to_string(), WHY);
    let expected = BatchError::Input { index: 1, why };
    assert_eq!(Words::check_inputs(&[TEXT, WRONG]), Err(expected.clone()));
    assert_eq!(Words::check_inputs(&[TEXT, TEXT]), Ok(()));
    let mut d_net = Words::zeros();
    let loss = CrossEntropy::new();
    let found = net.loss_and_gradients(&loss, &[TEXT, WRONG], &[0, 1], &mut d_net, RngKey::new(1));
    assert_eq!(found, Err(expected.clone()));
    let data = Data { inputs: vec![TEXT, WRONG], targets: vec![0, 1] };
    assert_eq!(net.evaluate(&data, &loss).unwrap_err(), expected);
    let found = Trainer::new(SGD::new(0.1)).fit(&mut net, &data, &loss).unwrap_err();
    assert!(std::error::Error::source(&found).unwrap().to_string().contains(WHY), "{found}");
}

#[test]
fn steps_agree_with_the_whole_sequence() {
    network! { struct Next(text: ..5) -> 5x7 { Embedding(7, 3), GRU(4), Dense(7) } }
    let net = Next::new(1);
    let whole = net.forward(&Sequence::new(&TEXT[..4]).unwrap());
    let mut state = State::<Next>::new();
    for (step, (token, y)) in TEXT[..4].iter().zip(&whole).enumerate() {
        assert_eq!(net.step(&mut state, token), *y, "step {step}");
    }
    assert_eq!(whole[4], [0.0; 7], "after the end");
}

#[test]
#[should_panic(expected = "number 2 of the input is token 7")]
fn one_wrong_sample_panics() {
    let _ = Words::new(1).forward(&WRONG);
}

#[test]
#[should_panic(expected = "input 1: layer `words` has 7 tokens")]
fn a_wrong_sample_in_a_batch_panics() {
    Words::new(1).forward_batch(&[TEXT, WRONG], &mut [[0.0; 2]; 2]);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let net = Both::new(3);
    let inputs: Vec<_> = (0..9_u32)
        .map(|i| {
            let token = |j: u32| (i * i + 3 * j) % 5;
            let text = std::array::from_fn(|t| [token(t as u32), token(t as u32 + 1)]);
            (text, std::array::from_fn(|j| ((i as usize + 2 * j) % 7) as f32 / 3.0 - 1.0))
        })
        .collect();
    let targets: Vec<[f32; 6]> = (0..9).map(|i| [(i % 3) as f32 - 1.0; 6]).collect();
    let check = unrolled::check_gradients(&*net, &MeanSquaredError, &inputs, &targets).unwrap();
    assert!(check.worst < 1e-3, "{check}");
}

#[test]
fn bits_do_not_depend_on_threads() {
    let inputs: Vec<[u32; 5]> =
        (0..67_u32).map(|i| std::array::from_fn(|t| (i * 5 + i * i * t as u32) % 7)).collect();
    let targets: Vec<u32> = (0..67).map(|i| i % 2).collect();
    let found = same_on_all_threads(|| {
        gradient(&mut *Words::new(1), &CrossEntropy::new(), &inputs, &targets)
    });
    assert!(found.iter().any(|d| *d != 0.0));
    // The padding row is not trained.
    assert_eq!(found[..3], [0.0; 3]);
}
