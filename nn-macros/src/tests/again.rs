//! Lines that are applied again: `same(..)` and `Repeat(.., shared = true)`.

use super::{assert_about, assert_lines, network};

/// The paths of the nodes, each with that of the one that it applies again.
fn applications(text: &str) -> Vec<(String, Option<String>)> {
    let network = network(text);
    let path = |index: usize| network.nodes[index].path.clone();
    let nodes = network.nodes.iter().enumerate();
    nodes.map(|(index, node)| (path(index), node.first.map(path))).collect()
}

#[track_caller]
fn assert_applications(text: &str, expected: &[(&str, &str)]) {
    let found = applications(text);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(path, first)| (path.as_str(), first.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_line_is_applied_to_another_value() {
    let text = "struct Net(a: 6, b: 6) -> 1 {
        left: a => [fc: Dense(4), ReLU],
        right: b => same(left),
        Sub { left, right },
        Dense(1),
    }";
    assert_applications(
        text,
        &[
            ("left.fc", ""),
            ("left.1", ""),
            ("right.fc", "left.fc"),
            ("right.1", "left.1"),
            ("sub", ""),
            ("dense", ""),
        ],
    );
    let net = network(text);
    assert_eq!(net.reads("right.fc"), ["b"]);
    assert_eq!(net.reads("sub"), ["left.1", "right.1"]);
    assert_eq!(net.nodes[2].cost.map(|cost| (cost.params, cost.macs)), Some((0, 24)));
    assert_eq!(net.nodes[2].source, "same(left.fc)");
}

#[test]
fn lines_in_braces_are_applied_to_another_value() {
    let text = "struct Net(a: 6, b: 6) -> 4 {
        left: a => { fc: Dense(4), ReLU },
        right: b => same(left),
        Sub { left, right },
    }";
    let expected = [
        ("left.fc", ""),
        ("left.relu", ""),
        ("right.fc", "left.fc"),
        ("right.relu", "left.relu"),
        ("sub", ""),
    ];
    assert_applications(text, &expected);
    // Neither a layer's arguments nor a comma: the size that `->` states.
    assert_about(
        "struct Net<const N: usize>(2x3) -> N { Flatten => {N} }",
        &[("=", "expected `->` before the layer's shape")],
    );
}

#[test]
fn each_kind_of_line_can_be_applied_again() {
    let text = "
    block Encoder(units) { Dense(units), ReLU }
    struct Net(a: 6, b: 6) -> 12 {
        one: a => Dense(6),
        block: Encoder(6),
        list: [Dense(6), Tanh],
        skip: Residual { Dense(6) } skip { Dense(6) },
        two: Repeat(2) { Dense(6) },
        join: Add { {}, { Dense(6) } },
        last: b => same(one),
        same(block),
        same(list),
        same(skip),
        same(two),
        other: same(join),
        Concat { join, other },
    }";
    assert_applications(
        text,
        &[
            ("one", ""),
            ("block.dense", ""),
            ("block.relu", ""),
            ("list.0", ""),
            ("list.1", ""),
            ("skip.dense", ""),
            ("skip.skip.dense", ""),
            ("skip", ""),
            ("two.0.dense", ""),
            ("two.1.dense", ""),
            ("join.1.dense", ""),
            ("join", ""),
            ("last", "one"),
            ("block_2.dense", "block.dense"),
            ("block_2.relu", "block.relu"),
            ("list_2.0", "list.0"),
            ("list_2.1", "list.1"),
            ("skip_2.dense", "skip.dense"),
            ("skip_2.skip.dense", "skip.skip.dense"),
            ("skip_2", "skip"),
            ("two_2.0.dense", "two.0.dense"),
            ("two_2.1.dense", "two.1.dense"),
            ("other.1.dense", "join.1.dense"),
            ("other", "join"),
            ("concat", ""),
        ],
    );
    let net = network(text);
    assert_eq!(net.reads("other"), ["two_2.1.dense", "other.1.dense"]);
    assert_eq!(net.reads("skip_2"), ["skip_2.dense", "skip_2.skip.dense"]);
}

#[test]
fn weights_belong_to_the_first_of_several_applications() {
    let text = "struct Net(5) -> 5 { a: Dense(5), b: same(a), c: same(b), same(a) }";
    let expected = [("a", ""), ("b", "a"), ("c", "a"), ("a_2", "a")];
    assert_applications(text, &expected);
}

#[test]
fn blocks_take_the_names_of_lines() {
    let text = "
    block Twice(line) { ReLU, same(line), ReLU, same(line) }
    struct Net(5) -> 5 { fc: Dense(5), Twice(fc) }";
    assert_applications(
        text,
        &[
            ("fc", ""),
            ("twice.relu", ""),
            ("twice.fc", "fc"),
            ("twice.relu_2", ""),
            ("twice.fc_2", "fc"),
        ],
    );
}

#[test]
fn values_besides_the_input_stay() {
    let net = network(
        "struct Net(a: 4, b: 4) -> 4 {
            code: b => Dense(4),
            one: a => Add { { fc: Dense(4) }, code, a },
            two: same(one),
        }",
    );
    // The input is replaced wherever the line reads it, also by its name.
    assert_eq!(net.reads("two"), ["two.0.fc", "code", "one"]);
}

