//! What the language accepts, and the graph that it becomes.

use unrolled_shape::Padding;

use super::{assert_messages, network};
use crate::network::{ArgumentValue, Dim, Layer, Network, SkipConnection};

const RESNET: &str = "
    /// Two 3x3 convolutions around a skip connection.
    block Basic(channels, stride = 1) {
        Residual {
            Conv2d(channels, kernel = 3, stride = stride, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm,
        } skip {
            Conv2d(channels, kernel = 1, stride = stride, bias = false), BatchNorm,
        },
        ReLU,
    }

    pub struct ResNet(32x32x3) -> 10 {
        stem: Conv2d(16, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(2) { Basic(16) },
        Basic(32, stride = 2) -> 16x16x32,
        Basic(channels = 64, stride = 2),
        GlobalAvgPool,
        head: Dense(10),
    }";

#[test]
fn blocks_and_repeats_are_unrolled() {
    let net = network(RESNET);
    let lines = net.lines();
    assert_eq!(lines.len(), 3 + 4 * 9 + 2);
    let expected = [
        "stem 32x32x16",
        "batch_norm 32x32x16",
        "relu 32x32x16",
        "stage1.0.basic.conv2d 32x32x16",
        "stage1.0.basic.batch_norm 32x32x16",
        "stage1.0.basic.relu 32x32x16",
        "stage1.0.basic.conv2d_2 32x32x16",
        "stage1.0.basic.batch_norm_2 32x32x16",
        "stage1.0.basic.skip.conv2d 32x32x16",
        "stage1.0.basic.skip.batch_norm 32x32x16",
        "stage1.0.basic.residual 32x32x16",
        "stage1.0.basic.relu_2 32x32x16",
        "stage1.1.basic.conv2d 32x32x16",
    ];
    let shown: Vec<&str> = lines.iter().map(String::as_str).take(expected.len()).collect();
    assert_eq!(shown, expected);
    assert!(lines.contains(&"basic.residual 16x16x32".into()));
    assert!(lines.contains(&"basic_2.residual 8x8x64".into()));
    assert_eq!(lines.last().unwrap(), "head 10");

    assert_eq!(net.reads("stage1.0.basic.conv2d"), ["relu"]);
    assert_eq!(net.reads("stage1.0.basic.skip.conv2d"), ["relu"]);
    let joined = ["stage1.0.basic.batch_norm_2", "stage1.0.basic.skip.batch_norm"];
    assert_eq!(net.reads("stage1.0.basic.residual"), joined);
    assert_eq!(net.reads("stage1.1.basic.conv2d"), ["stage1.0.basic.relu_2"]);

    let conv = net.nodes.iter().find(|it| it.path == "basic.conv2d").unwrap();
    assert_eq!(conv.source, "Conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false)");
    assert_eq!(conv.field.to_string(), "basic_conv2d");
    assert_eq!(conv.cost.unwrap().params, 16 * 32 * 9);
}

#[test]
fn a_residual_without_skip_adds_its_input() {
    let net = network(
        "struct N(8) -> 8 { Dense(8), Residual { Dense(8), ReLU }, again: Residual { d: Dense(8) } }",
    );
    assert_eq!(net.reads("residual"), ["relu", "dense"]);
    let residual = net.nodes.iter().find(|it| it.path == "residual").unwrap();
    assert_eq!(residual.skip, SkipConnection::Input);
    assert_eq!(net.reads("again"), ["again.d", "residual"]);
}

#[test]
fn named_inputs_are_joined() {
    let net = network(
        "pub struct Fusion(image: 28x28x1, table: 12) -> 3 {
            Concat {
                image => { Conv2d(16, kernel = 3), ReLU, MaxPool2d(2), Flatten },
                table => { Dense(32), ReLU },
            },
            Dense(64), ReLU, Dense(3),
        }",
    );
    assert_eq!(
        net.lines(),
        [
            "image.conv2d 26x26x16",
            "image.relu 26x26x16",
            "image.max_pool2d 13x13x16",
            "image.flatten 2704",
            "table.dense 32",
            "table.relu 32",
            "concat 2736",
            "dense 64",
            "relu 64",
            "dense_2 3"
        ]
    );
    assert_eq!(net.reads("concat"), ["image.flatten", "table.relu"]);
}

#[test]
fn branches_take_inputs_earlier_layers_or_what_runs() {
    let net = network(
        "struct N(a: 8, b: 8) -> 16 {
            sum: Add { a => {}, b => { first: Dense(8) } },
            Dense(8),
            Mul { { Sigmoid }, sum => {}, a => { Tanh } },
            Concat { {}, { Dense(8) } },
        }",
    );
    assert_eq!(net.reads("sum"), ["a", "sum.b.first"]);
    assert_eq!(net.reads("mul"), ["mul.0.sigmoid", "sum", "a.tanh"]);
    assert_eq!(net.reads("mul.0.sigmoid"), ["dense"]);
    assert_eq!(net.reads("concat"), ["mul", "concat.1.dense"]);
}

