//! `examples/c`: a C program and a Python script that use the library.
//!
//! `cargo test` builds the library. `cargo test --test c_api` does not: `cargo build --example digits_c` does.

#[path = "../examples/c/lib.rs"]
mod digits;

use digits::{DIGITS_HEADER, Digits, digits_forward, digits_forward_in};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use unrolled::prelude::*;

/// The folder of the example.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/c")
}

/// The folder of the library.
fn built() -> PathBuf {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples");
    let library = folder.join("libdigits_c.so");
    assert!(library.exists(), "no {}: `cargo build --example digits_c`", library.display());
    folder
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
    text
}

/// Whether a program starts with these arguments.
fn runs(program: &str, arguments: &[&str]) -> bool {
    let found = Command::new(program).args(arguments).output();
    let runs = found.is_ok_and(|output| output.status.success());
    if !runs {
        // Not captured, as what a passing test prints is.
        let _ =
            writeln!(std::io::stderr(), "skipped: {program} {} does not run", arguments.join(" "));
    }
    runs
}

/// `BLESS=1 cargo test --test c_api` writes the header.
#[test]
fn the_header_is_that_of_the_network() {
    let path = folder().join("digits.h");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, DIGITS_HEADER).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), DIGITS_HEADER);
}

#[test]
#[cfg(target_os = "linux")]
fn a_c_program_gets_the_bits_of_rust() {
    if !runs("gcc", &["--version"]) {
        return;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digits_c");
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=c99", "-Wall", "-Wextra", "-Werror"]).arg(folder().join("main.c"));
    output_of(gcc.arg("-o").arg(&program).arg("-L").arg(built()).arg("-ldigits_c"));
    let text = output_of(Command::new(&program).env("LD_LIBRARY_PATH", built()));

    // The first image of the data.
    let pixels = fs::read("examples/data/digits-images-idx3-ubyte").unwrap()[16..80].to_vec();
    let x = image(|pixel| f32::from(pixels[pixel]) / 16.0);
    let net = Digits::pretrained();
    let in_memory = net.forward_in(&mut [0.0; Digits::WORKSPACE_LEN], &x);
    let scores = net.forward(&x).into_iter().zip(in_memory);
    let expected: Vec<[f32; 2]> = scores.map(|(score, again)| [score, again]).collect();
    let lines: Vec<&str> = text.lines().collect();
    let found: Vec<[f32; 2]> = lines[..10].iter().map(|line| floats(line)).collect();
    assert_eq!(found, expected);
    assert_eq!(lines[10..], ["digit 0", "null 1"]);
}

#[test]
#[cfg(target_os = "linux")]
fn python_gets_the_bits_of_rust() {
    let python = std::env::var("UNROLLED_PYTHON").unwrap_or_else(|_| "python3".into());
    if !runs(&python, &["-c", "import numpy"]) {
        return;
    }
    let library = built().join("libdigits_c.so");
    let text = output_of(Command::new(python).arg(folder().join("digits.py")).arg(library));
    assert_eq!(floats(&text), Digits::pretrained().forward(&image(|pixel| pixel as f32 / 64.0)));
}

/// The image whose pixels, row by row, are these.
fn image(pixel: impl Fn(usize) -> f32) -> [[[f32; 1]; 8]; 8] {
    std::array::from_fn(|row| std::array::from_fn(|column| [pixel(8 * row + column)]))
}

/// The numbers of a line.
fn floats<const N: usize>(line: &str) -> [f32; N] {
    let floats: Vec<f32> = line.split_whitespace().map(|float| float.parse().unwrap()).collect();
    floats.try_into().unwrap()
}

network! {
    #[weights("tests/reference/models/embedding_weights.safetensors")]
    pub struct Words(7) -> 2 {
        words: Embedding(11, 6, padding_index = 0), Dense(5), GlobalAvgPool, Tanh, Dense(2),
    }
}

unrolled::c_api!(Words);

#[test]
fn what_is_refused_has_a_number() {
    let (x, mut y) = (image(|_| 0.5), [0.0; 10]);
    let (null, odd) = (std::ptr::null_mut(), (&raw mut y).wrapping_byte_add(1));
    let mut workspace = [f32::NAN; Digits::WORKSPACE_LEN];
    // SAFETY: pointers are null, or point to what the functions expect; one that is not aligned is not used.
    unsafe {
        assert_eq!(digits_forward(&raw const x, &raw mut y), 0);
        assert_eq!(digits_forward(std::ptr::null(), &raw mut y), 1);
        assert_eq!(digits_forward(&raw const x, odd), 1);
        assert_eq!(digits_forward_in(null, &raw const x, &raw mut y), 1);
        assert_eq!(digits_forward_in(workspace.as_mut_ptr(), &raw const x, &raw mut y), 0);
        // A token outside of the vocabulary.
        let mut y = [0.0; 2];
        assert_eq!(words_forward(&[0, 10, 2, 3, 4, 5, 6], &raw mut y), 0);
        assert_eq!(words_forward(&[0, 11, 2, 3, 4, 5, 6], &raw mut y), 2);
        let mut workspace = [0.0; Words::WORKSPACE_LEN];
        assert_eq!(words_forward_in(workspace.as_mut_ptr(), &[11; 7], &raw mut y), 2);
    }
    assert!(WORDS_HEADER.contains("int words_forward(const uint32_t *x, float *y);"));
}
