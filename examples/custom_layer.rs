//! A layer of one's own: written by hand, generic over its sizes, used in a `network!`.
//!
//! ```text
//! cargo run --release --example custom_layer
//! ```
//!
//! The task: on which of three rings around the origin does a point lie? A chain of `Dense` layers
//! bends planes to circles; radial basis functions are round to begin with.

use unrolled::data::Data;
use unrolled::loss::CrossEntropy;
use unrolled::optim::Adam;
use unrolled::prelude::*;
use unrolled::train::Trainer;
use unrolled::{RngKey, Shape, ShapeError, check_gradients, init, rules};

/// Radial basis functions: `[IN] -> [CENTRES]`, `y = exp(-(sharpness * |x - centre|)^2)`.
///
/// The derive makes it the layer's weights: `f32` and nothing else, one behind the other. Gradients
/// are a value of the same type. In files the fields are `rings.centre` and `rings.sharpness`.
#[derive(Weights)]
#[repr(C)]
pub struct RadialBasis<const IN: usize, const CENTRES: usize> {
    centre: [[f32; IN]; CENTRES],
    sharpness: [f32; CENTRES],
}

impl<const IN: usize, const CENTRES: usize> Layer for RadialBasis<IN, CENTRES> {
    // One sample, as ordinary arrays. Their shapes are the layer's: nothing is written twice.
    type Input = [f32; IN];
    type Output = [f32; CENTRES];

    // Which sizes make sense. The rule of `Dense` says it for this layer, too: at least one unit, and
    // no absurd number of weights. A mistake is a compile error on the line of the `network!`.
    const RULE: Result<Shape, ShapeError> =
        rules::dense::Dense { units: CENTRES, bias: true, weight: None }
            .output(<[f32; IN] as Inputs>::SHAPES);

    // For the summary.
    const MACS: usize = IN * CENTRES;

    // All weights are zero before. Each use of the layer has random key of its own.
    fn initialise(&mut self, key: RngKey) {
        init::uniform(self.centre.as_flattened_mut(), 1.0, key);
        self.sharpness = [2.0; CENTRES];
    }

    // `y` holds zeros before.
    fn forward(&self, x: &[f32; IN], y: &mut [f32; CENTRES]) {
        for ((y, s), centre) in y.iter_mut().zip(&self.sharpness).zip(&self.centre) {
            *y = (-s * s * distance_squared(x, centre)).exp();
        }
    }

    // Adds to `d_x` and `d_self`, by the chain rule. The library adds up samples and shards of the
    // batch in a fixed order, so that results do not depend on the number of threads.
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
    /// Which ring a point lies on. The layer stands where others stand, with a shape to check.
    pub struct Rings(2) -> 3 {
        tilt: Dense(2),
        rings: RadialBasis::<2, 32>  -> 32,
        scores: Dense(3),
    }
}

/// Points of the square, and the number of the ring that each lies on.
fn points(count: usize, seed: u64) -> Data<[f32; 2], u32> {
    let key = RngKey::new(seed);
    let number = |i: usize| 2.0 * key.uniform(i as u64) - 1.0;
    let inputs: Vec<[f32; 2]> = (0..count).map(|i| [number(2 * i), number(2 * i + 1)]).collect();
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

    // Is `backward` right? Finite differences of the loss say so, also for the layer before.
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
