//! Which points of a scribbled, noisy page belong to handwritten digits?
//!
//! ```text
//! cargo run --release --example unet -- --data DIR
//! ```
//!
//! Part of the introduction: **an answer for each point of a picture**. On the way down, convolutions and pools see
//! more and more of the page, in less and less detail; on the way up, `ConvTranspose2d` makes pictures
//! larger again. What the way down gave at each size has a name (`fine`, `middle`), and `Concat` puts it beside
//! what comes up: that is how the answer knows both what something is and where exactly (U-Net; Ronneberger,
//! Fischer and Brox, 2015). Straight strokes are as black as the digits, so that darkness alone does not tell.
//!
//! Data: pages made from MNIST, `mnist` in the data folder.

mod common;
#[path = "common/noise.rs"]
mod noise;
#[path = "common/pictures.rs"]
mod pictures;

use common::{Options, claim, claim_progress};
use noise::Noise;
use pictures::{Pictures, Source, pictures};
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Image;
use unrolled::optim::schedule::Cosine;
use unrolled::prelude::*;

network! {
    /// Two convolutions that keep the size.
    block Look(channels) {
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
    }

    /// Twice as large, and joined with what the way down gave at this size.
    block Up(channels, skip) {
        ConvTranspose2d(channels, kernel = 2, stride = 2),
        Concat { {}, skip },
        Look(channels),
    }

    /// For each point of a page a score: above 0 it belongs to a digit.
    pub struct UNet(48x48x1) -> 48x48x1 {
        fine: Look(8)             -> 48x48x8,
        MaxPool2d(2)              -> 24x24x8,
        middle: Look(16)          -> 24x24x16,
        MaxPool2d(2)              -> 12x12x16,
        coarse: Look(32)          -> 12x12x32,
        up1: Up(16, middle)       -> 24x24x16,
        up2: Up(8, fine)          -> 48x48x8,
        answer: Conv2d(1, kernel = 1),
    }
}

/// Height and width of a page.
const PAGE: usize = 48;

type Page = Image<PAGE, PAGE>;

/// Pages, and which of their points belong to digits: 1, others 0.
type Pages = Data<Page, Page>;

/// How many digits are on a page, and how many strokes beside them.
const DIGITS: usize = 2;
const STROKES: usize = 3;

/// Deviation of the noise on each point of a page, whose ink is 1.
const NOISE: f32 = 0.2;

/// From here on a point of a digit counts as ink.
const INK: f32 = 0.5;

const MNIST: Source = Source { folder: "mnist", address: "https://github.com/cvdfoundation/mnist" };

fn main() -> ExitCode {
    common::start("unet", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = pictures(options, &MNIST)?;
    let (many, few, epochs, batch) =
        if options.quick { (300, 60, 6, 8) } else { (4000, 500, 5, 16) };
    let mut noise = Noise::new(options.seed);
    let train = pages(&train, many, &mut noise);
    let test = pages(&test, few, &mut noise);
    println!("{}", UNet::summary());
    println!("{many} pages to learn from, {few} held back, of other digits\n");

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

    let mut found = vec![[[[0.0]; PAGE]; PAGE]; few];
    net.forward_batch(&test.inputs, &mut found);
    show(&test.inputs[0], &found[0]);
    let of_darkness =
        (1..20).map(|level| overlap(&test.inputs, &test.targets, 0.05 * level as f32));
    let of_darkness = of_darkness.fold(0.0, f64::max);
    let of_network = overlap(&found, &test.targets, 0.0);
    println!("overlap with the digits (IoU) on pages that were held back:");
    println!("  darkness alone, the best threshold  {of_darkness:.3}");
    println!("  U-Net                               {of_network:.3}");
    claim("the overlap is above 0.8", of_network > 0.8)?;
    claim("darkness alone does not do it", of_darkness < 0.8)
}

/// Intersection over union: of all points that are in digits or found to be, those that are both.
fn overlap(found: &[Page], truth: &[Page], threshold: f32) -> f64 {
    let points = found.as_flattened().as_flattened().as_flattened();
    let pairs = points.iter().zip(truth.as_flattened().as_flattened().as_flattened());
    let (both, either) = pairs.fold((0_u64, 0_u64), |(both, either), (found, truth)| {
        let (found, truth) = (*found > threshold, *truth > 0.0);
        (both + u64::from(found && truth), either + u64::from(found || truth))
    });
    both as f64 / either as f64
}

/// A page, and what was found on it.
fn show(page: &Page, found: &Page) {
    println!("\na page that was held back, and the digits found on it:\n");
    for (seen, found) in page.iter().zip(found).step_by(2) {
        let line = |row: &[[f32; 1]], threshold| -> String {
            row.iter().map(|[x]| if *x > threshold { '#' } else { '.' }).collect()
        };
        println!("{}  {}", line(seen, INK), line(found, 0.0));
    }
    println!();
}

/// Pages with digits at random places, strokes, and noise.
fn pages(digits: &Pictures, count: usize, noise: &mut Noise) -> Pages {
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

/// A whole number from 0 to `count - 1`.
fn below(count: usize, noise: &mut Noise) -> usize {
    (noise.uniform() * count as f32) as usize
}

/// Writes a digit on a page, with this place for its upper left corner.
fn put(digit: &Image<28, 28>, [top, left]: [usize; 2], page: &mut Page) {
    for (y, row) in digit.iter().enumerate() {
        for (x, [ink]) in row.iter().enumerate() {
            let [point] = &mut page[top + y][left + x];
            *point = point.max(*ink);
        }
    }
}

/// Draws a straight stroke, two points wide, from edge to edge.
fn stroke(page: &mut Page, noise: &mut Noise) {
    let [from, to] = [(); 2].map(|()| noise.uniform() * (PAGE - 2) as f32);
    let across = noise.uniform() < 0.5;
    for along in 0..PAGE {
        let place = (from + (to - from) * along as f32 / PAGE as f32) as usize;
        for at in [place, place + 1] {
            let [y, x] = if across { [at, along] } else { [along, at] };
            page[y][x] = [1.0];
        }
    }
}
