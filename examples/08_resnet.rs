//! ResNet-20, and the same layers without skip connections.
//!
//! ```text
//! cargo run --release --example resnet -- --data DIR
//! ```
//!
//! Introduces **skip connections, and gradients layer by layer**. `Residual` adds its input to the output of its
//! layers, so that the gradient also flows around them (He, Zhang, Ren and Sun, 2015). `block` and `Repeat` write
//! twenty layers in a few lines. The plain network has the same convolutions in the same order. Both have BatchNorm,
//! with which the gradient does not vanish, but grows in the backward pass, layer by layer (Yang and others, "A mean
//! field theory of batch normalization", 2019): `gradient_norms` shows how much, before training.
//!
//! Data: 5,000 images of CIFAR-10, `cifar10-subset` in the data folder, in CIFAR-10's binary format.

mod common;
#[path = "common/gradients.rs"]
mod gradients;

use common::{Options, claim, claim_progress};
use flate2::read::GzDecoder;
use gradients::{first_gradient, of_convolutions, spread};
use std::error::Error;
use std::f32::consts::{PI, TAU};
use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use unrolled::RngKey;
use unrolled::data::Standardizer;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;

network! {
    /// Two convolutions. A stride of 2 halves height and width.
    block Two(channels, stride = 1) {
        Conv2d(channels, kernel = 3, stride = stride, padding = 1, bias = false), BatchNorm, ReLU,
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm,
    }

    /// The same with a skip connection.
    block Basic(channels) { Residual { Two(channels) }, ReLU }

    /// A skip connection with a convolution, because the layers change the shape.
    block Halving(channels) {
        Residual { Two(channels, stride = 2) }
        skip { Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm },
        ReLU,
    }

    /// He and others, for CIFAR-10.
    pub struct ResNet20(32x32x3) -> 10 {
        stem: Conv2d(16, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(3) { Basic(16) }                     -> 32x32x16,
        half2: Halving(32), stage2: Repeat(2) { Basic(32) } -> 16x16x32,
        half3: Halving(64), stage3: Repeat(2) { Basic(64) } -> 8x8x64,
        GlobalAvgPool,
        head: Dense(10),
    }

    /// As deep, without skip connections.
    pub struct Plain20(32x32x3) -> 10 {
        stem: Conv2d(16, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(3) { Two(16), ReLU }                                   -> 32x32x16,
        half2: Two(32, stride = 2), ReLU, stage2: Repeat(2) { Two(32), ReLU } -> 16x16x32,
        half3: Two(64, stride = 2), ReLU, stage3: Repeat(2) { Two(64), ReLU } -> 8x8x64,
        GlobalAvgPool,
        head: Dense(10),
    }
}

/// Red, green and blue of each pixel, from 0 to 1.
type Image = [[[f32; 3]; 32]; 32];
type Images = Data<Image, u32>;

const SOURCE: &str =
    "https://www.cs.toronto.edu/~kriz/cifar.html (the first 4,000 and 1,000 records)";

fn main() -> ExitCode {
    common::start("resnet", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [mut train, mut test] = if options.quick {
        [gratings(0..240), gratings(240..1240)]
    } else {
        [cifar(options, "train")?, cifar(options, "test")?]
    };
    let standardizer = Standardizer::per_channel(&train.inputs, 3)?;
    for set in [&mut train, &mut test] {
        standardizer.apply_all(&mut set.inputs);
    }
    println!("{} training images, {} test images", train.len(), test.len());

    let residual = train_network::<ResNet20>(&train, &test, options)?;
    let plain = train_network::<Plain20>(&train, &test, options)?;

    println!("\nnorm of the gradient in each convolution before training:\n");
    println!("  layer                          plain   layer                          residual");
    for ((name, of_plain), (of, of_residual)) in plain.norms.iter().zip(&residual.norms) {
        println!("  {name:<28} {of_plain:>7.3}   {of:<28} {of_residual:>10.3}");
    }
    let [spread_plain, spread_residual] = [&plain, &residual].map(|net| spread(&net.norms));
    println!("\n             test accuracy   largest and smallest gradient");
    for (name, net, spread) in
        [("plain", &plain, spread_plain), ("residual", &residual, spread_residual)]
    {
        println!("  {name:<10} {:>10.2}%   {spread:>6.1} : 1", 100.0 * net.accuracy);
    }
    claim("the residual network has a higher accuracy", residual.accuracy > plain.accuracy)?;
    claim("its gradients differ less between layers", spread_residual < spread_plain)
}

/// The results of a network.
struct Results {
    /// The fraction of test images that are classified correctly.
    accuracy: f64,
    /// The norm of the gradient in each convolution before training.
    norms: Vec<(String, f64)>,
}

/// Trains a network, and returns its results on the test set. Nothing is chosen by them.
fn train_network<N: Network<Input = Image, Output = [f32; 10]>>(
    train: &Images,
    test: &Images,
    options: &Options,
) -> Result<Results, Box<dyn Error>> {
    const BATCH: usize = 32;
    println!("\n{}", N::summary());
    let mut net = N::new(options.seed);
    let norms = of_convolutions(&*first_gradient(&mut *net, train)?);
    let epochs = if options.quick { 3 } else { 6 };
    let history = Trainer::new(SGD::new(0.1).momentum(0.9).weight_decay(1e-4))
        .batch(BATCH)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(Cosine::new(epochs * train.len().div_ceil(BATCH)))
        .validate(test)
        .fit(&mut net, train, &CrossEntropy::new())?;
    claim_progress(&history)?;
    let score = net.evaluate(test, &CrossEntropy::new())?;
    Ok(Results { accuracy: score.accuracy.unwrap_or(f64::NAN), norms })
}

/// A part of the subset of CIFAR-10: records of a class and 1,024 bytes per colour.
fn cifar(options: &Options, part: &str) -> Result<Images, Box<dyn Error>> {
    const RECORD: usize = 1 + 3 * 1024;
    let path = options.file(&format!("cifar10-subset/cifar10_{part}.bin.gz"), SOURCE)?;
    let mut bytes = Vec::new();
    let read = GzDecoder::new(File::open(&path)?).read_to_end(&mut bytes);
    read.map_err(|error| format!("`{}`: {error}", path.display()))?;
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if !rest.is_empty() {
        let found = format!(
            "`{}`: {} bytes, which is not divisible by {RECORD}",
            path.display(),
            bytes.len()
        );
        return Err(found.into());
    }
    let colour =
        |record: &[u8; RECORD], y, x, c| f32::from(record[1 + 1024 * c + 32 * y + x]) / 255.0;
    let image = |record: &[u8; RECORD]| -> Image {
        std::array::from_fn(|y| {
            std::array::from_fn(|x| std::array::from_fn(|c| colour(record, y, x, c)))
        })
    };
    Ok(records.iter().map(|record| (image(record), u32::from(record[0]))).collect())
}

/// For `--quick`: waves in ten directions, with random phases and colours, and noise.
fn gratings(seeds: std::ops::Range<u64>) -> Images {
    let grating = |seed: u64| {
        let key = RngKey::new(seed);
        let class = seed % 10;
        let (sine, cosine) = (PI * class as f32 / 10.0).sin_cos();
        let (phase, noise) = (TAU * key.uniform(0), key.fold_in(0));
        let image: Image = std::array::from_fn(|y| {
            std::array::from_fn(|x| {
                let wave = (0.8 * (sine * y as f32 + cosine * x as f32) + phase).sin();
                std::array::from_fn(|c| {
                    let index = (3 * (32 * y + x) + c) as u64;
                    key.uniform(1 + c as u64) * wave + 2.0 * noise.uniform(index) - 1.0
                })
            })
        });
        (image, class as u32)
    };
    seeds.map(grating).collect()
}
