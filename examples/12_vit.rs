//! A small vision transformer: an image as a sequence of patches.
//!
//! ```text
//! cargo run --release --example vit -- --data DIR
//! ```
//!
//! Introduces **attention on images** (Dosovitskiy and others, 2020). A convolution whose stride is its kernel maps
//! each patch of 4x4 pixels to 64 features, and `Reshape` makes a sequence of the 7x7 patches. The rest is the
//! transformer that also reads text: in `TransformerEncoder` each patch attends to all others from the first layer on.
//! Attention does not depend on the positions of patches; `PositionalEmbedding` adds them. Setting it to zero after
//! training shows how much the accuracy depends on positions.
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

network! {
    /// Classifies images into ten classes.
    pub struct ViT(28x28x1) -> 10 {
        patches: Conv2d(64, kernel = 4, stride = 4) -> 7x7x64,
        Reshape(49x64),
        positions: PositionalEmbedding,
        encoder: Repeat(3) { TransformerEncoder(64, heads = 4, hidden = 128, dropout = 0.0) },
        norm: LayerNorm,
        GlobalAvgPool                               -> 64,
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

    let with_positions = accuracy(&net, &test)?;
    net.positions.weight.as_flattened_mut().fill(0.0);
    let without_positions = accuracy(&net, &test)?;
    println!("test accuracy: {:.2}%", 100.0 * with_positions);
    println!("without positions: {:.2}%", 100.0 * without_positions);
    let expected = if options.quick { 0.7 } else { 0.87 };
    claim(&format!("it is at least {:.0}%", 100.0 * expected), with_positions >= expected)?;
    claim("it depends on positions", without_positions < with_positions - 0.1)
}

/// The fraction of images that are classified correctly.
fn accuracy(net: &ViT, images: &Images) -> Result<f64, Box<dyn Error>> {
    let score = net.evaluate(images, &CrossEntropy::new())?;
    Ok(score.accuracy.unwrap_or(f64::NAN))
}
