//! The main example: a convolutional network that classifies handwritten digits.
//!
//!     cargo run --release --example digits
//!
//! trains on 1,437 of the 1,797 digits in `examples/data`, reports the accuracy on the other 360, and writes the
//! weights to `digits.safetensors`. `--help` lists the options.
//!
//! Introduces **convolutional layers**. `Conv2d` detects the same small patterns everywhere in an image. `MaxPool2d`
//! keeps the strongest response of each neighbourhood. The dense layers after them combine the responses into a score
//! for each digit.
//!
//! The digits are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
//! C. Kaynak (1998), UCI Machine Learning Repository, as shipped in scikit-learn; CC BY 4.0. See
//! `examples/data/README.md`.

use lexopt::prelude::*;
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unrolled::data::{Data, Idx, Image, Standardizer, resize};
use unrolled::prelude::*;
use unrolled::train::Confusion;

network! {
    /// Classifies handwritten digits.
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3) -> 26x26x32,
        ReLU,
        MaxPool2d(2)                  -> 13x13x32,
        conv2: Conv2d(64, kernel = 3) -> 11x11x64,
        ReLU,
        MaxPool2d(2)                  -> 5x5x64,
        Flatten                       -> 1600,
        fc1: Dense(128),
        ReLU,
        Dropout(0.5),
        fc2: Dense(10),
    }
}

/// Images, and the digits they show.
type Images = Data<Image<28, 28>, u32>;

const USAGE: &str = "\
usage: cargo run --release --example digits -- [OPTIONS]

  --mnist DIR    use MNIST, its four IDX files in DIR (plain or .gz)
  --epochs N     number of epochs (default: 15; with --mnist 5)
  --save FILE    write the weights to FILE (default: digits.safetensors)
  --load FILE    do not train, test the weights in FILE
  --help         print this

The environment variable UNROLLED_THREADS sets the number of threads. The results do not depend on it.
";

/// The seed of initial weights, order of samples and dropout.
const SEED: u64 = 42;

/// The number of test images among the embedded digits.
const TEST_DIGITS: usize = 360;

fn main() -> ExitCode {
    match Options::from_command_line() {
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            ExitCode::from(2)
        }
        Ok(Options { help: true, .. }) => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(options) => match run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// The options of the command line.
#[derive(Default)]
struct Options {
    mnist: Option<PathBuf>,
    epochs: Option<NonZeroUsize>,
    save: Option<PathBuf>,
    load: Option<PathBuf>,
    help: bool,
}

impl Options {
    fn from_command_line() -> Result<Self, lexopt::Error> {
        let mut options = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("mnist") => options.mnist = Some(parser.value()?.into()),
                Long("epochs") => options.epochs = Some(parser.value()?.parse()?),
                Long("save") => options.save = Some(parser.value()?.into()),
                Long("load") => options.load = Some(parser.value()?.into()),
                Short('h') | Long("help") => options.help = true,
                other => return Err(other.unexpected()),
            }
        }
        if options.load.is_some() && (options.save.is_some() || options.epochs.is_some()) {
            return Err(
                "`--load` tests existing weights and cannot be combined with `--epochs` or `--save`".into()
            );
        }
        Ok(options)
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let (train, mut test) = match &options.mnist {
        Some(folder) => (mnist(folder, "train")?, mnist(folder, "t10k")?),
        None => embedded_digits()?,
    };
    println!("{}", Digits::summary());
    let (net, standardizer): (Box<Digits>, Standardizer) = match &options.load {
        Some(path) => Digits::load_with(path)?,
        None => train_network(train, &test, options)?,
    };
    standardizer.apply_all(&mut test.inputs);
    let confusion = Confusion::of(&*net, &test)?;
    println!("\npredictions for {} test digits:\n\n{confusion}\n", test.len());
    println!("test accuracy: {:.2}%", 100.0 * confusion.accuracy());
    Ok(())
}

/// Trains a new network, and saves it with the mean and standard deviation of its inputs.
fn train_network(
    mut train: Images,
    test: &Images,
    options: &Options,
) -> Result<(Box<Digits>, Standardizer), Box<dyn Error>> {
    let standardizer = Standardizer::over_all(&train.inputs)?;
    standardizer.apply_all(&mut train.inputs);
    // The test set is evaluated after each epoch to watch progress. Nothing is chosen by it.
    let mut valid = test.clone();
    standardizer.apply_all(&mut valid.inputs);

    let default_epochs = if options.mnist.is_some() { 5 } else { 15 };
    let epochs = options.epochs.map_or(default_epochs, NonZeroUsize::get);
    let mut net = Digits::new(SEED);
    Trainer::new(Adam::new(1e-3))
        .batch(64)
        .epochs(epochs)
        // A linear decay to zero, so that the weights converge.
        .learning_rate(|epoch| 1e-3 * (epochs + 1 - epoch) as f64 / epochs as f64)
        .seed(SEED)
        .validate(&valid)
        .fit(&mut net, &train, &CrossEntropy::default())?;

    let path = options.save.as_deref().unwrap_or(Path::new("digits.safetensors"));
    net.save_with(path, &standardizer)?;
    println!("\nweights saved to {}", path.display());
    Ok((net, standardizer))
}

/// The training and test sets of the digits in `examples/data`, resized to 28x28.
fn embedded_digits() -> Result<(Images, Images), Box<dyn Error>> {
    let images = Idx::parse("digits", include_bytes!("data/digits-images-idx3-ubyte"))?;
    let labels = Idx::parse("labels", include_bytes!("data/digits-labels-idx1-ubyte"))?;
    let small = images.labelled::<8, 8>(&labels)?;
    let mut train = Data {
        inputs: small.inputs.iter().map(|image| *resize(image)).collect(),
        targets: small.targets,
    };
    train.shuffle(SEED);
    let test = train.split_off(TEST_DIGITS);
    Ok((train, test))
}

/// The MNIST set whose file names begin with `set`.
fn mnist(folder: &Path, set: &str) -> Result<Images, Box<dyn Error>> {
    let images = Idx::read(plain_or_compressed(folder, &format!("{set}-images-idx3-ubyte")))?;
    let labels = Idx::read(plain_or_compressed(folder, &format!("{set}-labels-idx1-ubyte")))?;
    Ok(images.labelled(&labels)?)
}

fn plain_or_compressed(folder: &Path, name: &str) -> PathBuf {
    let plain = folder.join(name);
    if plain.exists() { plain } else { folder.join(format!("{name}.gz")) }
}
