//! The digits of the main example, on any number of processes:
//!
//! ```text
//! cargo build --release --example digits
//! mpirun -n 4 target/release/examples/digits --epochs 5 --save digits.safetensors
//! ```
//!
//! The file has the same bytes whatever the number of processes. With `--checkpoint FOLDER` a run that was interrupted
//! continues, also on another number.

mod common;

use common::{Options, Times};
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::{Idx, Image, Standardizer, resize};
use unrolled::prelude::*;
use unrolled_mpi::World;

network! {
    /// Classifies handwritten digits. `BatchNorm` has the statistics of the batches of all ranks.
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(16, kernel = 3, bias = false)  -> 26x26x16,
        norm1: BatchNorm,
        ReLU,
        MaxPool2d(2),
        conv2: Conv2d(32, kernel = 3, bias = false)  -> 11x11x32,
        norm2: BatchNorm,
        ReLU,
        MaxPool2d(2),
        Flatten,
        fc1: Dense(128),
        ReLU,
        Dropout(0.5),
        fc2: Dense(10),
    }
}

/// Images, and the digits they show.
type Images = Data<Image<28, 28>, u32>;

/// The seed of initial weights, order of samples and dropout.
const SEED: u64 = 42;

/// The number of test images.
const TEST_DIGITS: usize = 360;

fn main() -> ExitCode {
    common::start("digits", 64, run)
}

fn run(world: &World, options: &Options) -> common::Result {
    let (mut train, mut valid) = digits()?;
    let standardizer = Standardizer::over_all(&train.inputs)?;
    standardizer.apply_all(&mut train.inputs);
    standardizer.apply_all(&mut valid.inputs);
    let mut net = Digits::new(SEED);
    let mut times = Times::new();
    let mut trainer = Trainer::new(AdamW::new(1e-3))
        .batch(options.batch)
        .reduction_leaves(options.leaves)
        .shard_optimizer(options.shard_optimizer)
        .epochs(options.epochs)
        .seed(SEED)
        .validate(&valid)
        .distributed(world);
    if let Some(folder) = &options.checkpoint {
        trainer = trainer.checkpoint(folder).checkpoint_every(5).resume(true);
    }
    if options.times {
        trainer = trainer.on_step(|step| times.add(step));
    }
    trainer.fit(&mut net, &train, &CrossEntropy::new())?;
    drop(trainer);
    if options.times {
        times.print(world, net.params().len());
    }
    if world.rank() == 0 {
        net.save(&options.save)?;
    }
    Ok(())
}

/// The training and test sets of the digits in `examples/data`, resized to 28x28.
fn digits() -> Result<(Images, Images), Box<dyn Error>> {
    let images = include_bytes!("../../examples/data/digits-images-idx3-ubyte");
    let labels = include_bytes!("../../examples/data/digits-labels-idx1-ubyte");
    let small = Idx::parse("digits", images)?.labelled::<8, 8>(&Idx::parse("labels", labels)?)?;
    let inputs = small.inputs.iter().map(|image| *resize(image)).collect();
    let mut train = Images { inputs, targets: small.targets };
    train.shuffle(SEED);
    let test = train.split_off(TEST_DIGITS);
    Ok((train, test))
}
