//! What is said about names.

use super::{assert_about, assert_lines, assert_messages};

#[test]
fn misspelt_layers() {
    assert_lines("Flaten, Dense(10)", &[("Flaten", "did you mean `Flatten`?")]);
    assert_lines("Conv2D(3, 3), Flatten, Dense(10)", &[("Conv2D", "did you mean `Conv2d`?")]);
    assert_messages(
        "struct N(8) -> 8 { Relu }",
        &[(
            "Relu",
            "there is no layer `Relu`: did you mean `ReLU`? If `Relu` is a type of yours, write `self::Relu`",
        )],
    );
    assert_lines(
        "Quux(3), Flatten, Dense(10)",
        &[("Quux", "if it is a type of yours, write it without parentheses")],
    );
    assert_lines("Residuals { ReLU }, Dense(10)", &[("Residuals", "did you mean `Residual`?")]);
    assert_about(
        "block Basic { Dense(8) } struct N(8) -> 8 { Basik }",
        &[("Basik", "did you mean `Basic`?")],
    );
    assert_messages("struct Dens(8) -> 8 { ReLU } struct N(8) -> 8 { Dens -> 8 }", &[]);
    assert_lines("Linear(3), Flatten, Dense(10)", &[("Linear", "did you mean `Dense`?")]);
    assert_lines("my::Layer(3), Dense(10)", &[("Layer", "takes no arguments here")]);
}

#[test]
fn the_same_name_twice() {
    assert_messages(
        "struct N(8) -> 8 { fc: Dense(8), Residual { fc: Dense(8) } }",
        &[("fc", "the name `fc` is defined twice"), ("fc", "the name `fc` is first defined here")],
    );
    assert_about(
        "struct N(8) -> 8 { ReLU } struct N(9) -> 9 { ReLU }",
        &[("N", "the network `N` is defined twice"), ("N", "is first defined here")],
    );
    assert_about(
        "block B { ReLU } block B { ReLU }",
        &[("B", "the block `B` is defined twice"), ("B", "is first defined here")],
    );
    assert_about("block Dense { ReLU }", &[("Dense", "is a layer already")]);
    assert_about("block Repeat { ReLU }", &[("Repeat", "is a layer already")]);
    assert_about(
        "block B(a, b, a) { ReLU }",
        &[("a", "the parameter `a` is defined twice"), ("a", "is first defined here")],
    );
    assert_about(
        "struct N(a: 8, a: 8) -> 8 { Add { a => {}, a => {} } }",
        &[("a", "the input `a` is defined twice"), ("a", "is first defined here")],
    );
}

#[test]
fn lines_without_a_level() {
    assert_messages(
        "struct N(8) -> 8 { _: Dense(8) }",
        &[(
            "_",
            "`_` before a layer of the network itself leaves its weights without a name\n  = help: give the line a \
             name, or none",
        )],
    );
    assert_messages(
        "struct N(8) -> 8 { a: [_: Dense(8), _: Dense(8)] }",
        &[(
            "_",
            "two layers have the path `a`, because `_` adds no level\n  = help: give one of them a name",
        )],
    );
    let twice = "two lines have the path `a.fc`, because `_` adds no level";
    assert_about("block B { fc: Dense(8) } struct N(8) -> 8 { a: [_: B, _: B] }", &[("_", twice)]);
    // In any order, and also where the name is that of a layer.
    assert_about(
        "block B { dense: Dense(8) } struct N(8) -> 8 { Dense(8), _: B }",
        &[("_", "two lines have the path `dense`")],
    );
    assert_messages(
        "block B { Dense(8) } struct N(8) -> 8 { _: B, Dense(8), _: B, dense: Dense(8) }",
        &[],
    );
}

#[test]
fn blocks_in_a_circle() {
    assert_messages(
        "block A { B } block B { ReLU, A } struct N(8) -> 8 { A, ReLU }",
        &[("A", "a block cannot contain itself: `A` uses `B` uses `A`")],
    );
    assert_messages("struct N(8) -> 8 { ReLU, N }", &[("N", "a network cannot contain itself")]);
    assert_about("block A { Repeat(2) { A } } struct N(8) -> 8 { A }", &[("A", "`A` uses `A`")]);
}

