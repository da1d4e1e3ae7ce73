//! Networks that would take forever to expand, or more memory than there is: what is too much is reported, and the time
//! grows with the tokens times the layers that they describe.

use super::{assert_about, assert_lines, messages};

/// A block whose parameters have defaults that double the tokens `levels` times.
fn doubling(first: &str, levels: usize) -> String {
    let mut parameters = format!("a, p0 = {{ {first} }}");
    for level in 1..levels {
        parameters += &format!(", p{level} = {{ p{0} + p{0} }}", level - 1);
    }
    let last = levels - 1;
    format!("block B({parameters}) {{ Dense(p{last}) }} struct N(8) -> N {{ B(A) }}")
}

#[test]
fn layers() {
    assert_about(
        "struct N(8) -> 8 { Repeat(5000) { ReLU } }",
        &[("ReLU", "more than 4096 layers")],
    );
    let mut blocks = String::from("block B0 { ReLU, ReLU }");
    for n in 1..40 {
        blocks += &format!("block B{n} {{ B{0}, B{0} }}", n - 1);
    }
    assert_about(
        &format!("{blocks} struct N(8) -> 8 {{ B39 }}"),
        &[("ReLU", "more than 4096 layers")],
    );
    let mut blocks = String::from("block C0 { ReLU }");
    for n in 1..100 {
        blocks += &format!("block C{n} {{ C{} }}", n - 1);
    }
    let messages = super::messages(&format!("{blocks} struct N(8) -> 8 {{ C99 }}"));
    assert_eq!(messages.len(), 1);
    assert!(messages[0].1.contains("nested more than 64 levels deep"));
}

#[test]
fn empty_bodies_are_counted() {
    assert_lines("Repeat(4294967295) {}, Dense(10)", &[("{}", "expected at least one layer")]);
    let nested = "Repeat(4294967295) { Repeat(4294967295) { Add { {}, {} } } }";
    assert_lines(nested, &[("Add", "more than 4096 layers")]);
}

#[test]
fn a_mistake_in_a_repeat_is_found_once() {
    assert_lines("Repeat(4096) { Dens(0) }, Dense(10)", &[("Dens", "did you mean `Dense`?")]);
    let lines = "Repeat(4096) { Dense(unit = 3), Add { {}, later }, Dense(3, weight = later) }";
    assert_lines(
        lines,
        &[("unit", "`units`"), ("later", "called `later`"), ("later", "called `later`")],
    );
    // Every use of a block finds the mistakes in it again.
    let mut blocks = String::from("block B0 { Dens(0), Dense(unit = 3), Add { {}, later } }");
    for n in 1..12 {
        blocks += &format!("block B{n} {{ B{0}, B{0} }}", n - 1);
    }
    let text = format!("{blocks} struct N(8) -> 8 {{ B11 }}");
    assert_about(&text, &[("Dens", "`Dense`"), ("unit", "`units`"), ("later", "called `later`")]);
}

#[test]
fn tokens_that_replace_parameters() {
    for levels in [14, 40, 1000] {
        assert_about(&doubling("a + a", levels), &[("p5", "too long to be expanded")]);
    }
    // Each expression is short enough, but not all of them together.
    let uses = "Dense({ p4 + p4 }), ".repeat(200);
    let text = doubling("a + a", 5).replace("Dense(p4)", &format!("Repeat(20) {{ {uses} }}"));
    assert_about(&text, &[("Dense", "too long to be expanded")]);
    assert!(messages(&doubling("a + a", 5)).is_empty());
}

#[test]
fn sums() {
    // Each operator would copy the tokens of its operands again.
    let sum = "1 + ".repeat(120);
    let text = |one: &str| {
        format!("struct N(8) -> 8 {{ Repeat(5) {{ Dense({{ {sum} {one} }}) }}, Dense(8) }}")
    };
    assert!(messages(&text("1")).is_empty());
    assert!(messages(&text("A")).is_empty());
}

