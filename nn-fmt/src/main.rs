//! `unrolled-fmt`: formats `network!` blocks, after rustfmt. See the README of this crate.

mod format;
mod layout;
mod lex;

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

const USAGE: &str = "usage: unrolled-fmt [--check] [--no-rustfmt] FILE..
       unrolled-fmt [--no-rustfmt] --stdin

  --check        names the files that would change, and fails if there are any
  --stdin        formats the standard input, and writes to the standard output
  --no-rustfmt   formats network! blocks only";

/// What the command line asks for.
#[derive(Default)]
struct Options {
    check: bool,
    stdin: bool,
    rustfmt: bool,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    if env::args().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match options().and_then(|options| run(&options)) {
        Ok(changed) => ExitCode::from(u8::from(changed)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, Box<dyn Error>> {
    use lexopt::prelude::*;
    let mut options = Options { rustfmt: true, ..Options::default() };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("check") => options.check = true,
            Long("stdin") => options.stdin = true,
            Long("no-rustfmt") => options.rustfmt = false,
            Value(file) => options.files.push(file.into()),
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    if options.stdin == options.files.is_empty() && (!options.stdin || !options.check) {
        return Ok(options);
    }
    Err(USAGE.into())
}

/// Formats all files. Returns whether a check found one that would change.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    if options.stdin {
        let mut source = String::new();
        stdin().read_to_string(&mut source)?;
        let text = formatted(&source, &env::current_dir()?, options)?;
        stdout().write_all(text.as_bytes())?;
        return Ok(false);
    }
    let mut changed = false;
    for file in &options.files {
        let failed = |error: Box<dyn Error>| format!("{}: {error}", file.display());
        let source = fs::read_to_string(file).map_err(|error| failed(error.into()))?;
        let text = formatted(&source, file, options).map_err(failed)?;
        if text == source {
            continue;
        }
        if options.check {
            println!("{}", file.display());
            changed = true;
        } else {
            fs::write(file, text).map_err(|error| failed(error.into()))?;
        }
    }
    Ok(changed)
}

/// `source`, which is from `path`, after rustfmt and with formatted blocks.
fn formatted(source: &str, path: &Path, options: &Options) -> Result<String, Box<dyn Error>> {
    let source = if options.rustfmt { rustfmt(source, path)? } else { source.to_owned() };
    Ok(format::format(&source))
}

/// `source` after rustfmt, with the edition and the configuration of the package that `path` is in.
fn rustfmt(source: &str, path: &Path) -> Result<String, Box<dyn Error>> {
    let path = path.canonicalize()?;
    let folder = if path.is_dir() { &path } else { path.parent().unwrap_or(&path) };
    let mut command = Command::new("rustfmt");
    command.arg("--edition").arg(edition(folder));
    if let Some(file) = configuration(folder) {
        command.arg("--config-path").arg(file);
    }
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| {
        format!("rustfmt: {error} (`rustup component add rustfmt`, or write `--no-rustfmt`)")
    })?;
    // rustfmt reads all of its input before it writes.
    child.stdin.take().expect("piped").write_all(source.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err("rustfmt failed".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The nearest configuration of rustfmt.
fn configuration(folder: &Path) -> Option<PathBuf> {
    let mut files =
        folder.ancestors().flat_map(|f| [f.join("rustfmt.toml"), f.join(".rustfmt.toml")]);
    files.find(|file| file.is_file())
}

/// The edition in the nearest `Cargo.toml` that states one.
fn edition(folder: &Path) -> String {
    let manifests =
        folder.ancestors().filter_map(|f| fs::read_to_string(f.join("Cargo.toml")).ok());
    let stated = |manifest: String| {
        let mut lines = manifest.lines();
        lines
            .find_map(|line| Some(line.strip_prefix("edition = \"")?.split('"').next()?.to_owned()))
    };
    manifests.filter_map(stated).next().unwrap_or_else(|| "2024".to_owned())
}
