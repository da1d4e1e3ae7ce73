//! A noisy image and a noisy table of measurements of the same digit, in one network with two outputs.
//!
//! ```text
//! cargo run --release --example fusion -- --data DIR
//! ```
//!
//! Introduces **several inputs, several outputs, and named values**. The header names two inputs of different shapes.
//! Each has layers of its own (`image => Conv2d(..)`, `table => Dense(..)`), and `Concat` joins their features. The
//! network has two outputs: the class of the digit, and the amount of ink, a regression. Each has a loss of its own,
//! and `weighted` sets its weight in the sum. The same layers with only one of the inputs must be worse at both.
//!
//! Data: MNIST, `mnist` in the data folder. The image has strong noise. The table has noisy measurements of the ink
//! in seven bands of rows and seven bands of columns.

mod common;
#[path = "common/images.rs"]
mod images;
#[path = "common/noise.rs"]
mod noise;

use common::{Options, claim, claim_progress};
use images::{Images, Source, images};
use noise::Noise;
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::{Image, StandardizeError, Standardizer};
use unrolled::loss::Weighted;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;
use unrolled::train::Score;

network! {
    /// The features of an image.
    block ImageFeatures {
        Conv2d(12, kernel = 5, stride = 2) -> 12x12x12,
        ReLU,
        Conv2d(24, kernel = 3)             -> 10x10x24,
        ReLU,
        MaxPool2d(2)                       -> 5x5x24,
        Flatten,
        Dense(64, bias = false),
        BatchNorm,
        ReLU,
    }

    /// The features of a table.
    block TableFeatures { Dense(64), ReLU }

    /// Both inputs.
    pub struct Fusion(image: 28x28x1, table: 14) -> (digit: 10, ink: 1) {
        Concat { image => { ImageFeatures }, table => { TableFeatures } } -> 128,
        Dropout(0.2),
        hidden: Dense(64),
        ReLU,
        shared: Dropout(0.2),
        digit: Dense(10),
        ink: shared => Dense(1),
    }

    /// The image only.
    pub struct ImageOnly(28x28x1) -> (digit: 10, ink: 1) {
        ImageFeatures, Dropout(0.2),
        hidden: Dense(64),
        ReLU,
        shared: Dropout(0.2),
        digit: Dense(10),
        ink: shared => Dense(1),
    }

    /// The table only.
    pub struct TableOnly(14) -> (digit: 10, ink: 1) {
        TableFeatures, Dropout(0.2),
        hidden: Dense(64),
        ReLU,
        shared: Dropout(0.2),
        digit: Dense(10),
        ink: shared => Dense(1),
    }
}

/// The ink in seven bands of four rows, then in seven bands of four columns.
type Bands = [f32; 14];

/// The digit, and the standardised amount of ink.
type Target = (u32, [f32; 1]);

type Both = (Image<28, 28>, Bands);
type Samples<Input> = Data<Input, Target>;

/// The standard deviation of the noise of each pixel, whose values go up to 1.
const IMAGE_NOISE: f32 = 1.0;

/// The standard deviation of the noise of each value of a table, in units of a black pixel.
const TABLE_NOISE: f32 = 9.0;

/// The number of MNIST's training images to use.
const TRAINED: usize = 20_000;

const MNIST: Source = Source { folder: "mnist", address: "https://github.com/cvdfoundation/mnist" };

