//! What people write who come from PyTorch and Keras: each message says what to write here.

use super::{assert_about, assert_lines, assert_messages};

/// Asserts one message about each text of lines: its token and a part of it.
#[track_caller]
fn assert_each(cases: &[(&str, &str, &str)]) {
    for (lines, token, words) in cases {
        assert_lines(&format!("{lines}, Flatten, Dense(10)"), &[(token, words)]);
    }
}

#[test]
fn the_size_of_the_input_comes_first() {
    assert_messages(
        "struct Net(28x28x1) -> 10 { Conv2d(1, 32, 3, 1, 1), Flatten, Dense(10) }",
        &[(
            "3",
            "`Conv2d` has too many arguments without a name: its input's size is inferred\n  \
             = help: leave out the input's size, which PyTorch has: write \
             `Conv2d(32, 3, stride = 1, padding = 1)`, or with its name `stride = 3`",
        )],
    );
    assert_each(&[
        ("Flatten, Dense(784, 10)", "10", "has: write `Dense(10)`"),
        ("Reshape(28x28), LSTM(28, 64)", "64", "write `LSTM(64)`"),
        (
            "Reshape(28x28), PositionalEmbedding, MultiHeadAttention(28, 4)",
            "4",
            "write `MultiHeadAttention(4)`",
        ),
        ("BatchNorm(1)", "1", "write `BatchNorm`"),
        ("LayerNorm(1)", "1", "write `LayerNorm`"),
        ("Conv2d(8, 3), GroupNorm(2, 8)", "8", "write `GroupNorm(2)`"),
        (
            "Conv2d(1, 32, kernel = 3)",
            "kernel",
            "the argument `kernel` is given twice: by its position it is `32`\n  = help: leave out the input's size",
        ),
        // No sizes. The second one too many has the same cause.
        ("Conv2d(8, (3, 3), (1, 1), same)", "(1, 1)", "the next one is `stride = ..`"),
        ("Flatten, Dense(10, true)", "true", "the next one is `bias = ..`"),
    ]);
}

#[test]
fn arguments_that_are_left_out() {
    assert_each(&[
        (
            "Conv2d(in_channels = 1, out_channels = 8, kernel = 3)",
            "in_channels",
            "the input's size is inferred",
        ),
        ("BatchNorm(num_features = 1)", "num_features", "the input's size is inferred"),
        ("LayerNorm(normalized_shape = 1)", "normalized_shape", "the input's size is inferred"),
        ("Flatten, Dense(9, input_dim = 784)", "input_dim", "the input's size is inferred"),
        ("Flatten, Dense(9, input_shape = (28, 28, 1))", "input_shape", "is in the header"),
        ("Reshape(28x28), GRU(9, batch_first = true)", "batch_first", "without a batch axis"),
        ("Flatten(start_dim = 1)", "start_dim", "no batch axis"),
        ("Softmax(dim = 1)", "dim", "are the last axis"),
        ("ReLU(inplace = true)", "inplace", "leave it out"),
        (
            "Flatten, Dense(9, kernel_initializer = \"he_normal\")",
            "kernel_initializer",
            "as in PyTorch",
        ),
    ]);
    // It is a parameter of this block.
    assert_about(
        "block B(in_channels) { Dense(in_channels) } struct Net(8) -> 9 { B(in_channels = 9) }",
        &[],
    );
    assert_about(
        "struct Net(16) -> 16x4 { Embedding(input_dim = 100, output_dim = 4) }",
        &[("input_dim", "did you mean `vocabulary`?"), ("output_dim", "did you mean `dimension`?")],
    );
}

#[test]
fn activations() {
    assert_each(&[
        (
            "Flatten, Dense(9, activation = relu)",
            "activation",
            "as the next layer, `Dense(..), ReLU`",
        ),
        ("Flatten, Dense(9, activation = \"softmax\")", "activation", "`Dense(..), Softmax`"),
        ("Conv2d(8, 3, activation = ReLU)", "activation", "`Conv2d(..), ReLU`"),
        ("Activation(relu)", "Activation", "there is no layer `Activation`: write `ReLU`"),
        ("Activation(\"tanh\")", "Activation", "write `Tanh`"),
        ("Activation(F.relu)", "Activation", "write `ReLU`"),
        ("Reshape(28x28), RNN(9, activation = relu)", "activation", "did you mean `nonlinearity`?"),
        ("Flatten, Dense(9, name = \"fc1\")", "name", "`fc1: Dense(..)`"),
    ]);
}

#[test]
fn layers_without_a_counterpart() {
    assert_each(&[
        ("Input(28, 28, 1)", "Input", "write the input's shape in the header"),
        ("Sequential(Flatten, ReLU)", "Sequential", "layers follow each other"),
        ("Sequential { Flatten, Dense(10) }", "Sequential", "layers follow each other"),
        ("x: Sequential { ReLU, Dense(10), ReLU }", "Sequential", "layers follow each other"),
        ("Conv3D(8, 3)", "Conv3D", "did you mean `Conv3d`?"),
        ("MaxPooling3D(2)", "MaxPooling3D", "did you mean `MaxPool3d`?"),
        (
            "ConvTranspose3d(8, 3)",
            "ConvTranspose3d",
            "(`ConvTranspose1d`) or over height and width",
        ),
        ("Dropout2d(0.5)", "Dropout2d", "drops single elements, not whole channels"),
        ("Dropout2d", "Dropout2d", "If `Dropout2d` is a type of yours, write `self::Dropout2d`"),
        ("weight_norm(Conv2d(8, 3))", "weight_norm", "write `WNDense`, `WNConv1d` or `WNConv2d`"),
        ("spectral_norm(Dense(8))", "spectral_norm", "write `SNDense`, `SNConv1d` or `SNConv2d`"),
        ("Bidirectional(LSTM(4))", "Bidirectional", "write `bidirectional = true`"),
    ]);
}

