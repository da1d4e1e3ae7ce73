//! Transfer learning: a network that was trained on digits classifies clothes after ten images of each kind.
//!
//! ```text
//! cargo run --release --example transfer -- --data DIR
//! ```
//!
//! Introduces **weights that move to another network**. The front, two convolutions, is trained on 60,000 digits and saved.
//! `load_matching` reads it into a network for clothes; its report lists what was not loaded. `freeze` keeps the front as it
//! is, so that the few images of clothes train the last layer only. The same network is trained from new weights on the same
//! images. The images are drawn five times, since the accuracies depend on them.
//!
//! Data: MNIST and Fashion-MNIST, `mnist` and `fashion-mnist` in the data folder.

mod common;
#[path = "common/images.rs"]
mod images;

use common::{Options, claim, claim_progress};
use images::{Images, Source, images};
use std::error::Error;
use std::ops::Range;
use std::process::ExitCode;
use unrolled::prelude::*;
use unrolled::train::Confusion;

const MNIST: Source =
    Source { folder: "mnist", address: "https://ossci-datasets.s3.amazonaws.com/mnist/" };
const FASHION_MNIST: Source =
    Source { folder: "fashion-mnist", address: "https://github.com/zalandoresearch/fashion-mnist" };

/// The weights of the network for digits.
const FILE: &str = "digits.safetensors";

/// The images of each class that the second task has.
const PER_CLASS: usize = 10;

network! {
    /// Finds edges, and what they form.
    block Front {
        conv1: Conv2d(32, kernel = 3, padding = same), ReLU, MaxPool2d(2) -> 14x14x32,
        conv2: Conv2d(32, kernel = 3, padding = same), ReLU, MaxPool2d(2) -> 7x7x32,
        Flatten,
    }

    /// The first task.
    pub struct Digits(28x28x1) -> 10 { front: Front, digit: Dense(10) }

    /// The second task.
    pub struct Clothes(28x28x1) -> 10 { front: Front, kind: Dense(10) }
}

fn main() -> ExitCode {
    common::start("transfer", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let Tasks { first, mut second, test } = tasks(options)?;
    println!("first task: {} images", first.len());
    let (mut digits, loss) = (Digits::new(options.seed), CrossEntropy::new());
    let epochs = if options.quick { 8 } else { 3 };
    let mut trainer = Trainer::new(Adam::new(1e-3)).epochs(epochs).seed(options.seed);
    claim_progress(&trainer.fit(&mut digits, &first, &loss)?)?;
    digits.save(FILE)?;

    let mut moved = Clothes::new(options.seed);
    let report = moved.load_matching(FILE, |name| Some(name.into()))?;
    println!("\nthe weights of `{FILE}` in the network of the second task: {report}");
    println!("\nsecond task: {PER_CLASS} images of each class, {} test images", test.len());
    println!("  images   front of the first task   new weights");
    let (draws, epochs) = if options.quick { (2, 20) } else { (5, 100) };
    let mut sums = [0.0; 2];
    for draw in 1..=draws {
        second.shuffle(draw);
        let few = first_of_each_class(&second);
        let mut net = moved.clone_boxed();
        let optimizer = Groups::new(Adam::new(1e-3)).freeze("front");
        Trainer::new(optimizer).epochs(epochs).quiet().fit(&mut net, &few, &loss)?;
        let mut new = Clothes::new(draw);
        Trainer::new(Adam::new(1e-3)).epochs(epochs).quiet().fit(&mut new, &few, &loss)?;
        let accuracies =
            [Confusion::of(&*net, &test)?.accuracy(), Confusion::of(&*new, &test)?.accuracy()];
        let [of_moved, of_new] = accuracies.map(|accuracy| 100.0 * accuracy);
        println!("  draw {draw}   {of_moved:>22.2}%   {of_new:>10.2}%");
        if net.front_conv1 != digits.front_conv1 || net.front_conv2 != digits.front_conv2 {
            return Err("expected the front of the first task, found another one".into());
        }
        for (sum, accuracy) in sums.iter_mut().zip(accuracies) {
            *sum += accuracy / draws as f64;
        }
    }
    let [of_moved, of_new] = sums;
    println!("  mean     {:>22.2}%   {:>10.2}%", 100.0 * of_moved, 100.0 * of_new);
    if options.quick {
        // The front of five digits has seen too little to be better than a new one.
        return claim("the last layer alone learns more than chance, 20%", of_moved > 0.4);
    }
    claim("the network with the front of the first task is right more often", of_moved > of_new)
}

/// Two tasks.
struct Tasks {
    /// The images of the first one.
    first: Images,
    /// Those of the second one, of which few are used.
    second: Images,
    /// The test images of the second one.
    test: Images,
}

/// Digits and clothes. For `--quick` digits below 5, and those from 5 on.
fn tasks(options: &Options) -> Result<Tasks, Box<dyn Error>> {
    let ([first, _], [second, test]) = (images(options, &MNIST)?, images(options, &FASHION_MNIST)?);
    if !options.quick {
        return Ok(Tasks { first, second, test });
    }
    let of = |images: &Images, classes: Range<u32>| -> Images {
        let pairs = images.inputs.iter().copied().zip(images.targets.iter().copied());
        pairs.filter(|(_, class)| classes.contains(class)).collect()
    };
    Ok(Tasks { first: of(&first, 0..5), second: of(&second, 5..10), test: of(&test, 5..10) })
}

/// The first images of each class.
fn first_of_each_class(images: &Images) -> Images {
    let mut counts = [0; 10];
    let pairs = images.inputs.iter().copied().zip(images.targets.iter().copied());
    let is_first = |(_, class): &(_, u32)| {
        let count = &mut counts[*class as usize];
        *count += 1;
        *count <= PER_CLASS
    };
    pairs.filter(is_first).collect()
}
