//! What README.md and docs/errors.md repeat of the code is what the code says. After a change:
//! `BLESS=1 cargo test --test documents` writes it anew.

use std::fs;
use std::path::{Path, PathBuf};
use unrolled_shape::registry::{ROWS, Row};
use unrolled_shape::{Padding, Parameter, StepPadding, Value};

/// The cases of docs/errors.md: where they stand in tests/ui, and what went wrong.
const GALLERY: [(&str, &str); 12] = [
    ("shapes/flatten_to_another_size", "A size that does not follow from the layers before"),
    ("shapes/kernel_larger_than_input", "A kernel that does not fit any more"),
    ("shapes/residual_that_changes_channels", "A shortcut around layers that change the shape"),
    ("shapes/picture_where_scores_were_promised", "`Flatten` is forgotten"),
    ("shapes/concat_of_a_picture_and_a_table", "Branches that cannot be joined"),
    ("arguments/padding_same_with_stride", "Arguments that exclude each other"),
    ("arguments/groups_that_do_not_divide", "Groups that do not divide the channels"),
    ("names/arguments_of_keras", "Names of other libraries"),
    ("syntax/stars_in_shape", "A shape in pieces"),
    ("shapes/several_independent_mistakes", "Several mistakes are told together"),
    ("constants/flatten_to_another_size", "Sizes that are constants of yours"),
    ("nested/gets_another_shape", "A network inside of another one"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file is `expected`, or becomes so where `BLESS` is set.
fn assert_file(path: &Path, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, expected).unwrap();
    }
    let words = "is not what the code says: run `BLESS=1 cargo test --test documents`";
    assert!(read(path) == expected, "{} {words}", path.display());
}

fn case(name: &str, extension: &str) -> PathBuf {
    root().join("tests/ui").join(name).with_extension(extension)
}

/// What the compiler says about a case, as if it stood in `src/main.rs`.
fn message(name: &str) -> String {
    let message = read(&case(name, "stderr"));
    message.trim_end().replace(&format!("tests/ui/{name}.rs"), "src/main.rs")
}

/// What a case is about: its `network!` and the constants before it.
fn source(name: &str) -> String {
    let text = read(&case(name, "rs"));
    let (_, text) = text.split_once("use unrolled::prelude::*;\n\n").expect("begins alike");
    let (text, _) = text.split_once("\nfn main()").expect("ends alike");
    text.trim_end().into()
}

#[test]
fn gallery() {
    let mut page = String::from(
        "# What the compiler says\n\n\
         Twelve mistakes, and what stable Rust prints for them. Generated from the cases in `tests/ui` by\n\
         `tests/documents.rs`: not a word of it is typed by hand.\n",
    );
    for (name, title) in GALLERY {
        let (source, message) = (source(name), message(name));
        page += &format!("\n## {title}\n\n```rust\n{source}\n```\n\n```text\n{message}\n```\n");
    }
    assert_file(&root().join("docs/errors.md"), &page);
}

/// `text` with `block` between the markers called `name`.
fn with_block(text: &str, name: &str, block: &str) -> String {
    let [begin, end] = ["begin", "end"].map(|at| format!("<!-- {name}:{at} -->"));
    let (before, rest) = text.split_once(&begin).expect("a marker of the beginning");
    let (_, after) = rest.split_once(&end).expect("a marker of the end");
    format!("{before}{begin}\n{block}\n{end}{after}")
}

/// An argument as the table shows it: `kernel`, `stride = 1`.
fn argument(parameter: &Parameter) -> String {
    let number = |[height, width]: [usize; 2]| match height == width {
        true => height.to_string(),
        false => format!("({height}, {width})"),
    };
    let default = match parameter.default {
        Some(Value::Absent) => parameter.shown.into(),
        None => return format!("`{}`", parameter.name),
        Some(Value::Number(value)) => value.to_string(),
        Some(Value::Pair(value) | Value::Padding(Padding::Explicit(value))) => number(value),
        Some(Value::Padding(Padding::Same)) => "same".into(),
        Some(Value::StepPadding(StepPadding::Explicit(value))) => value.to_string(),
        Some(Value::StepPadding(StepPadding::Same)) => "same".into(),
        Some(Value::StepPadding(StepPadding::Causal)) => "causal".into(),
        Some(Value::Flag(value)) => value.to_string(),
        Some(Value::Real(value)) => format!("{value:?}"),
        Some(Value::Word(value)) => value.text.into(),
        Some(Value::Shape(value)) => value.to_string(),
        Some(Value::Input(_) | Value::Weight(_)) => unreachable!("no default names a line"),
    };
    format!("`{} = {default}`", parameter.name)
}

fn table_line(row: &Row) -> String {
    let arguments: Vec<String> = row.parameters.iter().map(argument).collect();
    format!("| `{}` | {} | {} |", row.name, row.summary, arguments.join(", "))
}

#[test]
fn readme() {
    let path = root().join("README.md");
    let error = format!("```text\n{}\n```", message("shapes/flatten_to_another_size"));
    let lines: Vec<String> = ROWS.iter().map(|row| table_line(row)).collect();
    let table =
        format!("| layer | what it does | arguments |\n|---|---|---|\n{}", lines.join("\n"));
    let text = with_block(&read(&path), "error", &error);
    assert_file(&path, &with_block(&text, "layers", &table));
}
