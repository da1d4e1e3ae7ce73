//! A custom layer: hand-written, generic over its sizes, used in a `network!`.
//!
//! ```text
//! cargo run --release --example custom_layer
//! ```
//!
//! The task is to tell which of three rings around the origin a point is in. `Dense` layers approximate circles by many
//! straight lines; the level sets of radial basis functions are circles.

use unrolled::data::Data;
use unrolled::loss::CrossEntropy;
use unrolled::optim::Adam;
use unrolled::prelude::*;
use unrolled::train::Trainer;
use unrolled::{RngKey, Shape, ShapeError, check_gradients, init, rules};

/// Radial basis functions: `[IN] -> [CENTRES]`, `y = exp(-(sharpness * |x - centre|)^2)`.
///
/// `derive(Weights)` declares the fields as weights, which must be arrays of `f32`. Gradients have the same type. In
/// files the fields are `rings.centre` and `rings.sharpness`.
#[derive(Weights)]
#[repr(C)]
#[derive(Debug)]
pub struct RadialBasis<const IN: usize, const CENTRES: usize> {
    centre: [[f32; IN]; CENTRES],
    sharpness: [f32; CENTRES],
}

impl<const IN: usize, const CENTRES: usize> Layer for RadialBasis<IN, CENTRES> {
    // One sample, as ordinary arrays. Their types define the shapes of the layer.
    type Input = [f32; IN];
    type Output = [f32; CENTRES];

    // The shape rule. That of `Dense` fits: at least one unit, and a limited number of weights. Sizes that violate it
    // are a compile error on the line of the `network!`.
    const RULE: Result<Shape, ShapeError> =
        rules::dense::Dense { units: CENTRES, bias: true, weight: None }
            .output(<[f32; IN] as Inputs>::SHAPES);

    // Multiply-adds, for the summary.
    const MACS: usize = IN * CENTRES;

    // All weights are zero before the call. Each use of the layer in a network has a random key of its own.
    fn initialise(&mut self, key: RngKey) {
        init::uniform(self.centre.as_flattened_mut(), 1.0, key);
        self.sharpness = [2.0; CENTRES];
    }

    // `y` is zero before the call.
    fn forward(&self, x: &[f32; IN], y: &mut [f32; CENTRES]) {
        for ((y, s), centre) in y.iter_mut().zip(&self.sharpness).zip(&self.centre) {
            *y = (-s * s * distance_squared(x, centre)).exp();
        }
    }

    // Adds the gradients to `d_x`, which is zero before the call, and to `d_self`, which holds the sum over earlier
    // samples. The library adds up samples and shards (parts of the batch) in a fixed order, so that results do not
    // depend on the number of threads.
    fn backward(
        &self,
        x: &[f32; IN],
        y: &[f32; CENTRES],
        d_y: &[f32; CENTRES],
        d_x: &mut [f32; IN],
        d_self: &mut Self,
    ) {
        for k in 0..CENTRES {
            let s = self.sharpness[k];
            let d_exponent = d_y[k] * y[k];
            d_self.sharpness[k] -= d_exponent * 2.0 * s * distance_squared(x, &self.centre[k]);
            for i in 0..IN {
                let d = d_exponent * 2.0 * s * s * (x[i] - self.centre[k][i]);
                d_self.centre[k][i] += d;
                d_x[i] -= d;
            }
        }
    }
}

fn distance_squared<const N: usize>(a: &[f32; N], b: &[f32; N]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

network! {
    /// Scores of the three rings. A custom layer is written like any other.
    pub struct Rings(2) -> 3 {
        tilt: Dense(2),
        rings: RadialBasis::<2, 32> -> 32,
        scores: Dense(3),
    }
}

/// Points of a square, and the index of the ring of each.
fn points(count: usize, seed: u64) -> Data<[f32; 2], u32> {
    let key = RngKey::new(seed);
    let coordinate = |i: usize| 2.0 * key.uniform(i as u64) - 1.0;
    let inputs: Vec<[f32; 2]> =
        (0..count).map(|i| [coordinate(2 * i), coordinate(2 * i + 1)]).collect();
    let ring = |[x, y]: &[f32; 2]| match x.hypot(*y) {
        ..0.4 => 0,
        ..0.8 => 1,
        _ => 2,
    };
    let targets = inputs.iter().map(ring).collect();
    Data { inputs, targets }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (train, test) = (points(4000, 1), points(1000, 2));
    let loss = CrossEntropy::default();
    let mut net = Rings::new(42);
    println!("{}", Rings::summary());

    // Compares `backward` with finite differences of the loss.
    let check = check_gradients(&*net, &loss, &train.inputs[..50], &train.targets[..50])?;
    println!("{check}");
    assert!(check.worst < 1e-2, "the gradients are wrong");

    Trainer::new(Adam::new(1e-2))
        .batch(50)
        .epochs(10)
        .validate(&test)
        .fit(&mut net, &train, &loss)?;
    Ok(())
}
