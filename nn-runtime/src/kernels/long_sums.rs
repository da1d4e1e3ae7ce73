//! Tests of the rounding errors of long sums, and of their order.

use super::pool::{self, Pool};
use super::tests::available;
use super::*;
use crate::system::RngKey;
use unrolled_shape::Shape;

/// `len` values in `[0, 1)`: all terms of a sum have the same sign, so that the sum grows with their number.
fn positive(len: usize, stream: u64) -> Vec<f32> {
    let key = RngKey::new(stream);
    (0..len).map(|i| key.uniform(i as u64)).collect()
}

/// The error of `found`, relative to the sum of `terms` in `f64`.
fn error(found: f32, terms: impl Iterator<Item = f64>) -> f64 {
    let expected: f64 = terms.sum();
    (f64::from(found) / expected - 1.0).abs()
}

/// The products of elements of two matrices, from these on, in every so many elements.
fn products(
    [a, b]: [&[f32]; 2],
    [first_a, step_a]: [usize; 2],
    [first_b, step_b]: [usize; 2],
) -> impl Iterator<Item = f64> {
    let a = a[first_a..].iter().step_by(step_a);
    a.zip(b[first_b..].iter().step_by(step_b)).map(|(a, b)| f64::from(*a) * f64::from(*b))
}

/// The geometry of a convolution of `size` x `size` pixels with stride 1 and without padding.
fn geometry(
    size: usize,
    kernel: usize,
    channels: usize,
    filters: usize,
    groups: usize,
) -> Geometry {
    Geometry {
        input: [size; 2],
        channels,
        output: [size + 1 - kernel; 2],
        filters,
        kernel: [kernel; 2],
        stride: [1; 2],
        padding: [[0; 2]; 2],
        dilation: [1; 2],
        groups,
    }
}

/// The gradient of the weights of a convolution of one image.
fn conv_d_weight(isa: Isa, g: &Geometry, x: &[f32], d_y: &[f32]) -> Vec<f32> {
    let mut d_weight = vec![f32::NAN; g.weight_len()];
    let mut scratch = vec![0.0; g.scratch_len()];
    let (accumulate, scratch) = (Accumulate::Overwrite, &mut scratch[..]);
    let d_weight_mut = &mut d_weight[..];
    let args = ConvDWeightArgs { part: None, accumulate, x, d_y, d_weight: d_weight_mut, scratch };
    conv2d_d_weight(isa, g, args);
    d_weight
}

/// The errors of sums of `n` terms, a square number: dense layer, the gradients of its weight and its bias, of a
/// pointwise and a depthwise convolution, and a global average.
fn errors(isa: Isa, n: usize) -> [f64; 6] {
    let (a, b) = (&positive(3 * n, 1)[..], &positive(5 * n, 2)[..]);
    let mut y = [0.0; 3];
    dense(
        isa,
        DenseArgs { inputs: n, units: 3, x: &a[..n], weight: &b[..3 * n], bias: &[], y: &mut y },
    );
    let forward = error(y[1], products([&a[..n], b], [0, 1], [1, 3]));

    let (accumulate, blocks) = (Accumulate::Overwrite, RowBlocks::one(n));
    let d_weight = &mut [0.0; 15];
    let args = DenseDWeightArgs {
        inputs: 3,
        units: 5,
        accumulate,
        blocks,
        first: 0,
        x: a,
        d_y: b,
        d_weight,
    };
    dense_d_weight(isa, args);
    let d_weight = error(d_weight[2 * 5 + 4], products([a, b], [2, 3], [4, 5]));

    let mut sum = [0.0; 5];
    d_bias(isa, accumulate, blocks, b, &mut sum);
    let d_bias = error(sum[3], b[3..].iter().step_by(5).map(|b| f64::from(*b)));

    let size = n.isqrt();
    let found = conv_d_weight(isa, &geometry(size, 1, 3, 5, 1), a, b);
    let pointwise = error(found[1], products([a, b], [0, 3], [1, 5]));
    let b = &b[..3 * n];
    let found = conv_d_weight(isa, &geometry(size, 1, 3, 3, 3), a, b);
    let depthwise = error(found[1], products([a, b], [1, 3], [1, 3]));

    let mut average = [0.0; 3];
    pool::average(&Pool::global(Shape::new(&[n, 3])), true, a, &mut average);
    let average = error(average[1] * n as f32, a[1..].iter().step_by(3).map(|a| f64::from(*a)));
    [forward, d_weight, d_bias, pointwise, depthwise, average]
}

#[test]
fn errors_of_long_sums_are_small() {
    for isa in available() {
        let found = errors(isa, 1 << 20);
        assert!(found.iter().all(|error| *error < 4e-6), "{isa:?}: {found:?}");
    }
}

#[test]
#[ignore = "prints the table of docs/decisions/0025"]
fn table_of_errors() {
    for size in [10, 32, 100, 316, 1000, 3162] {
        let errors = errors(Isa::best(), size * size).map(|error| format!("{error:.1e}"));
        println!("| {} | {} |", size * size, errors.join(" | "));
    }
}

/// Also where a few rows and many rows are computed by different kernels, because weights come from memory.
#[test]
fn long_sums_of_a_row_have_the_same_bits_in_any_batch() {
    for (inputs, units) in [(9001, 65), (8193, 260)] {
        let (x, weight) = (positive(25 * inputs, 1), positive(inputs * units, 2));
        let bias = &positive(units, 3)[..];
        for isa in available() {
            let rows = |n: usize| {
                let mut y = vec![f32::NAN; n * units];
                let (x, weight) = (&x[..n * inputs], &weight[..]);
                dense(isa, DenseArgs { inputs, units, x, weight, bias, y: &mut y });
                y
            };
            let all = rows(25);
            assert_eq!(rows(1), all[..units], "{isa:?}");
            assert_eq!(rows(2), all[..2 * units], "{isa:?}");
            assert_eq!(rows(5), all[..5 * units], "{isa:?}");
        }
    }
}

/// Integers, whose sums are exact in any order.
#[test]
fn gradients_of_large_images_have_all_terms() {
    for (channels, filters, groups) in [(1, 1, 1), (2, 3, 1), (9, 20, 1), (19, 19, 19)] {
        let g = geometry(97, 3, channels, filters, groups);
        let (x, d_y) = (tests::whole(g.input_len(), 1), tests::whole(g.output_len(), 2));
        let mut expected = vec![0.0; g.weight_len()];
        reference::conv2d_d_weight(&g, &x, &d_y, &mut expected);
        for isa in available() {
            assert_eq!(conv_d_weight(isa, &g, &x, &d_y), expected, "{isa:?}: {channels} channels");
        }
    }
}
