//! A deep network without any normalisation, at a learning rate that it survives by adaptive clipping alone.
//!
//! ```text
//! cargo run --release --example normfree -- --data DIR
//! ```
//!
//! Part of the introduction: **what BatchNorm does, done otherwise** (Brock, De, Smith and Simonyan, 2021). BatchNorm
//! keeps values at the same size through all layers, and allows large learning rates; for that it looks across
//! the batch, and is another function in training than later. Here `WSConv2d` standardises its weights instead,
//! which are the same for every picture. `Scale` undoes what is known beforehand: a ReLU shrinks a
//! deviation of 1 by 1.7139, and each residual branch, a fifth as large as what it is added to, lets the
//! variance grow by 0.04. And `Clip::Adaptive` keeps the gradient of each unit short beside the unit's weights;
//! without it the same learning rate drives the weights away in a few steps.
//!
//! Data: Fashion-MNIST, `fashion-mnist` in the data folder.

#[path = "common/clothes.rs"]
mod clothes;
mod common;
#[path = "common/pictures.rs"]
mod pictures;

use clothes::clothes;
use common::{Options, claim, claim_progress};
use pictures::Pictures;
use std::error::Error;
use std::process::ExitCode;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;
use unrolled::train::{History, TrainError};

network! {
    /// What a residual branch adds: a fifth at first.
    block Branch(channels, stride = 1) {
        WSConv2d(channels, kernel = 3, stride = stride, padding = 1),
        ReLU, Scale(1.7139, trained = false),
        WSConv2d(channels, kernel = 3, padding = same),
        Scale(0.2),
    }

    /// A block that halves height and width. `scale` is 1.7139 over the deviation of what comes in.
    block Halving(channels, scale) {
        Scale(scale, trained = false), ReLU,
        Residual { Branch(channels, stride = 2) }
        skip { AvgPool2d(2), WSConv2d(channels, kernel = 1) },
    }

    /// A block that keeps the size. What goes around it is left as it is.
    block Keeping(channels, scale) {
        Residual { Scale(scale, trained = false), ReLU, Branch(channels) },
    }

    /// Tells ten kinds of pictures. The variance is 1 behind a `Scale` and a convolution, 1.04 behind one branch,
    /// 1.08 behind two: 1.6806 is 1.7139 over the root of 1.04, 1.6492 over that of 1.08.
    pub struct NormFree(28x28x1) -> 10 {
        stem: WSConv2d(16, kernel = 3, padding = same)                      -> 28x28x16,
        Halving(32, scale = 1.7139), Keeping(32, scale = 1.6806)            -> 14x14x32,
        Halving(64, scale = 1.6492), Keeping(64, scale = 1.6806)            -> 7x7x64,
        Scale(1.6492, trained = false), ReLU,
        GlobalAvgPool,
        Dropout(0.2),
        head: Dense(10),
    }
}

/// Each unit's gradient is at most 0.08 times as long as its weights.
const CLIP: Clip = Clip::Adaptive { ratio: 0.08, except: &["head"] };

/// Too large without [`CLIP`].
const RATE: f64 = 0.2;

fn main() -> ExitCode {
    common::start("normfree", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = clothes(options)?;
    println!("{}", NormFree::summary());

    let (net, history) = learn(&train, &test, Some(CLIP), options)?;
    claim_progress(&history)?;
    let score = net.evaluate(&test, &CrossEntropy::new())?;
    let clipped = score.accuracy.unwrap_or(f64::NAN);
    println!("pictures told, of those held back: {:.2}%", 100.0 * clipped);
    let promised = if options.quick { 0.8 } else { 0.87 };
    claim(&format!("that is at least {:.0}%", 100.0 * promised), clipped >= promised)?;

    println!("\nthe same without clipping:");
    let unclipped = learn(&train, &test, None, options).err();
    if let Some(error) = &unclipped {
        println!("{error}");
    }
    let away = matches!(unclipped, Some(TrainError::Loss { .. }));
    claim("without clipping the learning rate is too large", away)
}

/// Trains the network, with or without clipping.
fn learn(
    train: &Pictures,
    test: &Pictures,
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
