//! Values that later lines take by their names: lines that begin with one, branches, arguments.

use unrolled_shape::registry::{Needs, Row};
use unrolled_shape::{Kind, Parameter, Shape, ShapeError, Text, Value};

use super::{assert_about, assert_messages, network, network_with};
use crate::network::{ArgumentValue, Layer, Network};
use crate::report::Report;

#[test]
fn a_line_begins_with_a_named_value() {
    let net = network(
        "struct N(image: 8x8x3, table: 5) -> 12 {
            image => Flatten,
            picture: Dense(7),
            low: table => Dense(4),
            deep: low => Residual { Dense(4), ReLU },
            twice: low => Repeat(2) { Dense(1) },
            Concat { picture, deep => { Dense(3) }, twice, { Dense(1) } },
            Dense(12),
        }",
    );
    assert_eq!(net.reads("flatten"), ["image"]);
    assert_eq!(net.reads("low"), ["table"]);
    assert_eq!(net.reads("deep.dense"), ["low"]);
    assert_eq!(net.reads("deep"), ["deep.relu", "low"]);
    assert_eq!(net.reads("twice.0.dense"), ["low"]);
    let joined = ["picture", "deep_2.dense", "twice.1.dense", "concat.3.dense"];
    assert_eq!(net.reads("concat"), joined);
}

#[test]
fn a_name_alone_is_a_branch() {
    let net = network(
        "struct N(8) -> 24 { skip: Dense(8), ReLU, Concat { {}, skip, skip => { Tanh } } }",
    );
    assert_eq!(net.reads("concat"), ["relu", "skip", "skip_2.tanh"]);
}

#[test]
fn blocks_take_values() {
    let net = network(
        "block Inner(from, units) { Dense(units), Add { {}, from } }
        block Outer(memory) { Inner(memory, 8), last: Add { {}, memory => { Dense(8) } } }
        struct N(8) -> 8 { first: Dense(8), ReLU, Outer(first) }",
    );
    assert_eq!(net.reads("outer.inner.add"), ["outer.inner.dense", "first"]);
    assert_eq!(net.reads("outer.last.memory.dense"), ["first"]);
}

#[test]
fn names_in_each_copy_of_a_repeat() {
    let net = network("struct N(8) -> 8 { Repeat(2) { a: Dense(8), ReLU, Add { {}, a } } }");
    assert_eq!(net.reads("repeat.0.add"), ["repeat.0.relu", "repeat.0.a"]);
    assert_eq!(net.reads("repeat.1.add"), ["repeat.1.relu", "repeat.1.a"]);
}

#[test]
fn values_that_cannot_be_taken() {
    assert_messages(
        "struct N(8) -> 8 { late => Dense(8), late: Dense(8) }",
        &[(
            "late",
            "there is no input or earlier line called `late`: the line `late` is not \
             complete here, and a line can only use earlier values",
        )],
    );
    assert_about(
        "struct N(8) -> 8 { a: Residual { Dense(8), Add { {}, a } } }",
        &[("a", "is not complete here")],
    );
    assert_about(
        "struct N(8) -> 8 { Repeat(2) { copy: Dense(8) }, Add { {}, copy } }",
        &[("copy", "each copy inside `Repeat` has its own line `copy`")],
    );
    assert_about(
        "struct N(x: 8) -> 8 { Add { x => { left: Dense(8) }, { Add { {}, left } } } }",
        &[("left", "the line `left` is local to `Add`")],
    );
    assert_about(
        "struct N(8) -> 8 { Residual { inner: Dense(8), ReLU }, inner => Dense(8) }",
        &[("inner", "the line `inner` is local to `Residual`")],
    );
    assert_about(
        "block B { Add { {}, skip } } struct N(8) -> 8 { skip: Dense(8), B }",
        &[("skip", "`block B(skip) { .. }`, and pass it where the block is used, `B(skip)`")],
    );
    assert_about(
        "block B { Add { {}, later }, later: ReLU } struct N(8) -> 8 { B }",
        &[("later", "is not complete here")],
    );
    assert_about(
        "struct N(8) -> 8 { skip: Dense(8), Add { {}, skop } }",
        &[("skop", "did you mean `skip`?")],
    );
}

#[test]
fn a_value_is_no_layer() {
    assert_about(
        "struct N(a: 8, b: 8) -> 8 { a -> Flatten, Add { {}, b } }",
        &[("a", "`a` is a value, not a layer")],
    );
    assert_about(
        "struct N(8) -> 8 { skip: Dense(8), ReLU, skip }",
        &[("skip", "as in `skip => Dense(10)`")],
    );
}

