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
fn branches_are_given_other_values() {
    let text = "struct Net(a: 4, b: 4, c: 4, d: 4) -> 4 {
        one: Add { a => { fc: Dense(4), Add { {}, a } }, b },
        two: same(one) { c, d },
        three: same(two) { b => { late: Dense(4) }, {} },
        mix: self::Mix { a, three => { Tanh } },
        last: d => same(mix) { {}, c },
        Sub { last, one, mix },
    }";
    let net = network(text);
    // A branch's value is replaced wherever the lines of the branches read it.
    assert_eq!(net.reads("one.a.fc"), ["a"]);
    assert_eq!(net.reads("two.a.fc"), ["c"]);
    assert_eq!(net.reads("two.a.add"), ["two.a.fc", "c"]);
    assert_eq!(net.reads("two"), ["two.a.add", "d"]);
    // A branch of `same` has lines of its own, beside those that are applied again.
    assert_eq!(net.reads("three_b.late"), ["b"]);
    assert_eq!(net.reads("three.a.fc"), ["three_b.late"]);
    assert_eq!(net.reads("three"), ["three.a.add", "two"]);
    assert_eq!(net.reads("last.mix_three.tanh"), ["c"]);
    assert_eq!(net.reads("last"), ["d", "last.mix_three.tanh"]);
    let firsts = applications(text);
    let first = |path: &str| firsts.iter().find(|it| it.0 == path).unwrap().1.clone();
    assert_eq!(first("three.a.fc").as_deref(), Some("one.a.fc"));
    assert_eq!(first("last").as_deref(), Some("mix"));
    assert_eq!(first("three_b.late"), None);
}

#[test]
fn branches_that_begin_with_one_value_are_told_apart() {
    let net = network(
        "struct Net(a: 4, b: 4) -> 4 {
            start: a => ReLU,
            one: Concat { {}, { fc: Dense(2) }, start => { Slice(0, 2) } },
            wide: Dense(4),
            two: same(one) { b, a, start },
            Sub { {}, wide => { Dense(8) } },
            Dense(4),
            three: same(one),
            Dense(4),
        }",
    );
    assert_eq!(net.reads("one"), ["start", "one.1.fc", "one.start.slice"]);
    assert_eq!(net.reads("two"), ["b", "two.1.fc", "two.start.slice"]);
    assert_eq!(net.reads("two.1.fc"), ["a"]);
    assert_eq!(net.reads("two.start.slice"), ["start"]);
    // Without branches, the value before replaces the value before.
    assert_eq!(net.reads("three"), ["dense", "three.1.fc", "three.start.slice"]);
    assert_eq!(net.reads("three.start.slice"), ["dense"]);
}

#[test]
fn arguments_are_given_other_values() {
    let net = network(
        "block Up(skip, units) { Add { { Dense(units) }, skip }, Tanh }
        block Both(x, y) { x => Up(y, 4), Add { x => { Dense(4) }, {} } }
        struct Net(a: 4, b: 4, c: 4, d: 4) -> 4 {
            // The same value as input and as argument.
            up: a => Up(a, 4),
            up2: b => same(up, skip = c),
            up3: c => same(up2, skip = d),
            up4: d => same(up3),
            both: Both(a, b),
            both2: same(both, x = c, y = d),
            both3: same(both2, y = up4),
            both4: both => same(both3, x = both),
            Sub { up, up2, up3, up4, both2, both3, both4 },
        }",
    );
    assert_eq!(net.reads("up.add"), ["up.add.0.dense", "a"]);
    assert_eq!(net.reads("up2.add"), ["up2.add.0.dense", "c"]);
    assert_eq!(net.reads("up2.add.0.dense"), ["b"]);
    assert_eq!(net.reads("up3.add"), ["up3.add.0.dense", "d"]);
    assert_eq!(net.reads("up3.add.0.dense"), ["c"]);
    assert_eq!(net.reads("up4.add"), ["up4.add.0.dense", "d"]);
    assert_eq!(net.reads("up4.add.0.dense"), ["d"]);
    assert_eq!(net.reads("both.up.add"), ["both.up.add.0.dense", "b"]);
    assert_eq!(net.reads("both2.up.add"), ["both2.up.add.0.dense", "d"]);
    assert_eq!(net.reads("both2.x.dense"), ["c"]);
    // What is not given stays.
    assert_eq!(net.reads("both3.x.dense"), ["c"]);
    assert_eq!(net.reads("both3.up.add"), ["both3.up.add.0.dense", "up4.tanh"]);
    assert_eq!(net.reads("both4.x.dense"), ["both.add"]);
}

