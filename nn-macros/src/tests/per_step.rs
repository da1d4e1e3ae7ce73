//! `PerStep`: lines between two views, which have a sample for each step.

use super::{assert_about, assert_messages, expanded, network};

#[test]
fn lines_see_one_step() {
    let net = network(
        "struct Video(12x16x16x1) -> 5 {
            PerStep { conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(16) },
            ReLU,
            last: LSTM(32, output = last),
            Dense(5),
        }",
    );
    let expected = [
        "per_step 16x16x1",
        "conv 14x14x8",
        "relu 14x14x8",
        "max_pool2d 7x7x8",
        "flatten 392",
        "dense 16",
        "per_step 12x16",
        "relu_2 12x16",
        "last 32",
        "dense_2 5",
    ];
    assert_eq!(net.lines(), expected);
    let samples: Vec<_> = net.nodes.iter().map(|node| net.samples(node.per_step)).collect();
    assert_eq!(samples, [1, 12, 12, 12, 12, 12, 1, 1, 1, 1].map(Some));
    // One line of the user's.
    assert_eq!(net.written().count(), 9);
}

#[test]
fn names_are_those_of_a_residual() {
    let net = network(
        "block Unit(units) { PerStep { Dense(units), Residual { Dense(units) } } }
        struct Net(2x3x4) -> 2x3x4 {
            PerStep { Dense(4), inner: PerStep { Dense(4), Tanh } },
            frames: PerStep [Dense(4), fc: Dense(4), PerStep { Tanh }],
            Repeat(2) { Unit(4) },
            _: PerStep { last: Dense(4) },
            own: PerStep { _: Dense(4) },
        }",
    );
    let lines = net.lines();
    let paths: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    let expected = [
        "per_step",
        "dense",
        "inner",
        "inner.dense",
        "inner.tanh",
        "inner",
        "per_step",
        "frames",
        "frames.0",
        "frames.fc",
        "frames.2",
        "frames.2.tanh",
        "frames.2",
        "frames",
        "repeat.0.unit.per_step",
        "repeat.0.unit.dense",
        "repeat.0.unit.dense_2",
        "repeat.0.unit.residual",
        "repeat.0.unit.per_step",
        "repeat.1.unit.per_step",
        "repeat.1.unit.dense",
        "repeat.1.unit.dense_2",
        "repeat.1.unit.residual",
        "repeat.1.unit.per_step",
        "per_step_2",
        "last",
        "per_step_2",
        "own",
        "own",
        "own",
    ];
    assert_eq!(paths, expected);
    let own = net.nodes.iter().find(|node| node.path == "own" && node.owns_weights());
    assert_eq!(own.expect("a layer").field, "own");
    let samples = |path: &str| {
        let node = net.nodes.iter().rfind(|node| node.path == path).expect("a line");
        (net.samples(node.per_step), net.samples_of_step(node.per_step))
    };
    assert_eq!(samples("dense"), (Some(2), Some(1)));
    assert_eq!(samples("inner.dense"), (Some(6), Some(3)));
    assert_eq!(samples("inner"), (Some(2), Some(1)));
}

#[test]
fn sizes_pass_through() {
    let net = network(
        "struct Net<const T: usize, const C: usize>([T, 4, SIDE, 2]) -> [T, C] {
            PerStep { Conv2d(C, kernel = 1), GlobalAvgPool, Dense(C) },
        }",
    );
    let lines = net.lines();
    assert_eq!(lines[0], "per_step 4xSIDEx2");
    assert_eq!(lines[4], "per_step TxC");
    // Of a type of the user's, the compiler knows how many axes there are.
    let net = network("struct Net(4x2) -> 4x3 { PerStep { Inner } }");
    assert!(net.lines()[2].contains("..x"), "{:?}", net.lines());
}