#[test]
fn branches_from_the_same_source_have_paths_of_their_own() {
    let net = network(
        "struct N(r#in: 8) -> 8 {
            sum: Add { r#in => { Dense(8) }, r#in => { Dense(8) }, r#in => { Dense(8) } },
            Mul { r#in => { Dense(8) }, sum => { Dense(8) }, sum => { Dense(8) } },
            own: Own { sum => { Dense(8) }, sum => { Dense(8) }, { } } -> 8,
        }",
    );
    let dense = net.nodes.iter().map(|it| &*it.path).filter(|path| path.ends_with("dense"));
    let expected = [
        "sum.in.dense",
        "sum.in_2.dense",
        "sum.in_3.dense",
        "in.dense",
        "sum_2.dense",
        "sum_3.dense",
        "own_sum.dense",
        "own_sum_2.dense",
    ];
    assert_eq!(dense.collect::<Vec<_>>(), expected);
}

#[test]
fn types_of_the_users() {
    let net = network(
        "struct N(8) -> 4 {
            encoder: TextEncoder, TextEncoder, mix: MyLayer::<64>, other::Layer, self::Relu,
            <T as Into>::Out, MyLayer<3, 4> -> 4x2, Flatten, Pair { a => {}, { ReLU } } -> 4,
        }"
        .replace("a => {}", "mix => {}")
        .as_str(),
    );
    assert_eq!(net.nodes.len(), 10);
    let paths: Vec<&str> = net.nodes.iter().map(|it| it.path.as_str()).collect();
    let expected = [
        "encoder",
        "text_encoder",
        "mix",
        "layer",
        "relu",
        "out",
        "my_layer",
        "flatten",
        "pair_1.relu",
        "pair",
    ];
    assert_eq!(paths, expected);
    let encoder = net.values[net.nodes[0].output.0].dims.constant.as_ref().unwrap();
    assert!(encoder.to_string().ends_with("_SHAPE_0"), "{encoder}");
    assert_eq!(net.lines()[7], "flatten 8");
    assert_eq!(net.nodes[2].source, "MyLayer::<64>");
}

fn arguments<'a>(net: &'a Network, path: &str) -> Vec<&'a ArgumentValue> {
    let node = net.nodes.iter().find(|it| it.path == path).expect("a node");
    let Layer::Known { arguments, .. } = &node.layer else { panic!("a known layer") };
    arguments.iter().map(|argument| &argument.value).collect()
}