/// A layer that gates its line with a named value, and maybe another one.
static GATED: Row = Row {
    name: "Gated",
    stem: "gated",
    summary: "a test",
    parameters: &[
        Parameter { name: "by", kind: Kind::Input, default: None, shown: "" },
        Parameter { name: "also", kind: Kind::Input, default: Some(Value::Absent), shown: ".." },
    ],
    rule: gated,
    needs: Needs::INPUT,
    ..Row::ELEMENTWISE
};

fn gated(inputs: &[Shape], values: &[Value]) -> Result<Shape, ShapeError> {
    for (value, name) in values.iter().zip(["by", "also"]) {
        if let Value::Input(nth) = *value
            && inputs[nth] != inputs[0]
        {
            let message = Text::of("is gated by ").shape(inputs[nth]);
            return Err(ShapeError::argument(name, message));
        }
    }
    Ok(inputs[0])
}

fn gated_network(text: &str, report: &mut Report) -> Option<Network> {
    network_with(&[&GATED, unrolled_shape::registry::find("Dense").expect("a row")], text, report)
}

#[test]
fn arguments_name_further_inputs() {
    let mut report = Report::default();
    let net = gated_network(
        "block G(memory) { Gated(by = memory) }
        struct N(8) -> 8 { a: Dense(8), b: Dense(8), Gated(also = b, by = a), Gated(by = b), G(a) }",
        &mut report,
    );
    assert_eq!(report.messages(), []);
    let net = net.expect("no mistakes");
    // In the order of the parameters.
    assert_eq!(net.reads("gated"), ["b", "a", "b"]);
    assert_eq!(net.reads("gated_2"), ["gated", "b"]);
    assert_eq!(net.reads("g.gated"), ["gated_2", "a"]);
    let Layer::Known { arguments, .. } = &net.nodes[2].layer else { panic!("a known layer") };
    assert!(matches!(arguments[1].value, ArgumentValue::Input(2)));
    let code = crate::emit::emit(&net, None).to_string();
    assert!(code.contains("by : 1 , also : :: core :: option :: Option :: Some (2)"));
    assert!(code.contains("by : 1 , also : :: core :: option :: Option :: None"));
}

#[test]
fn mistakes_of_named_arguments() {
    for (text, token, words) in [
        ("a: Dense(8), Gated(by = c)", "c", "no input or earlier line"),
        ("a: Dense(8), Gated(by = 8)", "8", "must be the name of an input or of an earlier line"),
        ("a: Dense(8), Gated", "Gated", "`by`"),
        (
            "a: Dense(4), Dense(8), Gated(by = a)",
            "a",
            "layer `Gated` is gated by 4\n  = trace: 8 -a-> 4",
        ),
    ] {
        let mut report = Report::default();
        gated_network(&format!("struct N(8) -> 8 {{ {text} }}"), &mut report);
        let messages = report.messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0].0, token);
        assert!(messages[0].1.contains(words), "{}", messages[0].1);
    }
}

#[test]
fn outputs_are_put_side_by_side() {
    let net = network(
        "struct N(8) -> (digit: 10, place: 3x2) {
            shared: Dense(6), digit: Dense(10), shared => Reshape(3x2), place: Tanh,
        }",
    );
    let written: Vec<&str> = net.written().map(|(_, node)| node.path.as_str()).collect();
    assert_eq!(written, ["shared", "digit", "reshape", "place"]);
    let last = net.nodes.last().expect("nodes");
    assert!(last.hidden && last.output == net.output_value);
    assert_eq!(net.shape(net.output_value), "16");
    assert!(net.has_several_outputs());
}

#[test]
fn mistakes_of_outputs() {
    let about = |outputs: &str, expected: &[(&str, &str)]| {
        let lines = "shared: Dense(6), digit: Dense(10), place: shared => Dense(2)";
        assert_about(&format!("struct N(8) -> {outputs} {{ {lines} }}"), expected);
    };
    about("(digit: 10, place: 2)", &[]);
    about("(digit: 10, place: 3)", &[("3", "gives 2 as its output `place`")]);
    about("(digit: 10, plaec: 2)", &[("plaec", "did you mean `place`?")]);
    about("(digit: 10)", &[("(digit: 10)", "write one output as its shape")]);
    about("(digit: 10, 2)", &[("2", "need the names of their lines")]);
    about("(10, 2)", &[("(10, 2)", "several outputs of a network have names")]);
    about("(digit: 10, place: )", &[(")", "expected a shape")]);
}
