//! The algorithm against the naive convolution, and the bits of its outputs.

use super::conv2d_winograd;
use super::matrices::Sizes;
use crate::kernels::conv2d;
use crate::kernels::geometry::Depth;
use crate::kernels::reference;
use crate::kernels::tests::{available, whole, written};
use crate::kernels::{ConvArgs, Epilogue, Geometry, Isa};
use crate::layers::testing::random;
use crate::system::{CacheLine, parallel};

/// Sizes on both sides of the ends of tiles and of blocks of tiles and filters; `padding` is that of lines, then of columns.
fn convolution(
    input: [usize; 2],
    [channels, filters]: [usize; 2],
    padding: [[usize; 2]; 2],
) -> Geometry {
    let output = [0, 1].map(|axis| input[axis] + padding[axis][0] + padding[axis][1] - 2);
    Geometry {
        input,
        channels,
        output,
        filters,
        kernel: [3; 2],
        stride: [1; 2],
        padding,
        dilation: [1; 2],
        groups: 1,
        depth: Depth::FLAT,
    }
}

const SAME: [[usize; 2]; 2] = [[1; 2]; 2];

fn convolutions() -> Vec<Geometry> {
    vec![
        convolution([6, 6], [16, 16], SAME),
        // Tiles that are cut off at one end, and at both.
        convolution([5, 8], [16, 32], SAME),
        convolution([5, 7], [48, 16], [[0; 2]; 2]),
        // One pixel, one line and one column.
        convolution([3, 3], [16, 16], [[0; 2]; 2]),
        convolution([1, 9], [16, 16], SAME),
        convolution([9, 1], [16, 16], SAME),
        // Tiles that meet padding alone, and uneven sides.
        convolution([3, 2], [16, 48], [[5, 0], [3, 4]]),
        convolution([4, 5], [32, 16], [[0, 1], [2, 0]]),
        // Two and three blocks of filters, and of tiles.
        convolution([9, 10], [16, 80], SAME),
        convolution([13, 14], [32, 144], SAME),
    ]
}

fn winograd(isa: Isa, g: &Geometry, args: ConvArgs<'_>, epilogue: Epilogue<'_>) {
    // As many elements as are declared, and not aligned to a cache line.
    let mut memory = vec![f32::NAN; Sizes::new(g.channels, g.filters).len() + 1];
    conv2d_winograd(isa, g, args, epilogue, &mut memory[1..]);
}

/// Small integers, of which all transforms and sums are exact.
#[test]
fn agrees_with_its_twin() {
    for g in convolutions() {
        for images in [1, 3] {
            let (x, weight) = (whole(images * g.input_len(), 1), whole(g.weight_len(), 2));
            for bias in [whole(g.filters, 3), vec![]] {
                let mut twin = vec![f32::NAN; images * g.output_len()];
                let (x, weight, bias) = (&x, &weight, &bias);
                reference::conv2d(&g, ConvArgs { x, weight, bias, y: &mut twin });
                for isa in available() {
                    let y = written(&vec![f32::NAN; twin.len()], |y| {
                        winograd(isa, &g, ConvArgs { x, weight, bias, y }, Epilogue::NONE);
                    });
                    assert_eq!(y, twin, "{isa:?}: {images} of {g:?}");
                }
            }
        }
    }
}

/// One after the other, in a batch, and on several threads by lines and by filters.
#[test]
fn an_image_has_the_same_bits_however_it_is_computed() {
    let deep = convolution([4, 5], [32, 144], SAME);
    let flat = convolution([9, 10], [16, 16], SAME);
    let [by_filters, by_lines] = [deep, flat].map(|g| g.weight_len() > 4 * g.output_len());
    assert!(by_filters && !by_lines, "both divisions");
    for g in convolutions().into_iter().chain([deep, flat]) {
        let (x, weight) = (random(3 * g.input_len(), 1), random(g.weight_len(), 2));
        let (bias, add) = (random(g.filters, 3), random(3 * g.output_len(), 4));
        let (weight, bias) = (&weight, &bias);
        for isa in available() {
            let epilogue = Epilogue { add: Some(&add), ..Epilogue::NONE };
            let mut batch = vec![f32::NAN; 3 * g.output_len()];
            winograd(isa, &g, ConvArgs { x: &x, weight, bias, y: &mut batch }, epilogue);
            for threads in [1, 2, 3, 7] {
                let mut single = vec![f32::NAN; batch.len()];
                let images = x.chunks_exact(g.input_len());
                let outputs = single.chunks_exact_mut(g.output_len());
                for (image, (x, y)) in images.zip(outputs).enumerate() {
                    let epilogue = epilogue.starting_at(image * g.output_len());
                    let args = ConvArgs { x, weight, bias, y };
                    parallel::with_threads(threads, || {
                        parallel::whatever_the_work(|| {
                            parallel::split_samples(|| winograd(isa, &g, args, epilogue));
                        });
                    });
                }
                assert_eq!(single, batch, "{isa:?}, {threads} threads: {g:?}");
            }
        }
    }
}

