//! Warnings about common mistakes: for each, networks with it and similar ones without.

use super::expansion;
use crate::levels::{LINTS, MISSPELT_LINT};

/// The tokens and names of the warnings about a `network!` without errors.
#[track_caller]
fn warnings(text: &str) -> Vec<(String, &'static str)> {
    let (report, warnings, _) = expansion(text);
    assert_eq!(report.messages(), [], "{text}");
    warnings.messages().into_iter().map(|(at, lint, _)| (at, lint)).collect()
}

#[track_caller]
fn assert_warnings(text: &str, expected: &[(&str, &str)]) {
    let found = warnings(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(at, lint)| (at.as_str(), *lint)).collect();
    assert_eq!(found, expected, "{text}");
}

/// A warning and its cases: the header and the lines of networks, and the tokens that it points at.
struct Case {
    lint: &'static str,
    fires: &'static [(&'static str, &'static str, &'static [&'static str])],
    is_silent: &'static [(&'static str, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        lint: "activation_at_output",
        fires: &[
            ("(8) -> 1", "Dense(1), ReLU", &["ReLU"]),
            (
                "(8) -> (a: 1, b: 2)",
                "x: Dense(4), ELU, Dense(1), a: ReLU, b: x => Dense(2)",
                &["ReLU"],
            ),
        ],
        is_silent: &[
            ("(8) -> 1", "Dense(1), Softplus"),
            ("(8) -> 1", "Dense(4), ReLU, Dense(1)"),
            ("(8x8x1) -> 8x8x1", "Conv2d(1, kernel = 1), ReLU"),
        ],
    },
    Case {
        lint: "activation_twice",
        fires: &[
            ("(8) -> 1", "Dense(4), ReLU, ReLU, Dense(1)", &["ReLU"]),
            ("(8) -> 1", "Dense(4), ReLU, Dropout(0.5), LeakyReLU(0.1), Dense(1)", &["LeakyReLU"]),
            ("(8) -> 1", "Dense(4), Tanh, Tanh, Dense(1)", &["Tanh"]),
        ],
        is_silent: &[
            // Mish.
            ("(8) -> 1", "Dense(4), Mul { {}, { Softplus, Tanh } }, Dense(1)"),
            ("(8) -> 1", "a: Dense(4), b: ReLU, Add { { ReLU }, b }, Dense(1)"),
        ],
    },
    Case {
        lint: "attention_without_positions",
        fires: &[
            (
                "(text: 16) -> 16x8",
                "Embedding(9, 8), MultiHeadAttention(2)",
                &["MultiHeadAttention"],
            ),
            (
                "(28x28x1) -> 10",
                "Conv2d(8, kernel = 4, stride = 4), Reshape(49x8), \
                 TransformerEncoder(8, heads = 2, hidden = 16), GlobalAvgPool, Dense(10)",
                &["TransformerEncoder"],
            ),
            (
                "(16x8) -> 16x8",
                "Repeat(2) { TransformerEncoder(8, heads = 2, hidden = 16, causal = true) }, LayerNorm",
                &["TransformerEncoder"],
            ),
        ],
        is_silent: &[
            ("(text: 16) -> 16x8", "Embedding(9, 8), PositionalEmbedding, MultiHeadAttention(2)"),
            (
                "(text: 16) -> 16x8",
                "Embedding(9, 8), PositionalEncoding, Dropout(0.1), MultiHeadAttention(2)",
            ),
            (
                "(text: 16) -> 16x8",
                "Embedding(9, 8), MultiHeadAttention(2, rotary = true), MultiHeadAttention(2)",
            ),
            (
                "(text: 16) -> 16x8",
                "Embedding(9, 8), MultiHeadAttention(2, alibi = true), MultiHeadAttention(2)",
            ),
            ("(16x8) -> 16x8", "Conv1d(8, kernel = 3, padding = same), MultiHeadAttention(2)"),
            ("(16x8) -> 16x8", "GRU(8), MultiHeadAttention(2)"),
            (
                "(a: 16, b: 16) -> 16x8",
                "Add { a => { Embedding(9, 8) }, b => { Embedding(16, 8) } }, MultiHeadAttention(2)",
            ),
            ("(16x8) -> 16x8", "self::Positions, MultiHeadAttention(2)"),
            (
                "(x: 16x8, y: 16x8) -> 16x8",
                "x => PositionalEmbedding, MultiHeadAttention(2, memory = y)",
            ),
        ],
    },
    Case {
        lint: "batch_norm_at_output",
        fires: &[
            ("(8) -> 1", "Dense(1, bias = false), BatchNorm", &["BatchNorm"]),
            ("(8) -> 2x2", "Dense(4, bias = false), BatchNorm, Reshape(2x2)", &["BatchNorm"]),
        ],
        is_silent: &[
            ("(8) -> 1", "Dense(4, bias = false), BatchNorm, ReLU, Dense(1)"),
            ("(8) -> 4", "Dense(4), LayerNorm"),
        ],
    },
    Case {
        lint: "bias_before_batch_norm",
        fires: &[
            ("(8) -> 1", "hidden: Dense(4), BatchNorm, ReLU, Dense(1)", &["Dense"]),
            ("(8) -> 1", "WNDense(4), BatchNorm, ReLU, Dense(1)", &["WNDense"]),
            (
                "(8x8x1) -> 1",
                "Conv2d(4, kernel = 3), InstanceNorm, ReLU, Flatten, Dense(1)",
                &["Conv2d"],
            ),
            (
                "(8x8x1) -> 1",
                "Repeat(2) { Conv2d(4, kernel = 3), BatchNorm, ReLU }, Flatten, Dense(1)",
                &["Conv2d"],
            ),
        ],
        is_silent: &[
            ("(8) -> 1", "Dense(4, bias = false), BatchNorm, ReLU, Dense(1)"),
            ("(8) -> 1", "Dense(4), ReLU, BatchNorm, Dense(1)"),
            ("(8) -> 1", "Dense(4), LayerNorm, ReLU, Dense(1)"),
            ("(8) -> 1", "x: Dense(4), y: BatchNorm, ReLU, Add { x, y, {} }, Dense(1)"),
        ],
    },
    Case {
        lint: "channels_first_input",
        fires: &[
            (
                "(3x224x224) -> 10",
                "Conv2d(8, kernel = 3), ReLU, GlobalAvgPool, Dense(10)",
                &["3x224x224"],
            ),
            (
                "(1x28x28) -> 10",
                "Conv2d(8, kernel = 1), ReLU, GlobalAvgPool, Dense(10)",
                &["1x28x28"],
            ),
            (
                "(3x16x112x112) -> 10",
                "Conv3d(8, kernel = 3, padding = 1), ReLU, GlobalAvgPool, Dense(10)",
                &["3x16x112x112"],
            ),
            (
                "(1x8x64x64) -> 10",
                "Conv3d(8, kernel = 1), ReLU, GlobalAvgPool, Dense(10)",
                &["1x8x64x64"],
            ),
            (
                "(3x480x640) -> 10",
                "Conv2d(8, kernel = 3), ReLU, GlobalAvgPool, Dense(10)",
                &["3x480x640"],
            ),
        ],
        is_silent: &[
            ("(28x28x1) -> 10", "Conv2d(8, kernel = 3), ReLU, GlobalAvgPool, Dense(10)"),
            // A signal of 16 channels.
            ("(1x128x16) -> 10", "Conv2d(8, kernel = (1, 3)), ReLU, GlobalAvgPool, Dense(10)"),
            ("(4x4x64) -> 10", "Conv2d(8, kernel = 3), ReLU, GlobalAvgPool, Dense(10)"),
            ("(3x32x32) -> 10", "Flatten, Dense(10)"),
        ],
    },
    Case {
        lint: "deep_without_skip",
        fires: &[
            ("(8) -> 1", "Repeat(20) { Dense(8), ReLU }, Dense(1)", &["Dense"]),
            ("(8) -> 1", "Residual { Repeat(30) { Dense(8), ReLU } }, Dense(1)", &["Dense"]),
        ],
        is_silent: &[
            ("(8) -> 1", "Repeat(19) { Dense(8), ReLU }, Dense(1)"),
            ("(8) -> 1", "Repeat(20) { Residual { Dense(8), ReLU, Dense(8), ReLU } }, Dense(1)"),
            (
                "(8) -> 2",
                "Repeat(15) { Dense(8), ReLU }, Concat { {}, { Dense(8), ReLU } }, Repeat(15) { Dense(8), ReLU }, Dense(2)",
            ),
        ],
    },
    Case {
        lint: "dense_after_dense",
        fires: &[
            ("(8) -> 1", "fc1: Dense(8), fc2: Dense(1)", &["Dense"]),
            ("(8) -> 1", "fc1: WNDense(8), fc2: WNDense(1)", &["WNDense"]),
            ("(8) -> 1", "fc1: SNDense(8), fc2: SNDense(1)", &["SNDense"]),
            ("(8) -> 1", "Dense(8), Dropout(0.5), Dense(8), ReLU, Dense(1)", &["Dense"]),
            ("(8) -> 1", "Dense(8, bias = false), BatchNorm, Dense(1)", &["Dense"]),
            ("(8) -> 1", "Dense(8), Dense(8), Dense(1)", &["Dense", "Dense"]),
            ("(16x8) -> 16x4", "Dense(8), Dense(4)", &["Dense"]),
            (
                "(8x8x3) -> 4",
                "Conv2d(8, kernel = 3), Conv2d(8, kernel = 3), ReLU, Flatten, Dense(4)",
                &["Conv2d"],
            ),
            ("(28x28x1) -> 10", "Conv2d(32, kernel = 3), Flatten, Dense(10)", &["Dense"]),
            (
                "(8x8x8x3) -> 4",
                "Conv3d(8, kernel = 3), Conv3d(8, kernel = 3), ReLU, Flatten, Dense(4)",
                &["Conv3d"],
            ),
        ],
        is_silent: &[
            ("(8) -> 1", "Dense(8), ReLU, Dense(1)"),
            // Low rank.
            ("(64) -> 64", "Dense(4), Dense(64)"),
            ("(8) -> 8", "x: Dense(8), y: Dense(8), Add { x, y }"),
            // Depthwise and pointwise; a factor of a larger kernel; an inverted bottleneck without an activation.
            (
                "(8x8x8) -> 4",
                "Conv2d(8, kernel = 3, groups = 8), Conv2d(8, kernel = 1), ReLU, Flatten, Dense(4)",
            ),
            (
                "(8x8x8) -> 4",
                "Conv2d(8, kernel = (1, 3)), Conv2d(8, kernel = (3, 1)), ReLU, Flatten, Dense(4)",
            ),
            (
                "(8x8x16) -> 4",
                "Conv2d(2, kernel = 1, bias = false), BatchNorm, Conv2d(16, kernel = 1), ReLU, Flatten, Dense(4)",
            ),
            (
                "(8x8x8) -> 4",
                "Conv2d(8, kernel = 3), MaxPool2d(2), Conv2d(8, kernel = 3), ReLU, Flatten, Dense(4)",
            ),
            (
                "(text: 16) -> 16x9",
                "tokens: Embedding(9, 8), LSTM(8), Dense(8), Dense(9, weight = tokens)",
            ),
        ],
    },
    Case {
        lint: "dense_on_large_image",
        fires: &[
            ("(224x224x3) -> 10", "Flatten, fc1: Dense(128), ReLU, Dense(10)", &["Dense"]),
            ("(64x65x1) -> 10", "Flatten, Dropout(0.1), Dense(10)", &["Dense"]),
            ("(16x64x64x1) -> 10", "Flatten, Dense(10)", &["Dense"]),
        ],
        is_silent: &[
            ("(64x64x1) -> 10", "Flatten, Dense(10)"),
            ("(224x224x3) -> 10", "AvgPool2d(8), Flatten, Dense(10)"),
            ("(224x224x3) -> 10", "Conv2d(8, kernel = 7, stride = 4), ReLU, Flatten, Dense(10)"),
            ("(10000) -> 10", "Dense(10)"),
            ("(16x64x64x1) -> 10", "MaxPool3d((2, 8, 8)), Flatten, Dense(10)"),
        ],
    },
    Case {
        lint: "dropout_at_output",
        fires: &[("(8) -> 1", "Dense(1), Dropout(0.5)", &["Dropout"])],
        is_silent: &[("(8) -> 1", "Dropout(0.5), Dense(1)")],
    },
    Case {
        lint: "dropout_before_batch_norm",
        fires: &[
            ("(8) -> 1", "Dense(4), ReLU, Dropout(0.5), BatchNorm, Dense(1)", &["Dropout"]),
            ("(8) -> 1", "Dense(4), Dropout(0.5), ReLU, BatchNorm, Dense(1)", &["Dropout"]),
        ],
        is_silent: &[
            ("(8) -> 1", "Dense(4), ReLU, BatchNorm, Dropout(0.5), Dense(1)"),
            ("(8) -> 1", "Dense(4), ReLU, Dropout(0.5), LayerNorm, Dense(1)"),
        ],
    },
    Case {
        lint: "dropout_of_zero",
        fires: &[
            ("(8) -> 1", "Dropout(0), Dense(1)", &["0"]),
            ("(8) -> 1", "Dropout(p = 0.0), Dense(1)", &["0.0"]),
        ],
        is_silent: &[
            ("(8) -> 1", "Dropout(0.1), Dense(1)"),
            (
                "(16x8) -> 16x8",
                "PositionalEmbedding, TransformerEncoder(8, heads = 2, hidden = 16, dropout = 0.0)",
            ),
        ],
    },
    Case {
        lint: "embedding_of_one",
        fires: &[("(text: 16) -> 16x8", "Embedding(1, 8)", &["1"])],
        is_silent: &[
            ("(text: 16) -> 16x8", "Embedding(2, 8)"),
            ("(text: 16) -> 16x1", "Embedding(9, 1)"),
        ],
    },
    Case {
        lint: "flatten_of_flat",
        fires: &[
            ("(8) -> 1", "Flatten, Dense(1)", &["Flatten"]),
            ("([N]) -> 1", "Flatten, Dense(1)", &["Flatten"]),
            ("(4x4) -> 4x4", "Reshape(4x4), Dense(4)", &["Reshape"]),
        ],
        is_silent: &[
            ("(4x4) -> 1", "Flatten, Dense(1)"),
            ("(8) -> (a: 1, b: 1)", "x: Dense(8), ReLU, a: Dense(1), b: x => Dense(1)"),
        ],
    },
    Case {
        lint: "keras_momentum",
        fires: &[("(8) -> 1", "BatchNorm(momentum = 0.99), Dense(1)", &["0.99"])],
        is_silent: &[
            ("(8) -> 1", "BatchNorm(momentum = 0.5), Dense(1)"),
            ("(8) -> 1", "BatchNorm, Dense(1)"),
        ],
    },
    Case {
        lint: "large_output_on_stack",
        fires: &[
            ("(256x257x1) -> 256x257x1", "Conv2d(1, kernel = 1)", &["256x257x1"]),
            (
                "(256x129x1) -> (a: 256x129x1, b: 256x129x1)",
                "x: Conv2d(1, kernel = 1), ReLU, a: Conv2d(1, kernel = 1), b: x => Conv2d(1, kernel = 1)",
                &["256x129x1"],
            ),
        ],
        is_silent: &[
            ("(256x256x1) -> 256x256x1", "Conv2d(1, kernel = 1)"),
            ("([N]) -> { N }", "Dense(N)"),
        ],
    },
    Case {
        lint: "pool_of_one",
        fires: &[
            ("(8x8x1) -> 64", "MaxPool2d(1), Flatten", &["1"]),
            ("(8x4) -> 32", "AvgPool1d(kernel = 1, stride = 1), Flatten", &["1"]),
            ("(4x4x4x1) -> 64", "MaxPool3d(1), Flatten", &["1"]),
        ],
        is_silent: &[
            ("(8x8x1) -> 16", "MaxPool2d(2), Flatten"),
            ("(8x8x1) -> 16", "MaxPool2d(1, stride = 2), Flatten"),
            ("(4x4x4x1) -> 16", "AvgPool3d((1, 2, 2)), Flatten"),
        ],
    },
    Case {
        lint: "repeat_of_one",
        fires: &[("(8) -> 1", "Repeat(1) { Dense(8), ReLU }, Dense(1)", &["1"])],
        is_silent: &[("(8) -> 1", "Repeat(2) { Dense(8), ReLU }, Dense(1)")],
    },
    Case {
        lint: "sigmoid_at_output",
        fires: &[("(8) -> 1", "Dense(1), Sigmoid", &["Sigmoid"])],
        is_silent: &[
            ("(8) -> 1", "Dense(8), Sigmoid, Dense(1)"),
            ("(8) -> 8", "Dense(8), Mul { {}, { Sigmoid } }"),
        ],
    },
    Case {
        lint: "softmax_at_output",
        fires: &[
            ("(8) -> 3", "Dense(3), Softmax", &["Softmax"]),
            (
                "(8) -> (a: 3, b: 1)",
                "x: Dense(4), ELU, Dense(3), a: Softmax, b: x => Dense(1)",
                &["Softmax"],
            ),
        ],
        is_silent: &[
            ("(8) -> 3", "Dense(8), Softmax, Dense(3)"),
            ("(8) -> 3", "Dense(3), LogSoftmax"),
        ],
    },
    Case {
        lint: "stride_beyond_kernel",
        fires: &[
            ("(9x9x1) -> 9", "Conv2d(1, kernel = 2, stride = 3), Flatten", &["3"]),
            ("(9x4) -> 12", "MaxPool1d(2, stride = 3), Flatten", &["3"]),
            (
                "(5x9x9x1) -> 18",
                "Conv3d(1, kernel = 2, stride = (3, 3, 3)), Flatten",
                &["(3, 3, 3)"],
            ),
        ],
        is_silent: &[
            ("(9x9x1) -> 9", "Conv2d(1, kernel = 3, stride = 3), Flatten"),
            // A sample of each pixel, as in the skip connections of ResNet.
            ("(8x8x1) -> 16", "Conv2d(1, kernel = 1, stride = 2), Flatten"),
            ("(2x8x8x1) -> 72", "Conv3d(1, kernel = (1, 3, 3)), Flatten"),
            ("(9x9x1) -> 4", "Conv2d(1, kernel = 2, stride = 4, dilation = 3), Flatten"),
        ],
    },
];

