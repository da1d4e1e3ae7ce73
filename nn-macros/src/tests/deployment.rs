//! Weights in the program.

use super::{assert_messages, expansion};
use std::path::PathBuf;

/// A file with the weights of `fc: Dense(1)` on two inputs.
fn file_of(name: &str, bias: f32, weights: [f32; 2]) -> PathBuf {
    let header = r#"{"fc.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
        "fc.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let [first, second] = weights;
    file.extend([bias, first, second].iter().flat_map(|float| float.to_le_bytes()));
    let path = std::env::temp_dir().join(format!("unrolled-{name}-{}", std::process::id()));
    std::fs::write(&path, file).expect("a file of its own");
    path
}

#[test]
fn storage_is_f16() {
    let expected = "expected `storage = f16`, or nothing: then weights are stored as f32";
    for storage in ["storage = f8", "storage", "f16", "storage = f16, storage = f16"] {
        let text = format!(
            r#"#[weights("digits.safetensors", {storage})] struct Digits(2) -> 1 {{ fc: Dense(1) }}"#
        );
        assert_messages(&text, &[(storage, expected)]);
    }
}

#[test]
fn weights_have_two_bytes() {
    // Both halves are exact: 0x3800, 0x7bff and 0xc500.
    let path = file_of("halves", 0.5, [65504.0, -5.0]);
    let network = |storage: &str| {
        let text =
            format!("#[weights({path:?} {storage})] pub struct Large(2) -> 1 {{ fc: Dense(1) }}");
        let (report, _, code) = expansion(&text);
        assert_eq!(report.found(), 0);
        code
    };
    let [halves, floats] = [network(", storage = f16"), network("")];
    std::fs::remove_file(&path).expect("the file just written");
    let stored = r#"[::core::primitive::u8;6] =  * b"\xFF{\0\xC5\08";"#;
    assert!(halves.contains(stored), "{halves}");
    assert!(halves.contains("infer_half") && !floats.contains("infer_half"));
}

#[test]
fn a_weight_above_the_largest_half_is_named() {
    let path = file_of("large", 0.5, [65519.0, -70000.0]);
    let text =
        format!("#[weights({path:?}, storage = f16)] struct Large(2) -> 1 {{ fc: Dense(1) }}");
    assert_messages(
        &text,
        &[(
            &format!("{path:?}"),
            "`fc.weight` has the value -70000.0, which f16 cannot hold: expected values up to 65504.0\n  \
             = help: remove `storage = f16`",
        )],
    );
    std::fs::remove_file(&path).expect("the file just written");
}
