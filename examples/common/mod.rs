//! Shared by the examples: command-line options, paths of data sets, and checks of the results.

use lexopt::prelude::*;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unrolled::train::{Epoch, History};

/// The options of the command line.
pub(crate) struct Options {
    /// Whether to use a small sample that comes with the example.
    pub(crate) quick: bool,
    /// The seed of initial weights, order of samples and dropout.
    pub(crate) seed: u64,
    data: Option<PathBuf>,
}

const OPTIONS: &str = "\
  --data DIR   the folder of the data sets (default: the environment variable UNROLLED_DATA)
  --quick      runs in seconds, on a small sample that comes with the example
  --seed N     the seed of all random numbers (default: 1)
  --help       print this

The environment variable UNROLLED_THREADS sets the number of threads. The results do not depend on it.
";

/// Runs the example `name` with the options of the command line. An error is printed in one line and sets the exit
/// code.
pub(crate) fn start(name: &str, run: fn(&Options) -> Result<(), Box<dyn Error>>) -> ExitCode {
    let usage = format!("usage: cargo run --release --example {name} -- [OPTIONS]\n\n{OPTIONS}");
    match Options::from_command_line() {
        Err(error) => {
            eprintln!("error: {error}\n\n{usage}");
            ExitCode::from(2)
        }
        Ok(None) => {
            print!("{usage}");
            ExitCode::SUCCESS
        }
        Ok(Some(options)) => match run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

impl Options {
    /// `None` if the user requests help.
    fn from_command_line() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self { quick: false, seed: 1, data: None };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("data") => options.data = Some(parser.value()?.into()),
                Long("quick") => options.quick = true,
                Long("seed") => options.seed = parser.value()?.parse()?,
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        if options.quick && options.data.is_some() {
            return Err("`--quick` reads no data, so leave out `--data`".into());
        }
        Ok(Some(options))
    }

    /// The folder of `--data`.
    #[allow(dead_code, reason = "most examples read files of data sets")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The file `path` of the data sets. `source` is the address to download it from.
    #[allow(dead_code, reason = "some examples make their data")]
    pub(crate) fn file(&self, path: &str, source: &str) -> Result<PathBuf, String> {
        let from_environment = || std::env::var_os("UNROLLED_DATA").map(PathBuf::from);
        let Some(folder) = self.data.clone().or_else(from_environment) else {
            return Err(format!(
                "set `--data DIR` or UNROLLED_DATA to the folder with `{path}` (get it from {source}), \
                 or use `--quick`, which needs no data"
            ));
        };
        let file = folder.join(path);
        if file.is_file() {
            return Ok(file);
        }
        Err(format!("there is no file `{}`: get it from {source}", file.display()))
    }
}

/// Prints a statement about the results, or fails if it does not hold.
pub(crate) fn claim(words: &str, holds: bool) -> Result<(), Box<dyn Error>> {
    if !holds {
        return Err(format!("expected, but not found: {words}").into());
    }
    println!("checked: {words}");
    Ok(())
}

/// Checks that the training loss fell.
#[allow(dead_code, reason = "loops of an example's own have no `History`")]
pub(crate) fn claim_progress(history: &History) -> Result<(), Box<dyn Error>> {
    let loss = |epoch: &Epoch| epoch.training.loss;
    let (first, last) = (history.epochs.first().map(loss), history.epochs.last().map(loss));
    claim("the training loss fell", last < first)
}
