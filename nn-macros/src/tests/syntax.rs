//! What is said about the grammar: each mistake on its token, and the next ones too.

use super::{assert_about, assert_lines, assert_messages};

#[test]
fn independent_mistakes_are_reported_together() {
    assert_about(
        "struct Net(12) -> 10 {
            Dens(3),
            Dense(units 4),
            fc: Dense(10, bais = false),
            Dropout(0.5, 0.5),
            ReLU(1),
            Dense(10) -> 2 * 5,
        }",
        &[
            ("4", "expected `,` before this"),
            ("*", "write a shape as one word, `2x5`, or a computed size in braces: `{ 2 * 5 }`"),
            ("Dens", "did you mean `Dense`?"),
            ("bais", "did you mean `bias`?"),
            ("0.5", "`Dropout` takes one argument only"),
            ("1", "`ReLU` takes no arguments"),
        ],
    );
}

#[test]
fn separators() {
    assert_lines("Flatten Dense(10)", &[("Dense", "expected `,` before this")]);
    assert_lines("Flatten; Dense(10)", &[(";", "layers are separated by commas")]);
    assert_lines("Flatten, , Dense(10)", &[(",", "expected a layer")]);
    assert_lines("Flatten => 784, Dense(10)", &[("=", "expected `->`")]);
    assert_lines("Flatten -> 2 * N, Dense(10)", &[("*", "needs braces")]);
    assert_lines("fc = Dense(10)", &[("=", "expected `:`")]);
    assert_lines("nn.Dense(10)", &[(".", "without a dot")]);
    assert_lines("Flatten | Dense(10)", &[("|", "expected `,`")]);
}

#[test]
fn lines() {
    assert_lines("", &[("{  }", "expected at least one layer")]);
    assert_lines("3, Dense(10)", &[("3", "expected a layer")]);
    assert_lines("fc1: , Dense(10)", &[(",", "expected a layer")]);
    assert_about("struct N(_: 8) -> 8 { ReLU }", &[("_", "expected a name before `:`")]);
    assert_lines("#[cfg(x)] Flatten, Dense(10)", &[("#", "no attributes")]);
    assert_lines("Flatten -> , Dense(10)", &[(",", "expected a shape")]);
    assert_lines("Flatten, Dense(10) ->", &[("}", "expected a shape")]);
}

#[test]
fn shapes_that_are_no_shapes() {
    for (shape, token, words) in [
        ("28X28", "28X28", "with a lower-case `x`"),
        ("28xx1", "28xx1", "a size is missing"),
        ("0x28", "0x28", "hexadecimal"),
        ("28x28xC", "28x28xC", "write `[28, 28, C]`"),
        ("1.5", "1.5", "not a size"),
        ("\"28\"", "\"28\"", "not a size"),
        ("[]", "[]", "at least one size"),
        ("1x1x1x1x1x1x1", "1x1x1x1x1x1x1", "7 axes"),
        ("[1, 1, 1, 1, 1, 1, 1]", "[1, 1, 1, 1, 1, 1, 1]", "7 axes"),
        ("(28, 28)", "(28, 28)", "write a shape as `28x28`"),
        ("(28, N)", "(28, N)", "write a shape as `[28, N]`"),
        ("->", "-", "expected a shape"),
        ("99999999999999999999999", "99999999999999999999999", "too large"),
    ] {
        assert_about(
            &format!("struct N({shape}) -> 10 {{ Flatten, Dense(10) }}"),
            &[(token, words)],
        );
    }
    assert_about("struct N(28 x 28) -> 10 { Dense(10) }", &[("x", "as one word, `28x28`")]);
}

#[test]
fn headers() {
    assert_about("struct N -> 10 { Dense(10) }", &[("-", "expected the input's shape")]);
    assert_about("struct N() -> 10 { Dense(10) }", &[(")", "expected the input's shape")]);
    assert_about("struct N(12) { Dense(10) }", &[("{", "expected `->`")]);
    assert_about("struct N(12) -> 10", &[("", "expected layers in braces")]);
    assert_about("struct N(12) -> 10;", &[(";", "expected layers in braces")]);
    assert_about("struct N<T>(12) -> 10 { Dense(10) }", &[("T", "const generics")]);
    assert_about("struct N<'a>(12) -> 10 { Dense(10) }", &[("'a", "const generics")]);
    assert_about(
        "struct N(12) -> 10 where u8: Copy { Dense(10) }",
        &[("where", "takes no `where` clause")],
    );
    assert_about("enum N(12) -> 10 { Dense(10) }", &[("enum", "expected `struct")]);
    assert_about(
        "fn f() {} struct N(12) -> 10 { Dens(10) }",
        &[("fn", "expected `struct"), ("Dens", "did you mean")],
    );
}

#[test]
fn blocks() {
    assert_about("pub block B() { ReLU }", &[("pub", "no visibility")]);
    assert_about(
        "pub block B() { ReLU } struct N(8) -> 8 { Dens(8), B }",
        &[("pub", "no visibility"), ("Dens", "did you mean `Dense`?")],
    );
    assert_about("#[derive(Clone)] block B() { ReLU }", &[("#", "no other attributes")]);
    assert_about("block B(3) { ReLU }", &[("3", "expected a parameter")]);
    assert_about("block B(a) ReLU", &[("ReLU", "expected layers in braces")]);
    assert_messages("/// What it is.\nblock B { ReLU }", &[]);
}

#[test]
fn structure() {
    assert_lines("Repeat { Dense(10) }", &[("Repeat", "expected one count")]);
    assert_lines("Repeat(1, 2) { Dense(10) }", &[("(1, 2)", "expected one count")]);
    assert_lines("Repeat(3), Dense(10)", &[(",", "expected layers in braces")]);
    assert_lines("Residual(3) { Dense(10) }", &[("(3)", "`Residual` takes no arguments")]);
    assert_lines(
        "Flatten, Residual { ReLU }, skip { ReLU }, Dense(10)",
        &[("skip", "directly after `Residual")],
    );
    assert_lines("Add { Dense(10), {} }", &[("Dense", "expected a branch")]);
    assert_lines("Add { a -> {}, {} }", &[("a", "expected a branch")]);
    assert_lines("Dense(units: 10)", &[("units", "expected `=`")]);
    assert_lines(
        "Flatten, Dense({ units } = 10)",
        &[("{ units }", "expected the argument's name")],
    );
    assert_lines("Dense(units = )", &[(")", "expected a value")]);
    assert_lines("Dense(,)", &[(",", "expected a value")]);
}