fn main() -> ExitCode {
    common::start("fusion", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [mut train, test] = images(options, &MNIST)?;
    if !options.quick {
        let _rest = train.split_off(train.len() - TRAINED);
    }
    println!("{} training digits, {} test digits", train.len(), test.len());
    let mut noise = Noise::new(options.seed);
    let [mut train, mut test] = [train, test].map(|clean| measured(&clean, &mut noise));
    standardise(&mut train, &mut test)?;

    let both = train_network::<Fusion>(&train, &test, options)?;
    let [image_train, image_test] =
        [&train, &test].map(|samples| only(samples, |(image, _)| *image));
    let image = train_network::<ImageOnly>(&image_train, &image_test, options)?;
    let [table_train, table_test] =
        [&train, &test].map(|samples| only(samples, |(_, table)| *table));
    let table = train_network::<TableOnly>(&table_train, &table_test, options)?;

    println!("\non the test set:");
    println!("                accuracy   error of the ink, in standard deviations");
    for (name, score) in [("both", both), ("image", image), ("table", table)] {
        println!("  {name:<10} {:>10.2}%   {:.3}", 100.0 * score.accuracy, score.error);
    }
    for (name, alone) in [("image", image), ("table", table)] {
        let words = format!("both inputs have a higher accuracy than the {name} alone");
        claim(&words, both.accuracy > alone.accuracy)?;
        let words = format!("both inputs have a smaller error of the ink than the {name} alone");
        claim(&words, both.error < alone.error)?;
    }
    Ok(())
}

/// The results of a network on the test set.
#[derive(Clone, Copy)]
struct Results {
    /// The fraction of digits that are classified correctly.
    accuracy: f64,
    /// The root mean square error of the ink, in standard deviations of the ink.
    error: f64,
}

/// The losses of both outputs. The weight of the ink is half that of the digit.
fn losses() -> (CrossEntropy, Weighted<MeanSquaredError>) {
    (CrossEntropy::new(), MeanSquaredError.weighted(INK_WEIGHT))
}

const INK_WEIGHT: f32 = 0.5;

/// Trains a network, and returns its results on the test set. Nothing is chosen by them.
fn train_network<N: Network>(
    train: &Samples<N::Input>,
    test: &Samples<N::Input>,
    options: &Options,
) -> Result<Results, Box<dyn Error>>
where
    (CrossEntropy, Weighted<MeanSquaredError>): Loss<N::Output, Target = Target>,
{
    println!("\n{}", N::summary());
    let mut net = N::new(options.seed);
    let epochs = if options.quick { 6 } else { 5 };
    let history = Trainer::new(AdamW::new(2e-3))
        .epochs(epochs)
        .seed(options.seed)
        .schedule_epochs(Cosine::new(epochs))
        .validate(test)
        .fit(&mut net, train, &losses())?;
    claim_progress(&history)?;
    Ok(results(&net.evaluate(test, &losses())?))
}

fn results(score: &Score) -> Results {
    let loss_of_ink =
        score.outputs().find(|output| output.name == "ink").map_or(f64::NAN, |output| output.loss);
    let error = (loss_of_ink / f64::from(INK_WEIGHT)).sqrt();
    Results { accuracy: score.accuracy.unwrap_or(f64::NAN), error }
}

/// A noisy image and a noisy table of each clean image, with the targets of both outputs.
fn measured(clean: &Images, noise: &mut Noise) -> Samples<Both> {
    let sample = |(image, digit): (&Image<28, 28>, &u32)| {
        let noisy_image = image.map(|row| row.map(|[x]| [x + IMAGE_NOISE * noise.normal()]));
        let noisy_table = bands(image).map(|ink| ink + TABLE_NOISE * noise.normal());
        let ink = image.as_flattened().as_flattened().iter().sum();
        ((noisy_image, noisy_table), (*digit, [ink]))
    };
    clean.inputs.iter().zip(&clean.targets).map(sample).collect()
}

/// The ink in each band of four rows, then in each band of four columns.
fn bands(image: &Image<28, 28>) -> Bands {
    let mut bands = [0.0; 14];
    for (y, row) in image.iter().enumerate() {
        for (x, [ink]) in row.iter().enumerate() {
            bands[y / 4] += ink;
            bands[7 + x / 4] += ink;
        }
    }
    bands
}

/// Standardises tables and ink of both sets by the mean and standard deviation of the training set. Images need no
/// standardisation: most of their pixels are noise with mean 0 and standard deviation 1.
fn standardise(
    train: &mut Samples<Both>,
    test: &mut Samples<Both>,
) -> Result<(), StandardizeError> {
    let tables: Vec<Bands> = train.inputs.iter().map(|(_, table)| *table).collect();
    let inks: Vec<[f32; 1]> = train.targets.iter().map(|(_, ink)| *ink).collect();
    let [of_table, of_ink] =
        [Standardizer::per_feature(&tables)?, Standardizer::per_feature(&inks)?];
    for set in [train, test] {
        set.inputs.iter_mut().for_each(|(_, table)| of_table.apply(table));
        set.targets.iter_mut().for_each(|(_, ink)| of_ink.apply(ink));
    }
    Ok(())
}

/// The same samples with only one of the inputs.
fn only<Input>(samples: &Samples<Both>, input: impl Fn(&Both) -> Input) -> Samples<Input> {
    Data { inputs: samples.inputs.iter().map(input).collect(), targets: samples.targets.clone() }
}
