//! Every example runs with `--quick` and passes its checks. Without data it reports where to get them.
//!
//! `cargo test` builds the examples. `cargo test --test examples` does not: it tests what was built last.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The examples that need data.
const WITH_DATA: [&str; 16] = [
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
    "contrastive",
    "vae",
    "transfer",
    "saliency",
];

/// Those that make their data.
const WITHOUT_DATA: [&str; 3] = ["gan", "dqn", "image_folder"];

/// A command that runs an example in a folder of its own, without `UNROLLED_DATA`.
fn example(name: &str, folder: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("examples");
    let program = built.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "no {}: `cargo build --examples` builds it", program.display());
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

/// The standard output of a program, which must succeed.
fn output_of(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{command:?}: {status}\n{stdout}\n{stderr}");
    stdout
}

fn quick(name: &str) -> String {
    let text = output_of(example(name, name).arg("--quick"));
    let losses = losses(&text);
    assert!(losses.last() < losses.first(), "the loss falls: {losses:?}");
    text
}

/// The training loss of each epoch of the first network.
fn losses(text: &str) -> Vec<f64> {
    let epochs = text.lines().skip_while(|line| !line.starts_with("epoch"));
    let epochs = epochs.take_while(|line| line.starts_with("epoch"));
    epochs.map(|line| number_after(line, "loss ")).collect()
}

/// The number after the first `words`.
fn number_after(text: &str, words: &str) -> f64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no `{words}` in {text}"));
    let digits = |c: char| !c.is_ascii_digit() && c != '.' && c != '-';
    let rest = rest.trim_start();
    let number = rest.split(digits).next().unwrap().trim_end_matches('.');
    number.parse().unwrap_or_else(|_| panic!("no number after `{words}` in {text}"))
}

#[test]
fn tabular() {
    let text = quick("tabular");
    let [linear, deep] = ["linear ", "deep "].map(|net| number_after(&text, net));
    // The standard deviation of the noise, 0.577, is a lower bound.
    assert!(0.577 < deep && deep <= 0.75 * linear, "{linear} {deep}");
}

#[test]
fn series() {
    let text = quick("series");
    let (_, text) = text.split_once("in degrees:").unwrap();
    let [as_today, of_season, recurrent, convolutional] =
        ["as today", "season", "LSTM", "Conv1d"].map(|name| number_after(text, name));
    let best = as_today.min(of_season);
    // The standard deviation of the noise is 2. A much smaller error would be a leak of the test set.
    for error in [recurrent, convolutional] {
        assert!(1.9 < error && error <= 0.97 * best, "{error} {best}");
    }
}

#[test]
fn sentiment() {
    let text = quick("sentiment");
    assert!(text.contains("% positive: the plot is a tedious mess"), "{text}");
    assert!(number_after(&text, "are right (") >= 79.0, "{text}");
}

#[test]
fn attention() {
    let text = quick("attention");
    // A network that ignores "not" classifies half of them correctly.
    assert!(number_after(&text, "are right (") >= 79.0, "{text}");
}

#[test]
fn names() {
    let text = quick("names");
    let (_, rest) = text.split_once("generated:\n\n").unwrap();
    let names: Vec<&str> = rest.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(names.len(), 20, "{text}");
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())), "{names:?}");
    let nats = number_after(rest, "are new\n");
    // The uniform distribution over 27 characters has ln 27 = 3.296.
    assert!(nats < 2.8, "{nats}");
}

#[test]
fn fusion() {
    let text = quick("fusion");
    let (_, text) = text.split_once("on the test set:\n").unwrap();
    let [both, image, table] = ["both", "image", "table"].map(|name| number_after(text, name));
    // Chance is 10%.
    assert!(image > 40.0 && table > 30.0 && both > image.max(table), "{text}");
}

#[test]
fn unet() {
    let text = quick("unet");
    let [darkness, network] = ["best threshold", "U-Net "].map(|name| number_after(&text, name));
    assert!(darkness < 0.8 && 0.8 < network && network < 1.0, "{text}");
}

#[test]
fn resnet() {
    let text = quick("resnet");
    let (_, text) = text.split_once("smallest gradient").unwrap();
    let [plain, residual] = ["plain ", "residual "].map(|name| number_after(text, name));
    assert!(residual > plain && residual > 20.0, "{text}");
}

#[test]
fn deep() {
    let text = quick("deep");
    let (_, text) = text.split_once("powers of ten").unwrap();
    let [residual, plain, bare] =
        ["residual ", "plain ", "bare "].map(|name| number_after(text, name));
    assert!(residual < 2.0 && 3.0 < plain && 15.0 < bare, "{text}");
}

