//! A network of 56 layers, and the same layers without skip connections.
//!
//! ```text
//! cargo run --release --example deep -- --data DIR
//! ```
//!
//! Introduces **depth, and the diagnosis of gradients by `Health`**. In deep networks the size of the gradient must not
//! change from layer to layer (He, Zhang, Ren and Sun, 2015). Three networks have the same convolutions in the same
//! order. With skip connections and BatchNorm the gradient is about as large in the first layer as in the last. Without
//! skip connections BatchNorm makes it grow a little in each layer of the backward pass: the updates of the first
//! layers are too large, and later layers learn slowly from inputs that change at random. Without both the gradient
//! vanishes, and nothing is learnt. All of that is visible before the first step: `Health::of` analyses the gradient of one batch, and
//! describes problems.
//!
//! Data: Fashion-MNIST, `fashion-mnist` in the data folder.

#[path = "common/clothes.rs"]
mod clothes;
mod common;
#[path = "common/gradients.rs"]
mod gradients;
#[path = "common/images.rs"]
mod images;

use clothes::clothes;
use common::{Options, claim, claim_progress};
use gradients::{first_gradient, of_convolutions, spread};
use images::Images;
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Image;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;
use unrolled::train::{Health, History, Warning};

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

    /// Two convolutions without BatchNorm.
    block Bare(channels, stride = 1) {
        Conv2d(channels, kernel = 3, stride = stride, padding = 1), ReLU,
        Conv2d(channels, kernel = 3, padding = same), ReLU,
    }

    /// The network of He and others for CIFAR-10, with half of the channels. Layers: 1 + 9 * 2 + 9 * 2 + 9 * 2 + 1.
    pub struct ResNet56(28x28x1) -> 10 {
        stem: Conv2d(8, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(9) { Basic(8) }                      -> 28x28x8,
        half2: Halving(16), stage2: Repeat(8) { Basic(16) } -> 14x14x16,
        half3: Halving(32), stage3: Repeat(8) { Basic(32) } -> 7x7x32,
        GlobalAvgPool,
        head: Dense(10),
    }

    /// As deep, without skip connections.
    #[allow(deep_without_skip)]
    pub struct Plain56(28x28x1) -> 10 {
        stem: Conv2d(8, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(9) { Two(8), ReLU }                                    -> 28x28x8,
        half2: Two(16, stride = 2), ReLU, stage2: Repeat(8) { Two(16), ReLU } -> 14x14x16,
        half3: Two(32, stride = 2), ReLU, stage3: Repeat(8) { Two(32), ReLU } -> 7x7x32,
        GlobalAvgPool,
        head: Dense(10),
    }

    /// As deep, without skip connections and BatchNorm.
    #[allow(deep_without_skip)]
    pub struct Bare56(28x28x1) -> 10 {
        stem: Conv2d(8, kernel = 3, padding = same), ReLU,
        stage1: Repeat(9) { Bare(8) }                               -> 28x28x8,
        half2: Bare(16, stride = 2), stage2: Repeat(8) { Bare(16) } -> 14x14x16,
        half3: Bare(32, stride = 2), stage3: Repeat(8) { Bare(32) } -> 7x7x32,
        GlobalAvgPool,
        head: Dense(10),
    }
}

fn main() -> ExitCode {
    common::start("deep", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [mut train, mut test] = clothes(options)?;
    // The numbers of epochs of the residual and the plain network.
    let (residual_epochs, plain_epochs) = if options.quick { (4, 4) } else { (2, 1) };
    if options.quick {
        shorten(&mut train, 256);
        shorten(&mut test, 120);
    }
    let residual = train_network::<ResNet56>(
        "with skip connections and BatchNorm",
        &train,
        &test,
        residual_epochs,
        options,
    )?;
    claim_progress(&residual.history)?;
    claim("it is healthy", residual.health.warnings.is_empty())?;
    if !options.quick {
        claim("its accuracy is at least 88%", residual.accuracy(residual_epochs) >= 0.88)?;
    }

    let plain =
        train_network::<Plain56>("without skip connections", &train, &test, plain_epochs, options)?;
    claim(
        "its gradient explodes",
        plain.has_warning(|warning| matches!(warning, Warning::Exploding { .. })),
    )?;
    let worse = plain.accuracy(plain_epochs) < residual.accuracy(plain_epochs);
    claim("its accuracy after as many epochs is lower", worse)?;

    shorten(&mut train, if options.quick { 256 } else { 6400 });
    let bare = train_network::<Bare56>(
        "without skip connections and BatchNorm",
        &train,
        &test,
        1,
        options,
    )?;
    claim(
        "its gradient vanishes",
        bare.has_warning(|warning| matches!(warning, Warning::Vanishing { .. })),
    )?;
    claim("it learns nothing: its accuracy is that of chance", bare.accuracy(1) < 0.2)?;

    println!("\nnorm of the gradient in the convolutions before training:\n");
    println!("  convolution   residual      plain       bare");
    let rows = residual.norms.iter().zip(&plain.norms).zip(&bare.norms).enumerate().step_by(9);
    for (index, ((residual, plain), bare)) in rows {
        let [residual, plain, bare] = [residual, plain, bare].map(|(_, norm)| *norm);
        println!("  {:>11}   {residual:>8.2}   {plain:>8.2}   {bare:>8.1e}", index + 1);
    }
    println!("\npowers of ten between the largest and the smallest of them:");
    for (name, net) in [("residual", &residual), ("plain", &plain), ("bare", &bare)] {
        println!("  {name:<8} {:>5.1}", spread(&net.norms).log10());
    }
    Ok(())
}

/// Keeps the first `count` images.
fn shorten(images: &mut Images, count: usize) {
    images.inputs.truncate(count);
    images.targets.truncate(count);
}

/// The results of a network.
struct Results {
    /// The norm of the gradient in each convolution before training.
    norms: Vec<(String, f64)>,
    /// The diagnosis of that gradient.
    health: Health,
    history: History,
}

impl Results {
    /// The test accuracy after this many epochs. Nothing is chosen by it.
    fn accuracy(&self, epochs: usize) -> f64 {
        let score = self.history.epochs[epochs - 1].validation;
        score.and_then(|score| score.accuracy).unwrap_or(f64::NAN)
    }

    fn has_warning(&self, is: impl Fn(&Warning) -> bool) -> bool {
        self.health.warnings.iter().any(is)
    }
}

/// Analyses the first gradient of a network, and trains it.
fn train_network<N: Network<Input = Image<28, 28>, Output = [f32; 10]>>(
    name: &str,
    train: &Images,
    test: &Images,
    epochs: usize,
    options: &Options,
) -> Result<Results, Box<dyn Error>> {
    let batch = if options.quick { 16 } else { 64 };
    println!("\n56 layers {name}, {} weights", N::PARAMS);
    let mut net = N::new(options.seed);
    let d_net = first_gradient(&mut *net, train)?;
    let health = Health::of(&*net, &*d_net);
    if let Some(warning) = health.warnings.first() {
        println!("{warning}");
    }
    let history = Trainer::new(SGD::new(0.1).momentum(0.9).weight_decay(1e-4))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(Cosine::new(epochs * train.len().div_ceil(batch)))
        .validate(test)
        .fit(&mut net, train, &CrossEntropy::new())?;
    Ok(Results { norms: of_convolutions(&*d_net), health, history })
}
