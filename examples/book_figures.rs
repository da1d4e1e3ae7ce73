//! The figures of the book: runs that differ in one thing.
//!
//! ```text
//! cargo run --release --example book_figures
//! ```
//!
//! writes them to `docs/book/src/figures` in a minute or two; with `--quick` to the current folder, after two epochs of each run.
//! The data are the 1,797 digits that come with the examples, or made by formulas.

mod common;

use common::{Options, claim};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use unrolled::data::{Idx, Image};
use unrolled::prelude::*;
use unrolled::train::{Comparison, Epoch};

// Layers for each kind of data.
network! {
    struct PixelsByDense(16x16x1) -> 10 { Flatten, Dense(64), ReLU, Dense(10) }

    struct PixelsByConvolutions(16x16x1) -> 10 {
        Conv2d(16, kernel = 3), ReLU, MaxPool2d(2),
        Conv2d(32, kernel = 3), ReLU, GlobalMaxPool,
        Dense(10),
    }

    struct StepsByDense(30x2) -> 1 { Flatten, Dense(64), ReLU, Dense(1) }

    struct StepsByConvolutions(30x2) -> 1 {
        Conv1d(32, kernel = 5), ReLU, MaxPool1d(2),
        Conv1d(32, kernel = 5), ReLU, GlobalAvgPool,
        Dense(1),
    }

    struct StepsByRecurrence(30x2) -> 1 { GRU(32, output = last), Dense(1) }

    struct TableByLine(10) -> 1 { Dense(1) }

    struct TableByTwo(10) -> 1 { Dense(64), ReLU, Dense(1) }

    struct TableByThree(10) -> 1 { Dense(64), ReLU, Dense(64), ReLU, Dense(1) }

    block OfImage { Conv2d(16, kernel = 3), ReLU, Flatten, Dense(32), ReLU }
    block OfTable { Dense(32), ReLU }

    struct BothHalves(image: 8x4x1, table: 8) -> 10 {
        Concat { image => { OfImage }, table => { OfTable } },
        Dense(10),
    }

    struct ImageAlone(8x4x1) -> 10 { OfImage, Dense(10) }

    struct TableAlone(8) -> 10 { OfTable, Dense(10) }
}

// Sizes and settings.
network! {
    #[allow(deep_without_skip)]
    struct Plain(8x8x1) -> 10 { Flatten, Repeat(24) { Dense(32), ReLU }, Dense(10) }

    struct Residuals(8x8x1) -> 10 {
        Flatten, Dense(32),
        Repeat(23) { Residual { Dense(32), ReLU } },
        Dense(10),
    }

    struct Hidden<const UNITS: usize>(8x8x1) -> 10 { Flatten, Dense(UNITS), ReLU, Dense(10) }

    struct HiddenDropout(8x8x1) -> 10 { Flatten, Dense(128), ReLU, Dropout(0.5), Dense(10) }

    struct Small(8x8x1) -> 10 { Conv2d(16, kernel = 3), ReLU, MaxPool2d(2), Flatten, Dense(32), ReLU, Dense(10) }
}

type Digits = Data<Image<8, 8>, u32>;

/// Samples for validation, of the 1,797 digits.
const VALIDATION: usize = 360;

const SEED: u64 = 1;

