//! Networks that use every kind of kernel, with weights and inputs of a fixed sequence.

use crate::report::line;
use unrolled::prelude::*;

network! {
    /// Convolutions of several geometries, pools, batch normalisation.
    #[allow(softmax_at_output)]
    pub struct Digits(28x28x1) -> 10 {
        Conv2d(8, kernel = 3, bias = false), norm: BatchNorm, ReLU, MaxPool2d(2),
        Conv2d(13, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        Dense(37), GELU, Dropout(0.5),
        Dense(10), Softmax,
    }

    /// Depthwise and strided convolutions, a skip connection.
    pub struct Mobile(20x20x3) -> 6 {
        Conv2d(8, kernel = 3, stride = 2, padding = 1), HardSwish,
        Residual {
            Conv2d(8, kernel = 3, padding = 1, groups = 8), ReLU6,
            Conv2d(8, kernel = 1), GroupNorm(2),
        },
        Conv2d(16, kernel = 5, padding = 2, groups = 2), AvgPool2d(2),
        GlobalAvgPool,
        Sigmoid, Dense(6),
    }

    /// Recurrent layers.
    pub struct Series(24x3) -> 2 {
        LSTM(16), GRU(12), RNN(7, output = last),
        Dense(2), Tanh,
    }

    /// A causal convolution over steps.
    pub struct Audio(64x1) -> 8 {
        Conv1d(8, kernel = 5, dilation = 2), LeakyReLU(0.1),
        Conv1d(8, kernel = 3), MaxPool1d(2), Softplus,
        GlobalAvgPool,
    }

    /// Attention.
    pub struct Text(tokens: 16) -> 16x9 {
        Embedding(32, 16), PositionalEmbedding,
        TransformerEncoder(16, heads = 2, hidden = 32, causal = true),
        LayerNorm, LogSoftmax, Dense(9),
    }
}

/// The outputs of each network for one input.
pub(crate) fn report() -> String {
    let mut digits = network::<Digits>(1);
    digits.norm.running_var.iter_mut().for_each(|variance| *variance += 1.0);
    let tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 31];
    [
        line("digits", digits.forward(&values(2)).as_floats()),
        line("mobile", network::<Mobile>(3).forward(&values(4)).as_floats()),
        line("series", network::<Series>(5).forward(&values(6)).as_floats()),
        line("audio", network::<Audio>(7).forward(&values(8)).as_floats()),
        line("text", network::<Text>(9).forward(&tokens).as_floats()),
    ]
    .concat()
}

/// A network with weights of a sequence.
fn network<N: Network>(seed: u64) -> Box<N> {
    let mut net = N::zeros();
    fill(net.params_mut(), seed);
    net
}

/// An input of a sequence.
fn values<V: Values>(seed: u64) -> V {
    let mut values = V::zeroed();
    fill(values.as_floats_mut(), seed);
    values
}

/// Values from -0.25 to 0.25, the same on each target: multiples of a power of two.
fn fill(values: &mut [f32], seed: u64) {
    let mut state = seed;
    for value in values {
        // Knuth's multiplier for 64 bits; the upper bits are the random ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *value = (state >> 48) as f32 / 131_072.0 - 0.25;
    }
}
