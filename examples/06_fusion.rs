//! A noisy picture and a noisy table of measurements of the same digit, in one network with two answers.
//!
//! ```text
//! cargo run --release --example fusion -- --data DIR
//! ```
//!
//! Part of the introduction: **several inputs, several outputs, and named values**. The header names two inputs of
//! different kinds; each goes its own way (`picture => Conv2d(..)`, `table => Dense(..)`) until `Concat` puts
//! what both have found side by side. Two lines give what the header promises: which digit it is, a classification,
//! and how much ink it takes, a number. Each has a loss of its own, and `weighted` says how much it counts. The
//! same layers with one of the inputs alone have to be worse at both.
//!
//! Data: MNIST, `mnist` in the data folder. Noise buries the picture; the table says how much ink there is in
//! each of seven bands of rows and seven bands of columns, measured badly.

mod common;
#[path = "common/noise.rs"]
mod noise;
#[path = "common/pictures.rs"]
mod pictures;

use common::{Options, claim, claim_progress};
use noise::Noise;
use pictures::{Pictures, Source, pictures};
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::{Image, StandardizeError, Standardizer};
use unrolled::loss::Weighted;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;
use unrolled::train::Score;

network! {
    /// What there is to see in a picture.
    block Look {
        Conv2d(12, kernel = 5, stride = 2)   -> 12x12x12,
        ReLU,
        Conv2d(24, kernel = 3)               -> 10x10x24,
        ReLU,
        MaxPool2d(2)                         -> 5x5x24,
        Flatten,
        Dense(64),
        BatchNorm,
        ReLU,
    }

    /// What there is to read in a table.
    block Read { Dense(64), ReLU }

    /// Both inputs.
    pub struct Fusion(picture: 28x28x1, table: 14) -> (digit: 10, ink: 1) {
        Concat { picture => { Look }, table => { Read } } -> 128,
        Dropout(0.2),
        found: Dense(64),
        ReLU,
        both: Dropout(0.2),
        digit: Dense(10),
        ink: both => Dense(1),
    }

    /// The picture alone.
    pub struct Picture(28x28x1) -> (digit: 10, ink: 1) {
        Look, Dropout(0.2),
        found: Dense(64),
        ReLU,
        both: Dropout(0.2),
        digit: Dense(10),
        ink: both => Dense(1),
    }

    /// The table alone.
    pub struct Table(14) -> (digit: 10, ink: 1) {
        Read, Dropout(0.2),
        found: Dense(64),
        ReLU,
        both: Dropout(0.2),
        digit: Dense(10),
        ink: both => Dense(1),
    }
}

/// Ink in seven bands of four rows, then in seven bands of four columns.
type Bands = [f32; 14];

/// Which digit, and how much ink, standardised.
type Target = (u32, [f32; 1]);

type Both = (Image<28, 28>, Bands);
type Samples<Input> = Data<Input, Target>;

/// Deviation of the noise on each point of a picture, whose ink is 1.
const PICTURE_NOISE: f32 = 1.0;

/// Deviation of the noise on each number of a table, in points of ink.
const TABLE_NOISE: f32 = 9.0;

/// How many of MNIST's training pictures are learnt from.
const TRAINED: usize = 20_000;

const MNIST: Source = Source { folder: "mnist", address: "https://github.com/cvdfoundation/mnist" };

fn main() -> ExitCode {
    common::start("fusion", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [mut train, test] = pictures(options, &MNIST)?;
    if !options.quick {
        let _rest = train.split_off(train.len() - TRAINED);
    }
    println!("{} digits to learn from, {} held back", train.len(), test.len());
    let mut noise = Noise::new(options.seed);
    let [mut train, mut test] = [train, test].map(|clean| measured(&clean, &mut noise));
    standardise(&mut train, &mut test)?;

    let both = learn::<Fusion>(&train, &test, options)?;
    let [seen, unseen] = [&train, &test].map(|samples| only(samples, |(picture, _)| *picture));
    let picture = learn::<Picture>(&seen, &unseen, options)?;
    let [seen, unseen] = [&train, &test].map(|samples| only(samples, |(_, table)| *table));
    let table = learn::<Table>(&seen, &unseen, options)?;

    println!("\non digits that were held back:");
    println!("             digits read   error of ink, in deviations");
    for (name, score) in [("both", both), ("picture", picture), ("table", table)] {
        println!("  {name:<10} {:>10.2}%   {:.3}", 100.0 * score.accuracy, score.error);
    }
    for (name, alone) in [("picture", picture), ("table", table)] {
        let words = format!("both inputs read more digits than the {name} alone");
        claim(&words, both.accuracy > alone.accuracy)?;
        let words = format!("both inputs guess the ink better than the {name} alone");
        claim(&words, both.error < alone.error)?;
    }
    Ok(())
}

/// How well a network answers both questions.
#[derive(Clone, Copy)]
struct Answers {
    /// The share of digits that it reads right.
    accuracy: f64,
    /// The root mean square error of the ink, in deviations of the ink.
    error: f64,
}

/// The ink counts half as much as the digit.
fn losses() -> (CrossEntropy, Weighted<MeanSquaredError>) {
    (CrossEntropy::new(), MeanSquaredError.weighted(INK_WEIGHT))
}

const INK_WEIGHT: f32 = 0.5;

/// Trains a network, and says how it does on what was held back. Nothing is chosen by that.
fn learn<N: Network>(
    train: &Samples<N::Input>,
    test: &Samples<N::Input>,
    options: &Options,
) -> Result<Answers, Box<dyn Error>>
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
    Ok(answers(&net.evaluate(test, &losses())?))
}

fn answers(score: &Score) -> Answers {
    let loss_of_ink =
        score.outputs().find(|output| output.name == "ink").map_or(f64::NAN, |output| output.loss);
    let error = (loss_of_ink / f64::from(INK_WEIGHT)).sqrt();
    Answers { accuracy: score.accuracy.unwrap_or(f64::NAN), error }
}

/// A noisy picture and a noisy table of each clean picture, and what is asked of them.
fn measured(clean: &Pictures, noise: &mut Noise) -> Samples<Both> {
    let sample = |(picture, digit): (&Image<28, 28>, &u32)| {
        let noisy_picture = picture.map(|row| row.map(|[x]| [x + PICTURE_NOISE * noise.normal()]));
        let noisy_table = bands(picture).map(|ink| ink + TABLE_NOISE * noise.normal());
        let ink = picture.as_flattened().as_flattened().iter().sum();
        ((noisy_picture, noisy_table), (*digit, [ink]))
    };
    clean.inputs.iter().zip(&clean.targets).map(sample).collect()
}

/// The ink in each band of four rows, then in each band of four columns.
fn bands(picture: &Image<28, 28>) -> Bands {
    let mut bands = [0.0; 14];
    for (y, row) in picture.iter().enumerate() {
        for (x, [ink]) in row.iter().enumerate() {
            bands[y / 4] += ink;
            bands[7 + x / 4] += ink;
        }
    }
    bands
}

/// Standardises tables and ink of both sets by what is learnt from. Pictures need none: most of what is in
/// them is noise around 0, of a deviation near 1.
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

/// The same samples with one of the inputs.
fn only<Input>(samples: &Samples<Both>, input: impl Fn(&Both) -> Input) -> Samples<Input> {
    Data { inputs: samples.inputs.iter().map(input).collect(), targets: samples.targets.clone() }
}
