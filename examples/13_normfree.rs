//! A deep network without activation normalisation, whose large learning rate needs adaptive gradient clipping.
//!
//! ```text
//! cargo run --release --example normfree -- --data DIR
//! ```
//!
//! Introduces **alternatives to BatchNorm** (Brock, De, Smith and Simonyan, 2021). BatchNorm keeps the variance of
//! activations constant through all layers, and allows large learning rates. In return samples of a batch depend on
//! each other, and training and inference compute different functions. Here `WSConv2d` standardises its weights
//! instead, which do not depend on the batch. `Scale` corrects changes of the variance that are known in advance: a
//! ReLU divides a standard deviation of 1 by 1.7139, and each residual branch, scaled by 0.2, adds 0.04 to the
//! variance. `Clip::Adaptive` limits the norm of each unit's gradient relative to the norm of its weights. Without it
//! the same learning rate makes the loss diverge in a few steps.
//!
//! Data: Fashion-MNIST, `fashion-mnist` in the data folder.

#[path = "common/clothes.rs"]
mod clothes;
mod common;
#[path = "common/images.rs"]
mod images;

use clothes::clothes;
use common::{Options, claim, claim_progress};
use images::Images;
use std::error::Error;
use std::process::ExitCode;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;
use unrolled::train::{History, TrainError};

network! {
    /// A residual branch, initially scaled by 0.2.
    block Branch(channels, stride = 1) {
        WSConv2d(channels, kernel = 3, stride = stride, padding = 1),
        ReLU, Scale(1.7139, trained = false),
        WSConv2d(channels, kernel = 3, padding = same),
        Scale(0.2),
    }

    /// A block that halves height and width. `scale` is 1.7139 divided by the standard deviation of its input.
    block Halving(channels, scale) {
        Scale(scale, trained = false), ReLU,
        Residual { Branch(channels, stride = 2) }
        skip { AvgPool2d(2), WSConv2d(channels, kernel = 1) },
    }

    /// A block that keeps the shape, with an identity as skip connection.
    block Keeping(channels, scale) {
        Residual { Scale(scale, trained = false), ReLU, Branch(channels) },
    }

    /// Classifies images into ten classes. The variance is 1 after a `Scale` and a convolution, 1.04 after one branch
    /// and 1.08 after two: 1.6806 is 1.7139 / sqrt(1.04), and 1.6492 is 1.7139 / sqrt(1.08).
    pub struct NormFree(28x28x1) -> 10 {
        stem: WSConv2d(16, kernel = 3, padding = same)           -> 28x28x16,
        Halving(32, scale = 1.7139), Keeping(32, scale = 1.6806) -> 14x14x32,
        Halving(64, scale = 1.6492), Keeping(64, scale = 1.6806) -> 7x7x64,
        Scale(1.6492, trained = false), ReLU,
        GlobalAvgPool,
        Dropout(0.2),
        head: Dense(10),
    }
}

/// The norm of each unit's gradient is at most 0.08 times that of its weights.
const CLIP: Clip = Clip::Adaptive { ratio: 0.08, except: &["head"] };

/// The learning rate, too large without [`CLIP`].
const RATE: f64 = 0.2;

fn main() -> ExitCode {
    common::start("normfree", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = clothes(options)?;
    println!("{}", NormFree::summary());

    let (net, history) = train_network(&train, &test, Some(CLIP), options)?;
    claim_progress(&history)?;
    let score = net.evaluate(&test, &CrossEntropy::new())?;
    let accuracy = score.accuracy.unwrap_or(f64::NAN);
    println!("test accuracy: {:.2}%", 100.0 * accuracy);
    let expected = if options.quick { 0.8 } else { 0.87 };
    claim(&format!("it is at least {:.0}%", 100.0 * expected), accuracy >= expected)?;

    println!("\nthe same without clipping:");
    let unclipped = train_network(&train, &test, None, options).err();
    if let Some(error) = &unclipped {
        println!("{error}");
    }
    let diverged = matches!(unclipped, Some(TrainError::Loss { .. }));
    claim("without clipping the learning rate is too large", diverged)
}

/// Trains the network, with or without clipping.
fn train_network(
    train: &Images,
    test: &Images,
    clip: Option<Clip>,
    options: &Options,
) -> Result<(Box<NormFree>, History), TrainError> {
    let batch = if options.quick { 32 } else { 64 };
    let mut net = NormFree::new(options.seed);
    let epochs = if options.quick { 3 } else { 2 };
    let mut trainer = Trainer::new(SGD::new(RATE).momentum(0.9).weight_decay(2e-5))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(Cosine::new(epochs * train.len().div_ceil(batch)))
        .validate(test);
    if let Some(clip) = clip {
        trainer = trainer.clip(clip);
    }
    let history = trainer.fit(&mut net, train, &CrossEntropy::new())?;
    Ok((net, history))
}
