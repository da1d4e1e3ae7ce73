//! Blocks that every `network!` knows.

use super::{assert_about, network};

#[test]
fn an_encoder_has_pytorch_s_names() {
    let net =
        network("struct N(5x8) -> 5x8 { layer: TransformerEncoder(8, 2, 32, dropout = 0.0) }");
    let paths: Vec<&str> = net.nodes.iter().map(|node| node.path.as_str()).collect();
    for name in ["norm1", "self_attn", "norm2", "linear1", "linear2"] {
        assert!(paths.contains(&format!("layer.{name}").as_str()), "{paths:?}");
    }
}

#[test]
fn a_decoder_takes_a_memory() {
    let net = network(
        "struct N(text: 5x8, words: 7x8) -> 5x8 {
            encoded: words => PostNormTransformerEncoder(8, 2, 16),
            text => TransformerDecoder(encoded, 8, 2, 16),
            last: PostNormTransformerDecoder(encoded, 8, 2, 16, rotary = true),
        }",
    );
    let memory = net.reads("encoded.norm2")[0].clone();
    assert_ne!(memory, "");
    assert_eq!(net.reads("transformer_decoder.multihead_attn")[1], "encoded.norm2");
    assert_eq!(net.reads("last.multihead_attn")[1], "encoded.norm2");
}

#[test]
fn a_block_of_the_user_s_is_taken_instead() {
    let net = network(
        "block TransformerEncoder(units) { Dense(units) }
        struct N(5x8) -> 5x4 { TransformerEncoder(4) }",
    );
    assert_eq!(net.lines(), ["transformer_encoder.dense 5x4"]);
}

#[test]
fn mistakes_are_reported_where_it_is_used() {
    assert_about(
        "struct N(5x8) -> 5x8 { TransformerEncoder(6, 2, 16) }",
        &[(
            "6",
            "`TransformerEncoder` has a width of 6, but its input is 5x8: 8 features\n  = help: write `8`",
        )],
    );
    assert_about(
        "struct N(text: 5x8, words: 7x8) -> 5x8 {
            text => PostNormTransformerDecoder(words, width = 4, heads = 2, hidden = 16), Add { {}, words }
        }",
        &[("4", "`PostNormTransformerDecoder` has a width of 4, but its input is 5x8")],
    );
    assert_about(
        "block B(n) { TransformerEncoder(n, 2, 16) } struct N(5x8) -> 5x8 { B(16) }",
        &[("16", "`TransformerEncoder` has a width of 16, but its input is 5x8")],
    );
    // A `Residual` of the user's around one names its own lines.
    assert_about(
        "struct N(5x8) -> 5x8 { Residual { TransformerEncoder(8, 2, 16), Dense(4) } }",
        &[("Residual", "the input is 5x8 and the body gives 5x4")],
    );
    assert_about(
        "struct N(5x8) -> 5x8 { TransformerEncoder(8, 3, 16) }",
        &[("3", "splits 8 features into 3 heads")],
    );
    assert_about(
        "struct N(5x8) -> 5x8 { TransformerEncoder(8, 2) }",
        &[("TransformerEncoder", "hidden")],
    );
    assert_about(
        "struct N(text: 5x8, words: 7x8) -> 5x8 {
            text => TransformerDecoder(word, 8, 2, 16), Add { {}, words }
        }",
        &[("word", "called `word`")],
    );
    assert_about(
        "struct N(5x8) -> 5x8 { TransformEncoder(8, 2, 16) }",
        &[("TransformEncoder", "did you mean `TransformerEncoder`?")],
    );
}
