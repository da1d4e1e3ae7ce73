//! A variational autoencoder: images from a few random numbers.
//!
//! ```text
//! cargo run --release --example vae -- --data DIR
//! ```
//!
//! Introduces **two networks in one step** (Kingma and Welling, 2014). The encoder maps an image to a normal distribution
//! of codes, with two outputs, mean and logarithm of the variance. A code drawn from it is decoded to an image. The loss is
//! the negative lower bound of the likelihood (ELBO): the cross-entropy of all pixels, and the Kullback-Leibler divergence of
//! the code's distribution from a standard normal one. The gradient passes through the decoder to the code, and, since the
//! code is `mean + exp(log_var / 2) * noise`, on to mean and variance.
//!
//! Data: MNIST, `mnist` in the data folder.

mod common;
#[path = "common/images.rs"]
mod images;
#[path = "common/noise.rs"]
mod noise;

use common::{Options, claim};
use images::{Source, images};
use noise::Noise;
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Image;
use unrolled::prelude::*;

const MNIST: Source =
    Source { folder: "mnist", address: "https://ossci-datasets.s3.amazonaws.com/mnist/" };

/// The numbers in a code.
const CODE: usize = 8;

/// The pixels of an image.
const PIXELS: usize = 28 * 28;

network! {
    /// Maps an image to the distribution of its code.
    pub struct Encoder(image: 28x28x1) -> (mean: 8, log_var: 8) {
        Flatten,
        Dense(128),
        seen: ReLU,
        mean: Dense(8),
        log_var: seen => Dense(8),
    }

    /// Maps a code to the logits of pixels.
    pub struct Decoder(8) -> 784 {
        Dense(128), ReLU,
        Dense(784),
    }
}

type Distribution = <Encoder as Network>::Output;

/// Encoder and decoder, and what their training steps need.
struct Vae {
    encoder: Box<Encoder>,
    decoder: Box<Decoder>,
    passes: (TrainPass<Encoder>, TrainPass<Decoder>),
    gradients: (Box<Encoder>, Box<Decoder>),
    optimizers: [Adam; 2],
    noise: Noise,
}