#[test]
fn vit() {
    let text = quick("vit");
    let [with_positions, without_positions] =
        ["test accuracy: ", "without positions: "].map(|of| number_after(&text, of));
    assert!(with_positions > 85.0 && without_positions < 50.0, "{text}");
}

#[test]
fn normfree() {
    let text = quick("normfree");
    let (clipped, unclipped) = text.split_once("the same without clipping:").unwrap();
    assert!(number_after(clipped, "test accuracy: ") > 85.0, "{text}");
    assert!(unclipped.contains("the loss is"), "{text}");
}

#[test]
fn contrastive() {
    let text = quick("contrastive");
    let [pixels, encoder] = ["by pixels ", "by encoder "].map(|of| number_after(&text, of));
    // Chance is 10%.
    assert!(pixels > 20.0 && encoder > pixels, "{text}");
}

#[test]
fn vae() {
    let text = quick("vae");
    let [bound, independent, least] =
        ["in nats: ", "pixels: ", "itself: "].map(|of| number_after(&text, of));
    assert!(least < bound && bound - least < independent - bound, "{text}");
}

#[test]
fn transfer() {
    let text = quick("transfer");
    assert!(text.contains("4 tensors loaded"), "{text}");
    let (_, means) = text.split_once("mean ").unwrap();
    let [of_moved, of_new] = ["", "%"].map(|before| number_after(means, before));
    // Chance is 20%.
    assert!(of_moved > 60.0 && of_new > 60.0, "{text}");
}

#[test]
fn saliency() {
    let text = quick("saliency");
    let [salient, random] = ["falls by\n", "largest saliency\n"].map(|of| number_after(&text, of));
    assert!(salient > 1.5 * random && random > 0.0, "{text}");
    assert!(number_after(&text, "the side of ") > 90.0, "{text}");
    let png = std::fs::read(temporary("saliency").join("saliency.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n"), "{} bytes", png.len());
}

#[test]
fn gan() {
    let text = output_of(example("gan", "gan").arg("--quick"));
    let [before, after, least] =
        ["before training: ", "epoch 5/5: energy distance ", "of real points: "]
            .map(|of| number_after(&text, of));
    assert!(after < 0.1 * before && least < after + 0.02, "{text}");
}

#[test]
fn dqn() {
    let text = output_of(example("dqn", "dqn").arg("--quick"));
    let [random, trained] =
        ["random actions: ", "other episodes: "].map(|of| number_after(&text, of));
    // A pole without control falls after some ten steps.
    assert!(9.0 < random && 3.0 * random < trained && trained <= 200.0, "{text}");
}

#[test]
fn image_folder() {
    let text = quick("image_folder");
    assert!(text.contains("160 images in `shapes`: circle, cross, square, triangle"), "{text}");
    assert!(number_after(&text, "are right (") >= 80.0, "{text}");
    // A folder of its own, with other classes.
    let folder = temporary("image_folder").join("shapes");
    let error =
        error_of(example("image_folder", "image_folder").arg("--data").arg(folder.join("circle")));
    assert!(error.contains("expected a sub-folder"), "{error}");
}

#[test]
fn book_figures() {
    let text = output_of(example("book_figures", "book_figures").arg("--quick"));
    let figures = text.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
    let drawn = figures.filter(|name| {
        let svg = temporary("book_figures").join(format!("{name}.svg"));
        std::fs::read_to_string(svg).is_ok_and(|svg| svg.matches("<polyline").count() >= 2)
    });
    assert_eq!(drawn.count(), 9, "{text}");
}

#[test]
fn shakespeare() {
    let text = output_of(example("shakespeare", "shakespeare").arg("--quick"));
    let epochs = || text.split("\nepoch ").skip(1);
    assert_eq!(epochs().count(), 5, "{text}");
    let losses: Vec<f64> = epochs().map(|epoch| number_after(epoch, "loss ")).collect();
    assert!(losses.is_sorted_by(|before, after| before > after), "the loss falls: {losses:?}");
    // The line of each epoch is followed by generated text.
    let generated = |text: &str| text.split_once("\n\n").unwrap().1.chars().count();
    assert!(epochs().all(|epoch| generated(epoch) > 200), "{text}");
    let (_, end) = text.split_once("generated after training:\n\n").unwrap();
    assert!(end.chars().count() > 1000, "{end}");
    let nats = number_after(end, "on the test text: ");
    // Character frequencies have 3.22, those given the character before 2.51.
    assert!(nats < 2.5, "{nats}");
}

