//! docs/layers.md, the reference of all layers, agrees with the registry, the documentation of the rules and the networks of
//! `examples.rs`. `BLESS=1 cargo test --test documents` writes it again.

use crate::examples::weights;
use crate::generated::{argument_default, assert_file, read};
use crate::project;
use std::fmt::Write;
use unrolled_shape::Kind;
use unrolled_shape::registry::{ROWS, Row, Steps, Streaming};

const BEGIN: &str = "# Layers

All layers of `network!`, each with a network that has this layer only. This page is generated from the registry of layers, the
documentation of their rules and `tests/documents/examples.rs`, whose networks the compiler checks.

Shapes are without the batch, channels last: `T` is a number of steps, `H` and `W` are height and width, `C` is a number of
channels or features. Arguments before the first one with a default may be given without their names. Weights have the names and
shapes of a file, PyTorch's, behind the path of the line. Mistakes are compile errors.

*Shorter sequences* says what a layer does with a `Sequence` that has fewer steps than its shape, *streaming* whether `step`
can run it step by step.
";

/// What comes before the declaration that begins with `item`: its documentation, line by line.
fn documentation<'t>(source: &'t str, item: &str) -> Vec<&'t str> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(item)) else { return Vec::new() };
    let begin = lines[..at].iter().rposition(|line| !is_documentation(line)).map_or(0, |it| it + 1);
    lines[begin..at].iter().filter(|line| line.starts_with("///")).map(|line| text(line)).collect()
}

fn is_documentation(line: &str) -> bool {
    line.starts_with("///") || line.starts_with("#[")
}

fn text(line: &str) -> &str {
    line.trim_start_matches("///").trim()
}

/// The paragraphs of a documentation, each in one line.
fn paragraphs(lines: &[&str]) -> Vec<String> {
    lines.split(|line| line.is_empty()).map(|lines| lines.join(" ")).collect()
}

/// The values that an argument may have.
fn values(kind: Kind) -> String {
    match kind {
        Kind::Number => "a number".to_owned(),
        Kind::Pair => "a number, or `(height, width)`".to_owned(),
        Kind::Padding => {
            "a number, `(height, width)`, `(top, bottom, left, right)` or `same`".to_owned()
        }
        Kind::Triple => "a number, or `(depth, height, width)`".to_owned(),
        Kind::VolumePadding => {
            "a number, `(depth, height, width)`, `(front, back, top, bottom, left, right)` or `same`"
                .to_owned()
        }
        Kind::StepPadding => "a number, `(before, after)`, `same` or `causal`".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Real => "a real number".to_owned(),
        Kind::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.text)).collect();
            words.join(", ")
        }
        Kind::Shape => "a shape".to_owned(),
        Kind::Input => "a named value".to_owned(),
        Kind::Weight => "an earlier line".to_owned(),
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The network of `examples.rs` with this layer: its header and its line.
fn example<'t>(examples: &'t str, row: &Row) -> [&'t str; 2] {
    let begin = format!("    struct {}(", row.name);
    let line = examples.lines().find(|line| line.starts_with(&begin));
    let line = line.unwrap_or_else(|| panic!("{} is missing in examples.rs", row.name));
    let (header, body) = line.split_once(" { ").expect("braces in one line");
    [&header[begin.len() - 1..], body.strip_suffix(" }").expect("braces in one line")]
}

fn arguments(row: &Row, source: &str) -> String {
    if row.parameters.is_empty() {
        return String::new();
    }
    let mut table = String::from("\n| argument | values | default | |\n|---|---|---|---|\n");
    for parameter in row.parameters {
        let meaning = documentation(source, &format!("{}:", parameter.name)).join(" ");
        let default = argument_default(parameter).map_or(String::new(), |it| format!("`{it}`"));
        let values = values(parameter.kind);
        writeln!(table, "| `{}` | {values} | {default} | {} |", parameter.name, cell(&meaning))
            .expect("a string");
    }
    table
}