#[test]
fn named_values_of_layers_and_lists_are_given_again() {
    let net = network(
        "struct Net(a: 5x4, b: 5x4, c: 5x4) -> 5x4 {
            h: c => Slice(0, 1), h0: [Flatten, Dense(4)],
            att: a => MultiHeadAttention(2, memory = b),
            att2: b => same(att, memory = c),
            list: a => [GRU(4, state = h0), MultiHeadAttention(2, memory = att)],
            h1: Flatten, h1b: Dense(4),
            list2: list => same(list, att = att2, h0 = h1b),
            Add { list2, att2 },
        }",
    );
    assert_eq!(net.reads("att"), ["a", "b"]);
    assert_eq!(net.reads("att2"), ["b", "c"]);
    assert_eq!(net.reads("list2.0"), ["list.1", "h1b"]);
    assert_eq!(net.reads("list2.1"), ["list2.0", "att2"]);
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
        ("fc: Dense(5), same(fc) { {}, {} }", "same", "`fc` takes one input and no branches"),
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
fn inputs_that_cannot_be_given() {
    let lines = |line: &str| {
        format!(
            "block Up(skip, units) {{ Add {{ {{ Dense(units) }}, skip }} }}
            block Kept(skip) {{ fc: Dense(4) }}
            struct Net(a: 4, b: 4, seq: 3x4) -> 4 {{
                wide: a => Dense(5),
                fc: a => Dense(4),
                up: b => Up(fc, 4),
                kept: Kept(a),
                mix: Add {{ a => {{ Dense(4) }}, b => {{ Dense(4) }} }},
                att: seq => MultiHeadAttention(2, memory = seq),
                pooled: Reduce,
                {line},
                Concat {{ {{}}, fc, up, kept, mix, pooled, wide }},
                Dense(4),
            }}"
        )
    };
    for (line, at, words) in [
        ("same(mix) { a, b, fc }", "same", "`mix` has 2 branches, but `same(mix)` has 3 branches"),
        ("same(mix) { a }", "same", "`mix` has 2 branches, but `same(mix)` has 1 branch"),
        ("same(mix) { a, bb }", "bb", "there is no input or earlier line called `bb`"),
        (
            "same(mix) { a, wide }",
            "wide",
            "layer `mix_2.b.dense` is `mix.b.dense` again, which takes 4, but gets 5",
        ),
        (
            "same(mix)",
            "mix",
            "or give it other values: `same(mix) { .. }` with a value for each branch",
        ),
        ("same(fc) { a, b }", "same", "`fc` takes one input and no branches"),
        ("same(up) { a, b }", "same", "`up` takes one input and no branches"),
        (
            "a => same(up, skip = wide)",
            "wide",
            "layer `up_2.add` is `up.add` again, which takes 4 as input 2, but gets 5",
        ),
        ("a => same(up, skp = b)", "skp", "`up` has no input called `skp`: did you mean `skip`?"),
        ("a => same(up, units = b)", "units", "give it other values: `same(up, skip = ..)`"),
        ("a => same(kept, skip = b)", "skip", "`kept` has no input called `skip`"),
        (
            "a => same(fc, a = b)",
            "a",
            "`same` gives a line other values, and all else stays: `value => same(fc)`",
        ),
        (
            "a => same(up, skip = 3)",
            "3",
            "`skip` must be the name of an input or of an earlier line",
        ),
        ("a => same(up, skip = nothing)", "nothing", "nothing"),
        ("a => same(up, b)", "same", "expected the name of an earlier line"),
        (
            "seq => same(att, memory = wide), Reduce",
            "wide",
            "again, which takes 3x4 as input 2, but gets 5",
        ),
    ] {
        assert_about(&lines(line), &[(at, words)]);
    }
    assert_about(
        &lines("a => same(up, skip = a, skip = b)"),
        &[("skip", "is given twice"), ("skip", "is first given here")],
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
