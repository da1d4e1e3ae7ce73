//! Training in the page.

use crate::{Digits, PAGE};
use unrolled::data::{Augment, resize};
use unrolled::prelude::*;

/// Samples of a training step.
const BATCH: usize = 32;

/// Copies of a corrected image in each batch, beside images of the data set, so that the network does not forget these.
const COPIES: usize = 8;

type Image = [[[f32; 1]; 28]; 28];

/// The samples so far, and what a training step needs.
pub(crate) struct Learning {
    /// An image of the data set, to be added.
    small: [[[f32; 1]; 8]; 8],
    images: Vec<Image>,
    digits: Vec<u32>,
    optimizer: Adam,
    gradient: Box<Digits>,
    steps: u64,
}

impl Learning {
    pub(crate) fn new() -> Self {
        Self {
            small: [[[0.0]; 8]; 8],
            images: Vec::new(),
            digits: Vec::new(),
            optimizer: Adam::new(1e-3),
            gradient: Digits::zeros(),
            steps: 0,
        }
    }

    /// One training step on a random batch, whose first samples are `first`. Returns its mean loss.
    fn step(&mut self, net: &mut Digits, first: &[(Image, u32)]) -> f32 {
        let key = RngKey::new(2).fold_in(self.steps);
        self.steps += 1;
        let random = |i| key.bits(i) as usize % self.images.len();
        let others =
            (0..(BATCH - first.len()) as u64).map(random).map(|i| (self.images[i], self.digits[i]));
        // Shifted and rotated a little: people draw in more ways than the 13 whose digits these are.
        let augment = Augment::new().shift(1).rotate(10.0);
        let (images, digits): (Vec<_>, Vec<_>) = (first.iter().copied().chain(others).enumerate())
            .map(|(i, (image, digit))| (augment.image(&image, key.fold_in(i as u64)), digit))
            .unzip();
        let loss = CrossEntropy::new();
        let loss = net.loss_and_gradients(&loss, &images, &digits, &mut self.gradient, key);
        self.optimizer.update(net, &self.gradient);
        loss.unwrap_or(f32::NAN)
    }
}

/// The address of an image of the data set: 8 rows of 8 values from 0 to 1.
#[unsafe(no_mangle)]
extern "C" fn small_image() -> *mut f32 {
    PAGE.with_borrow_mut(|page| page.learning.small.as_floats_mut().as_mut_ptr())
}

/// Scales the image at [`small_image`] to 28 by 28 pixels, for [`classify`](crate::classify).
#[unsafe(no_mangle)]
extern "C" fn enlarge() {
    PAGE.with_borrow_mut(|page| page.image = *resize(&page.learning.small));
}

/// Adds the image to the training data.
#[unsafe(no_mangle)]
extern "C" fn add_sample(digit: u32) {
    PAGE.with_borrow_mut(|page| {
        page.learning.images.push(page.image);
        page.learning.digits.push(digit);
    });
}

/// One training step on a random batch. Returns its mean loss.
#[unsafe(no_mangle)]
extern "C" fn train_step() -> f32 {
    PAGE.with_borrow_mut(|page| page.learning.step(&mut page.net, &[]))
}

/// A training step on a batch that contains the image several times, as `digit`. Returns its mean loss.
#[unsafe(no_mangle)]
extern "C" fn correct(digit: u32) -> f32 {
    PAGE.with_borrow_mut(|page| page.learning.step(&mut page.net, &[(page.image, digit); COPIES]))
}
