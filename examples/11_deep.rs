//! A network of 56 layers that learns, and the same layers without shortcuts.
//!
//! ```text
//! cargo run --release --example deep -- --data DIR
//! ```
//!
//! Part of the introduction: **depth, and what `Health` says of it**. Through so many layers a gradient arrives as it
//! should only where something keeps it even (He, Zhang, Ren and Sun, 2015). Three networks have the same
//! convolutions in the same order. With shortcuts and BatchNorm the gradient is about as large in the first layer as
//! in the last. Without shortcuts BatchNorm makes it grow on its way back, a little with each layer: the first
//! layers are thrown about, and what is behind them learns from noise, slowly. Without both it vanishes, and
//! nothing is learnt at all. All of that can be seen before the first step: `Health::of` looks at the gradient of
//! one batch, and says in plain words what is wrong.
//!
//! Data: Fashion-MNIST, `fashion-mnist` in the data folder.

#[path = "common/clothes.rs"]
mod clothes;
mod common;
#[path = "common/gradients.rs"]
mod gradients;
#[path = "common/pictures.rs"]
mod pictures;

use clothes::clothes;
use common::{Options, claim, claim_progress};
use gradients::{first_gradient, of_convolutions, spread};
use pictures::Pictures;
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Image;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;
use unrolled::train::{Health, History, Warning};

network! {
    /// Two convolutions; with a stride of 2, half of the height and width.
    block Two(channels, stride = 1) {
        Conv2d(channels, kernel = 3, stride = stride, padding = 1, bias = false), BatchNorm, ReLU,
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm,
    }

    /// The same around a shortcut.
    block Basic(channels) { Residual { Two(channels) }, ReLU }

    /// A shortcut that changes the size as its layers do.
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

    /// He and others, for CIFAR-10, with half of their channels. Layers: 1 + 9 * 2 + 9 * 2 + 9 * 2 + 1.
    pub struct ResNet56(28x28x1) -> 10 {
        stem: Conv2d(8, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(9) { Basic(8) }                       -> 28x28x8,
        half2: Halving(16), stage2: Repeat(8) { Basic(16) }  -> 14x14x16,
        half3: Halving(32), stage3: Repeat(8) { Basic(32) }  -> 7x7x32,
        GlobalAvgPool,
        head: Dense(10),
    }

    /// As deep, without shortcuts.
    pub struct Plain56(28x28x1) -> 10 {
        stem: Conv2d(8, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        stage1: Repeat(9) { Two(8), ReLU }                                     -> 28x28x8,
        half2: Two(16, stride = 2), ReLU, stage2: Repeat(8) { Two(16), ReLU }  -> 14x14x16,
        half3: Two(32, stride = 2), ReLU, stage3: Repeat(8) { Two(32), ReLU }  -> 7x7x32,
        GlobalAvgPool,
        head: Dense(10),
    }

    /// As deep, without shortcuts and without BatchNorm.
    pub struct Bare56(28x28x1) -> 10 {
        stem: Conv2d(8, kernel = 3, padding = same), ReLU,
        stage1: Repeat(9) { Bare(8) }                            -> 28x28x8,
        half2: Bare(16, stride = 2), stage2: Repeat(8) { Bare(16) }  -> 14x14x16,
        half3: Bare(32, stride = 2), stage3: Repeat(8) { Bare(32) }  -> 7x7x32,
        GlobalAvgPool,
        head: Dense(10),
    }
}

fn main() -> ExitCode {
    common::start("deep", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [mut train, mut test] = clothes(options)?;
    // How many epochs the residual network gets, and how many the plain one.
    let (long, short) = if options.quick { (4, 4) } else { (2, 1) };
    if options.quick {
        shorten(&mut train, 256);
        shorten(&mut test, 120);
    }
    let residual = learn::<ResNet56>("with shortcuts and BatchNorm", &train, &test, long, options)?;
    claim_progress(&residual.history)?;
    claim("it is healthy", residual.health.warnings.is_empty())?;
    if !options.quick {
        claim("it tells at least 88%", residual.after(long) >= 0.88)?;
    }

    let plain = learn::<Plain56>("without shortcuts", &train, &test, short, options)?;
    claim("its gradient explodes", plain.shows(|it| matches!(it, Warning::Exploding { .. })))?;
    let behind = plain.after(short) < residual.after(short);
    claim("after as many epochs it tells fewer pictures", behind)?;

    shorten(&mut train, if options.quick { 256 } else { 6400 });
    let bare = learn::<Bare56>("without shortcuts and BatchNorm", &train, &test, 1, options)?;
    claim("its gradient vanishes", bare.shows(|it| matches!(it, Warning::Vanishing { .. })))?;
    claim("it learns nothing: one of ten is right by chance", bare.after(1) < 0.2)?;

    println!("\nnorm of the gradient in the convolutions, before anything was learnt:\n");
    println!("  convolution   residual      plain       bare");
    let rows = residual.norms.iter().zip(&plain.norms).zip(&bare.norms).enumerate().step_by(9);
    for (nth, ((residual, plain), bare)) in rows {
        let [residual, plain, bare] = [residual, plain, bare].map(|(_, norm)| *norm);
        println!("  {:>11}   {residual:>8.2}   {plain:>8.2}   {bare:>8.1e}", nth + 1);
    }
    println!("\npowers of ten between the largest and the smallest of them:");
    for (name, net) in [("residual", &residual), ("plain", &plain), ("bare", &bare)] {
        println!("  {name:<8} {:>5.1}", spread(&net.norms).log10());
    }
    Ok(())
}

/// Leaves the first `count` pictures.
fn shorten(pictures: &mut Pictures, count: usize) {
    pictures.inputs.truncate(count);
    pictures.targets.truncate(count);
}

/// What is known of a network.
struct Learnt {
    /// The norm of the gradient in each convolution before it learnt.
    norms: Vec<(String, f64)>,
    /// What that gradient says.
    health: Health,
    history: History,
}

impl Learnt {
    /// The share of pictures that it told right after so many epochs, of those held back. Nothing is chosen by
    /// that.
    fn after(&self, epochs: usize) -> f64 {
        let score = self.history.epochs[epochs - 1].validation;
        score.and_then(|score| score.accuracy).unwrap_or(f64::NAN)
    }

    fn shows(&self, kind: impl Fn(&Warning) -> bool) -> bool {
        self.health.warnings.iter().any(kind)
    }
}

/// Looks at the first gradient of a network, and trains it.
fn learn<N: Network<Input = Image<28, 28>, Output = [f32; 10]>>(
    name: &str,
    train: &Pictures,
    test: &Pictures,
    epochs: usize,
    options: &Options,
) -> Result<Learnt, Box<dyn Error>> {
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
    Ok(Learnt { norms: of_convolutions(&*d_net), health, history })
}
