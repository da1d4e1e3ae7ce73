//! What to write here for layers and arguments of PyTorch and Keras that have no counterpart of another name; those that
//! have one are in `suggest`.

/// Layers, and what to write for them. Names of similar layers compute something else.
const LAYERS: [(&[&str], &str); 14] = [
    (&["Activation"], "write the activation as a layer, such as `ReLU` or `Tanh`"),
    (
        &["Input", "InputLayer"],
        "write the input's shape in the header, as in `struct Net(28x28x1) -> 10`",
    ),
    (
        &["Sequential", "ModuleList"],
        "layers follow each other as they are: write them in the network's braces, or in brackets",
    ),
    (
        &["ConvTranspose3d", "Conv3DTranspose"],
        "transposed convolutions are over steps (`ConvTranspose1d`) or over height and width (`ConvTranspose2d`)",
    ),
    (
        &["Dropout1d", "Dropout2d", "Dropout3d", "SpatialDropout1D", "SpatialDropout2D"],
        "`Dropout` drops single elements, not whole channels",
    ),
    (
        &["AlphaDropout", "GaussianDropout"],
        "`Dropout` makes elements 0, `GaussianNoise` adds noise; for another noise write a layer of your own",
    ),
    (&["Lambda"], "write a layer of your own: a type that implements `Layer`"),
    (&["Bidirectional"], "write `bidirectional = true`, as in `LSTM(64, bidirectional = true)`"),
    (
        &["TimeDistributed"],
        "write `PerStep { .. }` with the layers in its braces, or `Dense` alone, which works on each step by itself",
    ),
    (
        &["LSTMCell", "GRUCell", "RNNCell"],
        "write the layer, with `names = cell` for the names of a cell's weights, and call `step` for single steps",
    ),
    (
        &["DepthwiseConv2D", "SeparableConv2D"],
        "write `groups`: `Conv2d(32, kernel = 3, groups = 32)` for 32 input channels",
    ),
    (
        &["weight_norm", "WeightNorm", "WeightNormalization"],
        "write `WNDense`, `WNConv1d` or `WNConv2d`, the layers whose weights are normalised",
    ),
    (
        &["spectral_norm", "SpectralNorm", "SpectralNormalization"],
        "write `SNDense`, `SNConv1d` or `SNConv2d`, the layers whose weights are divided by their largest singular value",
    ),
    (
        &["ZeroPadding2D", "ZeroPad2d"],
        "write the padding as an argument, as in `Conv2d(32, kernel = 3, padding = 1)`, or `Pad2d(1)`",
    ),
];

/// Arguments, and what to write for them.
const ARGUMENTS: [(&[&str], &str); 10] = [
    (
        &[
            "in_channels",
            "in_features",
            "input_size",
            "input_dim",
            "num_features",
            "num_channels",
            "embed_dim",
            "d_model",
            "key_dim",
        ],
        "leave it out, the input's size is inferred",
    ),
    (
        &["normalized_shape"],
        "leave it out, the input's size is inferred; for several sizes write `axes`, as in `axes = 3` for an image",
    ),
    (
        &["input_shape", "batch_input_shape"],
        "leave it out, the input's shape is in the header, as in `struct Net(28x28x1) -> 10`",
    ),
    (
        &["batch_first", "time_major"],
        "leave it out, sequences are steps x features, without a batch axis",
    ),
    (&["batch_size", "start_dim", "end_dim"], "leave it out, shapes have no batch axis"),
    (&["dim", "axis"], "leave it out, features and channels are the last axis"),
    (&["inplace"], "leave it out, memory is reused where possible"),
    (&["data_format"], "leave it out, channels are the last axis"),
    (&["device", "dtype"], "leave it out, values are `f32` on the CPU"),
    (
        &["kernel_initializer", "bias_initializer", "embeddings_initializer"],
        "leave it out, weights are initialised as in PyTorch",
    ),
];

/// What to write for a layer of another library.
pub(crate) fn layer(name: &str) -> Option<&'static str> {
    find(&LAYERS, name)
}

/// What to write for an argument of another library.
pub(crate) fn argument(name: &str) -> Option<&'static str> {
    find(&ARGUMENTS, name)
}

fn find(table: &[(&[&str], &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(names, _)| names.contains(&name)).map(|(_, words)| *words)
}
