//! Images without labels: an encoder that maps two views of an image to neighbouring points.
//!
//! ```text
//! cargo run --release --example contrastive -- --data DIR
//! ```
//!
//! Introduces **losses over whole batches** (SimCLR; Chen, Kornblith, Norouzi and Hinton, 2020). `NTXent` compares each
//! output with all others of the batch: the other view of the same image must be the most similar one. So the step is
//! written by hand. `TrainPass` computes all outputs, the loss their gradients, and `backward` those of the weights. Labels
//! are used for the test only: an image gets the class of its nearest neighbour among others. Images that are moved by some
//! pixels have few equal pixels, but views that the encoder has learnt to map to the same point.
//!
//! Data: Fashion-MNIST, `fashion-mnist` in the data folder.

mod common;
#[path = "common/images.rs"]
mod images;

use common::{Options, claim};
use images::{Images, Source, images};
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::{Augment, Image};
use unrolled::loss::{BatchLoss, NTXent};
use unrolled::prelude::*;

const FASHION_MNIST: Source =
    Source { folder: "fashion-mnist", address: "https://github.com/zalandoresearch/fashion-mnist" };

network! {
    /// Maps images to points.
    pub struct Encoder(28x28x1) -> 32 {
        Conv2d(16, kernel = 3, stride = 2, padding = 1), ReLU -> 14x14x16,
        Conv2d(32, kernel = 3, stride = 2, padding = 1), ReLU -> 7x7x32,
        Flatten,
        Dense(128), ReLU,
        Dense(32),
    }
}

/// The views of an image.
const VIEWS: Augment = Augment::new().shift(6);

fn main() -> ExitCode {
    common::start("contrastive", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = images(options, &FASHION_MNIST)?;
    let (pairs, epochs) = if options.quick { (64, 8) } else { (256, 5) };
    let mut net = Encoder::new(options.seed);
    let losses = train_encoder(&mut net, &train.inputs, pairs, epochs, options.seed)?;
    claim("the training loss fell", losses.last() < losses.first())?;

    let (known, asked) = if options.quick { (400, 200) } else { (10_000, 1000) };
    let (known, asked) = (moved(&train, known, 1), moved(&test, asked, 2));
    let encoded = |set: &Images| {
        let mut points = vec![[0.0; 32]; set.len()];
        net.forward_batch(&set.inputs, &mut points);
        points
    };
    let pixels = accuracy([&known.inputs, &asked.inputs], [&known.targets, &asked.targets]);
    let points = accuracy([&encoded(&known), &encoded(&asked)], [&known.targets, &asked.targets]);
    println!("the nearest neighbour of a moved image is of its class");
    println!("  by pixels  {:.1}%", 100.0 * pixels);
    println!("  by encoder {:.1}%", 100.0 * points);
    claim("the encoder finds better neighbours than pixels", points > pixels)
}

/// Trains on `pairs` of views at a time. Returns the mean loss of each epoch.
fn train_encoder(
    net: &mut Encoder,
    images: &[Image<28, 28>],
    pairs: usize,
    epochs: usize,
    seed: u64,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let (loss, mut optimizer) = (NTXent::new(0.1), Adam::new(1e-3));
    let mut pass = TrainPass::<Encoder>::new(2 * pairs);
    let (mut d_net, mut d_outputs) = (Encoder::zeros(), vec![[0.0; 32]; 2 * pairs]);
    let (mut views, mut means) = (Vec::new(), Vec::new());
    // Order and views are others in each epoch.
    for epoch in 0..epochs {
        let key = RngKey::new(seed).fold_in(epoch as u64);
        let mut order: Vec<usize> = (0..images.len()).collect();
        order.sort_by_key(|i| key.bits(*i as u64));
        let batches = order.chunks_exact(pairs);
        let (steps, mut sum) = (batches.len(), 0.0);
        for batch in batches {
            views.clear();
            for view in [1, 2] {
                let view =
                    |i: &usize| VIEWS.image(&images[*i], key.fold_in(view).fold_in(*i as u64));
                views.extend(batch.iter().map(view));
            }
            let outputs = pass.forward(net, &views, key)?;
            sum += loss.loss_and_gradient(outputs, &mut d_outputs)?;
            pass.backward(net, &d_outputs, &mut d_net, None)?;
            optimizer.update(net, &d_net);
        }
        means.push(sum / steps as f64);
        println!("epoch {}/{epochs}: loss {:.4}", epoch + 1, means[epoch]);
    }
    Ok(means)
}

/// The first `count` images, each moved.
fn moved(images: &Images, count: usize, seed: u64) -> Images {
    let key = RngKey::new(seed);
    let samples = images.inputs.iter().zip(&images.targets).take(count).enumerate();
    samples.map(|(i, (x, class))| (VIEWS.image(x, key.fold_in(i as u64)), *class)).collect()
}

/// How often the nearest neighbour of a point, by the angle, is of the same class. Points are `[known, asked]`.
fn accuracy<T: Values>([known, asked]: [&[T]; 2], [classes, expected]: [&[u32]; 2]) -> f64 {
    let product =
        |a: &T, b: &T| -> f32 { a.as_floats().iter().zip(b.as_floats()).map(|(a, b)| a * b).sum() };
    let lengths: Vec<f32> = known.iter().map(|known| product(known, known).sqrt()).collect();
    let right = asked.iter().zip(expected).filter(|(point, class)| {
        let products = known.iter().map(|known| product(known, point));
        let similarities = products.zip(&lengths).map(|(product, length)| product / length);
        let nearest = similarities.zip(classes).max_by(|a, b| a.0.total_cmp(&b.0));
        nearest.is_some_and(|(_, found)| found == *class)
    });
    right.count() as f64 / asked.len() as f64
}