#[test]
fn lines_that_are_applied_again_have_steps_of_their_own() {
    let net = network(
        "struct Net(a: 3x4, b: 5x3x4) -> (one: 3x4, each: 5x3x4) {
            one: a => PerStep { Dense(4) },
            each: b => PerStep { again: same(one), Tanh },
        }",
    );
    let node = |path: &str| net.nodes.iter().position(|it| it.path == path && it.has_weights());
    let [first, again] = ["one.dense", "each.again.dense"].map(|path| node(path).expect("a line"));
    assert_eq!(net.nodes[again].first, Some(first));
    assert_eq!(net.samples(net.nodes[first].per_step), Some(3));
    assert_eq!(net.samples(net.nodes[again].per_step), Some(15));
}

#[test]
fn mistakes() {
    assert_about(
        "struct Net(16) -> 4 { PerStep { Dense(4), Conv2d(3, kernel = 3) } }",
        &[("PerStep", "applies its lines to each step of a sequence, but gets 16")],
    );
    assert_about("struct Net(..16) -> 4 { PerStep { Dense(4) } }", &[("PerStep", "but gets 16")]);
    assert_about("struct Net(3x4) -> 3x4 { PerStep {} }", &[("{}", "at least one layer")]);
    assert_about("struct Net(3x4) -> 3x4 { PerStep }", &[("}", "layers in braces")]);
    assert_about("struct Net(3x4) -> 3x4 { PerStep() { ReLU } }", &[("()", "takes no arguments")]);
    assert_about(
        "struct Net(3x4) -> 3x4 { PerStep { ReLU } skip { ReLU } }",
        &[("skip", "expected `,`")],
    );
    assert_about(
        "struct Net(3x4x4x1) -> 3x4 { PerStep { Conv2d(2, kernel = 5) } }",
        &[("5", "= trace: 3x4x4x1 -PerStep-> 4x4x1")],
    );
    assert_about(
        "struct Net(x: 3x4, y: 4) -> 3x4 { x => PerStep { Add { {}, y } } }",
        &[("Add", "layer `Add` is applied to each step by itself, but reads `y`")],
    );
    assert_about(
        "block B(y) { Add { {}, y } }
        struct Net(3x4) -> 3x4 { it: Dense(4), PerStep { Dense(4), B(it) } }",
        &[("Add", "but reads `it`")],
    );
    assert_about(
        "struct Net(3x4) -> 3x4 { PerStep { it: Dense(4), ReLU }, Add { {}, it } }",
        &[("it", "the line `it` is local to `PerStep`")],
    );
    let large = "struct Net([549755813888, 1]) -> 1 { PerStep { Dense(1048576) }, GlobalAvgPool, Dense(1) }";
    assert_about(large, &[("Dense", "for each of 549755813888 steps")]);
}

#[test]
fn a_block_is_named_like_no_keyword() {
    assert_about(
        "block PerStep() { ReLU } struct Net(4) -> 4 { Dense(4) }",
        &[("PerStep", "PerStep")],
    );
    assert_messages(
        "struct Net(3x4) -> 3x4 { PerStep { Repeat(2) { Residual { Dense(4) } } } }",
        &[],
    );
}

#[test]
fn networks_of_images_in_each_step_run_step_by_step() {
    let step = |text: &str| {
        expanded(text).2.to_string().contains("impl < __S : __rt :: Spec > __rt :: Streaming")
    };
    assert!(step("struct Net(3x4x4x1) -> 3x2 { PerStep { Flatten, Dense(2) } }"));
    assert!(step(
        "struct Net(..3x4x4x1) -> 3x2 { ReLU, PerStep { Inner, MultiHeadAttention(1), Flatten, Dense(2) }, GRU(2) }"
    ));
    // The steps are no longer those of the input.
    assert!(!step("struct Net(3x4) -> 3x2 { Flatten, Reshape(3x4), PerStep { Dense(2) } }"));
    assert!(!step(
        "struct Net(3x4) -> 2x3 { Transpose, PerStep { Dense(3) }, Reshape(2x6), Dense(3) }"
    ));
}