#[test]
fn each_warning_has_cases() {
    let mut cases: Vec<&str> = CASES.iter().map(|case| case.lint).chain([MISSPELT_LINT]).collect();
    cases.sort_unstable();
    assert_eq!(cases, LINTS);
    assert!(CASES.iter().all(|case| !case.fires.is_empty() && !case.is_silent.is_empty()));
}

#[test]
fn each_mistake_is_found_and_similar_networks_are_not() {
    for case in CASES {
        for (header, lines, tokens) in case.fires {
            let expected: Vec<(&str, &str)> = tokens.iter().map(|at| (*at, case.lint)).collect();
            assert_warnings(&format!("struct Net{header} {{ {lines} }}"), &expected);
        }
        for (header, lines) in case.is_silent {
            assert_warnings(&format!("struct Net{header} {{ {lines} }}"), &[]);
        }
    }
}

#[test]
fn each_warning_has_a_section_in_the_documentation() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lints.md");
    let page = std::fs::read_to_string(page).expect("a file that can be read");
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(sections, LINTS);
}

#[test]
fn one_cause_is_one_warning() {
    let twice = "block Twice { Dense(8), Dense(8), ReLU }
        struct A(8) -> 8 { Repeat(3) { Twice } Twice, Dense(8) }
        struct B(8) -> 8 { Twice, Dense(8) }";
    assert_warnings(&twice.replace("} Twice", "}, Twice"), &[("Dense", "dense_after_dense")]);
}

