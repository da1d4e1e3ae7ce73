//! Every layer of the registry has its files, a compile-fail case and a reference case.

use crate::project;
use std::fs;
use std::path::PathBuf;
use unrolled_shape::registry::{ROWS, Row, Storage};

/// The messages of all compile-fail cases.
fn messages() -> String {
    let folders = fs::read_dir(project().join("tests/ui")).unwrap().map(|folder| folder.unwrap());
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).unwrap());
    let files = files.map(|file| file.unwrap().path());
    let is_message = |file: &PathBuf| file.extension().is_some_and(|it| it == "stderr");
    files.filter(is_message).map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Whether `text` contains `name` as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(in_word) && !text[at + name.len()..].starts_with(in_word)
    })
}

/// What a layer is missing.
fn missing(row: &Row, messages: &str, reference: &str) -> Vec<String> {
    let mut files = vec![format!("nn-shape/src/rules/{}.rs", row.stem)];
    if row.storage != Storage::View {
        files.push(format!("nn-runtime/src/layers/{}.rs", row.stem));
    }
    let mut missing: Vec<String> =
        files.into_iter().filter(|file| !project().join(file).is_file()).collect();
    if !messages.contains(&format!("`{}`", row.name)) {
        missing.push("a compile-fail case in tests/ui whose message names it".into());
    }
    if !mentions(reference, row.name) {
        missing.push("a reference case in tests/pytorch/reference.rs".into());
    }
    missing
}

#[test]
fn every_layer_is_complete() {
    let messages = messages();
    let reference = fs::read_to_string(project().join("tests/pytorch/reference.rs")).unwrap();
    let incomplete: Vec<String> = ROWS
        .iter()
        .map(|row| (row.name, missing(row, &messages, &reference)))
        .filter(|(_, missing)| !missing.is_empty())
        .map(|(name, missing)| format!("{name} is missing {}", missing.join(", and ")))
        .collect();
    assert!(incomplete.is_empty(), "{}", incomplete.join("\n"));
}

#[test]
fn a_part_of_a_word_is_not_a_mention() {
    assert!(mentions("Add { .. }", "Add"));
    assert!(!mentions("PReLU, ReLU6, Add", "ReLU"));
}