#[test]
fn arguments_of_all_kinds() {
    let net = network(
        "struct N(28x28x2) -> 3 {
            Conv2d(4, (3, 5), stride = (2, 1), padding = (1, 2), groups = 2, bias = false),
            LeakyReLU(0.5), GELU(approximate = tanh), ELU(2),
            Reshape(14x112),
            Dense(-1 + 4 - 0 + 0),
        }"
        .replace("-1 + 4 - 0 + 0", "(1 + 4) * 3 / 2 % 4")
        .replace("14x112", "14x28x4")
        .replace("Dense", "Flatten, Dense")
        .as_str(),
    );
    let conv = arguments(&net, "conv2d");
    assert!(matches!(conv[1], ArgumentValue::Pair([Dim::Known(3), Dim::Known(5)])));
    assert!(matches!(
        conv[3],
        ArgumentValue::Padding(Padding::Explicit([Dim::Known(1), Dim::Known(2)]))
    ));
    assert!(matches!(conv[6], ArgumentValue::Flag(false)));
    let [ArgumentValue::Real(slope)] = arguments(&net, "leaky_relu")[..] else { panic!() };
    assert!((slope - 0.5).abs() < 1e-9);
    assert!(matches!(arguments(&net, "gelu")[0], ArgumentValue::Word(word) if word.text == "tanh"));
    assert!(matches!(arguments(&net, "dense")[0], ArgumentValue::Number(Dim::Known(3))));
}

#[test]
fn a_parameter_stands_for_anything() {
    let net = network(
        "block Outer(size, kernel, pad = same, flag = true, shape = [2, size / 2]) {
            Inner(size * 2, kernel, pad, flag = flag) -> [4, 4, size * 2],
            Flatten, Dense(size), Reshape(shape) -> shape, Flatten,
        }
        block Inner(size, kernel, pad, flag) {
            Conv2d(size, kernel = kernel, padding = pad, bias = flag),
        }
        struct N(4x4x1) -> 6 { Outer(6, (3, 1), flag = false), Repeat(1) { Outer(6, 1) } }"
            .replace("Repeat(1) { Outer(6, 1) }", "Dense(6)")
            .as_str(),
    );
    assert_eq!(net.lines()[0], "outer.inner.conv2d 4x4x12");
    let conv = arguments(&net, "outer.inner.conv2d");
    assert!(matches!(conv[1], ArgumentValue::Pair([Dim::Known(3), Dim::Known(1)])));
    assert!(matches!(conv[3], ArgumentValue::Padding(Padding::Same)));
    assert!(matches!(conv[6], ArgumentValue::Flag(false)));
    assert_eq!(net.lines()[3], "outer.reshape 2x3");
}

#[test]
fn constants_pass_through_where_they_can() {
    let net = network(
        "struct Net([H, W, 1]) -> config::N {
            Conv2d(CHANNELS, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense({ 2 * HIDDEN }),
            Dense(10), ReLU, Dense(config::N),
        }",
    );
    assert_eq!(
        net.lines(),
        [
            "conv2d { __NET_SHAPE_0.dim(0) }x{ __NET_SHAPE_0.dim(1) }xCHANNELS",
            "relu { __NET_SHAPE_0.dim(0) }x{ __NET_SHAPE_0.dim(1) }xCHANNELS",
            "max_pool2d { __NET_SHAPE_2.dim(0) }x{ __NET_SHAPE_2.dim(1) }xCHANNELS",
            "flatten { __NET_SHAPE_3.last() }",
            "dense { 2 * HIDDEN }",
            "dense_2 10",
            "relu_2 10",
            "dense_3 { config::N }",
        ]
    );
    assert!(net.nodes[6].cost.is_some());
    assert!(net.nodes[5].cost.is_none());
}

#[test]
fn const_generics_flow_through() {
    let net = network(
        "pub struct Mlp<const HIDDEN: usize>(784) -> 10 { Dense(HIDDEN), ReLU, Dense(10), ReLU, Dense(10) }",
    );
    assert_eq!(net.lines()[1], "relu HIDDEN");
    let generic: Vec<bool> = net.nodes.iter().map(|it| it.generic).collect();
    assert_eq!(generic, [true, true, true, false, false]);
    assert_eq!(net.shape_constant(0).to_string(), "< Mlp < HIDDEN > > :: __MLP_SHAPE_0");
}

