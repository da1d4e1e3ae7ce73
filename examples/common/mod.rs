//! What the examples share: arguments, the way to the data, and claims that a program checks itself.

use lexopt::prelude::*;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use unrolled::train::{Epoch, History};

/// What the user asks for.
pub(crate) struct Options {
    /// Only a small sample that the example makes itself.
    pub(crate) quick: bool,
    /// Everything random follows from it: first weights, order of the samples, dropout.
    pub(crate) seed: u64,
    data: Option<PathBuf>,
}

const OPTIONS: &str = "\
  --data DIR   where the data sets are (default: the environment variable UNROLLED_DATA)
  --quick      runs in seconds, on a small sample that comes with the example
  --seed N     everything random follows from it (default: 1)
  --help       print this

The environment variable UNROLLED_THREADS says how many threads to use. The results do not depend on it.
";

/// Runs the example `name` as the command line says. What goes wrong is told in one line, and in the exit code.
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
    /// Nothing if the user asks for help.
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

    /// Where the file `path` of the data sets is. `source` is the address where everybody can get it.
    pub(crate) fn file(&self, path: &str, source: &str) -> Result<PathBuf, String> {
        let from_environment = || std::env::var_os("UNROLLED_DATA").map(PathBuf::from);
        let Some(folder) = self.data.clone().or_else(from_environment) else {
            return Err(format!(
                "say with `--data DIR` or UNROLLED_DATA which folder holds `{path}` (get it from {source}), \
                 or try `--quick`, which needs none"
            ));
        };
        let file = folder.join(path);
        if file.is_file() {
            return Ok(file);
        }
        Err(format!("there is no file `{}`: get it from {source}", file.display()))
    }
}

/// Prints what the example promises, and fails if it is not so.
pub(crate) fn claim(words: &str, holds: bool) -> Result<(), Box<dyn Error>> {
    if !holds {
        return Err(format!("this should be true, but is not: {words}").into());
    }
    println!("as promised: {words}");
    Ok(())
}

/// The first promise of all.
pub(crate) fn claim_progress(history: &History) -> Result<(), Box<dyn Error>> {
    let loss = |epoch: &Epoch| epoch.training.loss;
    let (first, last) = (history.epochs.first().map(loss), history.epochs.last().map(loss));
    claim("the training loss fell", last < first)
}
