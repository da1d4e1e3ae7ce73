//! Every example runs with `--quick` and keeps its promises; without data it says where to get them.
//!
//! `cargo test` builds the examples. `cargo test --test examples` alone does not: it tests what was built last.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Examples of the introduction that want data.
const WITH_DATA: [&str; 12] = [
    "tabular",
    "series",
    "sentiment",
    "names",
    "fusion",
    "unet",
    "resnet",
    "shakespeare",
    "attention",
    "deep",
    "vit",
    "normfree",
];

/// An example with these arguments, in a folder of its own, without the data sets of whoever runs the tests.
fn example(name: &str, folder: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("examples");
    let program = built.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "no {}: `cargo build --examples` makes it", program.display());
    let folder = temporary(folder);
    let mut command = Command::new(program);
    command.current_dir(folder).env_remove("UNROLLED_DATA");
    command
}

fn temporary(folder: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a program printed that ended well.
fn printed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{command:?}: {status}\n{stdout}\n{stderr}");
    stdout
}

fn quick(name: &str) -> String {
    let text = printed(example(name, name).arg("--quick"));
    let losses = losses(&text);
    assert!(losses.last() < losses.first(), "the loss falls: {losses:?}");
    text
}

/// The training loss of each epoch of the first network.
fn losses(text: &str) -> Vec<f64> {
    let epochs = text.lines().skip_while(|line| !line.starts_with("epoch"));
    let epochs = epochs.take_while(|line| line.starts_with("epoch"));
    epochs.map(|line| number_behind(line, "loss ")).collect()
}

/// The number that stands behind the first `words`.
fn number_behind(text: &str, words: &str) -> f64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no `{words}` in {text}"));
    let digits = |c: char| !c.is_ascii_digit() && c != '.' && c != '-';
    let rest = rest.trim_start();
    let number = rest.split(digits).next().unwrap().trim_end_matches('.');
    number.parse().unwrap_or_else(|_| panic!("no number behind `{words}` in {text}"))
}

#[test]
fn tabular() {
    let text = quick("tabular");
    let [linear, deep] = ["linear ", "deep "].map(|net| number_behind(&text, net));
    // Noise of deviation 0.577 cannot be guessed.
    assert!(0.577 < deep && deep <= 0.75 * linear, "{linear} {deep}");
}

#[test]
fn series() {
    let text = quick("series");
    let (_, text) = text.split_once("in degrees:").unwrap();
    let [as_today, of_season, recurrent, convolutional] =
        ["as today", "season", "LSTM", "Conv1d"].map(|name| number_behind(text, name));
    let best = as_today.min(of_season);
    // Noise of deviation 2 cannot be guessed: nothing is better by chance alone.
    for error in [recurrent, convolutional] {
        assert!(1.9 < error && error <= 0.97 * best, "{error} {best}");
    }
}

#[test]
fn sentiment() {
    let text = quick("sentiment");
    assert!(text.contains("% praise: the plot is a tedious mess"), "{text}");
    assert!(number_behind(&text, "are right (") >= 79.0, "{text}");
}

#[test]
fn attention() {
    let text = quick("attention");
    // Without looking at "not", half of them are right.
    assert!(number_behind(&text, "are right (") >= 79.0, "{text}");
}

#[test]
fn names() {
    let text = quick("names");
    let (_, rest) = text.split_once("invented:\n\n").unwrap();
    let names: Vec<&str> = rest.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(names.len(), 20, "{text}");
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())), "{names:?}");
    let nats = number_behind(rest, "are new\n");
    // The same chance for each of 27 characters: ln 27 = 3.296.
    assert!(nats < 2.8, "{nats}");
}

#[test]
fn fusion() {
    let text = quick("fusion");
    let (_, text) = text.split_once("held back:\n").unwrap();
    let [both, picture, table] = ["both", "picture", "table"].map(|name| number_behind(text, name));
    // One of ten is right by chance.
    assert!(picture > 40.0 && table > 30.0 && both > picture.max(table), "{text}");
}

#[test]
fn unet() {
    let text = quick("unet");
    let [darkness, network] = ["best threshold", "U-Net "].map(|name| number_behind(&text, name));
    assert!(darkness < 0.8 && 0.8 < network && network < 1.0, "{text}");
}

#[test]
fn resnet() {
    let text = quick("resnet");
    let (_, text) = text.split_once("pictures told").unwrap();
    let [plain, residual] = ["plain ", "residual "].map(|name| number_behind(text, name));
    assert!(residual > plain && residual > 20.0, "{text}");
}