#[test]
fn views_and_names() {
    // Cubic, where every reader follows all views, each of which is searched for among all nodes.
    let views = "Flatten, ".repeat(200);
    let adds = "Add { {}, last }, ".repeat(200);
    let text = format!("struct N(4x2) -> 8 {{ {views} last: Flatten, {adds} ReLU }}");
    assert!(messages(&text).is_empty());
    // `a`, `a_`, `a__`, ..: the same name without underscores.
    let names: String = (0..150).map(|n| format!("a{}: Dense(8), ", "_".repeat(n))).collect();
    assert!(messages(&format!("struct N(8) -> 8 {{ {names} }}")).is_empty());
}

/// Thousands of buffers of different lengths: the offset of each was searched for among all others several times.
#[test]
fn memory_plans() {
    let text = "struct N(32x32x3) -> 10 {
        Repeat(150) {
            Residual { Conv2d(16, kernel = 3, padding = 1), BatchNorm } skip { Conv2d(16, kernel = 1) }, ReLU,
        },
        GlobalAvgPool, Dense(10),
    }";
    assert!(messages(text).is_empty());
}

#[test]
fn many_networks() {
    let all: String =
        (0..100).map(|n| format!("/// A network.\nstruct N{n}(8) -> 8 {{ ReLU }}")).collect();
    assert!(messages(&all).is_empty());
}

#[test]
fn nesting_has_an_end() {
    let deep = |open: &str, close: &str| {
        format!("struct N(8) -> 8 {{ {}Dense(8){} }}", open.repeat(5000), close.repeat(5000))
    };
    for text in [deep("Residual { ", "}"), deep("Dense(", ")"), deep("a::<", ">"), deep("- ", "")] {
        let messages = messages(&text);
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].1.contains("nested too deeply"));
    }
}

/// One token may nest one level deeper: the longest expressions that the macro parses must fit into the stack. The
/// compiler has 8 MB.
#[test]
fn long_expressions_fit_into_the_stack() {
    let test = || {
        let long = |one: &str, n| {
            format!("struct N(8) -> 8 {{ Dense({{ {} A }}), Dense(8) }}", one.repeat(n))
        };
        let all = [
            ("a = ", 2),
            ("a + ", 2),
            ("a as ", 2),
            ("return ", 1),
            ("&mut ", 2),
            ("|a| ", 3),
            ("{} = ", 2),
        ];
        for (one, tokens) in all {
            messages(&long(one, 250 / tokens));
            let messages = messages(&long(one, 5000));
            assert!(messages[0].1.contains("nested too deeply"), "{one}: {messages:?}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(4 << 20).spawn(test);
    thread.expect("a thread").join().expect("no overflow");
}

#[test]
fn sizes_that_no_memory_holds() {
    const TOO_LARGE: &str = "a value can hold at most";
    // After a mistake the arrow replaces what is not known.
    for line in ["Dense(0) -> 4294967296x4294967296", "Dense(0) -> 18446744073709551614, LayerNorm"]
    {
        assert_lines(&format!("{line}, Dense(10)"), &[("0", "at least 1")]);
    }
    assert_about(
        "struct N(8) -> 8 { Dense(M) -> 4294967296x4294967296, LayerNorm, Dense(8) }",
        &[("4294967296x4294967296", TOO_LARGE)],
    );
    assert_about(
        "struct N(8) -> 8 { My -> 18446744073709551614, LayerNorm, Dense(8) }",
        &[("18446744073709551614", TOO_LARGE)],
    );
    assert_about(
        "struct N(8) -> (a: 4294967296x4294967296, b: 8) { a: Dense(M), b: Dense(8) }",
        &[("4294967296x4294967296", TOO_LARGE)],
    );
    // With constants, the compiler reports what is too large.
    let text = "struct N([M, 18446744073709551614]) -> 8 { LayerNorm, Conv1d(8, kernel = 3), Flatten, Dense(8) }";
    assert!(messages(text).is_empty());
}