#[test]
fn sources_of_branches() {
    assert_about(
        "struct N(image: 8, table: 8) -> 8 { Add { image => {}, tabel => {} } }",
        &[("tabel", "did you mean `table`?")],
    );
    assert_lines(
        "Flatten, Add { {}, later => {} }, later: Dense(10)",
        &[("later", "no input or earlier line called `later`")],
    );
    assert_lines(
        "Flatten, Residual { inner: Dense(784) }, Add { {}, inner => {} }, Dense(10)",
        &[("inner", "called `inner`")],
    );
    assert_about(
        "block B { Add { {}, image => {} } } struct N(image: 8) -> 8 { B }",
        &[("image", "called `image`")],
    );
}

#[test]
fn inputs() {
    assert_about("struct N(8, 8) -> 8 { Dense(8) }", &[("8", "several inputs need names")]);
    assert_about("struct N(a: 8, b: 8) -> 8 { Dense(8) }", &[("Dense", "begins with a join")]);
    assert_about(
        "struct N(a: 8, b: 8) -> 8 { Add { {}, b => {} } }",
        &[("{}", "this branch has no input")],
    );
    assert_about(
        "struct N(a: 8, b: 8) -> 8 { Add { a => {}, a => { ReLU } } }",
        &[("b", "the input `b` is never used")],
    );
}

#[test]
fn what_no_layer_reads_is_a_mistake() {
    assert_about(
        "struct N(a: 8) -> 16 { Dense(4), lost: ReLU, Concat { a => {}, a => { Tanh } } }",
        &[("ReLU", "the output of layer `lost` is never used")],
    );
    assert_messages(
        "struct N(a: 8) -> 16 { kept: ReLU, Add { a => {}, a => {} }, Concat { {}, kept => {} } }",
        &[],
    );
}

#[test]
fn joins() {
    assert_lines("Flatten, Add, Dense(10)", &[("Add", "`Add` joins branches")]);
    assert_lines("Flatten, Add { {} }, Dense(10)", &[("Add", "two branches or more")]);
    assert_lines("Flatten, Dense(10) { {}, {} }", &[("Dense", "and no branches")]);
    assert_about("block B { ReLU } struct N(8) -> 8 { B { {}, {} } }", &[("B", "and no branches")]);
}

#[test]
fn keywords_and_raw_names() {
    assert_about(
        "struct N(8) -> 8 { r#type: Dense(8), r#type: Dense(8) }",
        &[("r#type", "is defined twice"), ("r#type", "is first defined here")],
    );
    assert_about(
        "struct N(8) -> 8 { type: Dense(8), r#type: Dense(8) }",
        &[("r#type", "is defined twice"), ("type", "is first defined here")],
    );
    assert_about(
        "struct N(8) -> (type: 8, r#type: 8) { type: Dense(8) }",
        &[("r#type", "is defined twice"), ("type", "is first defined here")],
    );
    assert_messages(
        "struct N(type: 8, self: 8) -> (fn: 8, crate: 4, crate_: 4, self_: 4) {
            fn: Add { r#type, self }, crate: Dense(4), crate_: r#fn => Dense(4), self_: Dense(4),
        }",
        &[],
    );
}

#[test]
fn keywords_are_no_sizes() {
    for word in ["self", "Self", "super", "crate"] {
        assert_about(
            &format!("struct N(8) -> 8 {{ Dense({word}), Dense(8) }}"),
            &[(word, "expected a size")],
        );
    }
}

#[test]
fn a_repeated_input_keeps_its_number() {
    assert_about(
        "struct N(a: 8, a: 8, b: 4) -> 4 { Add { a => { Dense(4) }, b } }",
        &[("a", "the input `a` is defined twice"), ("a", "is first defined here")],
    );
}