/// What the layer does with sequences that are shorter than their shape.
const fn shorter_sequences(row: &Row) -> &'static str {
    match row.steps {
        Steps::Each if row.steps_for.is_some() => {
            "each step is computed by itself, or they are refused, if its arguments join steps"
        }
        Steps::Each => "each step is computed by itself",
        Steps::Valid => "steps after the end are ignored",
        Steps::Kernel => "the kernel ends with the sequence",
        Steps::All => "refused, because the layer reads all steps",
        // The ends of a `PerStep` are no layers.
        Steps::Begin | Steps::End => unreachable!(),
    }
}

/// Whether the layer runs step by step.
fn streaming(row: &Row) -> &'static str {
    match row.streaming {
        Streaming::CarriesIf(_) => {
            "if its arguments allow it, with a state where it reads earlier steps"
        }
        _ if row.streams(&[]) => "yes",
        _ => "no",
    }
}

/// The PyTorch counterpart in the first line of a rule's source, without the name of the layer.
fn counterpart(source: &str) -> String {
    let line = source.lines().next().unwrap_or_default().trim_start_matches("//!").trim();
    let (_, text) = line.split_once(": ").unwrap_or(("", line));
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn section(row: &Row, examples: &str) -> String {
    let source = read(&project().join(format!("nn-shape/src/rules/{}.rs", row.stem)));
    let meaning = paragraphs(&documentation(&source, &format!("pub struct {} ", row.name)));
    // The rules of recurrent layers are those of a macro.
    let shared = project().join("nn-shape/src/rules/recurrent.rs");
    let rule = if source.contains("recurrent!(") { &read(&shared) } else { &source };
    let output = paragraphs(&documentation(rule, "pub const fn output("));
    // Functions of one element, whose rule a macro writes.
    let (shape, errors) = match &output[..] {
        [shape, .., errors] if !shape.is_empty() => {
            (shape.as_str(), errors.trim_start_matches("# Errors").trim())
        }
        _ => ("`[..] -> [..]`", "Never."),
    };
    let [header, line] = example(examples, row);
    let (meaning, first) = (meaning.join("\n\n"), counterpart(&source));
    let mut page = format!("\n## {}\n\n{meaning}\n\n{first}\n", row.name);
    write!(page, "\n```text\n{header} {{ {line} }}\n```\n{}", arguments(row, &source))
        .expect("a string");
    write!(page, "\n- Shape: {shape}\n- Errors: {errors}\n").expect("a string");
    if let Some((_, tensors)) = weights().into_iter().find(|(name, _)| *name == row.name) {
        let shown = |(name, shape): &(String, Vec<usize>)| {
            let (_, name) = name.split_once('.').unwrap_or(("", name));
            format!("`{}`", format!("{name} {shape:?}").trim_start())
        };
        let shown: Vec<String> = tensors.iter().map(shown).collect();
        writeln!(page, "- Weights of this example: {}", shown.join(", ")).expect("a string");
    }
    let (shorter, streaming) = (shorter_sequences(row), streaming(row));
    writeln!(page, "- Shorter sequences: {shorter}\n- Streaming: {streaming}").expect("a string");
    page
}

#[test]
fn reference() {
    let examples = read(&project().join("tests/documents/examples.rs"));
    let sections: String = ROWS.iter().map(|row| section(row, &examples)).collect();
    assert_file(&project().join("docs/layers.md"), &format!("{BEGIN}{sections}"));
}

/// The list of layers with weights in `examples.rs` is complete.
#[test]
fn weights_are_those_of_the_registry() {
    let listed: Vec<&str> = weights().iter().map(|(name, _)| *name).collect();
    let expected: Vec<&str> =
        ROWS.iter().filter(|row| row.tensors.is_some()).map(|row| row.name).collect();
    assert_eq!(listed, expected);
}