#[test]
fn digits() {
    let text = output_of(example("digits", "digits").args(["--epochs", "1"]));
    assert!(number_after(&text, "test accuracy: ") > 80.0, "{text}");
}

#[test]
fn custom_layer() {
    let text = output_of(&mut example("custom_layer", "custom_layer"));
    let losses = losses(&text);
    assert!(losses.last() < losses.first(), "{text}");
}

/// Compares the output on 1 and 3 threads, without the times.
#[test]
fn results_do_not_depend_on_threads() {
    // Two at a time: most of the runs use one core.
    let all = [&WITH_DATA[..], &WITHOUT_DATA].concat();
    let (first, second) = all.split_at(all.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| check_threads(first));
        check_threads(second);
    });
}

fn check_threads(names: &[&str]) {
    for name in names {
        let [one, three] = ["1", "3"].map(|threads| {
            let folder = format!("{name}_{threads}");
            let text =
                output_of(example(name, &folder).arg("--quick").env("UNROLLED_THREADS", threads));
            let lines = text.lines().map(|line| match line.rsplit_once("; ") {
                Some((numbers, _time)) if line.starts_with("epoch") => numbers,
                _ => line,
            });
            lines.collect::<Vec<_>>().join("\n")
        });
        assert_eq!(one, three, "{name}");
    }
}

/// The error message of a program that must fail with one line, without a panic.
fn error_of(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{command:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[test]
fn without_data_they_report_where_to_get_them() {
    for name in WITH_DATA {
        let error = error_of(&mut example(name, name));
        for part in ["--data DIR", "UNROLLED_DATA", "https://", "--quick"] {
            assert!(error.contains(part), "{name}: {error}");
        }
        let empty = temporary("empty");
        let of_argument = error_of(example(name, name).arg("--data").arg(&empty));
        let of_variable = error_of(example(name, name).env("UNROLLED_DATA", &empty));
        assert_eq!(of_argument, of_variable);
        let file = format!("there is no file `{}", empty.display());
        assert!(error.contains("https://") && of_argument.contains(&file), "{of_argument}");
    }
}

#[test]
fn audio() {
    // The header of one channel of 16 bits, 48,000 samples per second, and 1,000 of them.
    let [len, rate] = [2000, 48_000].map(u32::to_le_bytes);
    let format =
        [b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0", &rate[..], b"\0\0\0\0\x02\0\x10\0"]
            .concat();
    let file = [&format[..], b"data", &len, &[0; 2000]].concat();
    let folder = temporary("audio");
    std::fs::write(folder.join("in.wav"), &file).unwrap();
    let text = output_of(example("audio", "audio").args(["--quick", "in.wav", "out.wav"]));
    assert!(text.contains("16 blocks of 64 samples"), "{text}");
    let losses: Vec<f64> = text
        .lines()
        .filter(|line| line.contains("loss"))
        .map(|line| number_after(line, "loss "))
        .collect();
    assert!(losses.len() == 2 && losses[1] < losses[0], "{text}");
    assert_eq!(std::fs::read(folder.join("out.wav")).unwrap().len(), file.len());
    std::fs::write(folder.join("in.wav"), &file[1..]).unwrap();
    let error = error_of(example("audio", "audio").args(["in.wav", "out.wav"]));
    assert_eq!(error, "error: in.wav: expected a WAV file, found another one\n");
    std::fs::write(folder.join("in.wav"), [&format[..], b"data\0\0\0\0"].concat()).unwrap();
    let error = error_of(example("audio", "audio").args(["in.wav", "out.wav"]));
    assert_eq!(
        error,
        "error: in.wav: expected samples in the WAV file (a chunk `data`), found none\n"
    );
}

#[test]
fn wrong_arguments_print_the_usage() {
    for name in WITH_DATA.into_iter().chain(WITHOUT_DATA) {
        let help = output_of(example(name, name).arg("--help"));
        assert!(help.contains(&format!("--example {name} ")) && help.contains("--quick"), "{help}");
        for wrong in [&["--quik"][..], &["--seed", "many"], &["--quick", "--data", "."]] {
            let Output { status, stderr, .. } = example(name, name).args(wrong).output().unwrap();
            let stderr = String::from_utf8(stderr).unwrap();
            assert_eq!(status.code(), Some(2), "{stderr}");
            assert!(stderr.contains("usage: ") && !stderr.contains("panicked"), "{stderr}");
        }
    }
}
