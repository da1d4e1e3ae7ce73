//! Weights in half precision in the program: `#[weights(.., storage = f16)]`.

use std::path::Path;
use unrolled::io::Dtype;
use unrolled::prelude::*;

network! {
    /// A convolution with its pool, normalised features.
    #[fits(flash = 928, ram = 5K)]
    #[weights("tests/reference/models/lenet_weights.safetensors", storage = f16)]
    struct LeNet(8x8x2) -> 3 {
        conv: Conv2d(4, kernel = 3), ReLU, MaxPool2d(2),
        Flatten, norm: BatchNorm,
        fc1: Dense(6), ReLU,
        fc2: Dense(3),
    }

    block Basic(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        },
        ReLU,
    }
    block Halving(channels) {
        Residual {
            conv1: Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false),
            bn1: BatchNorm, ReLU,
            conv2: Conv2d(channels, kernel = 3, padding = 1, bias = false), bn2: BatchNorm,
        } skip {
            Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm,
        },
        ReLU,
    }
    /// Convolutions with the normalisation, sum and activation after them.
    #[weights("tests/reference/models/resnet20_weights.safetensors", storage = f16)]
    struct ResNet20(8x8x3) -> 5 {
        conv1: Conv2d(4, kernel = 3, padding = 1, bias = false), bn1: BatchNorm, ReLU,
        layer1: Repeat(3) { Basic(4) },
        halving2: Halving(6), layer2: Repeat(2) { Basic(6) },
        halving3: Halving(8), layer3: Repeat(2) { Basic(8) },
        GlobalAvgPool,
        fc: Dense(5),
    }

    /// A recurrent layer with a stack of weights.
    #[weights("tests/reference/models/lstm_weights.safetensors", storage = f16)]
    struct Tagger(7x5) -> 7x3 { LSTM(4, layers = 2, bidirectional = true), Dense(3) }

    /// Weights that several layers use.
    #[weights("tests/reference/models/tied_decoder_weights.safetensors", storage = f16)]
    struct TiedDecoder(7) -> 7x11 {
        tokens: Embedding(11, 6), places: PositionalEmbedding,
        first: TransformerEncoder(6, heads = 2, hidden = 10, dropout = 0.0, causal = true),
        second: TransformerEncoder(6, heads = 3, hidden = 10, dropout = 0.0, causal = true),
        norm: LayerNorm, head: Dense(11, weight = tokens),
    }
    #[weights("tests/reference/models/tied_dense_weights.safetensors", storage = f16)]
    struct TiedDense(7x6) -> 7x6 {
        first: Dense(6), Tanh,
        second: Dense(6, bias = false, weight = first), Tanh,
        third: Dense(6, weight = second),
    }
}

/// Compares a network with weights in half precision with one whose weights were rounded before.
#[track_caller]
fn check<N: Network>(found: Half<N>, file: &str, x: &N::Input) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/models").join(file);
    let exact = N::load(path).expect("a file of this network");
    let file = exact.to_bytes_as(Dtype::F16).expect("weights that half precision can hold");
    let rounded: Box<N> = N::load_bytes(&file).expect("the file just written");
    assert_ne!(rounded.params(), exact.params());
    assert_eq!(found.widen().params(), rounded.params());

    let expected = rounded.forward(x);
    let mut workspace = vec![f32::NAN; Half::<N>::WORKSPACE_LEN];
    let y = found.forward_in(&mut workspace, x);
    assert_eq!(y.as_floats(), expected.as_floats());
    assert!(y.as_floats().iter().any(|y| *y != 0.0));
}

fn signal<const LEN: usize>() -> [f32; LEN] {
    std::array::from_fn(|i| (0.7 * i as f32).sin())
}

#[test]
fn inference_has_the_bits_of_rounded_weights() {
    let image =
        |y: usize| std::array::from_fn(|x| [(y + 2 * x) as f32 / 9.0, (y * x) as f32 / 30.0]);
    check(LeNet::pretrained(), "lenet_weights.safetensors", &std::array::from_fn(image));
    let image = |y: usize| [[(0.3 * y as f32).cos(), 0.5, -0.1]; 8];
    check(ResNet20::pretrained(), "resnet20_weights.safetensors", &std::array::from_fn(image));
    check(Tagger::pretrained(), "lstm_weights.safetensors", &[signal(); 7]);
    check(TiedDecoder::pretrained(), "tied_decoder_weights.safetensors", &[1, 10, 3, 0, 7, 2, 2]);
    check(TiedDense::pretrained(), "tied_dense_weights.safetensors", &[signal(); 7]);
}

/// They are `const`, so that a `static` can have them.
#[test]
fn weights_and_workspace_are_static() {
    static NET: Half<LeNet> = LeNet::pretrained();
    let mut workspace = [0.0; Half::<LeNet>::WORKSPACE_LEN];
    let x = [[[0.5; 2]; 8]; 8];
    let y = NET.forward_in(&mut workspace, &x);
    assert_eq!(y, NET.widen().forward(&x));
    // All weights of the largest layer, not of the network.
    let widened = Half::<LeNet>::WORKSPACE_LEN - LeNet::WORKSPACE_LEN;
    assert!(widened < LeNet::PARAM_BYTES / 4, "{widened}");
}
