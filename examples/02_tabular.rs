//! Regression on tables: the quality of wines and the prices of houses.
//!
//! ```text
//! cargo run --release --example tabular -- --data DIR
//! ```
//!
//! Introduces **dense layers, and how to prevent overfitting**. Inputs and targets are standardised, because otherwise
//! columns with large units would dominate the gradient. `Dropout` and the weight decay of `AdamW` regularise the
//! network. A dense network without hidden layers is a linear regression. It is solved in closed form here, and the
//! deep network must have a smaller error on the test set.
//!
//! Data: `tabular/winequality-red.csv`, `tabular/winequality-white.csv` (Cortez and others, 2009) and
//! `tabular/california-housing.csv` (Pace and Barry, 1997) in the data folder.

mod common;

use common::{Options, claim, claim_progress};
use std::array;
use std::error::Error;
use std::process::ExitCode;
use unrolled::RngKey;
use unrolled::data::{Format, Standardizer, Table};
use unrolled::nalgebra::{DMatrix, DVector};
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;

network! {
    /// A network with two hidden layers.
    pub struct Deep<const FEATURES: usize>(FEATURES) -> 1 {
        Dense(128), ReLU, Dropout(0.2),
        Dense(128), ReLU, Dropout(0.2),
        Dense(1),
    }

    /// Linear regression: a weighted sum of the features.
    pub struct Linear<const FEATURES: usize>(FEATURES) -> 1 {
        sum: Dense(1),
    }
}

/// Rows of features, and the values to predict.
type Rows<const FEATURES: usize> = Data<[f32; FEATURES], [f32; 1]>;

const WINE_SOURCE: &str = "https://github.com/jbrownlee/Datasets";
const HOUSING_SOURCE: &str = "https://github.com/ageron/handson-ml2 (datasets/housing/housing.csv)";

fn main() -> ExitCode {
    common::start("tabular", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    if options.quick {
        return compare("Friedman's function of ten variables", friedman(600), 30, 0.25, options);
    }
    compare("quality of wines, from 0 to 10", wines(options)?, 15, 0.03, options)?;
    compare("prices of houses in California, in dollars", houses(options)?, 40, 0.2, options)
}

/// Fits both networks to four fifths of the rows. On the rest the root mean square error of the deep one must be
/// smaller than the linear one's by the fraction `margin`.
fn compare<const FEATURES: usize>(
    what: &str,
    mut train: Rows<FEATURES>,
    epochs: usize,
    margin: f64,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    train.shuffle(options.seed);
    let mut test = train.split_off(train.len() / 5);
    println!("\n{what}: {} training rows, {} test rows", train.len(), test.len());
    let inputs = Standardizer::per_feature(&train.inputs)?;
    let targets = Standardizer::per_feature(&train.targets)?;
    for rows in [&mut train, &mut test] {
        inputs.apply_all(&mut rows.inputs);
        targets.apply_all(&mut rows.targets);
    }

    let linear = fit_linear(&train)?;
    let mut deep = Deep::<FEATURES>::new(options.seed);
    let history = Trainer::new(AdamW::new(2e-3).weight_decay(0.1))
        .batch(64)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_epochs(Cosine::new(epochs))
        .validate(&test) // Only to watch progress. Nothing is chosen by it.
        .fit(&mut deep, &train, &MeanSquaredError)?;
    claim_progress(&history)?;

    // The loss is that of standardised targets. Their standard deviation converts it to their unit.
    let error = |mean_square: f64| mean_square.sqrt() * targets.std()[0];
    let of_linear = error(linear.evaluate(&test, &MeanSquaredError)?.loss);
    let of_deep = error(deep.evaluate(&test, &MeanSquaredError)?.loss);
    println!("root mean square error: linear {of_linear:.3}, deep {of_deep:.3}");
    let smaller = 1.0 - of_deep / of_linear;
    let [least, found] = [margin, smaller].map(|share| 100.0 * share);
    let words =
        format!("the error of the deep network is at least {least:.0}% smaller ({found:.1}%)");
    claim(&words, smaller >= margin)
}

/// The least-squares solution in closed form. The bias is 0, because all means are.
fn fit_linear<const FEATURES: usize>(
    rows: &Rows<FEATURES>,
) -> Result<Box<Linear<FEATURES>>, Box<dyn Error>> {
    let x = DMatrix::from_fn(rows.len(), FEATURES, |i, j| f64::from(rows.inputs[i][j]));
    let y = DVector::from_fn(rows.len(), |i, _| f64::from(rows.targets[i][0]));
    let squares = x.tr_mul(&x).cholesky().ok_or("a column follows from the others")?;
    let solution = squares.solve(&x.tr_mul(&y));
    let mut net = Linear::zeros();
    // One row for each feature, one column for each unit.
    net.sum.weight = array::from_fn(|feature| [solution[feature] as f32]);
    Ok(net)
}

/// Red and white wines: eleven measurements and the colour. The file has many duplicates, which are removed so that no
/// wine is in both the training and the test set.
fn wines(options: &Options) -> Result<Rows<12>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (colour, name) in [(0.0, "red"), (1.0, "white")] {
        let path = options.file(&format!("tabular/winequality-{name}.csv"), WINE_SOURCE)?;
        let numbers = Table::read(path, Format::CSV.without_header())?
            .samples::<12>(array::from_fn(|column| column))?;
        rows.extend(numbers.iter().map(|[measured @ .., quality]| {
            let features: [f32; 12] =
                array::from_fn(|i| measured.get(i).copied().unwrap_or(colour));
            (features, [*quality])
        }));
    }
    rows.sort_by(|a, b| a.partial_cmp(b).expect("tables hold finite numbers"));
    rows.dedup();
    Ok(rows.into_iter().collect())
}