#[test]
fn deep() {
    let text = quick("deep");
    let (_, text) = text.split_once("powers of ten").unwrap();
    let [residual, plain, bare] =
        ["residual ", "plain ", "bare "].map(|name| number_behind(text, name));
    assert!(residual < 2.0 && 3.0 < plain && 15.0 < bare, "{text}");
}

#[test]
fn vit() {
    let text = quick("vit");
    let [told, without_places] =
        ["held back: ", "patches lie: "].map(|of| number_behind(&text, of));
    assert!(told > 85.0 && without_places < 50.0, "{text}");
}

#[test]
fn normfree() {
    let text = quick("normfree");
    let (clipped, unclipped) = text.split_once("the same without clipping:").unwrap();
    assert!(number_behind(clipped, "held back: ") > 85.0, "{text}");
    assert!(unclipped.contains("the loss is"), "{text}");
}

#[test]
fn shakespeare() {
    let text = printed(example("shakespeare", "shakespeare").arg("--quick"));
    let epochs = || text.split("\nepoch ").skip(1);
    assert_eq!(epochs().count(), 5, "{text}");
    let losses: Vec<f64> = epochs().map(|epoch| number_behind(epoch, "loss ")).collect();
    assert!(losses.is_sorted_by(|before, after| before > after), "the loss falls: {losses:?}");
    // Each line of an epoch is followed by what the network writes then.
    let written = |text: &str| text.split_once("\n\n").unwrap().1.chars().count();
    assert!(epochs().all(|epoch| written(epoch) > 200), "{text}");
    let (_, end) = text.split_once("written at the end:\n\n").unwrap();
    assert!(end.chars().count() > 1000, "{end}");
    let nats = number_behind(end, "on the text held back: ");
    // By how often characters are: 3.22; by the one before each: 2.51.
    assert!(nats < 2.5, "{nats}");
}

#[test]
fn digits() {
    let text = printed(example("digits", "digits").args(["--epochs", "1"]));
    assert!(number_behind(&text, "test accuracy: ") > 80.0, "{text}");
}

#[test]
fn custom_layer() {
    let text = printed(&mut example("custom_layer", "custom_layer"));
    let losses = losses(&text);
    assert!(losses.last() < losses.first(), "{text}");
}

/// The same text on any number of threads, but for how long it took.
#[test]
fn results_do_not_depend_on_threads() {
    for name in WITH_DATA {
        let [one, three] = ["1", "3"].map(|threads| {
            let folder = format!("{name}_{threads}");
            let text =
                printed(example(name, &folder).arg("--quick").env("UNROLLED_THREADS", threads));
            let lines = text.lines().map(|line| match line.rsplit_once("; ") {
                Some((numbers, _time)) if line.starts_with("epoch") => numbers,
                _ => line,
            });
            lines.collect::<Vec<_>>().join("\n")
        });
        assert_eq!(one, three, "{name}");
    }
}

/// What a program says that ends badly, but not in a panic: one line.
fn complaint(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{command:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[test]
fn without_data_they_say_where_to_get_them() {
    for name in WITH_DATA {
        let said = complaint(&mut example(name, name));
        for part in ["--data DIR", "UNROLLED_DATA", "https://", "--quick"] {
            assert!(said.contains(part), "{name}: {said}");
        }
        let empty = temporary("empty");
        let of_argument = complaint(example(name, name).arg("--data").arg(&empty));
        let of_variable = complaint(example(name, name).env("UNROLLED_DATA", &empty));
        assert_eq!(of_argument, of_variable);
        let file = format!("there is no file `{}", empty.display());
        assert!(said.contains("https://") && of_argument.contains(&file), "{of_argument}");
    }
}

#[test]
fn they_know_their_arguments() {
    for name in WITH_DATA {
        let help = printed(example(name, name).arg("--help"));
        assert!(help.contains(&format!("--example {name} ")) && help.contains("--quick"), "{help}");
        for wrong in [&["--quik"][..], &["--seed", "many"], &["--quick", "--data", "."]] {
            let Output { status, stderr, .. } = example(name, name).args(wrong).output().unwrap();
            let stderr = String::from_utf8(stderr).unwrap();
            assert_eq!(status.code(), Some(2), "{stderr}");
            assert!(stderr.contains("usage: ") && !stderr.contains("panicked"), "{stderr}");
        }
    }
}
