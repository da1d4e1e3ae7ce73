//! Forecasts of the next night's temperature from the last four weeks, by two networks.
//!
//! ```text
//! cargo run --release --example series -- --data DIR
//! ```
//!
//! Introduces **layers for time series**. A sample is `[steps, features]`. `LSTM` reads the steps in order and keeps a
//! state; with `output = last` it returns that of the last step. `Conv1d` applies one kernel to a few neighbouring
//! steps at each position. Both must have a smaller error than two baselines: "tomorrow is as today", and the mean of
//! the season.
//!
//! Data: the lowest temperature of each day from 1981 to 1990 in Melbourne, `timeseries/daily-min-temperatures.csv`
//! in the data folder.

mod common;

use common::{Options, claim, claim_progress};
use std::error::Error;
use std::f32::consts::TAU;
use std::process::ExitCode;
use unrolled::RngKey;
use unrolled::data::{Format, Standardizer, Table};
use unrolled::optim::{Clip, schedule::Cosine};
use unrolled::prelude::*;

/// The number of days that a network reads.
const DAYS: usize = 28;

network! {
    /// Reads the days in order.
    pub struct Recurrent([DAYS, 3]) -> 1 {
        LSTM(32, output = last) -> 32,
        Dense(1),
    }

    /// Convolutions over five neighbouring days, then over five pairs of days.
    pub struct Convolutional([DAYS, 3]) -> 1 {
        Conv1d(16, kernel = 5) -> 24x16,
        ReLU,
        AvgPool1d(2)           -> 12x16,
        Conv1d(16, kernel = 5) -> 8x16,
        ReLU,
        Flatten                -> 128,
        Dropout(0.2),
        Dense(1),
    }
}

/// The temperature of each day, and the season of the day after as a point on a circle.
type Window = [[f32; 3]; DAYS];
type Windows = Data<Window, [f32; 1]>;

const SOURCE: &str = "https://github.com/jbrownlee/Datasets";

/// The number of days of every year of the data: the last days of 1984 and 1988 are missing.
const YEAR: usize = 365;

/// The number of years of the test set, the last ones.
const TEST_YEARS: usize = 2;

fn main() -> ExitCode {
    common::start("series", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let temperatures = if options.quick {
        weather(6 * YEAR)
    } else {
        let path = options.file("timeseries/daily-min-temperatures.csv", SOURCE)?;
        Table::read(path, Format::CSV)?.samples(["Temp"])?
    };
    let first_test_day = temperatures.len() - TEST_YEARS * YEAR;
    let (train_days, _) = temperatures.split_at(first_test_day);
    println!("{} training days, {} test days", train_days.len(), TEST_YEARS * YEAR);
    let standardizer = Standardizer::per_feature(train_days)?;
    let mut standard = temperatures.clone();
    standardizer.apply_all(&mut standard);
    let train: Windows = (DAYS..first_test_day).map(|day| window(&standard, day)).collect();
    let test: Windows =
        (first_test_day..standard.len()).map(|day| window(&standard, day)).collect();

    let unit = standardizer.std()[0];
    let recurrent_epochs = if options.quick { 5 } else { 12 };
    let recurrent =
        train_network::<Recurrent>(&train, &test, recurrent_epochs, options.seed)? * unit;
    let convolutional = train_network::<Convolutional>(&train, &test, 40, options.seed)? * unit;
    let as_today =
        error(&temperatures[first_test_day..], |i| temperatures[first_test_day + i - 1][0]);
    let of_season =
        error(&temperatures[first_test_day..], |i| season(train_days, first_test_day + i));

    println!("\nroot mean square error, in degrees:");
    println!("  tomorrow is as today  {as_today:.3}");
    println!("  mean of the season    {of_season:.3}");
    println!("  LSTM                  {recurrent:.3}");
    println!("  Conv1d                {convolutional:.3}");
    let (best, margin) = (as_today.min(of_season), if options.quick { 0.03 } else { 0.08 });
    for (name, error) in [("LSTM", recurrent), ("Conv1d", convolutional)] {
        let words = format!("{name} is better than both by at least {:.0}%", 100.0 * margin);
        claim(&words, error <= best * (1.0 - margin))?;
    }
    Ok(())
}

/// The input for the prediction of `day`, and the temperature of that day.
fn window(standard: &[[f32; 1]], day: usize) -> (Window, [f32; 1]) {
    let step = |i| {
        let (season, [temperature]) = (TAU * (i + 1) as f32 / YEAR as f32, standard[i]);
        [temperature, season.sin(), season.cos()]
    };
    (std::array::from_fn(|i| step(day - DAYS + i)), standard[day])
}

/// Trains a network, and returns its root mean square error on the test set. Nothing is chosen by it.
fn train_network<N: Network<Input = Window, Output = [f32; 1]>>(
    train: &Windows,
    test: &Windows,
    epochs: usize,
    seed: u64,
) -> Result<f64, Box<dyn Error>> {
    println!("\n{}", N::summary());
    let mut net = N::new(seed);
    let history = Trainer::new(AdamW::new(3e-3))
        .epochs(epochs)
        .seed(seed)
        .schedule_epochs(Cosine::new(epochs))
        .clip(Clip::Norm(1.0))
        .validate(test)
        .fit(&mut net, train, &MeanSquaredError)?;
    claim_progress(&history)?;
    Ok(net.evaluate(test, &MeanSquaredError)?.loss.sqrt())
}

/// The root mean square error of a prediction for each day.
fn error(temperatures: &[[f32; 1]], predict: impl Fn(usize) -> f32) -> f64 {
    let square = |(i, [truth]): (usize, &[f32; 1])| f64::from(predict(i) - truth).powi(2);
    let squares: f64 = temperatures.iter().enumerate().map(square).sum();
    (squares / temperatures.len() as f64).sqrt()
}

/// The mean of the training days within a week of this day of the year.
fn season(train_days: &[[f32; 1]], day: usize) -> f32 {
    let near = train_days.iter().enumerate().filter(|(other, _)| {
        let apart = (day % YEAR).abs_diff(other % YEAR);
        apart.min(YEAR - apart) <= 7
    });
    let (sum, count) = near.fold((0.0, 0.0), |(sum, count), (_, [x])| (sum + x, count + 1.0));
    sum / count
}

/// For `--quick`: a yearly wave, and weather that is correlated from day to day.
fn weather(days: usize) -> Vec<[f32; 1]> {
    let key = RngKey::new(0);
    let mut weather = 0.0;
    let day = |day: usize| {
        let wave = 11.0 + 5.0 * (TAU * day as f32 / YEAR as f32).cos();
        // The sum of twelve uniform numbers is nearly normal, with mean 6 and standard deviation 1.
        let normal = (0..12).map(|i| key.uniform((12 * day + i) as u64)).sum::<f32>() - 6.0;
        weather = 0.5 * weather + 2.0 * normal;
        [wave + weather]
    };
    (0..days).map(day).collect()
}
