//! A small vision transformer: a picture read as a sequence of patches.
//!
//! ```text
//! cargo run --release --example vit -- --data DIR
//! ```
//!
//! Part of the introduction: **attention on pictures** (Dosovitskiy and others, 2020). A convolution whose stride is
//! its kernel turns each patch of 4x4 points into 64 numbers, and `Reshape` makes the 7x7 patches steps of a
//! sequence. From there on it is the transformer that reads text: `TransformerEncoder` comes with the
//! library, and each patch may look at all others from the first layer on. Attention itself does not know where a
//! patch lies; `PositionalEmbedding` adds that. Set to zero in the end, it shows how much of what was
//! learnt hangs on it.
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

network! {
    /// Tells ten kinds of pictures.
    pub struct ViT(28x28x1) -> 10 {
        patches: Conv2d(64, kernel = 4, stride = 4)  -> 7x7x64,
        Reshape(49x64),
        places: PositionalEmbedding,
        encoder: Repeat(3) { TransformerEncoder(64, heads = 4, hidden = 128, dropout = 0.0) },
        norm: LayerNorm,
        GlobalAvgPool                                -> 64,
        head: Dense(10),
    }
}

fn main() -> ExitCode {
    common::start("vit", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = clothes(options)?;
    println!("{}", ViT::summary());

    let mut net = ViT::new(options.seed);
    let (batch, epochs, warm_up) = if options.quick { (16, 4, 50) } else { (32, 4, 300) };
    let schedule = Cosine::new(epochs * train.len().div_ceil(batch)).warm_up(warm_up, 0.01);
    let history = Trainer::new(AdamW::new(1.5e-3))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(schedule)
        .validate(&test)
        .fit(&mut net, &train, &CrossEntropy::new())?;
    claim_progress(&history)?;

    let told = accuracy(&net, &test)?;
    net.places.weight.as_flattened_mut().fill(0.0);
    let without_places = accuracy(&net, &test)?;
    println!("pictures told, of those held back: {:.2}%", 100.0 * told);
    println!("without knowing where patches lie: {:.2}%", 100.0 * without_places);
    let promised = if options.quick { 0.7 } else { 0.87 };
    claim(&format!("that is at least {:.0}%", 100.0 * promised), told >= promised)?;
    claim("it matters where patches lie", without_places < told - 0.1)
}

/// The share of pictures that a network tells right.
fn accuracy(net: &ViT, pictures: &Pictures) -> Result<f64, Box<dyn Error>> {
    let score = net.evaluate(pictures, &CrossEntropy::new())?;
    Ok(score.accuracy.unwrap_or(f64::NAN))
}
