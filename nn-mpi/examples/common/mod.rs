//! The command line of the examples.

mod times;

use lexopt::prelude::*;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
pub(crate) use times::Times;
use unrolled_mpi::World;

pub(crate) type Result = std::result::Result<(), Box<dyn Error>>;

/// The options of the command line.
pub(crate) struct Options {
    pub(crate) epochs: usize,
    /// The number of samples in a batch.
    pub(crate) batch: usize,
    /// The leaves of the reduction tree: at least one for each rank.
    pub(crate) leaves: usize,
    /// Whether the optimiser's state is divided among the ranks.
    pub(crate) shard_optimizer: bool,
    /// The file for the weights.
    pub(crate) save: PathBuf,
    /// The folder of checkpoints, which a run continues if there are any.
    pub(crate) checkpoint: Option<PathBuf>,
    /// Whether each rank prints how long its steps took.
    pub(crate) times: bool,
}

impl Options {
    fn from_command_line(name: &str, batch: usize) -> std::result::Result<Self, lexopt::Error> {
        let save = format!("{name}.safetensors").into();
        let mut options = Self {
            epochs: 5,
            batch,
            leaves: 8,
            shard_optimizer: false,
            save,
            checkpoint: None,
            times: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("epochs") => options.epochs = parser.value()?.parse()?,
                Long("batch") => options.batch = parser.value()?.parse()?,
                Long("leaves") => options.leaves = parser.value()?.parse()?,
                Long("shard-optimizer") => options.shard_optimizer = true,
                Long("save") => options.save = parser.value()?.into(),
                Long("checkpoint") => options.checkpoint = Some(parser.value()?.into()),
                Long("times") => options.times = true,
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }
}

/// Runs an example on this rank, in batches of `batch` unless the command line says otherwise.
pub(crate) fn start(name: &str, batch: usize, run: fn(&World, &Options) -> Result) -> ExitCode {
    let options = match Options::from_command_line(name, batch) {
        Ok(options) => options,
        Err(error) => {
            eprintln!(
                "error: {error}\n\nusage: mpirun -n RANKS {name} [--epochs N] [--batch N] [--leaves N] [--shard-optimizer] \
                 [--save FILE] [--checkpoint FOLDER] [--times]"
            );
            return ExitCode::from(2);
        }
    };
    let world = match World::init() {
        Ok(world) => world,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run(&world, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // As one piece: other ranks print at the same time.
            let line = format!("error on rank {}: {error}\n", world.rank());
            eprint!("{line}");
            ExitCode::FAILURE
        }
    }
}
