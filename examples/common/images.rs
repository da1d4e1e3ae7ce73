//! Images for examples: data sets in MNIST's format, and the digits that come with the examples.

use crate::common::Options;
use std::error::Error;
use unrolled::data::{Data, Idx, Image, resize};

/// Images of 28x28 pixels from 0 to 1, and their classes, 0 to 9.
pub(crate) type Images = Data<Image<28, 28>, u32>;

/// A data set in MNIST's format.
pub(crate) struct Source {
    /// Its folder below the data folder.
    pub(crate) folder: &'static str,
    /// Where to download it.
    pub(crate) address: &'static str,
}

/// The number of test images among the digits that come with the examples.
const TEST_DIGITS: usize = 360;

/// The training and test images of `source`, or for `--quick` the 1,797 digits that come with the examples, resized
/// from 8x8.
pub(crate) fn images(options: &Options, source: &Source) -> Result<[Images; 2], Box<dyn Error>> {
    if !options.quick {
        return Ok([read(options, source, "train")?, read(options, source, "t10k")?]);
    }
    let digits = Idx::parse("digits", include_bytes!("../data/digits-images-idx3-ubyte"))?;
    let labels = Idx::parse("labels", include_bytes!("../data/digits-labels-idx1-ubyte"))?;
    let small = digits.labelled::<8, 8>(&labels)?;
    let inputs = small.inputs.iter().map(|image| rescale(&resize(image))).collect();
    let mut train = Images { inputs, targets: small.targets };
    train.shuffle(options.seed);
    let test = train.split_off(TEST_DIGITS);
    Ok([train, test])
}

/// Pixels from 0 to 1, of an image whose pixels go up to 16 but were read as if up to 255.
fn rescale(image: &Image<28, 28>) -> Image<28, 28> {
    image.map(|row| row.map(|[x]| [x * (255.0 / 16.0)]))
}

/// The set whose file names begin with `set`.
fn read(options: &Options, source: &Source, set: &str) -> Result<Images, Box<dyn Error>> {
    let file = |part: &str| -> Result<Idx, Box<dyn Error>> {
        let path = format!("{}/{set}-{part}-ubyte.gz", source.folder);
        Ok(Idx::read(options.file(&path, source.address)?)?)
    };
    Ok(file("images-idx3")?.labelled(&file("labels-idx1")?)?)
}
