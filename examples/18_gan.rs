//! A generative adversarial network: points of eight clusters from noise.
//!
//! ```text
//! cargo run --release --example gan
//! ```
//!
//! Introduces **two networks with opposite aims** (Goodfellow and others, 2014). The discriminator learns to tell generated
//! points from real ones, and the generator to make points that it takes for real. In each step a `TrainPass` trains the
//! discriminator. Then `input_gradients` passes the gradient of the generator's loss through the discriminator to the generated
//! points, without gradients of its weights, and `backward` of the generator's pass continues from there. `Ema` averages the
//! generator's weights, since those of a single step move around the solution.
//!
//! Real points are 8 clusters on a circle of radius 2, each a normal distribution of standard deviation 0.1. A generator
//! that makes some of them and omits others (mode collapse) has no high loss. So the program compares samples: by the
//! energy distance (Székely and Rizzo, 2013), which is zero for equal distributions only, and by the clusters that are
//! covered.

mod common;
#[path = "common/noise.rs"]
mod noise;

use common::{Options, claim};
use noise::Noise;
use std::array::from_fn;
use std::error::Error;
use std::f32::consts::TAU;
use std::process::ExitCode;
use unrolled::prelude::*;

const CLUSTERS: usize = 8;
const RADIUS: f32 = 2.0;
const STD: f32 = 0.1;

/// The numbers from which a point is made.
const CODE: usize = 4;

/// Real points in a step, and generated ones.
const BATCH: usize = 64;

/// Points in each sample that is compared.
const COMPARED: usize = 500;

network! {
    /// Makes a point from noise.
    pub struct Generator(4) -> 2 { Dense(64), ReLU, Dense(64), ReLU, Dense(2) }

    /// The logit of the probability that a point is real.
    pub struct Discriminator(2) -> 1 { Dense(64), LeakyReLU(0.2), Dense(64), LeakyReLU(0.2), Dense(1) }
}

type Point = [f32; 2];

/// Both networks, and what their training steps need.
struct Gan {
    generator: Box<Generator>,
    average: Ema<Generator>,
    discriminator: Box<Discriminator>,
    passes: (TrainPass<Generator>, TrainPass<Discriminator>),
    gradients: (Box<Generator>, Box<Discriminator>),
    optimizers: [Adam; 2],
    noise: Noise,
}

