//! A training run: losses of its epochs, from data in memory and from a data set whose batches are loaded, and a weight.

use crate::report::line;
use unrolled::prelude::*;

network! {
    /// Learns on which side of the image its bright half is.
    pub struct Sides(12x12x1) -> 2 {
        Conv2d(6, kernel = 3, bias = false), BatchNorm, ReLU, MaxPool2d(2),
        Flatten, Dropout(0.2),
        Dense(2),
    }
}

/// An image whose left or right half is brighter, with noise.
fn sample(key: RngKey) -> ([[[f32; 1]; 12]; 12], u32) {
    let side = (key.fold_in(0).uniform(0) > 0.5) as u32;
    let mut image = [[[0.0; 1]; 12]; 12];
    for (i, value) in image.as_floats_mut().iter_mut().enumerate() {
        let right = (i % 12 / 6) as u32;
        *value = key.uniform(i as u64 + 1) + if right == side { 0.3 } else { 0.0 };
    }
    (image, side)
}

/// Samples that are made when they are used.
struct Samples;

impl Dataset for Samples {
    type Input = [[[f32; 1]; 12]; 12];
    type Target = u32;

    fn len(&self) -> usize {
        90
    }
    fn get(&self, i: usize, key: RngKey) -> (Self::Input, u32) {
        sample(key.fold_in(i as u64))
    }
}

/// The loss of each epoch, and the weights at the end.
pub(crate) fn report() -> String {
    let in_memory: Data<_, _> = (0..90).map(|i| sample(RngKey::new(i))).collect();
    [train("in memory", &in_memory), train("loaded", &Samples)].concat()
}

fn train<D>(name: &str, data: &D) -> String
where
    D: Dataset<Input = [[[f32; 1]; 12]; 12], Target = u32>,
{
    let mut net = Sides::new(1);
    let trainer = Trainer::new(Adam::new(1e-2)).batch(16).epochs(3).seed(2).quiet();
    let history = trainer.validate(data).fit(&mut net, data, &CrossEntropy::new()).expect("trains");
    let losses: Vec<_> = history.epochs.iter().map(|epoch| epoch.training.loss as f32).collect();
    line(&format!("losses {name}"), &losses) + &line(&format!("weights {name}"), net.params())
}