#[test]
fn convolutions_take_const_generics_as_channels() {
    let net = network(
        "struct Net<const C: usize>(8x8x6) -> 3 {
            Conv2d(C, kernel = 3, groups = 3), BatchNorm, GlobalAvgPool, Dense(3),
        }",
    );
    let conv = &net.nodes[0];
    let Layer::Known { row, .. } = &conv.layer else { panic!("a known layer") };
    assert_eq!(net.count(conv, &row.computed[0]), Some(2));
    assert_eq!(net.lines()[2], "global_avg_pool C");
    assert!(net.values[net.nodes[2].output.0].dims.constant.is_none());
}

#[test]
fn names_of_all_kinds() {
    let net = network(
        "struct N(8) -> 8 {
            Dense(8), dense_2: Dense(8), Dense(8), type: Dense(8), r#match: Dense(8),
            Repeat(2) { Dense(8) }, Repeat(1) { Repeat(2) { fc: Dense(8) } },
        }",
    );
    let paths: Vec<&str> = net.nodes.iter().map(|it| it.path.as_str()).collect();
    let expected = [
        "dense",
        "dense_2",
        "dense_3",
        "type",
        "match",
        "repeat.0.dense",
        "repeat.1.dense",
        "repeat_2.0.repeat.0.fc",
        "repeat_2.0.repeat.1.fc",
    ];
    assert_eq!(paths, expected);
    assert_eq!(net.nodes[3].field.to_string(), "r#type");
    let labels: Vec<&str> = net.nodes.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels[..5], ["Dense", "dense_2", "Dense", "type", "match"]);
    assert_eq!(labels[5], "repeat.0.dense");
}