#[test]
fn a_network_with_a_mistake_has_no_warnings() {
    let (report, warnings, _) = expansion("struct Net(8) -> 1 { Dense(8), Dense(8), Dens(1) }");
    assert_eq!(report.messages().len(), 1);
    assert_eq!(warnings.messages(), []);
}

#[test]
fn outputs_of_a_layer_are_not_those_of_a_network() {
    let text = "struct Encoder(8) -> 4 { Dense(4), ReLU } struct Net(8) -> 1 { Encoder, Dense(1) }";
    assert_warnings(text, &[]);
    let text = "struct Encoder(5x8) -> 5x8 { MultiHeadAttention(2) }
        struct Net(text: 5) -> 5x8 { Embedding(9, 8), PositionalEmbedding, Encoder }";
    assert_warnings(text, &[]);
}

#[test]
fn sizes_that_are_constants_give_no_warnings() {
    assert_warnings("struct Net(N) -> 1 { Dense(M), Dense(1) }", &[]);
    assert_warnings(
        "struct Net([3, H, H]) -> 1 { Conv2d(8, kernel = K, stride = S), ReLU, Flatten, Dense(1) }",
        &[],
    );
}

#[test]
fn levels_are_those_of_the_struct_and_of_blocks() {
    let lines = "(8) -> 1 { Dense(8), Dense(8), ReLU, ReLU, Dense(1) }";
    let both = [("Dense", "dense_after_dense"), ("ReLU", "activation_twice")];
    for (attribute, expected) in [
        ("#[allow(dense_after_dense)]", &both[1..]),
        ("#[allow(dense_after_dense, activation_twice)]", &[]),
        (
            "#[allow(dense_after_dense, dead_code, reason = \"..\")] #[expect(activation_twice)]",
            &[],
        ),
        ("#[allow(dense_after_dense)] #[warn(dense_after_dense)]", &both),
        ("#[deny(dense_after_dense)]", &both),
        ("#[allow(dead_code)]", &both),
    ] {
        assert_warnings(&format!("{attribute} struct Net{lines}"), expected);
    }
    let with = |block: &str, network: &str| {
        format!(
            "{block} block Twice {{ Dense(8), Dense(8), ReLU }} \
             {network} struct Net(8) -> 1 {{ Twice, Dense(8), Dense(1) }}"
        )
    };
    let outside = ("Dense", "dense_after_dense");
    assert_warnings(&with("", ""), &[outside, outside]);
    assert_warnings(&with("#[allow(dense_after_dense)]", ""), &[outside]);
    assert_warnings(&with("", "#[allow(dense_after_dense)]"), &[]);
    assert_warnings(&with("#[warn(dense_after_dense)]", "#[allow(dense_after_dense)]"), &[outside]);
}

