//! Trains the network of the firmware on this computer, and writes its weights.
//!
//!     cargo run --release --features train --bin train

use microcontroller::Digits;
use std::error::Error;
use unrolled::data::{Data, Idx, Image};
use unrolled::prelude::*;
use unrolled::train::Confusion;

/// The last images, which training does not use.
const TEST: usize = 360;

fn main() -> Result<(), Box<dyn Error>> {
    let mut train = digits()?;
    let test = train.split_off(TEST);
    let mut net = Digits::new(1);
    Trainer::new(Adam::new(3e-3))
        .batch(32)
        .epochs(20)
        .learning_rate(|epoch| 3e-3 * (21 - epoch) as f64 / 20.0)
        .seed(1)
        .fit(&mut net, &train, &CrossEntropy::new())?;
    println!("test accuracy: {:.1}%", 100.0 * Confusion::of(&*net, &test)?.accuracy());
    net.save(concat!(env!("CARGO_MANIFEST_DIR"), "/digits.safetensors"))?;
    Ok(())
}

/// The images of `examples/data`, with pixels from 0 to 1.
fn digits() -> Result<Data<Image<8, 8>, u32>, Box<dyn Error>> {
    let images = Idx::parse("digits", include_bytes!("../../../data/digits-images-idx3-ubyte"))?;
    let labels = Idx::parse("labels", include_bytes!("../../../data/digits-labels-idx1-ubyte"))?;
    let mut all = images.labelled::<8, 8>(&labels)?;
    for value in all.inputs.as_flattened_mut().as_flattened_mut().as_flattened_mut() {
        // `labelled` divides bytes by 255, but these pixels end at 16.
        *value *= 255.0 / 16.0;
    }
    Ok(all)
}