/// NaN is in the outputs whose kernel meets it, and in no other.
#[test]
fn nan_stays_where_the_kernel_meets_it() {
    let g = convolution([7, 8], [16, 16], SAME);
    let weight = random(g.weight_len(), 1);
    for isa in available() {
        for pixel in 0..g.input[0] * g.input[1] {
            let mut x = random(g.input_len(), 2);
            x[pixel * g.channels + pixel % g.channels] = f32::NAN;
            let [mut found, mut twin] = [(); 2].map(|()| vec![0.0; g.output_len()]);
            let (x, weight, bias) = (&x, &weight, &[]);
            winograd(isa, &g, ConvArgs { x, weight, bias, y: &mut found }, Epilogue::NONE);
            reference::conv2d(&g, ConvArgs { x, weight, bias, y: &mut twin });
            let nans = |y: &[f32]| y.iter().map(|y| y.is_nan()).collect::<Vec<_>>();
            assert_eq!(nans(&found), nans(&twin), "{isa:?}, pixel {pixel}");
        }
    }
}

/// The errors relative to the sums of the absolute values of the terms: root mean square and largest. First those of the
/// algorithm, then those of a sum of nine elements after the other.
fn errors(isa: Isa, channels: usize, low: f32) -> [[f64; 2]; 2] {
    let g = convolution([12, 12], [channels, 64], SAME);
    let values = |len, seed| random(len, seed).into_iter().map(|v| v.max(low)).collect::<Vec<_>>();
    let (x, weight) = (values(g.input_len(), 5), values(g.weight_len(), 6));
    let exact = |of: fn(f64) -> f64| {
        let mut sums = vec![0.0; g.output_len()];
        for (pixel, y) in sums.chunks_exact_mut(g.filters).enumerate() {
            for tap in 0..9 {
                let (row, column) = (pixel / 12 + tap / 3, pixel % 12 + tap % 3);
                if !(1..13).contains(&row) || !(1..13).contains(&column) {
                    continue;
                }
                let x = &x[((row - 1) * 12 + column - 1) * channels..][..channels];
                let weight = weight[tap * channels * g.filters..].chunks_exact(g.filters);
                for (x, weight) in x.iter().zip(weight) {
                    let terms = weight.iter().map(|w| of(f64::from(*x) * f64::from(*w)));
                    y.iter_mut().zip(terms).for_each(|(y, term)| *y += term);
                }
            }
        }
        sums
    };
    let (expected, sizes) = (exact(|term| term), exact(f64::abs));
    [winograd, direct].map(|kernel| {
        let mut y = vec![0.0; g.output_len()];
        let args = ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y };
        kernel(isa, &g, args, Epilogue::NONE);
        let errors = y.iter().zip(&expected).zip(&sizes);
        let errors = errors.map(|((y, expected), size)| (f64::from(*y) - expected).abs() / size);
        let errors = errors.collect::<Vec<_>>();
        let squares: f64 = errors.iter().map(|error| error * error).sum();
        [(squares / errors.len() as f64).sqrt(), errors.into_iter().fold(0.0, f64::max)]
    })
}

fn direct(isa: Isa, g: &Geometry, args: ConvArgs<'_>, _: Epilogue<'_>) {
    conv2d(isa, g, args);
}

/// Terms of both signs, whose rounding errors are relative to sums of their absolute values, and positive terms.
#[test]
fn errors_are_those_of_a_sum_of_all_terms() {
    for isa in available() {
        for channels in [64, 256] {
            for low in [-1.0, 0.01] {
                let [winograd, direct] = errors(isa, channels, low);
                for (found, other) in winograd.iter().zip(direct) {
                    assert!(*found < 2.0 * other, "{isa:?}, {channels}: {winograd:?} {direct:?}");
                }
            }
        }
    }
}

/// The figures of decision 0037.
#[test]
#[ignore = "prints figures"]
fn print_errors() {
    for channels in [64, 128, 256, 512] {
        for low in [-1.0, 0.01] {
            let [winograd, direct] = errors(Isa::best(), channels, low);
            let [[rms, most], [direct_rms, direct_most]] = [winograd, direct];
            println!(
                "{channels} channels from {low}: {rms:.1e}, largest {most:.1e}; direct {direct_rms:.1e}, {direct_most:.1e}"
            );
        }
    }
}

#[test]
#[should_panic(expected = "memory for all matrices")]
fn refuses_too_little_memory() {
    let g = convolution([4, 4], [16, 16], SAME);
    let (x, weight, mut y) = (vec![0.0; 256], vec![0.0; g.weight_len()], vec![0.0; 256]);
    let mut memory = vec![0.0; Sizes::new(16, 16).len() - CacheLine::LEN - 1];
    let args = ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y };
    conv2d_winograd(Isa::best(), &g, args, Epilogue::NONE, &mut memory);
}

#[test]
#[should_panic(expected = "a 3x3 convolution of stride 1")]
fn refuses_other_sizes() {
    let g = Geometry { channels: 15, ..convolution([4, 4], [16, 16], SAME) };
    let (x, weight, mut y) = (vec![0.0; 240], vec![0.0; g.weight_len()], vec![0.0; 256]);
    winograd(
        Isa::best(),
        &g,
        ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y },
        Epilogue::NONE,
    );
}
