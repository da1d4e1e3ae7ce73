//! The generated parts of README.md and docs/errors.md agree with the code. After a change,
//! `BLESS=1 cargo test --test documents` writes them again.

use crate::project;
use std::fs;
use std::path::{Path, PathBuf};
use unrolled_shape::registry::{ROWS, Row};
use unrolled_shape::{Padding, Parameter, StepPadding, Value, VolumePadding};

/// The cases of docs/errors.md: their paths in tests/ui, and their titles.
const GALLERY: [(&str, &str); 12] = [
    ("shapes/flatten_to_another_size", "A size that does not follow from the layers before it"),
    ("shapes/kernel_larger_than_input", "A kernel that is larger than its input"),
    (
        "shapes/residual_that_changes_channels",
        "A skip connection around layers that change the shape",
    ),
    ("shapes/image_where_scores_were_promised", "`Flatten` is forgotten"),
    ("shapes/concat_of_an_image_and_a_table", "Branches that cannot be joined"),
    ("arguments/factor_and_size", "Arguments that exclude each other"),
    ("arguments/groups_that_do_not_divide", "Groups that do not divide the channels"),
    ("names/arguments_of_keras", "Names of other libraries"),
    ("syntax/stars_in_shape", "A shape written as several tokens"),
    ("shapes/several_independent_mistakes", "Several mistakes, reported together"),
    ("constants/flatten_to_another_size", "Sizes that are constants"),
    ("nested/gets_another_shape", "A network inside another one"),
];

/// The case whose warnings docs/errors.md shows.
const WARNINGS: &str = "lints/common_mistakes";

/// Mistakes that stable Rust reports more than once.
const REPEATED: &str = "
## Mistakes with several errors

One mistake is one error, with two exceptions:

- **A name of a network that two `network!` blocks of a module define**: 8 errors on the second block. The first says that
  the name is defined twice (E0428). The others are the compiler's own check that a type implements each trait once (E0119: 5
  traits) and has each method once (E0592: 2 methods), which it makes for each of them. A macro sees one block, and not the module
  around it, so that it cannot leave the second network out. Within one block it does, and reports the name once.
- **Constants that are too large only together**, such as two layers of `1 << 30` units: beside our error the compiler reports
  the type of the weights, which is too large for any memory (E0080).
";

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Checks that the file is `expected`, or writes it if `BLESS` is set.
pub(crate) fn assert_file(path: &Path, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, expected).unwrap();
    }
    let words = "is not up to date: run `BLESS=1 cargo test --test documents`";
    assert!(read(path) == expected, "{} {words}", path.display());
}

fn case(name: &str, extension: &str) -> PathBuf {
    project().join("tests/ui").join(name).with_extension(extension)
}

/// The compiler's output for a case, as if the case were `src/main.rs`.
fn message(name: &str) -> String {
    let message = read(&case(name, "stderr"));
    message.trim_end().replace(&format!("tests/ui/{name}.rs"), "src/main.rs")
}

/// The compiler's warnings about the case of warnings.
fn warnings() -> Vec<String> {
    let text = message(WARNINGS);
    let shown = text.split("\n\n").filter(|shown| shown.starts_with("warning: "));
    shown.map(String::from).collect()
}

/// The source of a case: its `network!` and the constants before it.
fn source(name: &str) -> String {
    let text = read(&case(name, "rs"));
    let (_, text) =
        text.split_once("use unrolled::prelude::*;\n\n").expect("a case begins with the prelude");
    let (text, _) = text.split_once("\nfn main()").expect("a case ends with `main`");
    text.trim_end().into()
}

#[test]
fn gallery() {
    let mut page = String::from(
        "# Compile errors\n\n\
         Twelve mistakes, and the errors that stable Rust prints for them. This page is generated from the cases\n\
         in `tests/ui` by `tests/documents`.\n",
    );
    for (name, title) in GALLERY {
        let (source, message) = (source(name), message(name));
        page += &format!("\n## {title}\n\n```rust\n{source}\n```\n\n```text\n{message}\n```\n");
    }
    page += REPEATED;
    let (source, warnings) = (source(WARNINGS), warnings().join("\n\n"));
    page += &format!(
        "\n## Warnings\n\n[lints.md](lints.md) explains them and all others.\n\n```rust\n{source}\n```\n\n```text\n{warnings}\n```\n"
    );
    assert_file(&project().join("docs/errors.md"), &page);
}

/// `text` with `block` between the markers of this name.
fn with_block(text: &str, name: &str, block: &str) -> String {
    let [begin, end] = ["begin", "end"].map(|at| format!("<!-- {name}:{at} -->"));
    let (before, rest) = text.split_once(&begin).expect("a begin marker");
    let (_, after) = rest.split_once(&end).expect("an end marker");
    format!("{before}{begin}\n{block}\n{end}{after}")
}

/// An argument in the form of the table: `kernel`, `stride = 1`.
fn argument(parameter: &Parameter) -> String {
    match argument_default(parameter) {
        Some(default) => format!("`{} = {default}`", parameter.name),
        None => format!("`{}`", parameter.name),
    }
}

/// The default of an argument as it is written, if it has one.
pub(crate) fn argument_default(parameter: &Parameter) -> Option<String> {
    Some(match parameter.default? {
        Value::Absent => parameter.shown.into(),
        Value::Number(value) => value.to_string(),
        Value::Pair(value) | Value::Padding(Padding::Explicit(value)) => per_axis(&value),
        Value::Triple(value) | Value::VolumePadding(VolumePadding::Explicit(value)) => {
            per_axis(&value)
        }
        Value::Padding(Padding::Sides(sides)) => format!("{sides:?}"),
        Value::VolumePadding(VolumePadding::Sides(sides)) => format!("{sides:?}"),
        Value::StepPadding(StepPadding::Sides(sides)) => format!("{sides:?}"),
        Value::Padding(Padding::Same) | Value::VolumePadding(VolumePadding::Same) => "same".into(),
        Value::StepPadding(StepPadding::Explicit(value)) => value.to_string(),
        Value::StepPadding(StepPadding::Same) => "same".into(),
        Value::StepPadding(StepPadding::Causal) => "causal".into(),
        Value::Flag(value) => value.to_string(),
        Value::Real(value) => format!("{value:?}"),
        Value::Word(value) => value.text.into(),
        Value::Shape(value) => value.to_string(),
        Value::Input(_) | Value::Weight(_) => unreachable!("no default names a line"),
    })
}

/// A number, or one per axis where they differ.
fn per_axis(sizes: &[usize]) -> String {
    let all: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    match all.iter().all(|size| *size == all[0]) {
        true => all[0].clone(),
        false => format!("({})", all.join(", ")),
    }
}

fn table_line(row: &Row) -> String {
    let arguments: Vec<String> = row.parameters.iter().map(argument).collect();
    format!("| `{}` | {} | {} |", row.name, row.summary, arguments.join(", "))
}

#[test]
fn readme() {
    let path = project().join("README.md");
    let error = format!("```text\n{}\n```", message("shapes/flatten_to_another_size"));
    let lines: Vec<String> = ROWS.iter().map(|row| table_line(row)).collect();
    let table =
        format!("| layer | what it does | arguments |\n|---|---|---|\n{}", lines.join("\n"));
    let warnings = warnings();
    let warning = warnings.iter().find(|text| text.contains("`dense_after_dense`"));
    let warning = format!("```text\n{}\n```", warning.expect("the warning of the document"));
    let text = with_block(&read(&path), "error", &error);
    let text = with_block(&text, "warning", &warning);
    assert_file(&path, &with_block(&text, "layers", &table));
}
