//! What a network looks at: saliency maps and Grad-CAM, written to a PNG file.
//!
//! ```text
//! cargo run --release --example saliency -- --data DIR
//! ```
//!
//! Introduces **gradients of inputs, and those between layers**. A network names the two digits of a page. `input_gradients`
//! returns the gradient of a digit's score with respect to each pixel. Times the pixel, it is the first-order estimate of how
//! far the score falls if the pixel is blank (Shrikumar, Greenside and Kundaje, 2017): a saliency map. `activations` returns
//! the output of a line inside of the network, and `activation_gradients` the gradient there. Grad-CAM (Selvaraju and others,
//! 2017) weights each channel of the last convolution with its mean gradient: a coarse map of what speaks for a digit. The
//! network computes as at inference and stays as it is.
//!
//! Both maps are checked on test pages. With the pixels of the largest saliency blank, the score must fall further than with
//! random pixels of the digits blank. The largest value of Grad-CAM must be on the digit's side of the page (the pointing game;
//! Zhang and others, 2016).
//!
//! Data: MNIST, `mnist` in the data folder.

mod common;
#[path = "common/images.rs"]
mod images;

use common::{Options, claim, claim_progress};
use image::GrayImage;
use image::imageops::{FilterType, resize as enlarge};
use images::{Images, Source, images};
use std::array::from_fn;
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::{Image, resize};
use unrolled::prelude::*;

const MNIST: Source =
    Source { folder: "mnist", address: "https://ossci-datasets.s3.amazonaws.com/mnist/" };

/// Where the maps are written.
const FILE: &str = "saliency.png";

/// The pixels of a page.
const PIXELS: usize = 28 * 56;

/// How many of them are made blank.
const BLANK: usize = 30;

network! {
    /// Which digits a page with two of them shows.
    pub struct Reader(28x56x1) -> 10 {
        Conv2d(8, kernel = 3, padding = same, bias = false), BatchNorm, ReLU, MaxPool2d(2)  -> 14x28x8,
        Conv2d(16, kernel = 3, padding = same, bias = false), BatchNorm, ReLU, MaxPool2d(2) -> 7x14x16,
        Conv2d(64, kernel = 3, padding = same, bias = false), BatchNorm,
        maps: ReLU                                                                          -> 7x14x64,
        GlobalAvgPool,
        Dense(10),
    }
}

/// Two digits side by side.
type Page = Image<28, 56>;

fn main() -> ExitCode {
    common::start("saliency", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, test] = images(options, &MNIST)?;
    let (most, epochs) = if options.quick { ([700, 100], 12) } else { ([20_000, 1000], 4) };
    let (train, test) = (pages(&train, most[0]), pages(&test, most[1]));
    println!("{} training pages, {} test pages", train.len(), test.len());
    let labelled = |(page, digits): &(Page, [usize; 2])| {
        (*page, from_fn(|digit| f32::from(u8::from(digits.contains(&digit)))))
    };
    let data: Data<Page, [f32; 10]> = train.iter().map(labelled).collect();
    let mut net = Reader::new(options.seed);
    let mut trainer = Trainer::new(Adam::new(2e-3)).epochs(epochs).seed(options.seed);
    claim_progress(&trainer.fit(&mut net, &data, &BinaryCrossEntropyWithLogits::new())?)?;

    let Checks { right, fall, fall_of_random, hits } = check(&net, &test)?;
    println!("{:.1}% of the digits on {} test pages are found", 100.0 * right, test.len());
    println!("with {BLANK} pixels blank the score of a digit falls by");
    println!("  {fall:.2} with those of the largest saliency");
    println!("  {fall_of_random:.2} with random pixels of the digits");
    println!("Grad-CAM points to the side of {:.1}% of the digits", 100.0 * hits);
    draw(&net, &test[..4])?.save(FILE)?;
    println!(
        "`{FILE}` shows pages, saliency and Grad-CAM of the left digit, and those of the right digit"
    );
    let words =
        "with the pixels of the largest saliency it falls 1.5 times as far as with random ones";
    claim(words, fall > 1.5 * fall_of_random)?;
    claim("Grad-CAM points to the side of at least 9 in 10 digits", hits >= 0.9)
}

/// Neighbouring images of different digits, and the digits.
fn pages(images: &Images, most: usize) -> Vec<(Page, [usize; 2])> {
    let digits = images.inputs.iter().zip(&images.targets);
    let pairs = digits.clone().zip(digits.skip(1)).filter(|((_, a), (_, b))| a != b);
    let page = |((left, a), (right, b)): ((&Image<28, 28>, &u32), (&Image<28, 28>, &u32))| {
        let row = |y: usize| from_fn(|x| if x < 28 { left[y][x] } else { right[y][x - 28] });
        (from_fn(row), [*a as usize, *b as usize])
    };
    pairs.map(page).take(most).collect()
}

