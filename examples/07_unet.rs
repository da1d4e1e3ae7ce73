//! Segmentation: the pixels of handwritten digits on pages with noise and other strokes.
//!
//! ```text
//! cargo run --release --example unet -- --data DIR
//! ```
//!
//! Introduces **an output for each pixel**. In the encoder, convolutions and pools increase the receptive field and
//! lower the resolution. In the decoder, `ConvTranspose2d` increases the resolution again. The encoder's values at each
//! resolution are named (`fine`, `middle`), and `Concat` joins them with the decoder's: the output depends both on
//! context and on exact positions (U-Net; Ronneberger, Fischer and Brox, 2015). Straight strokes are as dark as the
//! digits, so a threshold on darkness cannot separate them.
//!
//! Data: pages made from MNIST, `mnist` in the data folder.

mod common;
#[path = "common/images.rs"]
mod images;
#[path = "common/noise.rs"]
mod noise;

use common::{Options, claim, claim_progress};
use images::{Images, Source, images};
use noise::Noise;
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Image;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;

network! {
    /// Two convolutions at one resolution.
    block Level(channels) {
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
    }

    /// Doubles height and width, and joins the encoder's value of this size.
    block Up(channels, skip) {
        ConvTranspose2d(channels, kernel = 2, stride = 2),
        Concat { {}, skip },
        Level(channels),
    }

    /// A score for each pixel of a page. It is positive for pixels of digits.
    pub struct UNet(48x48x1) -> 48x48x1 {
        fine: Level(8)      -> 48x48x8,
        MaxPool2d(2)        -> 24x24x8,
        middle: Level(16)   -> 24x24x16,
        MaxPool2d(2)        -> 12x12x16,
        coarse: Level(32)   -> 12x12x32,
        up1: Up(16, middle) -> 24x24x16,
        up2: Up(8, fine)    -> 48x48x8,
        scores: Conv2d(1, kernel = 1),
    }
}

/// Height and width of a page.
const PAGE: usize = 48;

type Page = Image<PAGE, PAGE>;

/// Pages, and masks: 1 for pixels of digits, 0 for others.
type Pages = Data<Page, Page>;

/// The numbers of digits and strokes on a page.
const DIGITS: usize = 2;
const STROKES: usize = 3;

/// The standard deviation of the noise of each pixel, whose values go up to 1.
const NOISE: f32 = 0.2;

/// Pixels above this value count as ink.
const INK: f32 = 0.5;

const MNIST: Source = Source { folder: "mnist", address: "https://github.com/cvdfoundation/mnist" };

fn main() -> ExitCode {
    common::start("unet", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = images(options, &MNIST)?;
    let (train_pages, test_pages, epochs, batch) =
        if options.quick { (300, 60, 6, 8) } else { (4000, 500, 5, 16) };
    let mut noise = Noise::new(options.seed);
    let train = pages(&train, train_pages, &mut noise);
    let test = pages(&test, test_pages, &mut noise);
    println!("{}", UNet::summary());
    println!("{train_pages} training pages, {test_pages} test pages of other digits\n");

    let loss = BinaryCrossEntropyWithLogits::new();
    let mut net = UNet::new(options.seed);
    let history = Trainer::new(AdamW::new(5e-3))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_epochs(Cosine::new(epochs))
        .validate(&test)
        .fit(&mut net, &train, &loss)?;
    claim_progress(&history)?;

    let mut found = vec![[[[0.0]; PAGE]; PAGE]; test_pages];
    net.forward_batch(&test.inputs, &mut found);
    show(&test.inputs[0], &found[0]);
    let of_darkness =
        (1..20).map(|level| overlap(&test.inputs, &test.targets, 0.05 * level as f32));
    let of_darkness = of_darkness.fold(0.0, f64::max);
    let of_network = overlap(&found, &test.targets, 0.0);
    println!("intersection over union (IoU) on the test pages:");
    println!("  darkness alone, the best threshold  {of_darkness:.3}");
    println!("  U-Net                               {of_network:.3}");
    claim("the IoU of the network is above 0.8", of_network > 0.8)?;
    claim("that of darkness alone is below 0.8", of_darkness < 0.8)
}

/// Intersection over union of the pixels above `threshold` and those of digits.
fn overlap(found: &[Page], truth: &[Page], threshold: f32) -> f64 {
    let pixels = found.as_flattened().as_flattened().as_flattened();
    let pairs = pixels.iter().zip(truth.as_flattened().as_flattened().as_flattened());
    let (both, either) = pairs.fold((0_u64, 0_u64), |(both, either), (found, truth)| {
        let (found, truth) = (*found > threshold, *truth > 0.0);
        (both + u64::from(found && truth), either + u64::from(found || truth))
    });
    both as f64 / either as f64
}

/// Prints a page and its prediction.
fn show(page: &Page, found: &Page) {
    println!("\na test page, and its predicted digits:\n");
    for (row, found) in page.iter().zip(found).step_by(2) {
        let line = |row: &[[f32; 1]], threshold| -> String {
            row.iter().map(|[x]| if *x > threshold { '#' } else { '.' }).collect()
        };
        println!("{}  {}", line(row, INK), line(found, 0.0));
    }
    println!();
}

/// Pages with digits at random positions, strokes, and noise.
fn pages(digits: &Images, count: usize, noise: &mut Noise) -> Pages {
    let page = |_| {
        let mut page = [[[0.0]; PAGE]; PAGE];
        for _ in 0..DIGITS {
            let digit = &digits.inputs[below(digits.len(), noise)];
            put(digit, [below(PAGE - 28, noise), below(PAGE - 28, noise)], &mut page);
        }
        let truth = page.map(|row| row.map(|[ink]| [f32::from(u8::from(ink > INK))]));
        for _ in 0..STROKES {
            stroke(&mut page, noise);
        }
        (page.map(|row| row.map(|[ink]| [ink + NOISE * noise.normal()])), truth)
    };
    (0..count).map(page).collect()
}

/// A random integer below `count`.
fn below(count: usize, noise: &mut Noise) -> usize {
    (noise.uniform() * count as f32) as usize
}

/// Draws a digit on a page, with its upper left corner at this position.
fn put(digit: &Image<28, 28>, [top, left]: [usize; 2], page: &mut Page) {
    for (y, row) in digit.iter().enumerate() {
        for (x, [ink]) in row.iter().enumerate() {
            let [pixel] = &mut page[top + y][left + x];
            *pixel = pixel.max(*ink);
        }
    }
}

/// Draws a straight stroke, two pixels wide, from edge to edge.
fn stroke(page: &mut Page, noise: &mut Noise) {
    let [from, to] = [(); 2].map(|()| noise.uniform() * (PAGE - 2) as f32);
    let across = noise.uniform() < 0.5;
    for along in 0..PAGE {
        let position = (from + (to - from) * along as f32 / PAGE as f32) as usize;
        for at in [position, position + 1] {
            let [y, x] = if across { [at, along] } else { [along, at] };
            page[y][x] = [1.0];
        }
    }
}
