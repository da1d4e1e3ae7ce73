//! Fashion-MNIST: standardised images of clothes.

use crate::common::Options;
use crate::images::{Images, Source, images};
use std::error::Error;
use unrolled::data::Standardizer;

const FASHION_MNIST: Source =
    Source { folder: "fashion-mnist", address: "https://github.com/zalandoresearch/fashion-mnist" };

/// 60,000 training and 10,000 test images of ten kinds of clothes, or digits for `--quick`. The mean and standard
/// deviation of the training images standardise both.
pub(crate) fn clothes(options: &Options) -> Result<[Images; 2], Box<dyn Error>> {
    let [mut train, mut test] = images(options, &FASHION_MNIST)?;
    let standardizer = Standardizer::over_all(&train.inputs)?;
    for set in [&mut train, &mut test] {
        standardizer.apply_all(&mut set.inputs);
    }
    println!("{} training images, {} test images", train.len(), test.len());
    Ok([train, test])
}