/// How far the score of `digit` falls, to first order, if a pixel is blank.
fn saliency(net: &Reader, page: &Page, digit: usize) -> Result<Page, Box<dyn Error>> {
    let mut d_page = [Page::zeroed()];
    net.input_gradients(&[*page], |_, d_scores| d_scores[digit] = 1.0, &mut d_page)?;
    let [mut saliency] = d_page;
    for (d_pixel, pixel) in saliency.as_floats_mut().iter_mut().zip(page.as_floats()) {
        *d_pixel *= pixel;
    }
    Ok(saliency)
}

/// How much each place of `maps` speaks for `digit`, in the size of the page.
fn grad_cam(net: &Reader, page: &Page, digit: usize) -> Result<Box<Page>, Box<dyn Error>> {
    const CHANNELS: usize = 64;
    let activations = net.activations(page)?;
    let gradients = net.activation_gradients(page, |_, d_scores| d_scores[digit] = 1.0)?;
    let maps = activations.get("maps")?.values.as_chunks::<CHANNELS>().0;
    let d_maps = gradients.get("maps")?.values.as_chunks::<CHANNELS>().0;
    let importance: [f32; CHANNELS] = from_fn(|c| d_maps.iter().map(|d_map| d_map[c]).sum());
    let mut heat = Image::<7, 14>::zeroed();
    for (heat, map) in heat.as_flattened_mut().iter_mut().zip(maps) {
        let weighted = map.iter().zip(&importance).map(|(x, weight)| x * weight);
        heat[0] = weighted.sum::<f32>().max(0.0);
    }
    Ok(resize(&heat))
}

/// What the maps say about digits, on average over pages.
struct Checks {
    /// The fraction of digits with a positive score.
    right: f64,
    /// By how much the score falls when the pixels with the largest saliency are blank.
    fall: f64,
    /// By how much it falls when random pixels of the digits are.
    fall_of_random: f64,
    /// The fraction of digits to which Grad-CAM points.
    hits: f64,
}

fn check(net: &Reader, pages: &[(Page, [usize; 2])]) -> Result<Checks, Box<dyn Error>> {
    let mut checks = Checks { right: 0.0, fall: 0.0, fall_of_random: 0.0, hits: 0.0 };
    let share = 0.5 / pages.len() as f64;
    for (p, (page, digits)) in pages.iter().enumerate() {
        for (side, digit) in digits.iter().enumerate() {
            let score = |page: &Page| f64::from(net.forward(page)[*digit]);
            let fall = |pixels: &[usize]| score(page) - score(&blanked(page, pixels));
            // The others are blank already.
            let mut ink: Vec<usize> = (0..PIXELS).filter(|i| page.as_floats()[*i] > 0.0).collect();
            ink.sort_by_key(|i| RngKey::new(p as u64).bits(*i as u64));
            checks.fall_of_random += share * fall(&ink);
            let saliency = saliency(net, page, *digit)?;
            ink.sort_by(|a, b| saliency.as_floats()[*b].total_cmp(&saliency.as_floats()[*a]));
            checks.fall += share * fall(&ink);
            let heat = grad_cam(net, page, *digit)?;
            let warmest =
                (0..PIXELS).max_by(|a, b| heat.as_floats()[*a].total_cmp(&heat.as_floats()[*b]));
            let points_to = warmest.map(|pixel| pixel % 56 / 28);
            checks.hits += if points_to == Some(side) { share } else { 0.0 };
            checks.right += if score(page) > 0.0 { share } else { 0.0 };
        }
    }
    Ok(checks)
}

/// The page with the first of these pixels blank.
fn blanked(page: &Page, pixels: &[usize]) -> Page {
    let mut blanked = *page;
    for pixel in pixels.iter().take(BLANK) {
        blanked.as_floats_mut()[*pixel] = 0.0;
    }
    blanked
}

/// A row for each page: the page, saliency and Grad-CAM of its left digit, and of its right digit.
fn draw(net: &Reader, pages: &[(Page, [usize; 2])]) -> Result<GrayImage, Box<dyn Error>> {
    let mut drawn = GrayImage::new(5 * 56, 28 * pages.len() as u32);
    for (row, (page, digits)) in pages.iter().enumerate() {
        let mut maps = vec![*page];
        for digit in digits {
            maps.extend([saliency(net, page, *digit)?, *grad_cam(net, page, *digit)?]);
        }
        for (column, map) in maps.iter().enumerate() {
            let largest = map.as_floats().iter().fold(0.0, |a: f32, b| a.max(*b));
            for (pixel, x) in map.as_floats().iter().enumerate() {
                let at = (56 * column + pixel % 56, 28 * row + pixel / 56);
                drawn.get_pixel_mut(at.0 as u32, at.1 as u32).0 = [(255.0 * x / largest) as u8];
            }
        }
    }
    let (width, height) = (4 * drawn.width(), 4 * drawn.height());
    Ok(enlarge(&drawn, width, height, FilterType::Nearest))
}