#[test]
fn levels_of_rustc_stay_attributes() {
    let attributes = "#[allow(dead_code, dense_after_dense, clippy::all, reason = \"a test\")] #[expect(repeat_of_one)]";
    let (_, _, code) = expansion(&format!("{attributes} struct Net(8) -> 1 {{ Dense(1) }}"));
    assert!(code.contains("#[allow(dead_code, clippy::all, reason = \"a test\")]"), "{code}");
    assert!(!code.contains("dense_after_dense"), "{code}");
    // rustc reports an expectation that did not come true.
    assert!(code.contains("#[expect(single_use_lifetimes)]"), "{code}");
}

#[test]
fn the_level_of_a_warning_is_that_of_deprecated() {
    let network = "struct Net(8) -> 1 { Dense(8), Dense(1) }";
    let (_, _, code) =
        expansion(&format!("#[deny(dense_after_dense, reason = \"why\")] {network}"));
    assert!(code.contains("#[deny(deprecated, reason = \"why\")]const _"), "{code}");
    let (_, _, code) = expansion(&format!("#[allow(deprecated)] {network}"));
    assert!(code.contains("#[allow(deprecated)]const _"), "{code}");
    let (_, warnings, _) = expansion(network);
    let (_, _, words) = &warnings.messages()[0];
    assert_eq!(
        words.lines().next(),
        Some(
            "`Dense` and `Dense` have no activation between them: one `Dense` can compute the same"
        )
    );
}

#[test]
fn a_misspelt_name_has_a_suggestion() {
    for name in ["dense_after_dens", "dens_after_dense", "batchnorm_at_output", "softmax_output"] {
        let text = format!("#[allow({name})] struct Net(8) -> 1 {{ Dense(1) }}");
        assert_warnings(&text, &[(name, MISSPELT_LINT)]);
    }
    for name in [
        "dead_code",
        "unknown_lints",
        "deprecated",
        "unused",
        "missing_docs",
        "unused_mut",
        "overflowing_literals",
    ] {
        assert_warnings(&format!("#[allow({name})] struct Net(8) -> 1 {{ Dense(1) }}"), &[]);
    }
}

#[test]
fn an_attribute_of_rustc_on_a_block_is_refused() {
    let text = "#[allow(dead_code)] block Two { Dense(2) } struct Net(8) -> 2 { Two }";
    let (report, ..) = expansion(text);
    assert_eq!(report.messages().len(), 1);
    let text =
        "#[allow(repeat_of_one)] block Two { Repeat(1) { Dense(2) } } struct Net(8) -> 2 { Two }";
    assert_warnings(text, &[]);
}
