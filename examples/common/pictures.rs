//! Pictures for examples: data sets in MNIST's format, and the digits that come with the examples.

use crate::common::Options;
use std::error::Error;
use unrolled::data::{Data, Idx, Image, resize};

/// Pictures of 28x28 points from 0 to 1, and which of ten things they show.
pub(crate) type Pictures = Data<Image<28, 28>, u32>;

/// A data set in MNIST's format.
pub(crate) struct Source {
    /// Where it lies in the data folder.
    pub(crate) folder: &'static str,
    /// Where everybody can get it.
    pub(crate) address: &'static str,
}

/// How many of the digits that come with the examples are held back.
const HELD_BACK: usize = 360;

/// Pictures to learn from, and those held back: the two sets of `source`, or for `--quick` 1,797 digits that
/// come with the examples, scaled up from 8x8.
pub(crate) fn pictures(
    options: &Options,
    source: &Source,
) -> Result<[Pictures; 2], Box<dyn Error>> {
    if !options.quick {
        return Ok([read(options, source, "train")?, read(options, source, "t10k")?]);
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

/// One of the two sets, whose files begin with `set`.
fn read(options: &Options, source: &Source, set: &str) -> Result<Pictures, Box<dyn Error>> {
    let file = |part: &str| -> Result<Idx, Box<dyn Error>> {
        let path = format!("{}/{set}-{part}-ubyte.gz", source.folder);
        Ok(Idx::read(options.file(&path, source.address)?)?)
    };
    Ok(file("images-idx3")?.labelled(&file("labels-idx1")?)?)
}