fn main() -> ExitCode {
    common::start("book_figures", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let book = Book { quick: options.quick, digits: digits()? };
    book.images()?;
    book.sequences()?;
    book.tables()?;
    book.several_kinds()?;
    book.depth()?;
    book.width()?;
    book.regularisation()?;
    book.batch_size()?;
    book.learning_rate()
}

/// The digits with pixels from 0 to 1, in random order.
fn digits() -> Result<Digits, Box<dyn Error>> {
    let images = Idx::parse("digits", include_bytes!("data/digits-images-idx3-ubyte"))?;
    let labels = Idx::parse("labels", include_bytes!("data/digits-labels-idx1-ubyte"))?;
    let mut digits = images.labelled::<8, 8>(&labels)?;
    digits.shuffle(SEED);
    // Pixels of these digits go up to 16 of 255.
    let pixels = digits.inputs.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    pixels.iter_mut().for_each(|pixel| *pixel *= 255.0 / 16.0);
    Ok(digits)
}

/// Trains the networks.
struct Book {
    quick: bool,
    digits: Digits,
}

/// The runs of a figure.
struct Figure {
    file: &'static str,
    chart: Comparison,
    value: fn(&Epoch) -> Option<f64>,
    epochs: usize,
    /// The value of each run after its last epoch.
    last: Vec<f64>,
}

fn training_loss(epoch: &Epoch) -> Option<f64> {
    Some(epoch.training.loss)
}

fn validation_loss(epoch: &Epoch) -> Option<f64> {
    Some(epoch.validation?.loss)
}

fn accuracy(epoch: &Epoch) -> Option<f64> {
    epoch.validation?.accuracy
}

impl Figure {
    /// Trains `net` with an optimiser and a batch size, and adds its curve.
    fn add<N, O, L, T>(
        &mut self,
        name: &str,
        mut net: Box<N>,
        (optimizer, batch): (O, usize),
        loss: &L,
        [train, valid]: &[Data<N::Input, T>; 2],
    ) -> Result<(), Box<dyn Error>>
    where
        N: Network<Input: Clone>,
        O: Optimizer,
        L: Loss<N::Output, Target = T>,
        T: Copy + Send + Sync + 'static,
    {
        let trainer = Trainer::new(optimizer).batch(batch).epochs(self.epochs).seed(SEED).quiet();
        let history = trainer.validate(valid).fit(&mut net, train, loss)?;
        self.chart.add(name, &history, self.value);
        let last = history.epochs.last().and_then(self.value).unwrap_or(f64::NAN);
        println!("  {name:<16} {last:.4}");
        self.last.push(last);
        Ok(())
    }
}

impl Book {
    fn figure(
        &self,
        file: &'static str,
        title: &str,
        value: fn(&Epoch) -> Option<f64>,
        epochs: usize,
    ) -> Figure {
        println!("\n{file}: {title}");
        let epochs = if self.quick { 2 } else { epochs };
        Figure { file, chart: Comparison::new(title), value, epochs, last: Vec::new() }
    }

    /// Writes the figure, and checks what the book says of the last values.
    fn finish(
        &self,
        figure: &Figure,
        words: &str,
        holds: impl FnOnce(&[f64]) -> bool,
    ) -> Result<(), Box<dyn Error>> {
        let folder = Path::new(if self.quick { "." } else { "docs/book/src/figures" });
        fs::create_dir_all(folder)?;
        fs::write(folder.join(figure.file).with_extension("svg"), figure.chart.to_svg())?;
        if self.quick { Ok(()) } else { claim(words, holds(&figure.last)) }
    }

    /// The digits for training and validation.
    fn digits(&self) -> [Digits; 2] {
        let mut train = self.digits.clone();
        let valid = train.split_off(VALIDATION);
        [train, valid]
    }

    fn images(&self) -> Result<(), Box<dyn Error>> {
        let key = RngKey::new(SEED);
        let moved = |digits: Digits, first: u64| {
            let images = digits.inputs.iter().zip(first..);
            let inputs = images.map(|(digit, i)| placed(digit, key.fold_in(i))).collect();
            Data { inputs, targets: digits.targets }
        };
        let [train, valid] = self.digits();
        let data = [moved(train, 0), moved(valid, 10_000)];
        let mut figure = self.figure("images", "validation accuracy", accuracy, 20);
        let (adam, loss) = ((Adam::new(3e-3), 32), CrossEntropy::new());
        figure.add("Dense", PixelsByDense::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("Conv2d", PixelsByConvolutions::new(SEED), adam, &loss, &data)?;
        self.finish(&figure, "convolutions are better at images", |last| last[1] > last[0] + 0.1)
    }

    fn sequences(&self) -> Result<(), Box<dyn Error>> {
        let data = [additions(4000, 1), additions(1000, 2)];
        let mut figure = self.figure("sequences", "validation loss", validation_loss, 30);
        let (adam, loss) = ((Adam::new(3e-3), 32), MeanSquaredError);
        figure.add("Dense", StepsByDense::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("Conv1d", StepsByConvolutions::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("GRU", StepsByRecurrence::new(SEED), adam, &loss, &data)?;
        self.finish(&figure, "what is far apart is found by GRU", |last| {
            last[2] < 0.5 * last[0] && last[2] < 0.5 * last[1]
        })
    }

    fn tables(&self) -> Result<(), Box<dyn Error>> {
        let data = [friedman(2000, 1), friedman(1000, 2)];
        let mut figure = self.figure("tables", "validation loss", validation_loss, 40);
        let (adam, loss) = ((Adam::new(3e-3), 32), MeanSquaredError);
        figure.add("1 Dense", TableByLine::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("2 Dense", TableByTwo::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("3 Dense", TableByThree::new(SEED), adam, &loss, &data)?;
        self.finish(&figure, "hidden layers find what is not linear", |last| {
            last[1] < 0.5 * last[0] && last[2] < 0.5 * last[0]
        })
    }

    fn several_kinds(&self) -> Result<(), Box<dyn Error>> {
        let sets = self.digits().map(|digits| {
            let (images, tables) = digits.inputs.iter().map(halves).unzip::<_, _, Vec<_>, Vec<_>>();
            (images, tables, digits.targets)
        });
        let both = sets.clone().map(|(images, tables, targets)| Data {
            inputs: images.into_iter().zip(tables).collect(),
            targets,
        });
        let images = sets.clone().map(|(inputs, _, targets)| Data { inputs, targets });
        let tables = sets.map(|(_, inputs, targets)| Data { inputs, targets });
        let mut figure = self.figure("several_kinds", "validation accuracy", accuracy, 20);
        let (adam, loss) = ((Adam::new(1e-3), 32), CrossEntropy::new());
        figure.add("table", TableAlone::new(SEED), adam.clone(), &loss, &tables)?;
        figure.add("image", ImageAlone::new(SEED), adam.clone(), &loss, &images)?;
        figure.add("both", BothHalves::new(SEED), adam, &loss, &both)?;
        self.finish(&figure, "both are better than each", |last| {
            last[2] > last[0] + 0.02 && last[2] > last[1] + 0.02
        })
    }

    fn depth(&self) -> Result<(), Box<dyn Error>> {
        let data = self.digits();
        let mut figure = self.figure("depth", "training loss", training_loss, 20);
        let (adam, loss) = ((Adam::new(1e-3), 32), CrossEntropy::new());
        figure.add("25 layers", Plain::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("with Residual", Residuals::new(SEED), adam, &loss, &data)?;
        self.finish(&figure, "deep networks need skip connections", |last| last[1] < 0.1 * last[0])
    }

    fn width(&self) -> Result<(), Box<dyn Error>> {
        let data = self.digits();
        let mut figure = self.figure("width", "validation loss", validation_loss, 30);
        let (adam, loss) = ((Adam::new(3e-3), 32), CrossEntropy::new());
        figure.add("2 units", Hidden::<2>::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("8 units", Hidden::<8>::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("32 units", Hidden::<32>::new(SEED), adam.clone(), &loss, &data)?;
        figure.add("128 units", Hidden::<128>::new(SEED), adam, &loss, &data)?;
        self.finish(&figure, "2 and 8 units are too few", |last| {
            last[0] > 2.0 * last[2] && last[1] > 1.5 * last[2] && last[3] < 1.2 * last[2]
        })
    }

    fn regularisation(&self) -> Result<(), Box<dyn Error>> {
        let [mut train, valid] = self.digits();
        train.inputs.truncate(400);
        train.targets.truncate(400);
        // One label in five is wrong.
        for (i, class) in train.targets.iter_mut().enumerate().step_by(5) {
            *class = (10.0 * RngKey::new(SEED).uniform(i as u64)) as u32;
        }
        let data = [train, valid];
        let mut figure = self.figure("regularisation", "validation loss", validation_loss, 50);
        let (adam, loss) = (Adam::new(1e-2), CrossEntropy::new());
        figure.add("none", Hidden::<128>::new(SEED), (adam.clone(), 32), &loss, &data)?;
        let decay = AdamW::new(1e-2).weight_decay(0.3);
        figure.add("weight decay 0.3", Hidden::<128>::new(SEED), (decay, 32), &loss, &data)?;
        figure.add("Dropout(0.5)", HiddenDropout::new(SEED), (adam, 32), &loss, &data)?;
        self.finish(&figure, "both lower the loss on new data", |last| {
            last[1] < 0.8 * last[0] && last[2] < 0.8 * last[0]
        })
    }

    fn batch_size(&self) -> Result<(), Box<dyn Error>> {
        let data = self.digits();
        let mut figure = self.figure("batch_size", "training loss", training_loss, 20);
        for batch in [8, 32, 128, 512] {
            let (sgd, loss) = (SGD::new(0.02).momentum(0.9), CrossEntropy::new());
            figure.add(&format!("batch {batch}"), Small::new(SEED), (sgd, batch), &loss, &data)?;
        }
        self.finish(&figure, "larger batches make fewer steps per epoch", |last| last.is_sorted())
    }

    fn learning_rate(&self) -> Result<(), Box<dyn Error>> {
        let data = self.digits();
        let mut figure = self.figure("learning_rate", "training loss", training_loss, 20);
        for rate in [1e-4, 1e-3, 1e-2, 1e-1] {
            let (adam, loss) = (Adam::new(rate), CrossEntropy::new());
            figure.add(&format!("rate {rate}"), Small::new(SEED), (adam, 32), &loss, &data)?;
        }
        self.finish(&figure, "rates may be too small or too large", |last| {
            last[0] > 4.0 * last[2] && last[3] > 4.0 * last[2]
        })
    }
}

/// The digit at a random place of a larger image.
fn placed(digit: &Image<8, 8>, key: RngKey) -> Image<16, 16> {
    let mut image = [[[0.0]; 16]; 16];
    let [top, left] = [0, 1].map(|i| (9.0 * key.uniform(i)) as usize);
    for (to, from) in image[top..].iter_mut().zip(digit) {
        to[left..left + 8].copy_from_slice(from);
    }
    image
}

/// The left half of a digit as an image, and the mean of each line of the other half.
fn halves(digit: &Image<8, 8>) -> (Image<8, 4>, [f32; 8]) {
    let image = digit.map(|line| [line[0], line[1], line[2], line[3]]);
    (image, digit.map(|line| line[4..].as_flattened().iter().sum::<f32>() / 4.0))
}

/// Sequences of random numbers, of which two are marked, and the sum of these two (Hochreiter and Schmidhuber, 1997).
fn additions(count: usize, seed: u64) -> Data<[[f32; 2]; 30], [f32; 1]> {
    let sample = |i: u64| {
        let key = RngKey::new(seed).fold_in(i);
        let mut steps: [[f32; 2]; 30] = std::array::from_fn(|step| [key.uniform(step as u64), 0.0]);
        // One in each half.
        let marked =
            [0, 1].map(|half| 15 * half + (15.0 * key.uniform(100 + half as u64)) as usize);
        marked.iter().for_each(|step| steps[*step][1] = 1.0);
        (steps, [marked.iter().map(|step| steps[*step][0]).sum()])
    };
    let (inputs, targets) = (0..count as u64).map(sample).unzip();
    Data { inputs, targets }
}

/// Ten random columns, of which a number depends on five (Friedman, 1991), without noise and with a standard deviation of 1.
fn friedman(count: usize, seed: u64) -> Data<[f32; 10], [f32; 1]> {
    let sample = |i: u64| {
        let key = RngKey::new(seed).fold_in(i);
        let x: [f32; 10] = std::array::from_fn(|column| key.uniform(column as u64));
        let wave = 10.0 * (std::f32::consts::PI * x[0] * x[1]).sin();
        let y = wave + 20.0 * (x[2] - 0.5).powi(2) + 10.0 * x[3] + 5.0 * x[4];
        (x.map(|x| 3.46 * (x - 0.5)), [(y - 14.4) / 4.9])
    };
    let (inputs, targets) = (0..count as u64).map(sample).unzip();
    Data { inputs, targets }
}
