//! A network with each layer, for docs/layers.md. The compiler checks the shapes.
#![allow(deprecated, reason = "warnings about networks: each shows one layer")]
#![allow(dead_code, reason = "of most networks only the shapes are used")]

use unrolled::prelude::*;

network! {
    struct Dense(784) -> 128 { Dense(128) }
    struct WNDense(784) -> 128 { WNDense(128) }
    struct SNDense(784) -> 128 { SNDense(128) }
    struct Conv2d(28x28x1) -> 26x26x32 { Conv2d(32, kernel = 3) }
    struct WSConv2d(32x32x16) -> 32x32x16 { WSConv2d(16, kernel = 3, padding = same) }
    struct WNConv2d(28x28x1) -> 26x26x32 { WNConv2d(32, kernel = 3) }
    struct SNConv2d(28x28x1) -> 26x26x32 { SNConv2d(32, kernel = 3) }
    struct ConvTranspose2d(14x14x32) -> 28x28x16 { ConvTranspose2d(16, kernel = 2, stride = 2) }
    struct MaxPool2d(26x26x32) -> 13x13x32 { MaxPool2d(2) }
    struct AvgPool2d(26x26x32) -> 13x13x32 { AvgPool2d(2) }
    struct AdaptiveAvgPool2d(15x20x8) -> 7x7x8 { AdaptiveAvgPool2d(7) }
    struct AdaptiveMaxPool2d(15x20x8) -> 4x5x8 { AdaptiveMaxPool2d((4, 5)) }
    struct GlobalAvgPool(7x7x64) -> 64 { GlobalAvgPool }
    struct GlobalMaxPool(7x7x64) -> 64 { GlobalMaxPool }
    struct Upsample(14x14x32) -> 28x28x32 { Upsample(2, mode = bilinear) }
    struct PixelShuffle(14x14x32) -> 28x28x8 { PixelShuffle(2) }
    struct Pad2d(28x28x1) -> 30x30x1 { Pad2d(1, mode = reflect) }
    struct Conv3d(16x32x32x1) -> 14x30x30x8 { Conv3d(8, kernel = 3) }
    struct MaxPool3d(16x32x32x8) -> 8x16x16x8 { MaxPool3d(2) }
    struct AvgPool3d(16x32x32x8) -> 16x16x16x8 { AvgPool3d((1, 2, 2)) }
    struct AdaptiveAvgPool3d(16x30x40x8) -> 4x7x7x8 { AdaptiveAvgPool3d((4, 7, 7)) }
    struct AdaptiveMaxPool3d(16x30x40x8) -> 4x4x4x8 { AdaptiveMaxPool3d(4) }
    struct Conv1d(100x8) -> 100x16 { Conv1d(16, kernel = 3, padding = causal) }
    struct WNConv1d(100x8) -> 100x16 { WNConv1d(16, kernel = 3, padding = causal) }
    struct SNConv1d(100x8) -> 100x16 { SNConv1d(16, kernel = 3, padding = causal) }
    struct MaxPool1d(100x8) -> 50x8 { MaxPool1d(2) }
    struct AvgPool1d(100x8) -> 50x8 { AvgPool1d(2) }
    struct AdaptiveAvgPool1d(100x8) -> 7x8 { AdaptiveAvgPool1d(7) }
    struct AdaptiveMaxPool1d(100x8) -> 7x8 { AdaptiveMaxPool1d(7) }
    struct ConvTranspose1d(50x16) -> 100x8 { ConvTranspose1d(8, kernel = 2, stride = 2) }
    struct Pad1d(100x8) -> 104x8 { Pad1d(2, mode = replicate) }
    struct RNN(20x8) -> 20x32 { RNN(32) }
    struct LSTM(20x8) -> 32 { LSTM(32, output = last) }
    struct GRU(20x8) -> 20x64 { GRU(32, bidirectional = true) }
    struct MultiHeadAttention(20x64) -> 20x64 { MultiHeadAttention(4, causal = true) }
    struct Embedding(text: 20) -> 20x64 { Embedding(1000, 64) }
    struct PositionalEmbedding(20x64) -> 20x64 { PositionalEmbedding }
    struct PositionalEncoding(20x64) -> 20x64 { PositionalEncoding }
    struct ClassToken(16x64) -> 17x64 { ClassToken }
    struct Flatten(5x5x64) -> 1600 { Flatten }
    struct Reshape(1600) -> 5x5x64 { Reshape(5x5x64) }
    struct Transpose(20x8) -> 8x20 { Transpose }
    struct Slice(20x8) -> 10x8 { Slice(end = 10) }
    struct Split(20x24) -> 20x8 { Split(3, part = 1) }
    struct Gather(sequence: 20x8, positions: 3) -> 3x8 { sequence => Gather(positions) }
    struct RepeatSteps(32) -> 20x32 { RepeatSteps(20) }
    struct Reduce(20x8) -> 8 { Reduce(max) }
    struct BatchNorm(28x28x32) -> 28x28x32 { BatchNorm }
    struct LayerNorm(20x64) -> 20x64 { LayerNorm }
    struct RMSNorm(20x64) -> 20x64 { RMSNorm }
    struct GroupNorm(28x28x32) -> 28x28x32 { GroupNorm(8) }
    struct InstanceNorm(28x28x32) -> 28x28x32 { InstanceNorm(affine = true) }
    struct Scale(28x28x32) -> 28x28x32 { Scale(1e-4, per_channel = true) }
    struct Dropout(128) -> 128 { Dropout(0.2) }
    struct GaussianNoise(128) -> 128 { GaussianNoise(0.1) }
    struct ReLU(128) -> 128 { ReLU }
    struct LeakyReLU(128) -> 128 { LeakyReLU(0.1) }
    struct PReLU(28x28x32) -> 28x28x32 { PReLU(per_channel = true) }
    struct ELU(128) -> 128 { ELU }
    struct GELU(128) -> 128 { GELU(approximate = tanh) }
    struct SiLU(128) -> 128 { SiLU }
    struct Sigmoid(128) -> 128 { Sigmoid }
    struct Tanh(128) -> 128 { Tanh }
    struct Softplus(128) -> 128 { Softplus }
    struct HardSwish(128) -> 128 { HardSwish }
    struct ReLU6(128) -> 128 { ReLU6 }
    struct HardSigmoid(128) -> 128 { HardSigmoid }
    struct HardTanh(128) -> 128 { HardTanh(min = 0.0, max = 6.0) }
    struct Mish(128) -> 128 { Mish }
    struct SELU(128) -> 128 { SELU }
    struct CELU(128) -> 128 { CELU }
    struct Softsign(128) -> 128 { Softsign }
    struct LogSigmoid(128) -> 128 { LogSigmoid }
    struct Threshold(128) -> 128 { Threshold(0.1, 0.0) }
    struct Identity(128) -> 128 { Identity }
    struct GLU(20x64) -> 20x32 { GLU }
    struct SwiGLU(20x64) -> 20x32 { SwiGLU }
    struct Exp(128) -> 128 { Exp }
    struct Log(128) -> 128 { Log }
    struct Sqrt(128) -> 128 { Sqrt }
    struct Pow(128) -> 128 { Pow(2.0) }
    struct Abs(128) -> 128 { Abs }
    struct Neg(128) -> 128 { Neg }
    struct Clip(128) -> 128 { Clip(-1.0, 1.0) }
    struct Softmax(10) -> 10 { Softmax }
    struct LogSoftmax(10) -> 10 { LogSoftmax }
    struct Add(a: 8x8x16, b: 8x8x16) -> 8x8x16 { Add { a, b } }
    struct Sub(a: 20x16, b: 16) -> 20x16 { Sub { a, b } }
    struct Mul(image: 8x8x16, gate: 16) -> 8x8x16 { Mul { image, gate => { Sigmoid } } }
    struct Div(a: 16, b: 16) -> 16 { Div { a, b } }
    struct Min(a: 16, b: 16) -> 16 { Min { a, b } }
    struct Max(a: 16, b: 16) -> 16 { Max { a, b } }
    struct Concat(image: 8x8x3, depth: 8x8x1) -> 8x8x4 { Concat { image, depth } }
}

/// The name of a layer, and the names and shapes of its weights in files.
pub(crate) type Weights = (&'static str, Vec<(String, Vec<usize>)>);

/// The weights of the networks of these names.
macro_rules! weights {
    ($($Name:ident),* $(,)?) => {
        vec![$((stringify!($Name), {
            let shape = |it: &unrolled::Tensor| it.axes.iter().map(|axis| axis.len).collect();
            $Name::tensors().iter().map(|it| (it.name.clone(), shape(it))).collect()
        })),*]
    };
}

/// Those of the layers that have any.
pub(crate) fn weights() -> Vec<Weights> {
    weights![
        Dense,
        WNDense,
        SNDense,
        Conv2d,
        WSConv2d,
        WNConv2d,
        SNConv2d,
        ConvTranspose2d,
        Conv3d,
        Conv1d,
        WNConv1d,
        SNConv1d,
        ConvTranspose1d,
        RNN,
        LSTM,
        GRU,
        MultiHeadAttention,
        Embedding,
        PositionalEmbedding,
        ClassToken,
        BatchNorm,
        LayerNorm,
        RMSNorm,
        GroupNorm,
        InstanceNorm,
        Scale,
        PReLU,
    ]
}