#[test]
fn copies_of_a_repeat_share_their_weights() {
    let text = "struct Net(5) -> 5 {
        first: Dense(5),
        stage: Repeat(3, shared = true) { Add { { fc: Dense(5) }, first }, ReLU },
    }";
    assert_applications(
        text,
        &[
            ("first", ""),
            ("stage.add.0.fc", ""),
            ("stage.add", ""),
            ("stage.relu", ""),
            ("stage_2.add.0.fc", "stage.add.0.fc"),
            ("stage_2.add", "stage.add"),
            ("stage_2.relu", "stage.relu"),
            ("stage_3.add.0.fc", "stage.add.0.fc"),
            ("stage_3.add", "stage.add"),
            ("stage_3.relu", "stage.relu"),
        ],
    );
    // A value that the lines read by its name is the same one in each copy.
    let net = network(text);
    assert_eq!(net.reads("stage_3.add"), ["stage_3.add.0.fc", "first"]);
    assert_eq!(net.reads("stage_3.add.0.fc"), ["stage_2.relu"]);
}

#[test]
fn shared_repeats_contain_shared_lines() {
    let text = "
    block Twice(shared) { Repeat(2, shared = shared) { Dense(5) } }
    struct Net(5) -> 5 {
        outer: Repeat(2, shared = true) { fc: Dense(5), same(fc), Twice(true) },
        Twice(false),
        _: Repeat(2, shared = true) { end: Dense(5) },
    }";
    let found = applications(text);
    let found: Vec<(&str, &str)> =
        found.iter().map(|(path, first)| (path.as_str(), first.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        found,
        [
            ("outer.fc", ""),
            ("outer.fc_2", "outer.fc"),
            ("outer.twice.repeat.dense", ""),
            ("outer.twice.repeat_2.dense", "outer.twice.repeat.dense"),
            ("outer_2.fc", "outer.fc"),
            ("outer_2.fc_2", "outer.fc"),
            ("outer_2.twice.repeat.dense", "outer.twice.repeat.dense"),
            ("outer_2.twice.repeat_2.dense", "outer.twice.repeat.dense"),
            ("twice.repeat.0.dense", ""),
            ("twice.repeat.1.dense", ""),
            ("end", ""),
            ("repeat.end", "end"),
        ]
    );
}

#[test]
fn tied_weights_belong_to_the_first_application() {
    let net = network(
        "struct Net(a: 7, b: 7) -> 7x9 {
            pair: a => [tokens: Embedding(9, 4), head: Dense(9, weight = tokens)],
            other: b => same(pair),
            Add { pair, other },
        }",
    );
    let owner = |path: &str| net.nodes.iter().find(|it| it.path == path).unwrap().owner;
    assert_eq!([owner("pair.head"), owner("other.head")], [Some(0), Some(0)]);
}

#[test]
fn what_cannot_be_applied_again() {
    let end = "Flatten, Dense(10)";
    for (lines, at, words) in [
        ("Dense(5), same(fc)", "fc", "there is no earlier line called `fc`"),
        ("fc1: Dense(5), same(fc2)", "fc2", "did you mean `fc1`?"),
        ("same(late), late: Dense(5)", "late", "the line `late` is not complete here"),
        ("own: { Dense(5), same(own) }", "own", "the line `own` is not complete here"),
        ("Residual { fc: Dense(1) }, same(fc)", "fc", "the line `fc` is local to `Residual`"),
        ("relu: ReLU, same(relu)", "relu", "`relu` has no weights to share"),
        (
            "fc: Dense(5), same(fc)",
            "same",
            "layer `fc_2` is `fc` again, which takes 28x28x1, but gets 28x28x5",
        ),
        ("fc: Dense(5), same()", "same", "expected the name of an earlier line"),
        ("fc: Dense(5), same(fc, fc)", "same", "expected the name of an earlier line"),
        ("fc: Dense(5), same(line = fc)", "same", "expected the name of an earlier line"),
        ("fc: Dense(5), same", "same", "expected the name of an earlier line"),
        ("fc: Dense(5), same(fc) { {}, {} }", "same", "`same` takes one input and no branches"),
        (
            "fc: Dense(5), Repeat(2, share = true) { ReLU }",
            "(2, share = true)",
            "expected one count",
        ),
        ("fc: Dense(5), Repeat(2, shared = 1) { ReLU }", "1", "must be `true` or `false`"),
        (
            "Repeat(2, shared = true) { fc: Dense(5) }",
            "Dense",
            "layer `repeat_2.fc` is `repeat.fc` again, which takes 28x28x1, but gets 28x28x5",
        ),
    ] {
        assert_lines(&format!("{lines}, {end}"), &[(at, words)]);
    }
    assert_about(
        "struct Net(a: 3, b: 3) -> 3 { a => same(b) }",
        &[("b", "`same` applies an earlier line again, but `b` is an input")],
    );
    assert_about(
        "struct Net(a: 3, b: 3) -> 3 {
            join: Concat { a => { Dense(3) }, b },
            a => same(join),
        }",
        &[("join", "`join` does not read the value before it")],
    );
}

#[test]
fn a_mistake_in_a_line_is_reported_once() {
    assert_lines(
        "enc: { Conv2d(3, kernel = 99) }, other: same(enc), Add { enc, other }, Flatten, Dense(10)",
        &[("99", "has a kernel of 99")],
    );
    assert_lines(
        "enc: Dens(3), same(enc), Flatten, Dense(10)",
        &[("Dens", "did you mean `Dense`?")],
    );
}

#[test]
fn sizes_that_are_constants() {
    let net = network(
        "struct Net<const N: usize>(a: [4, N], b: 4x8) -> [4, 3] {
            left: a => [fc: Dense(3), ReLU],
            right: b => same(left),
            Add { left, right },
        }",
    );
    assert!(net.nodes[2].generic, "it compares the sizes of both inputs");
}

#[test]
fn sequences_that_end_early_are_blamed_on_the_line() {
    assert_about(
        "struct Net(a: 8x2, b: ..8x2) -> 3 {
            left: a => [flatten: Flatten, fc: Dense(3)],
            right: b => same(left),
            Add { left, right },
        }",
        &[("same", "layer `right.flatten` takes all steps at once")],
    );
}
