//! What is said about arguments.

use super::{assert_about, assert_lines};

#[test]
fn which() {
    assert_lines(
        "Flatten, Dense(10, units = 10)",
        &[("units", "the argument `units` is given twice: by its position it is `10`")],
    );
    assert_lines(
        "Flatten, Dense(10, bias = true, bias = true)",
        &[("bias", "twice"), ("bias", "is first given here")],
    );
    // After arguments with a name, as where `= false` is missing.
    assert_lines(
        "Conv2d(3, kernel = 3, stride = 2, bias), Flatten, Dense(10)",
        &[("bias", "`Conv2d` takes")],
    );
    // By position, it is the second parameter.
    assert_lines(
        "Conv2d(kernel = 3, 3), Flatten, Dense(10)",
        &[
            ("3", "the argument `kernel` is given twice"),
            ("kernel", "the argument `kernel` is first given here"),
        ],
    );
    // Not `out_channels`, which is similar.
    for (line, name) in [
        ("Conv2d(in_channels = 3, kernel = 3)", "in_channels"),
        ("Flatten, Dense(in_features = 3)", "in_features"),
        ("Flatten, Reshape(28x28), LSTM(input_size = 3)", "input_size"),
    ] {
        let lines = format!("{line}, Flatten, Dense(10)");
        assert_lines(&lines, &[(name, "leave it out, the input's size is inferred")]);
    }
    assert_lines("Flatten, Dense", &[("Dense", "`Dense` needs `units`: add `units = ..`")]);
    assert_lines(
        "Conv2d(), Flatten, Dense(10)",
        &[("Conv2d", "needs `out_channels` and `kernel`: add `out_channels = .., kernel = ..`")],
    );
    assert_lines(
        "Conv2d(3, 3, 1), Flatten, Dense(10)",
        &[("1", "write `Conv2d(3, 1)`, or with its name `stride = 1`")],
    );
    assert_lines("Flatten, Dense(10, foo = 3)", &[("foo", "it takes `units`, `bias`")]);
    assert_lines("Flatten(start = 3), Dense(10)", &[("start", "it takes none")]);
    assert_lines(
        "Conv2d(3, kernal = 3), Flatten, Dense(10)",
        &[("kernal", "`Conv2d` has no argument `kernal`: did you mean `kernel`?")],
    );
}

#[test]
fn what() {
    assert_lines(
        "Flatten, Dense(0.5)",
        &[("0.5", "`units` of `Dense` must be a whole number, but is `0.5`")],
    );
    assert_lines("LeakyReLU(-0.5), Flatten, Dense(10)", &[("-0.5", "has `slope = -0.5`")]);
    assert_lines("Flatten, Dense(true)", &[("true", "must be a whole number")]);
    assert_lines("Flatten, Dense(-3)", &[("-3", "must be a whole number, but is `-3`")]);
    assert_lines(
        "Flatten, Dense((3, 5))",
        &[("(3, 5)", "must be a whole number, but is `(3, 5)`")],
    );
    assert_lines("Flatten, Dense(3x5)", &[("3x5", "must be a whole number, but is `3x5`")]);
    assert_lines("Flatten, Dense(10, bias = 1)", &[("1", "`true` or `false`")]);
    assert_lines(
        "Flatten, Dropout(RATE), Dense(10)",
        &[("RATE", "a literal number such as `0.5`")],
    );
    assert_lines("Flatten, Dropout(1e999), Dense(10)", &[("1e999", "too large")]);
    assert_lines("Conv2d(3, (1, 2, 3)), Flatten, Dense(10)", &[("(1, 2, 3)", "height and width")]);
    assert_lines(
        "Conv2d(3, 3, padding = true), Flatten, Dense(10)",
        &[("true", "`same`, a whole number")],
    );
    assert_lines("GELU(approximate = tan), Flatten, Dense(10)", &[("tan", "did you mean `tanh`?")]);
    assert_lines(
        "GELU(approximate = \"tanh\"), Flatten, Dense(10)",
        &[("\"tanh\"", "write `tanh` without quotes")],
    );
    assert_lines("Flatten, Dense(3 - 5)", &[("-", "`3 - 5` is not a size")]);
    assert_lines("Flatten, Dense(3 / 0)", &[("/", "`3 / 0` is not a size")]);
    assert_lines("Reshape(0.5), Dense(10)", &[("0.5", "a shape such as `4x4x8`")]);
}