/// Districts of California: eight numeric columns, and the proximity to the ocean.
fn houses(options: &Options) -> Result<Rows<12>, Box<dyn Error>> {
    const NUMBERS: [&str; 7] = [
        "longitude",
        "latitude",
        "housing_median_age",
        "total_rooms",
        "population",
        "households",
        "median_income",
    ];
    // The first class is encoded as four zeros: five one-hot features would be linearly dependent.
    const OCEAN: [&str; 5] = ["<1H OCEAN", "INLAND", "NEAR OCEAN", "NEAR BAY", "ISLAND"];
    let path = options.file("tabular/california-housing.csv", HOUSING_SOURCE)?;
    let table = Table::read(path, Format::CSV)?;
    let bedrooms = table.column("total_bedrooms")?.numbers_with_gaps()?;
    let known: Vec<f32> = bedrooms.iter().flatten().copied().collect();
    let mean = known.iter().sum::<f32>() / known.len() as f32;
    let numbers = table.samples(NUMBERS)?;
    let ocean = table.column("ocean_proximity")?.classes(&OCEAN)?;
    let prices = table.samples(["median_house_value"])?;
    let rows = (0..table.len()).map(|row| {
        let mut features = [0.0; 12];
        features[..7].copy_from_slice(&numbers[row]);
        features[7] = bedrooms[row].unwrap_or(mean);
        if let class @ 1.. = ocean[row] as usize {
            features[7 + class] = 1.0;
        }
        (features, prices[row])
    });
    Ok(rows.collect())
}

/// For `--quick`: the function of J. Friedman, "Multivariate adaptive regression splines" (1991), with noise. It does
/// not depend on five of the ten variables.
fn friedman(count: u64) -> Rows<10> {
    let row = |number: u64| {
        let key = RngKey::new(number);
        let x: [f32; 10] = array::from_fn(|i| key.uniform(i as u64));
        let nonlinear =
            10.0 * (std::f32::consts::PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2);
        let noise = 2.0 * key.uniform(10) - 1.0;
        (x, [nonlinear + 10.0 * x[3] + 5.0 * x[4] + noise])
    };
    (0..count).map(row).collect()
}