#[test]
fn branches_of_types_keep_out_of_their_names() {
    let net = network(
        "struct Inner(a: 4, b: 4) -> 8 { Concat { a => { Dense(4) }, b => { Dense(4) } } }
        struct N(a: 4) -> 8 {
            inner: Inner { a => { Dense(4) }, { Dense(4) } },
            inner_a: Dense(4), inner_b: Dense(4),
            Inner { { Dense(4) }, inner_a => { Dense(4) } },
        }",
    );
    let paths: Vec<&str> = net.nodes.iter().map(|it| it.path.as_str()).collect();
    let expected = [
        "inner_a_2.dense",
        "inner_1.dense",
        "inner",
        "inner_a",
        "inner_b",
        "inner_2_0.dense",
        "inner_a_3.dense",
        "inner_2",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_network_with_one_named_input() {
    let net = network(
        "struct N(image: 8x8x3) -> 192 { Concat { image => { Flatten }, { Flatten, ReLU } } , Dense(192) }",
    );
    assert_eq!(net.reads("concat"), ["image.flatten", "concat.1.relu"]);
}

#[test]
fn several_items_and_trailing_commas_are_fine() {
    assert_messages("", &[]);
    assert_messages(
        "block Unused(a,) { Dense(a,), } struct A(3,) -> 4 { Dense(4,), } pub(crate) struct B(4) -> 4 { A, ReLU }",
        &[],
    );
}

/// The arguments of the first node, as the user would read them.
#[track_caller]
fn source(block: &str, used: &str) -> String {
    network(&format!("{block} struct N(8) -> M {{ {used} }}")).nodes[0].source.clone()
}

#[test]
fn parameters_keep_their_place_in_expressions() {
    let product = "block B(n) { Dense({ 2 * n }) }";
    assert_eq!(source(product, "B({ A + 1 })"), "Dense(2 * (A + 1))");
    assert_eq!(source(product, "B(A)"), "Dense(2 * A)");
    assert_eq!(source(product, "B(config::A)"), "Dense(2 * config::A)");
    assert_eq!(source("block B(n) { Dense(n) }", "B({ A + 1 })"), "Dense(A + 1)");
    assert_eq!(
        source("block B(n, m = { n - 1 }) { Dense(2 * m) }", "B(A / 2)"),
        "Dense(2 * ((A / 2)-1))"
    );
    for wrong in ["n {}", "n!()", "n::n"] {
        let text = format!("block B(n) {{ Dense({wrong}) }} struct N(8) -> M {{ B(A / 2) }}");
        super::assert_about(&text, &[(wrong, "expected a size")]);
    }
    // What the macro computes itself is right, too.
    let known = "block B(n, m = { 2 * n }) { Dense(m) } struct N(8) -> 10 { B(4 + 1) }";
    assert_eq!(network(known).lines(), ["b.dense 10"]);
}

#[test]
fn expressions_that_begin_with_braces() {
    let text = "struct N(8) -> 8 { Dense({ A } - 1), Dense({ (if A > 1 { A } else { B }) + 1 }), Dense(if A > 1 { A } else { B }), Dense({ 'a: { A } }), Dense(8) }";
    assert_eq!(super::messages(text), []);
    for wrong in ["A = 1", "A .. 3", "|x| x", "return", "break"] {
        let text = format!("struct N(8) -> 8 {{ Dense({{ {wrong} }}), Dense(8) }}");
        let messages = super::messages(&text);
        assert!(matches!(&messages[..], [(_, words)] if words.contains("expected a size")));
    }
}

#[test]
fn lines_in_brackets_are_numbered() {
    let net = network(
        "block Unit(c) [Conv2d(c, kernel = 3), ReLU]
         struct N(9x9x1) -> 10 {
             front: [Unit(4), Repeat(2) { Conv2d(4, kernel = 1) }, norm: BatchNorm, _: Repeat(2) { _: Unit(2) }],
             [Flatten, Residual [Dense(18)]],
             fc: Dense(10),
         }",
    );
    let paths: Vec<&str> = net.nodes.iter().map(|it| it.path.as_str()).collect();
    let expected = [
        "front.0.0",
        "front.0.1",
        "front.1.0.conv2d",
        "front.1.1.conv2d",
        "front.norm",
        "front.3.0",
        "front.3.1",
        "front.4.0",
        "front.4.1",
        "sequential.0",
        "sequential.1.0",
        "sequential.1",
        "fc",
    ];
    assert_eq!(paths, expected);

    // As `nn.Sequential` itself.
    let net = network("struct N(4) -> 2 [Dense(8), ReLU, Dense(2)]");
    let fields: Vec<String> = net.nodes.iter().map(|it| it.field.to_string()).collect();
    assert_eq!(fields, ["_0", "_1", "_2"]);
}

#[test]
fn lines_with_an_underscore_add_no_level() {
    let net = network(
        "block Basic(c) {
             Residual { conv1: Conv2d(c, kernel = 1), bn1: BatchNorm }
             downsample: skip [Conv2d(c, kernel = 1), BatchNorm],
         }
         struct N(8x8x4) -> 10 {
             layer1: Repeat(2) { _: Basic(8) },
             only: Repeat(1) { _: Conv2d(4, kernel = 1) },
             _: [GlobalAvgPool, Dense(10)],
             sum: Concat { [Dense(4)], {}, { _: Concat { {}, { Dense(2) }, [Dense(3)] } } },
             Dense(10),
         }",
    );
    let paths: Vec<&str> = net.nodes.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "layer1.0.conv1",
            "layer1.0.bn1",
            "layer1.0.downsample.0",
            "layer1.0.downsample.1",
            "layer1.0.residual",
            "layer1.1.conv1",
            "layer1.1.bn1",
            "layer1.1.downsample.0",
            "layer1.1.downsample.1",
            "layer1.1.residual",
            "only.0",
            "0",
            "1",
            "sum.0.0",
            "sum.2.dense",
            "sum.2.0",
            "sum.2.concat",
            "sum",
            "dense",
        ]
    );
}

#[test]
fn a_list_is_read_by_its_name() {
    let net = network(
        "struct N(4) -> 2 { a: [Dense(2), ReLU], a => [Dense(3), ReLU], Concat { {}, a } , Dense(2) }",
    );
    assert_eq!(net.reads("sequential.0"), ["a.1"]);
    assert_eq!(net.reads("concat"), ["sequential.1", "a.1"]);
}
