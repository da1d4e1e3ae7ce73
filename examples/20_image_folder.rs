//! From a folder of images to a network that classifies files.
//!
//! ```text
//! cargo run --release --example image_folder -- --data DIR
//! ```
//!
//! Introduces **images in files** (feature `images`). `ImageFolder` reads a folder with a sub-folder for each class, as
//! torchvision's. The images stay bytes in memory: `map` scales and changes (`Augment`) those of the next steps. `Split` holds
//! a fifth of each class back for the test. The names of the classes are saved with the weights, so that the file is all that
//! is needed to classify other images.
//!
//! Data: `DIR` has the sub-folders of four classes. Without it, the program draws circles, crosses, squares and triangles in
//! all colours and sizes, and writes them to the folder `shapes`.

mod common;

use common::{Options, claim, claim_progress};
use image::{Rgb, RgbImage};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use unrolled::data::{Augment, ImageFolder, Split, Subset, scaled_bytes};
use unrolled::prelude::*;
use unrolled::train::Confusion;

network! {
    /// Classifies images of 32x32 pixels into four classes.
    pub struct Classifier(32x32x3) -> 4 {
        Repeat(3) {
            Conv2d(16, kernel = 3, padding = same, bias = false), BatchNorm, ReLU, MaxPool2d(2),
        } -> 4x4x16,
        Flatten,
        Dropout(0.2),
        Dense(4),
    }
}

/// Random changes that keep the class.
const AUGMENT: Augment = Augment::new().shift(2).flip();

/// The weights and the names of the classes.
const FILE: &str = "classifier.safetensors";

/// Where images are written if none are given.
const SHAPES: &str = "shapes";

fn main() -> ExitCode {
    common::start("image_folder", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = match options.folder() {
        Some(folder) => folder,
        None => {
            write_shapes(Path::new(SHAPES), if options.quick { 40 } else { 250 }, options.seed)?
        }
    };
    let ImageFolder { data, classes, .. } = ImageFolder::<32, 32, 3>::read_resized(folder)?;
    println!("{} images in `{}`: {}", data.len(), folder.display(), classes.join(", "));
    if classes.len() != 4 {
        let found = classes.len();
        return Err(format!("expected 4 classes, as the network has, found {found}: change its header and last layer").into());
    }
    let split = Split::stratified(&data.targets, 0.2, options.seed)?;
    let train = Subset::new(&data, split.train)
        .map(|image, class, key| (AUGMENT.image(&scaled_bytes(&image), key), class));
    let test = Subset::new(&data, split.valid).map(|image, class, _| (scaled_bytes(&image), class));

    let mut net = Classifier::new(options.seed);
    let mut trainer = Trainer::new(Adam::new(3e-3)).epochs(15).seed(options.seed);
    claim_progress(&trainer.fit(&mut net, &train, &CrossEntropy::new())?)?;
    net.save_with(FILE, &classes)?;

    let (net, classes): (Box<Classifier>, Vec<String>) = Classifier::load_with(FILE)?;
    let confusion = Confusion::of(&*net, &test)?;
    println!("\npredictions of `{FILE}` for {} test images:\n\n{confusion}\n", test.len());
    println!("0 to 3 are {}", classes.join(", "));
    let percent = 100.0 * confusion.accuracy();
    claim(&format!("at least 80% of them are right ({percent:.2}%)"), percent >= 80.0)
}

/// Writes `count` images of each shape, of 40 to 63 pixels, to sub-folders of `folder`.
fn write_shapes(folder: &Path, count: u64, seed: u64) -> Result<&Path, Box<dyn Error>> {
    for name in ["circle", "cross", "square", "triangle"] {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        for i in 0..count {
            let key = RngKey::new(seed).fold_in(RngKey::hash(name)).fold_in(i);
            shape(name, key).save(folder.join(format!("{i}.png")))?;
        }
    }
    Ok(folder)
}

/// An image of a light shape on a dark background, or the other way round.
fn shape(name: &str, key: RngKey) -> RgbImage {
    let between = |counter, least: f32, most: f32| least + (most - least) * key.uniform(counter);
    let side = between(0, 40.0, 64.0) as u32;
    let radius = between(1, 0.2, 0.4) * side as f32;
    let [centre_x, centre_y] = [2, 3].map(|i| between(i, 0.4, 0.6) * side as f32);
    let colour =
        |counters: [u64; 3], least| Rgb(counters.map(|i| between(i, least, least + 120.0) as u8));
    let (dark, light) = (colour([4, 5, 6], 0.0), colour([7, 8, 9], 130.0));
    let [inside, outside] = if between(10, 0.0, 1.0) < 0.5 { [dark, light] } else { [light, dark] };
    RgbImage::from_fn(side, side, |x, y| {
        let (x, y) = ((x as f32 - centre_x) / radius, (y as f32 - centre_y) / radius);
        let is_inside = match name {
            "circle" => x * x + y * y < 1.0,
            "cross" => x.abs().max(y.abs()) < 1.0 && x.abs().min(y.abs()) < 0.3,
            "square" => x.abs().max(y.abs()) < 0.9,
            _ => y.abs() < 1.0 && x.abs() < 0.5 * (1.0 + y),
        };
        if is_inside { inside } else { outside }
    })
}
