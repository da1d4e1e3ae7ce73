//! Pictures for examples: data sets in MNIST's format, the digits that come with the examples, and noise.

use crate::common::Options;
use std::error::Error;
use std::f32::consts::TAU;
use unrolled::Streams;
use unrolled::data::{Data, Idx, Image, resize};

/// Pictures of 28x28 points from 0 to 1, and which of ten things they show.
pub(crate) type Pictures = Data<Image<28, 28>, u32>;

/// Where everybody can get MNIST.
const SOURCE: &str = "https://github.com/cvdfoundation/mnist";

/// How many of the digits that come with the examples are held back.
const HELD_BACK: usize = 360;

/// Digits to learn from, and those held back: MNIST's two sets, or for `--quick` 1,797 that come with the
/// examples, scaled up from 8x8.
pub(crate) fn digits(options: &Options) -> Result<[Pictures; 2], Box<dyn Error>> {
    if !options.quick {
        return Ok([mnist(options, "train")?, mnist(options, "t10k")?]);
    }
    let images = Idx::parse("digits", include_bytes!("../data/digits-images-idx3-ubyte"))?;
    let labels = Idx::parse("labels", include_bytes!("../data/digits-labels-idx1-ubyte"))?;
    let small = images.labelled::<8, 8>(&labels)?;
    // Their ink goes up to 16.
    let inputs = small.inputs.iter().map(|picture| brightened(&resize(picture))).collect();
    let mut train = Pictures { inputs, targets: small.targets };
    train.shuffle(options.seed);
    let test = train.split_off(HELD_BACK);
    Ok([train, test])
}

/// A picture of 16 shades, read as one of 255.
fn brightened(picture: &Image<28, 28>) -> Image<28, 28> {
    picture.map(|row| row.map(|[x]| [x * (255.0 / 16.0)]))
}

/// One of MNIST's two sets, whose files begin with `set`.
fn mnist(options: &Options, set: &str) -> Result<Pictures, Box<dyn Error>> {
    let read = |part: &str| -> Result<Idx, Box<dyn Error>> {
        Ok(Idx::read(options.file(&format!("mnist/{set}-{part}-ubyte.gz"), SOURCE)?)?)
    };
    Ok(read("images-idx3")?.labelled(&read("labels-idx1")?)?)
}

/// Random numbers, one after the other.
pub(crate) struct Noise {
    streams: Streams,
    drawn: u64,
}

impl Noise {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { streams: Streams::new(seed), drawn: 0 }
    }

    /// Evenly spread over `[0, 1)`.
    pub(crate) fn uniform(&mut self) -> f32 {
        self.drawn += 1;
        self.streams.uniform(self.drawn)
    }

    /// Normal, of mean 0 and deviation 1 (Box and Muller, 1958).
    pub(crate) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}
