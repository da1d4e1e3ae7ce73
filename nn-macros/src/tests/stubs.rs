//! What is left of a network with a mistake, so that the program around it has no further errors.

use super::expansion;

/// The code of a network with one mistake.
#[track_caller]
fn stub(text: &str) -> String {
    let (report, _, code) = expansion(text);
    assert_eq!(report.messages().len(), 1, "{:?}", report.messages());
    code
}

#[test]
fn fields_of_lines_without_mistakes_stay() {
    let code = stub(
        "struct Net(28x28x1) -> 10 {
            conv1: Conv2d(8, kernel = 3), ReLU, Flatten, fc1: Dense(16), own: self::Own, fc2: Dens(10)
        }",
    );
    assert!(code.contains("conv1:krate::__private::layers::Conv2d<8, 1, 3, 3>,"), "{code}");
    assert!(code.contains("fc1:krate::__private::layers::Dense<5408, 16>,"), "{code}");
    assert!(code.contains("own:self::Own,"), "{code}");
    assert!(!code.contains("fc2:") && !code.contains("broken"), "{code}");
    // Of the layers after a mistake, the sizes are not known.
    let code = stub(
        "struct Net(8) -> 10 { fc1: Dens(4), fc2: Dense(3), fc3: Dense(2) -> 2, fc4: Dense(10) }",
    );
    assert!(
        !code.contains("fc2:") && code.contains("fc4:krate::__private::layers::Dense<2, 10>"),
        "{code}"
    );
    // A layer whose rule fails has no weights.
    for line in ["Conv2d(8, kernel = 3, groups = 0)", "Conv2d(8, kernel = 99)", "LSTM(4)"] {
        let code = stub(&format!("struct Net(28x28x1) -> 10 {{ it: {line}, Flatten, Dense(10) }}"));
        assert!(!code.contains("it:"), "{code}");
    }
}

#[test]
fn inputs_of_tokens_stay_tokens() {
    for text in [
        "struct Net(text: 64) -> 2 { Embedding(9, 8), GRU(4, output = last), Dens(2) }",
        "struct Net(64) -> 2 { Embedding(9, 8, foo = 3), GRU(4, output = last), Dense(2) }",
        "struct Net(text: 64) -> 2 { words: Embedding(0, 8), GRU(4, output = last), Dense(2) }",
        "struct Net(64) -> 2 { front: [Embedding(9, 8), GRU(4, output = last)], Dens(2) }",
    ] {
        let code = stub(text);
        assert!(code.contains("type Input = [u32;64];"), "{code}");
    }
    let code = stub(
        "struct Net(image: 8, text: 64) -> 2 {
            Concat { image => {}, text => { Embedding(9, 8), GlobalAvgPool } }, Dens(2)
        }",
    );
    assert!(code.contains("type Input = ([f32;8], [u32;64]);"), "{code}");
    let code =
        stub("struct Net(text: ..64) -> 2 { Embedding(9, 8), GRU(4, output = last), Dens(2) }");
    assert!(code.contains("Sequence<u32, 64>"), "{code}");
}

#[test]
fn networks_of_sequences_have_steps() {
    let code = stub("struct Net(64x8) -> 64x2 { GRU(4), Dens(2) }");
    assert!(code.contains("_step:&[f32;8])->[f32;2]"), "{code}");
    let code = stub("struct Net(text: 64) -> 64x2 { Embedding(9, 8), GRU(4), Dens(2) }");
    assert!(code.contains("_step:&u32)->[f32;2]"), "{code}");
    assert!(!stub("struct Net(64) -> 2 { Dens(2) }").contains("fn step"));
}

#[test]
fn attributes_of_the_struct_reach_all_items() {
    let text = "#[cfg(feature = \"x\")] struct Net(8) -> (a: 2, b: 1) { Dense(4), x: Dense(4), a: Dense(2), b: x => Dense(1) }";
    let (_, warnings, code) = expansion(text);
    assert_eq!(warnings.messages().len(), 1);
    let file: syn::File = syn::parse_str(&code).expect("code of items");
    let items = file.items.iter().map(|item| quote::quote!(#item).to_string());
    assert!(items.into_iter().all(|item| item.starts_with("# [cfg (feature = \"x\")]")), "{code}");
    let (_, _, code) = expansion("#[deprecated] struct Net(8) -> 2 { Dense(2) }");
    assert!(code.contains("code of the deprecated type itself"), "{code}");
}