fn main() -> ExitCode {
    common::start("vae", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = images(options, &MNIST)?;
    println!("{} training images, {} test images", train.len(), test.len());
    let (batch, epochs) = if options.quick { (32, 15) } else { (64, 5) };
    let mut vae = Vae::new(batch, options.seed);
    let mut order: Vec<usize> = (0..train.len()).collect();
    let mut losses = Vec::new();
    for epoch in 1..=epochs {
        let key = RngKey::new(options.seed).fold_in(epoch);
        order.sort_by_key(|i| key.bits(*i as u64));
        let mut sum = 0.0;
        for indices in order.chunks_exact(batch) {
            let images: Vec<_> = indices.iter().map(|i| train.inputs[*i]).collect();
            sum += vae.step(&images)?;
        }
        losses.push(sum / (train.len() / batch) as f64);
        println!("epoch {epoch}/{epochs}: loss {:.2}", losses[losses.len() - 1]);
    }
    println!("images of random codes:\n");
    for _ in 0..3 {
        let code = std::array::from_fn(|_| vae.noise.normal());
        print_image(&vae.decoder.forward(&code));
    }

    let found = vae.loss(&test.inputs);
    let independent = loss_of_independent_pixels(&train.inputs, &test.inputs);
    // Grey pixels have a cross-entropy above 0 also with themselves.
    let least =
        test.inputs.iter().map(|image| loss_of_pixels(image, image.as_floats())).sum::<f64>()
            / test.len() as f64;
    println!("negative lower bound of the log-likelihood of a test image, in nats: {found:.1}");
    println!("independent pixels: {independent:.1}");
    println!("the image itself: {least:.1}");
    claim("the training loss fell", losses.last() < losses.first())?;
    let words = "it is nearer to that of the image itself than to that of independent pixels";
    claim(words, found - least < independent - found)
}

impl Vae {
    fn new(batch: usize, seed: u64) -> Self {
        Self {
            encoder: Encoder::new(seed),
            decoder: Decoder::new(seed + 1),
            passes: (TrainPass::new(batch), TrainPass::new(batch)),
            gradients: (Encoder::zeros(), Decoder::zeros()),
            optimizers: [Adam::new(1e-3), Adam::new(1e-3)],
            noise: Noise::new(seed),
        }
    }

    /// One training step. Returns the mean loss of the images.
    fn step(&mut self, images: &[Image<28, 28>]) -> Result<f64, Box<dyn Error>> {
        // Neither network has layers with random values.
        let (key, n) = (RngKey::new(0), images.len() as f32);
        let distributions = self.passes.0.forward(&mut self.encoder, images, key)?.to_vec();
        let (noise, codes) = draw(&distributions, &mut self.noise);
        let logits = self.passes.1.forward(&mut self.decoder, &codes, key)?;
        let mut d_logits = vec![[0.0; PIXELS]; images.len()];
        let mut loss = 0.0;
        for ((logits, image), d_logits) in logits.iter().zip(images).zip(&mut d_logits) {
            loss += cross_entropy(logits, image, 1.0 / n, d_logits);
        }
        let mut d_codes = vec![[0.0; CODE]; images.len()];
        let (d_encoder, d_decoder) = (&mut self.gradients.0, &mut self.gradients.1);
        self.passes.1.backward(&self.decoder, &d_logits, d_decoder, Some(&mut d_codes))?;
        let mut d_distributions = distributions.clone();
        for (i, d) in d_distributions.iter_mut().enumerate() {
            let Distribution { mean, log_var } = distributions[i];
            loss += divergence(&distributions[i]);
            for j in 0..CODE {
                let (d_code, std) = (d_codes[i][j], (log_var[j] / 2.0).exp());
                d.mean[j] = d_code + mean[j] / n;
                d.log_var[j] = 0.5 * (d_code * std * noise[i][j] + (std * std - 1.0) / n);
            }
        }
        self.passes.0.backward(&self.encoder, &d_distributions, d_encoder, None)?;
        self.optimizers[0].update(&mut self.encoder, d_encoder);
        self.optimizers[1].update(&mut self.decoder, d_decoder);
        Ok(loss / f64::from(n))
    }

    /// The mean loss of images, each with one code.
    fn loss(&mut self, images: &[Image<28, 28>]) -> f64 {
        let mut d_logits = [0.0; PIXELS];
        let sum: f64 = images
            .iter()
            .map(|image| {
                let distribution = self.encoder.forward(image);
                let (_, codes) = draw(&[distribution], &mut self.noise);
                let logits = self.decoder.forward(&codes[0]);
                cross_entropy(&logits, image, 0.0, &mut d_logits) + divergence(&distribution)
            })
            .sum();
        sum / images.len() as f64
    }
}

/// Noise, and the codes that it makes.
fn draw(distributions: &[Distribution], noise: &mut Noise) -> (Vec<[f32; CODE]>, Vec<[f32; CODE]>) {
    let pairs = distributions.iter().map(|Distribution { mean, log_var }| {
        let noise: [f32; CODE] = std::array::from_fn(|_| noise.normal());
        (noise, std::array::from_fn(|j| mean[j] + (log_var[j] / 2.0).exp() * noise[j]))
    });
    pairs.unzip()
}

/// The sum over all pixels, and its gradient times `scale`.
fn cross_entropy(logits: &[f32; PIXELS], image: &Image<28, 28>, scale: f32, d: &mut [f32]) -> f64 {
    let mut pixels = [0.0; PIXELS];
    pixels.copy_from_slice(image.as_floats());
    let count = PIXELS as f32;
    let loss = BinaryCrossEntropyWithLogits::new();
    f64::from(count) * loss.sample(logits, &pixels, count * scale, d)
}

/// The divergence of a code's distribution from a standard normal one.
fn divergence(Distribution { mean, log_var }: &Distribution) -> f64 {
    let terms = mean
        .iter()
        .zip(log_var)
        .map(|(mean, log_var)| f64::from(0.5 * (mean * mean + log_var.exp() - 1.0 - log_var)));
    terms.sum()
}

/// The loss of pixels that are drawn independently, each with its mean over the training images.
fn loss_of_independent_pixels(train: &[Image<28, 28>], test: &[Image<28, 28>]) -> f64 {
    let mut means = [0.0; PIXELS];
    for image in train {
        for (mean, x) in means.iter_mut().zip(image.as_floats()) {
            *mean += x / train.len() as f32;
        }
    }
    test.iter().map(|image| loss_of_pixels(image, &means)).sum::<f64>() / test.len() as f64
}

/// The cross-entropy of an image and the probabilities of its pixels.
fn loss_of_pixels(image: &Image<28, 28>, probabilities: &[f32]) -> f64 {
    let pixels = image.as_floats().iter().zip(probabilities);
    let losses = pixels.map(|(x, p)| {
        let (x, p) = (f64::from(*x), f64::from(*p).clamp(1e-4, 1.0 - 1e-4));
        -x * p.ln() - (1.0 - x) * (1.0 - p).ln()
    });
    losses.sum()
}

/// Prints every other row.
fn print_image(logits: &[f32; PIXELS]) {
    for row in logits.chunks_exact(28).step_by(2) {
        let line: String = row.iter().map(|y| if *y > 0.0 { '#' } else { ' ' }).collect();
        println!("{}", line.trim_end());
    }
}