fn main() -> ExitCode {
    common::start("gan", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let (epochs, steps) = if options.quick { (5, 800) } else { (10, 2000) };
    let mut gan = Gan::new(options.seed);
    let mut distances = vec![gan.distance()];
    println!("energy distance before training: {:.4}", distances[0]);
    for epoch in 1..=epochs {
        for _ in 0..steps {
            gan.step()?;
        }
        distances.push(gan.distance());
        println!("epoch {epoch}/{epochs}: energy distance {:.4}", distances[epoch]);
    }
    let (least, shares) =
        (energy_distance(&gan.real(COMPARED), &gan.real(COMPARED)), shares(&gan.made()));
    println!("two samples of real points: {least:.4}");
    println!("\ngenerated points in each cluster:");
    for share in shares {
        println!("  {:.1}%", 100.0 * share);
    }
    let inside = shares.iter().sum::<f64>();
    println!("in none: {:.1}%", 100.0 * (1.0 - inside));
    let last = distances[epochs];
    claim("the energy distance fell to a tenth", last < 0.1 * distances[0])?;
    let covered = |share: &f64| *share > 0.5 / CLUSTERS as f64;
    claim("each cluster has at least half of its points", shares.iter().all(covered))?;
    claim("at least 8 in 10 points are in a cluster", inside > 0.8)
}

impl Gan {
    fn new(seed: u64) -> Self {
        let generator = Generator::new(seed);
        // With momentum the two networks circle around each other (Gidel and others, 2019).
        let adam = || Adam::new(1e-3).betas(0.0, 0.99);
        Self {
            average: Ema::new(&generator, 0.995),
            generator,
            discriminator: Discriminator::new(seed + 1),
            passes: (TrainPass::new(BATCH), TrainPass::new(2 * BATCH)),
            gradients: (Generator::zeros(), Discriminator::zeros()),
            optimizers: [adam(), adam()],
            noise: Noise::new(seed),
        }
    }

    /// One step of each network.
    fn step(&mut self) -> Result<(), Box<dyn Error>> {
        // Neither network has layers with random values.
        let key = RngKey::new(0);
        let real = self.real(BATCH);
        let codes = self.codes(BATCH);
        let made = self.passes.0.forward(&mut self.generator, &codes, key)?.to_vec();
        let both = [real, made.clone()].concat();
        let scores = self.passes.1.forward(&mut self.discriminator, &both, key)?;
        let mut d_scores = vec![[0.0]; 2 * BATCH];
        for (i, (score, d_score)) in scores.iter().zip(&mut d_scores).enumerate() {
            loss(score, i < BATCH, d_score);
        }
        let d_discriminator = &mut self.gradients.1;
        self.passes.1.backward(&self.discriminator, &d_scores, d_discriminator, None)?;
        self.optimizers[1].update(&mut self.discriminator, d_discriminator);

        let mut d_made = vec![[0.0; 2]; BATCH];
        let as_real = |score: &[f32; 1], d_score: &mut [f32; 1]| loss(score, true, d_score);
        self.discriminator.input_gradients(&made, as_real, &mut d_made)?;
        let d_generator = &mut self.gradients.0;
        self.passes.0.backward(&self.generator, &d_made, d_generator, None)?;
        self.optimizers[0].update(&mut self.generator, d_generator);
        self.average.update(&self.generator);
        Ok(())
    }

    fn codes(&mut self, count: usize) -> Vec<[f32; CODE]> {
        (0..count).map(|_| from_fn(|_| self.noise.normal())).collect()
    }

    fn real(&mut self, count: usize) -> Vec<Point> {
        let noise = &mut self.noise;
        let point = |_| {
            let cluster = (CLUSTERS as f32 * noise.uniform()) as usize;
            centre(cluster).map(|x| x + STD * noise.normal())
        };
        (0..count).map(point).collect()
    }

    /// Points of the averaged generator.
    fn made(&mut self) -> Vec<Point> {
        let codes = self.codes(COMPARED);
        let mut points = vec![[0.0; 2]; COMPARED];
        self.average.net().forward_batch(&codes, &mut points);
        points
    }

    /// The distance of generated from real points.
    fn distance(&mut self) -> f64 {
        energy_distance(&self.made(), &self.real(COMPARED))
    }
}

fn centre(cluster: usize) -> Point {
    let (sine, cosine) = (TAU * cluster as f32 / CLUSTERS as f32).sin_cos();
    [RADIUS * cosine, RADIUS * sine]
}

/// Twice the mean distance between points of both samples, less the mean distances within each.
fn energy_distance(a: &[Point], b: &[Point]) -> f64 {
    let mean = |a: &[Point], b: &[Point]| {
        let sum: f64 = a.iter().map(|a| b.iter().map(|b| distance(a, b)).sum::<f64>()).sum();
        sum / (a.len() * b.len()) as f64
    };
    2.0 * mean(a, b) - mean(a, a) - mean(b, b)
}

/// The fractions of points within three standard deviations of each cluster.
fn shares(points: &[Point]) -> [f64; CLUSTERS] {
    from_fn(|cluster| {
        let inside = |point: &&Point| distance(point, &centre(cluster)) < f64::from(3.0 * STD);
        points.iter().filter(inside).count() as f64 / points.len() as f64
    })
}

fn distance([x, y]: &Point, [x2, y2]: &Point) -> f64 {
    f64::from((x - x2).hypot(y - y2))
}

/// Writes the gradient of the cross-entropy of one of `BATCH` points.
fn loss(score: &[f32; 1], real: bool, d_score: &mut [f32; 1]) {
    let target = [f32::from(u8::from(real))];
    BinaryCrossEntropyWithLogits::new().sample(score, &target, 1.0 / BATCH as f32, d_score);
}
