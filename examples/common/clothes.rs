//! Fashion-MNIST: pictures of clothes, standardised.

use crate::common::Options;
use crate::pictures::{Pictures, Source, pictures};
use std::error::Error;
use unrolled::data::Standardizer;

const FASHION_MNIST: Source =
    Source { folder: "fashion-mnist", address: "https://github.com/zalandoresearch/fashion-mnist" };

/// 60,000 pictures of ten kinds of clothes to learn from, and 10,000 others, held back; for `--quick` digits.
/// All standardised by those that are learnt from.
pub(crate) fn clothes(options: &Options) -> Result<[Pictures; 2], Box<dyn Error>> {
    let [mut train, mut test] = pictures(options, &FASHION_MNIST)?;
    let standardizer = Standardizer::over_all(&train.inputs)?;
    for set in [&mut train, &mut test] {
        standardizer.apply_all(&mut set.inputs);
    }
    println!("{} pictures to learn from, {} held back", train.len(), test.len());
    Ok([train, test])
}
