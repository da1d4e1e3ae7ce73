//! The command line of the examples.

use lexopt::prelude::*;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// The options of the command line.
pub(crate) struct Options {
    pub(crate) epochs: usize,
    /// The file for the weights.
    pub(crate) save: PathBuf,
    /// The folder of checkpoints, which a run continues if there are any.
    pub(crate) checkpoint: Option<PathBuf>,
}

impl Options {
    fn from_command_line(name: &str) -> Result<Self, lexopt::Error> {
        let save = format!("{name}.safetensors").into();
        let mut options = Self { epochs: 5, save, checkpoint: None };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("epochs") => options.epochs = parser.value()?.parse()?,
                Long("save") => options.save = parser.value()?.into(),
                Long("checkpoint") => options.checkpoint = Some(parser.value()?.into()),
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }
}

/// Runs an example. An error of one rank is printed by that rank, and by the others with the rank's name.
pub(crate) fn start(name: &str, run: fn(&Options) -> Result<(), Box<dyn Error>>) -> ExitCode {
    let options = match Options::from_command_line(name) {
        Ok(options) => options,
        Err(error) => {
            eprintln!(
                "error: {error}\n\nusage: mpirun -n RANKS {name} [--epochs N] [--save FILE] [--checkpoint FOLDER]"
            );
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
