//! `forward_in`: inference in memory of the caller.

use unrolled::prelude::*;

network! {
    #[allow(bias_before_batch_norm, softmax_at_output)]
    struct Image(12x12x2) -> 5 {
        Conv2d(8, kernel = 3), BatchNorm, ReLU, MaxPool2d(2), Flatten, Dense(5), Softmax,
    }

    struct Text(tokens: 9, table: 4) -> 3 {
        read: tokens => Embedding(7, 6),
        PositionalEncoding,
        TransformerEncoder(6, 2, 12),
        LSTM(5, output = last),
        Concat { {}, table },
        Dense(3),
    }

    struct Small(3) -> 2 { Dense(4), Tanh, Dense(2) }
}

/// The bits of `forward`, whatever the memory contains.
#[test]
fn gives_the_bits_of_forward() {
    let image = Image::new(1);
    let x = std::array::from_fn(|i| std::array::from_fn(|j| [i as f32 - 5.0, (j as f32).sin()]));
    let mut workspace = [f32::NAN; Image::WORKSPACE_LEN];
    assert_eq!(image.forward_in(&mut workspace, &x), image.forward(&x));

    let text = Text::new(2);
    let (tokens, table) = ([0, 6, 2, 2, 1, 5, 4, 3, 0], [0.5, -1.0, 2.0, 0.0]);
    let mut workspace = [f32::NAN; Text::WORKSPACE_LEN + 10];
    let found = text.forward_in(&mut workspace, &(tokens, table));
    assert_eq!(found, text.forward((&tokens, &table)));
}

/// Small networks are compiled into one function by `forward`, and are not here.
#[test]
fn small_networks_agree_with_forward() {
    let net = Small::new(3);
    let mut workspace = [f32::NAN; Small::WORKSPACE_LEN];
    let (found, expected) =
        (net.forward_in(&mut workspace, &[1.0, -2.0, 0.5]), net.forward(&[1.0, -2.0, 0.5]));
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6, "{found} {expected}");
    }
}

#[test]
#[should_panic(expected = "range end index")]
fn refuses_a_workspace_that_is_too_small() {
    let _ = Image::new(1).forward_in(&mut [0.0; Image::WORKSPACE_LEN - 1], &[[[0.0; 2]; 12]; 12]);
}