#[test]
fn of_blocks() {
    let block = |used: &str| {
        format!(
            "block B(units, flag = true) {{ Dense(units, bias = flag) }} struct N(8) -> 8 {{ {used} }}"
        )
    };
    assert_about(&block("B(8), B(8, false), B(units = 8)"), &[]);
    assert_about(&block("B()"), &[("B", "`B` needs `units`")]);
    assert_about(&block("B(8, true, 3)"), &[("3", "`B` takes 2 arguments only")]);
    assert_about(&block("B(unit = 8)"), &[("unit", "did you mean `units`?")]);
    assert_about(&block("B(8, flag = 3)"), &[("3", "`bias` of `Dense` must be `true` or `false`")]);
    assert_about(&block("B(0)"), &[("0", "has 0 units")]);
}

#[test]
fn of_repeats() {
    assert_lines(
        "Repeat(0) { Flatten }, Dense(10)",
        &[("0", "`Repeat` repeats its layers 0 times")],
    );
    assert_lines("Repeat(N) { Flatten }, Dense(10)", &[("N", "expected a literal count")]);
    assert_lines("Repeat(1.5) { Flatten }, Dense(10)", &[("1.5", "expected a literal count")]);
    assert_about("block B(n) { Repeat(n) { Dense(8) } } struct N(8) -> 8 { B(3) }", &[]);
}

#[test]
fn reported_once_however_often_a_block_is_used() {
    assert_about(
        "block B { Dense(8, bais = true) } struct N(8) -> 8 { Repeat(3) { B }, B }",
        &[("bais", "did you mean `bias`?")],
    );
    assert_about(
        "block B { Dense(8, bais = true) } struct One(8) -> 8 { B } struct Two(8) -> 8 { B }",
        &[("bais", "did you mean `bias`?")],
    );
}

#[test]
fn const_generics() {
    assert_about(
        "struct N<const C: usize>([28, 28, C]) -> 8 { Conv2d(3, kernel = 3), Flatten, Dense(8) }",
        &[("Conv2d", "the size of its weights would be computed from const generics")],
    );
    assert_about(
        "struct N<const H: usize>(8) -> 8 { Dense(2 * H), Dense(8) }",
        &[("2 * H", "Rust cannot compute with const generics")],
    );
    assert_about(
        "struct N<const C: usize>([28, 28, C]) -> 8 { MaxPool2d(2), Flatten, fc: Dense(8) }",
        &[("Dense", "layer `fc`: the size of its weights would be computed from const generics")],
    );
    assert_about(
        "struct N<const C: usize, const F: usize>([28, 28, C]) -> 8 { MaxPool2d(2), Flatten -> F, Dense(8) }",
        &[],
    );
    assert_about(
        "struct N<const C: usize>([28, C]) -> [28, C] { LayerNorm, LayerNorm(axes = 1) }",
        &[],
    );
    assert_about(
        "struct N<const C: usize>([28, C]) -> [28, C] {
            PositionalEmbedding, MultiHeadAttention(16), MultiHeadAttention(16, kv_heads = 16),
        }",
        &[],
    );
    assert_about(
        "struct N<const C: usize>([28, C]) -> [28, C] { PositionalEmbedding, MultiHeadAttention(16, kv_heads = 2) }",
        &[("MultiHeadAttention", "the size of its weights would be computed from const generics")],
    );
    assert_about(
        "struct N<const C: usize>([28, C]) -> [28, C] { LayerNorm(axes = 2) }",
        &[("LayerNorm", "the size of its weights would be computed from const generics")],
    );
}