#[test]
fn paths() {
    assert_each(&[
        (
            "nn::Conv2d(1, 32, 3)",
            "Conv2d",
            "layers have no path here: write `Conv2d` for `nn::Conv2d`",
        ),
        ("Flatten, torch::nn::Linear(784, 10)", "Linear", "write `Dense` for `torch::nn::Linear`"),
        ("nn::ReLU()", "ReLU", "write `ReLU` for `nn::ReLU`"),
        ("Flatten, Dense::new(784)", "new", "write `Dense` for `Dense::new`"),
    ]);
}

#[test]
fn sums_and_loops() {
    assert_lines("a: Flatten, b: Dense(784), a + b, Dense(10)", &[("+", "`Add { a, b }`")]);
    assert_lines("a: Flatten, a + Dense(784), Dense(10)", &[("+", "by `Residual { .. }`")]);
    assert_lines("a: Flatten, a * a, Dense(10)", &[("*", "`Mul { a, b }`")]);
    // After an arrow they are arithmetic.
    assert_lines("Flatten -> 2 + N, Dense(10)", &[("+", "needs braces")]);
    for lines in ["for i in 0..3 { Dense(9) }", "while x { ReLU }", "loop { ReLU }"] {
        let (token, _) = lines.split_once(' ').expect("a keyword");
        assert_lines(&format!("Flatten, {lines}, Dense(10)"), &[(token, "`Repeat(3) { .. }`")]);
    }
    assert_lines("let x = Flatten, Dense(10)", &[("let", "write `fc1: Dense(128)`")]);
}

#[test]
fn batch_axes() {
    let network = |input: &str, lines: &str| format!("struct Net({input}) -> 10 {{ {lines} }}");
    assert_about(
        &network("32x28x28x1", "Conv2d(8, 3), Flatten, Dense(10)"),
        &[("Conv2d", "no batch axis: write `28x28x1` in the header")],
    );
    assert_about(
        &network("batch, 784", "Dense(10)"),
        &[("batch", "one input is a shape of one word: `784`")],
    );
    assert_about(&network("None, 28, 28, 1", "Flatten, Dense(10)"), &[("None", "`28x28x1`")]);
    assert_lines("Flatten -> [-1, 784], Dense(10)", &[("-1", "expected a size")]);
    assert_lines("Reshape(-1, 784), Dense(10)", &[("784", "write `Reshape(784)`")]);
    assert_lines("Reshape(7, 7, 16), Flatten, Dense(10)", &[("7", "write `Reshape(7x7x16)`")]);
}

#[test]
fn probabilities() {
    assert_each(&[
        ("Dropout(50%)", "50", "write `0.5` for 50 %"),
        ("Dropout(.5)", ".", "a digit before the point"),
        ("Dropout(p = 12.5 %)", "12.5", "write `0.125` for 12.5 %"),
        ("Dropout(1/2)", "1/2", "`1 / 2` is a quotient of whole numbers, and is rounded down"),
        ("Dropout(p = 1 / 5)", "1 / 5", "must be a literal number"),
        ("LeakyReLU((1 / 100))", "1 / 100", "must be a literal number"),
    ]);
    assert_about(
        "block B(p) { Dropout(p) } struct Net(8) -> 8 { B(p = 1 / 2) }",
        &[("1 / 2", "must be a literal number")],
    );
    assert_lines("Flatten, Dense(20 / 2)", &[]);
}

#[test]
fn branches_in_parentheses() {
    for join in ["Concat", "Add", "Mul"] {
        assert_lines(
            &format!("a: Flatten, b: ReLU, {join}(a, b), Dense(10)"),
            &[("a", &format!("write `{join} {{ a, b }}`"))],
        );
    }
    assert_lines(
        "a: Flatten, Concat([a, a]), Dense(10)",
        &[("[a, a]", "`Concat { a => { .. }, b => { .. } }`")],
    );
}

#[test]
fn arguments_in_brackets() {
    assert_lines("Flatten, Dense[10]", &[("[", "the arguments in parentheses")]);
}

#[test]
fn numbers_of_rust() {
    assert_lines("Conv2d(0x8, kernel = 3usize), Flatten, Dense(10usize)", &[]);
    assert_lines("Conv2d(0b1000, kernel = 0o3), Flatten, Dense(0x0a)", &[]);
    assert_lines("Flatten, Dense(10u8)", &[("10u8", "is not a size")]);
    assert_lines("Flatten -> 0x310, Dense(10)", &[("0x310", "hexadecimal")]);
}
