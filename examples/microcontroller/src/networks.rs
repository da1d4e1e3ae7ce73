//! The networks of the firmware, and what it computes.

use unrolled::WeightSlice;
use unrolled::prelude::*;

network! {
    /// The layers of `Digits`.
    block Layers {
        conv1: Conv2d(8, kernel = 3, padding = 1), ReLU, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 3, padding = 1), ReLU, MaxPool2d(2),
        Flatten,
        fc1: Dense(32), ReLU,
        fc2: Dense(10),
    }

    /// Classifies the digits of `examples/data`, 8 by 8 pixels. `train` wrote the file of weights.
    #[weights("digits.safetensors")]
    #[fits(flash = 16K, ram = 8K)]
    pub struct Digits(8x8x1) -> 10 { _: Layers }

    /// The same with two bytes for each weight.
    #[weights("digits.safetensors", storage = f16)]
    #[fits(flash = 8K, ram = 16K)]
    pub struct SmallDigits(8x8x1) -> 10 { _: Layers }

    /// A signal after a recurrent filter, sample by sample.
    pub struct Filter(64x1) -> 64x1 { LSTM(16), Dense(1) }
}

/// Weights of a network that is not trained.
static FILTER: [f32; Filter::LEN] = {
    let mut weights = [0.0; Filter::LEN];
    let (mut i, mut state) = (0, 1_u32);
    while i < weights.len() {
        // A linear congruential generator (Numerical Recipes); values from -0.25 to 0.25, the same everywhere.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        weights[i] = (state >> 16) as f32 / 131_072.0 - 0.25;
        i += 1;
    }
    weights
};

/// The number of images: the last ones of the data set, which training does not use.
const COUNT: usize = 10;

/// Rows of pixels from 0 to 16.
static IMAGES: [[u8; 64]; COUNT] = last(include_bytes!("../../data/digits-images-idx3-ubyte"));

/// The digits that they show.
static LABELS: [[u8; 1]; COUNT] = last(include_bytes!("../../data/digits-labels-idx1-ubyte"));

/// The last items of a file.
const fn last<const N: usize>(file: &[u8]) -> [[u8; N]; COUNT] {
    let mut items = [[0; N]; COUNT];
    let mut i = 0;
    while i < N * COUNT {
        items[i / N][i % N] = file[file.len() - N * COUNT + i];
        i += 1;
    }
    items
}

/// Classifies the images. `report` receives whether an answer is right, and the scores.
pub fn classify(report: impl FnMut(bool, &[f32])) {
    let net = Digits::pretrained();
    let mut workspace = [0.0; Digits::WORKSPACE_LEN];
    classify_by(|image| net.forward_in(&mut workspace, image), report);
}

/// The same with weights of two bytes.
pub fn classify_from_halves(report: impl FnMut(bool, &[f32])) {
    let net = SmallDigits::pretrained();
    let mut workspace = [0.0; Half::<SmallDigits>::WORKSPACE_LEN];
    classify_by(|image| net.forward_in(&mut workspace, image), report);
}

fn classify_by(
    mut scores_of: impl FnMut(&<Digits as Network>::Input) -> [f32; 10],
    mut report: impl FnMut(bool, &[f32]),
) {
    for (pixels, [label]) in IMAGES.iter().zip(&LABELS) {
        let image = core::array::from_fn(|y| {
            core::array::from_fn(|x| [f32::from(pixels[8 * y + x]) / 16.0])
        });
        let scores = scores_of(&image);
        let answer = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        report(answer.is_some_and(|(digit, _)| digit == usize::from(*label)), &scores);
    }
}

/// The filter's output for a signal of 64 samples, a triangle, one after the other.
pub fn filter() -> [f32; 64] {
    let net = Filter::from_floats(&FILTER);
    let mut state = [0.0; Filter::STATE_LEN];
    let mut workspace = [0.0; Filter::STEP_WORKSPACE_LEN];
    core::array::from_fn(|i| {
        let sample = (i % 16).abs_diff(8) as f32 / 4.0 - 1.0;
        net.step_in(&mut state, &mut workspace, core::hint::black_box(&[sample]))[0]
    })
}
