//! Tests of the rounding errors of long sums, and of their order.
//!
//! `tests/reference/long_sums.py` prints the errors of PyTorch for the same sums.

use super::attention::{self, Attention};
use super::isa::Baseline;
use super::pool::{self, Pool};
use super::row_norm::{self, RowNorm, RowNormGradient, RowNormInput};
use super::tests::available;
use super::*;
use crate::memory::{ShardCut, Shards, StateMut};
use crate::ranks::Division;
use crate::system::{CacheLine, RngKey};
use crate::types::Steps;
use unrolled_shape::Shape;

/// `len` values in `[0, 1)`: all terms of a sum have the same sign, so that the sum grows with their number.
fn positive(len: usize, stream: u64) -> Vec<f32> {
    let key = RngKey::new(stream);
    (0..len).map(|i| key.uniform(i as u64)).collect()
}

/// Elements of a result, and what they are in `f64`.
type Pairs = Vec<(f32, f64)>;

/// Pairs with the sums of `n` terms; `term(i, k)` is term `k` of the sum that is element `i`.
fn sums(found: &[f32], n: usize, term: impl Fn(usize, usize) -> f64) -> Pairs {
    let sum = |i| (0..n).map(|k| term(i, k)).sum();
    found.iter().enumerate().map(|(i, found)| (*found, sum(i))).collect()
}

fn product(a: f32, b: f32) -> f64 {
    f64::from(a) * f64::from(b)
}

/// The root of the largest square number up to `n`.
const fn side(n: usize) -> usize {
    n.isqrt()
}

/// The geometry of a convolution of `size` pixels with stride 1.
fn geometry(size: [usize; 2], kernel: usize, padding: usize, channels: [usize; 2]) -> Geometry {
    Geometry {
        input: size,
        channels: channels[0],
        output: size.map(|size| size + 2 * padding + 1 - kernel),
        filters: channels[1],
        kernel: [kernel; 2],
        stride: [1; 2],
        padding: [[padding; 2]; 2],
        dilation: [1; 2],
        groups: 1,
        depth: Depth::FLAT,
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

/// A computation whose elements are sums of so many terms, with random inputs of a seed.
type Compute = fn(Isa, usize, u64) -> Pairs;

/// A kind of sum, and the errors of PyTorch 2.15 for [`LENGTHS`] (`tests/reference/long_sums.py`).
struct Sum {
    name: &'static str,
    compute: Compute,
    pytorch: [f64; 5],
}

const fn sum(name: &'static str, compute: Compute, pytorch: [f64; 5]) -> Sum {
    Sum { name, compute, pytorch }
}

const LENGTHS: [usize; 5] = [100, 1024, 10_000, 1_000_000, 10_000_000];

const SUMS: &[Sum] = &[
    sum("dense", dense_forward, [4.9e-8, 1.2e-7, 4.0e-7, 1.1e-5, 9.9e-4]),
    sum("dense d_x", dense_backward, [1.5e-7, 4.2e-7, 1.5e-6, 1.5e-4, 1.2e-2]),
    sum("dense d_weight", dense_weights, [1.5e-7, 4.4e-7, 1.5e-6, 1.4e-4, 1.2e-2]),
    sum("dense d_bias", biases, [5.1e-8, 4.8e-8, 5.2e-8, 8.0e-8, 1.0e-7]),
    sum("conv 1x1", conv_1x1, [1.5e-7, 4.4e-7, 1.7e-6, 1.5e-4, 1.2e-2]),
    sum("conv 3x3", conv_3x3, [1.5e-7, 4.2e-7, 1.8e-6, 1.6e-4, 1.2e-2]),
    sum("conv large kernel", conv_large, [1.5e-7, 4.3e-7, 1.5e-6, 1.4e-4, 1.2e-2]),
    sum("conv d_x", conv_backward, [5.3e-8, 6.9e-8, 1.7e-7, 2.9e-6, 1.8e-4]),
    sum("conv d_weight", conv_weights, [1.5e-7, 9.7e-8, 1.6e-6, 1.5e-4, 1.2e-2]),
    sum("depthwise", depthwise_large, [1.5e-7, 4.2e-7, 1.5e-6, 1.5e-4, 1.2e-2]),
    sum("depthwise d_weight", depthwise_weights, [1.5e-7, 4.2e-7, 1.6e-6, 1.5e-4, 1.2e-2]),
    sum("prelu", shared_slope, [4.9e-8, 5.0e-8, 4.9e-8, 1.7e-8, 1.4e-8]),
    sum("prelu per channel", slopes, [5.0e-8, 5.0e-8, 5.7e-8, 1.0e-7, 6.5e-8]),
    sum("scale", shared_factor, [5.0e-8, 4.2e-8, 4.7e-8, 7.0e-8, 6.8e-8]),
    sum("scale per channel", factors, [5.3e-8, 4.9e-8, 5.4e-8, 5.1e-8, 1.3e-7]),
    sum("layer norm d_weight", layer_norm_weight, [1.5e-7, 4.4e-7, 1.3e-6, 5.0e-6, 6.4e-5]),
    sum("layer norm d_bias", layer_norm_bias, [1.5e-7, 4.2e-7, 1.5e-6, 2.1e-5, 2.7e-5]),
    sum("layer norm", layer_norm, [6.1e-8, 5.5e-8, 5.6e-8, 2.8e-8, 3.1e-8]),
    sum("rms norm d_weight", rms_norm_weight, [4.8e-8, 4.3e-8, 4.6e-8, 2.6e-8, 6.9e-8]),
    sum("rms norm", rms_norm, [5.6e-8, 5.7e-8, 6.2e-8, 4.3e-8, 3.0e-8]),
    sum("batch norm d_bias", batch_norm_bias, [1.6e-7, 4.4e-7, 1.6e-6, 1.4e-5, 6.7e-5]),
    sum("softmax", softmax_sum, [5.7e-8, 8.1e-8, 2.6e-7, 3.5e-7, 9.2e-5]),
    sum("attention", attend, [1.5e-7, 4.4e-7, 1.3e-6, 4.9e-5, 4.3e-3]),
    sum("global average", average, [6.0e-8, 4.7e-8, 5.6e-8, 6.0e-8, 3.1e-8]),
    // PyTorch has no shards: as a bias.
    sum("shards", shards, [5.1e-8, 4.8e-8, 5.2e-8, 8.0e-8, 1.0e-7]),
];

fn dense_forward(isa: Isa, n: usize, seed: u64) -> Pairs {
    const UNITS: usize = 16;
    let (x, weight) = (positive(2 * n, seed), positive(UNITS * n, seed + 1));
    let mut y = [0.0; 2 * UNITS];
    let (x, weight) = (&x[..], &weight[..]);
    dense(isa, DenseArgs { inputs: n, units: UNITS, x, weight, bias: &[], y: &mut y });
    sums(&y, n, |i, k| product(x[i / UNITS * n + k], weight[k * UNITS + i % UNITS]))
}

fn dense_backward(isa: Isa, n: usize, seed: u64) -> Pairs {
    const INPUTS: usize = 16;
    let (d_y, weight) = (positive(2 * n, seed), positive(INPUTS * n, seed + 1));
    let mut d_x = [0.0; 2 * INPUTS];
    dense_d_x(isa, n, &d_y, &weight, &mut d_x);
    sums(&d_x, n, |i, k| product(d_y[i / INPUTS * n + k], weight[i % INPUTS * n + k]))
}

fn dense_weights(isa: Isa, n: usize, seed: u64) -> Pairs {
    let (x, d_y) = (positive(3 * n, seed), positive(5 * n, seed + 1));
    let mut d_weight = [0.0; 15];
    let (accumulate, blocks, first) = (Accumulate::Overwrite, RowBlocks::one(n), 0);
    let (inputs, units) = (3, 5);
    let args = DenseDWeightArgs {
        inputs,
        units,
        accumulate,
        blocks,
        first,
        x: &x,
        d_y: &d_y,
        d_weight: &mut d_weight,
    };
    dense_d_weight(isa, args);
    sums(&d_weight, n, |i, k| product(x[k * 3 + i / 5], d_y[k * 5 + i % 5]))
}

fn biases(isa: Isa, n: usize, seed: u64) -> Pairs {
    let (d_y, mut sum) = (positive(5 * n, seed), [0.0; 5]);
    d_bias(isa, Accumulate::Overwrite, RowBlocks::one(n), &d_y, &mut sum);
    sums(&sum, n, |i, k| f64::from(d_y[k * 5 + i]))
}

fn conv_1x1(isa: Isa, n: usize, seed: u64) -> Pairs {
    let g = geometry([2; 2], 1, 0, [n, 4]);
    let (x, weight) = (positive(4 * n, seed), positive(4 * n, seed + 1));
    let mut y = [0.0; 16];
    conv2d(isa, &g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y });
    sums(&y, n, |i, k| product(x[i / 4 * n + k], weight[k * 4 + i % 4]))
}

/// The pixel in the middle of 3x3.
fn conv_3x3(isa: Isa, n: usize, seed: u64) -> Pairs {
    let n = n / 9 * 9;
    let g = geometry([3; 2], 3, 1, [n / 9, 4]);
    let (x, weight) = (positive(n, seed), positive(4 * n, seed + 1));
    let mut y = [0.0; 36];
    conv2d(isa, &g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y });
    sums(&y[16..20], n, |i, k| product(x[k], weight[k * 4 + i]))
}

/// A kernel as large as the image but for one column.
fn conv_large(isa: Isa, n: usize, seed: u64) -> Pairs {
    let side = side(n);
    let g = geometry([side, side + 1], side, 0, [1, 4]);
    let (x, weight) = (positive(g.input_len(), seed), positive(g.weight_len(), seed + 1));
    let mut y = [0.0; 8];
    conv2d(isa, &g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y });
    sums(&y, side * side, |i, k| {
        product(x[k / side * (side + 1) + k % side + i / 4], weight[k * 4 + i % 4])
    })
}

/// The pixel in the middle of 3x3.
fn conv_backward(isa: Isa, n: usize, seed: u64) -> Pairs {
    let (filters, channels) = (n / 9, 4);
    let g = geometry([3; 2], 3, 1, [channels, filters]);
    let (d_y, weight) = (positive(9 * filters, seed), positive(g.weight_len(), seed + 1));
    let (mut flipped, mut d_x) = (vec![0.0; weight.len()], [0.0; 36]);
    conv2d_flip(isa, &g, &weight, &mut flipped);
    conv2d_d_x(isa, &g, &d_y, &flipped, &mut d_x);
    sums(&d_x[16..20], 9 * filters, |i, k| product(d_y[k], flipped[k * channels + i]))
}

fn conv_weights(isa: Isa, n: usize, seed: u64) -> Pairs {
    let side = side(n);
    let g = geometry([side + 2; 2], 3, 0, [3, 5]);
    let (x, d_y) = (positive(g.input_len(), seed), positive(g.output_len(), seed + 1));
    let found = conv_d_weight(isa, &g, &x, &d_y);
    sums(&found, side * side, |i, k| {
        let [tap, channel, filter] = [i / 15, i / 5 % 3, i % 5];
        let pixel = (k / side + tap / 3) * (side + 2) + k % side + tap % 3;
        product(x[pixel * 3 + channel], d_y[k * 5 + filter])
    })
}

fn depthwise_large(isa: Isa, n: usize, seed: u64) -> Pairs {
    let side = side(n);
    let g = Geometry { groups: 4, ..geometry([side, side + 1], side, 0, [4, 4]) };
    let (x, weight) = (positive(g.input_len(), seed), positive(g.weight_len(), seed + 1));
    let mut y = [0.0; 8];
    conv2d(isa, &g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y });
    sums(&y, side * side, |i, k| {
        let pixel = k / side * (side + 1) + k % side + i / 4;
        product(x[pixel * 4 + i % 4], weight[k * 4 + i % 4])
    })
}

fn depthwise_weights(isa: Isa, n: usize, seed: u64) -> Pairs {
    let side = side(n);
    let g = Geometry { groups: 4, ..geometry([side + 2; 2], 3, 0, [4, 4]) };
    let (x, d_y) = (positive(g.input_len(), seed), positive(g.output_len(), seed + 1));
    let found = conv_d_weight(isa, &g, &x, &d_y);
    sums(&found, side * side, |i, k| {
        let [tap, channel] = [i / 4, i % 4];
        let pixel = (k / side + tap / 3) * (side + 2) + k % side + tap % 3;
        product(x[pixel * 4 + channel], d_y[k * 4 + channel])
    })
}

fn slopes(_: Isa, n: usize, seed: u64) -> Pairs {
    let x: Vec<f32> = positive(4 * n, seed).iter().map(|x| -x).collect();
    let (d_y, mut found) = (positive(4 * n, seed + 1), [0.0; 4]);
    row_sums::sum_of_negative_products(&x, &d_y, &mut found);
    sums(&found, n, |i, k| product(x[k * 4 + i], d_y[k * 4 + i]))
}

/// As `PReLU` computes it.
fn shared_slope(isa: Isa, n: usize, seed: u64) -> Pairs {
    let channels = slopes(isa, n / 4, seed);
    let found = channels.iter().map(|(found, _)| f64::from(*found)).sum::<f64>() as f32;
    vec![(found, channels.iter().map(|(_, expected)| expected).sum())]
}

fn factors(_: Isa, n: usize, seed: u64) -> Pairs {
    let (x, d_y, mut found) = (positive(4 * n, seed), positive(4 * n, seed + 1), [0.0; 4]);
    row_sums::sum_of_products(&x, &d_y, &mut found);
    sums(&found, n, |i, k| product(x[k * 4 + i], d_y[k * 4 + i]))
}

fn shared_factor(_: Isa, n: usize, seed: u64) -> Pairs {
    let (x, d_y) = (positive(n, seed), positive(n, seed + 1));
    let mut found = [0.0];
    row_sums::sum_of_all_products(&x, &d_y, &mut found[0]);
    sums(&found, n, |_, k| product(x[k], d_y[k]))
}

/// The gradients of two weights and two biases, from rows of two elements of which the first is larger: the normalised
/// ones are about 1 and -1.
fn row_norm_weights(_: Isa, n: usize, seed: u64, centred: bool) -> Pairs {
    let (mut x, d_y) = (positive(2 * n, seed), positive(2 * n, seed + 1));
    x.iter_mut().step_by(2).for_each(|x| *x += 1.0);
    let norm = RowNorm { len: 2, centred, eps: 1e-5 };
    let (mut y, mut saved) = (vec![0.0; 2 * n], vec![0.0; RowNorm::SAVED * n]);
    let (x, weight, d_y) = (&x[..], &[][..], &d_y[..]);
    row_norm::forward(norm, RowNormInput { x, weight, bias: &[] }, &mut y, &mut saved);
    let mut found = [0.0; 4];
    let (d_weight, d_bias) = found.split_at_mut(2);
    row_norm::d_weights(norm, RowNormGradient { x, weight, saved: &saved, d_y }, d_weight, d_bias);
    sums(&found, n, |i, k| {
        let [a, b] = [x[2 * k], x[2 * k + 1]].map(f64::from);
        let mean = if centred { 0.5 * (a + b) } else { 0.0 };
        let variance = 0.5 * ((a - mean).powi(2) + (b - mean).powi(2));
        let normalised = ([a, b][i % 2] - mean) / (variance + 1e-5).sqrt();
        f64::from(d_y[2 * k + i % 2]) * if i < 2 { normalised } else { 1.0 }
    })
}

fn layer_norm_weight(isa: Isa, n: usize, seed: u64) -> Pairs {
    // The normalised first elements are about 1, and their sum grows.
    row_norm_weights(isa, n, seed, true)[..1].to_vec()
}

fn layer_norm_bias(isa: Isa, n: usize, seed: u64) -> Pairs {
    row_norm_weights(isa, n, seed, true)[2..].to_vec()
}

fn rms_norm_weight(isa: Isa, n: usize, seed: u64) -> Pairs {
    row_norm_weights(isa, n, seed, false)[..2].to_vec()
}

fn layer_norm(isa: Isa, n: usize, seed: u64) -> Pairs {
    row_norm(isa, n, seed, true)
}

fn rms_norm(isa: Isa, n: usize, seed: u64) -> Pairs {
    row_norm(isa, n, seed, false)
}

/// The last element of a row, which is 4.
fn row_norm(_: Isa, n: usize, seed: u64, centred: bool) -> Pairs {
    let mut x = positive(n, seed);
    x.push(4.0);
    let norm = RowNorm { len: n + 1, centred, eps: 1e-5 };
    let mut y = vec![0.0; n + 1];
    row_norm::forward(norm, RowNormInput { x: &x, weight: &[], bias: &[] }, &mut y, &mut []);
    let all = || x.iter().map(|x| f64::from(*x));
    let count = x.len() as f64;
    let mean = if centred { all().sum::<f64>() / count } else { 0.0 };
    let variance = all().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    vec![(y[n], (4.0 - mean) / (variance + 1e-5).sqrt())]
}

fn batch_norm_bias(_: Isa, n: usize, seed: u64) -> Pairs {
    let (x, d_y) = (positive(4 * n, seed), positive(4 * n, seed + 1));
    let mut found = vec![0.0; norm::sums_len(4)];
    norm::gradient_sums(&x, &[0.0; 4], &[1.0; 4], &d_y, &mut found);
    sums(&found[..4], n, |i, k| f64::from(d_y[k * 4 + i]))
}

fn softmax_sum(_: Isa, n: usize, seed: u64) -> Pairs {
    let (x, mut e) = (positive(n, seed), vec![0.0; n]);
    rows::exp_below_max::<Baseline>(n, &x, &mut e);
    let max = f64::from(rows::max(&x));
    sums(&[rows::sum(&e)], n, |_, k| (f64::from(x[k]) - max).exp())
}

/// One step that attends to `n`, with weights of 1, so that queries, keys and values are the inputs.
fn attend(_: Isa, n: usize, seed: u64) -> Pairs {
    let (heads, width, steps, memory) = (1, 1, 1, n);
    let (kv_heads, cross, causal, rotary) = (heads, true, false, false);
    let (alibi, drops) = (false, false);
    let it =
        Attention { heads, kv_heads, width, steps, memory, cross, causal, rotary, alibi, drops };
    let weights =
        attention::Weights { in_proj: &[1.0; 3], in_bias: &[], out_proj: &[1.0], out_bias: &[] };
    let batch =
        attention::Batch { attention: it, weights, n: 1, lengths: [Steps::Full, Steps::Full] };
    let (x, kv, mut y) = (positive(1, seed), positive(n, seed + 1), [0.0]);
    let mut scratch = vec![0.0; it.infer_scratch()];
    batch.infer([&x, &kv], &mut y, StateMut::none(), &mut scratch);
    let score = |k: usize| product(x[0], kv[k]).exp();
    let total: f64 = (0..n).map(score).sum();
    sums(&y, n, |_, k| score(k) / total * f64::from(kv[k]))
}

fn average(_: Isa, n: usize, seed: u64) -> Pairs {
    let (x, mut y) = (positive(4 * n, seed), [0.0; 4]);
    pool::average(&Pool::global(Shape::new(&[n, 4])), true, &x, &mut y);
    sums(&y, n, |i, k| f64::from(x[k * 4 + i]) / n as f64)
}

fn shards(_: Isa, n: usize, seed: u64) -> Pairs {
    // A cache line, after which the next shard begins.
    const LEN: usize = CacheLine::LEN;
    let (memory, mut found) = (positive(LEN * n, seed), [0.0; LEN]);
    let shards = Shards::new(&memory, ShardCut::whole(n, 1), Division::WHOLE, LEN, 0);
    sum_shards(shards, 0, &mut found);
    sums(&found, n, |i, k| f64::from(memory[k * LEN + i]))
}

/// The root mean square of errors relative to `f64`, of several random inputs if sums are short.
fn error(isa: Isa, compute: Compute, n: usize) -> f64 {
    let draws = (100_000 / n).clamp(1, 100) as u64;
    let errors = (0..draws).flat_map(|draw| compute(isa, n, 10 * draw + 1));
    let squares: Vec<f64> =
        errors.map(|(found, expected)| (f64::from(found) / expected - 1.0).powi(2)).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

/// Sums of which PyTorch computes short ones with smaller errors than one chain, and how many of [`LENGTHS`]: in the lanes of
/// a vector, or in short blocks. Here sums of up to [`LONG_SUM`](product::LONG_SUM) terms are one chain, in dense layers of up
/// to [`LONG_DENSE_SUM`](product::LONG_DENSE_SUM), as PyTorch's other products are.
const SHORT_CHAINS: [(&str, usize); 3] = [("dense", 1), ("conv d_x", 2), ("conv d_weight", 2)];

/// The errors of one chain of multiply-adds.
const CHAIN: [f64; 2] = [1.5e-7, 4.4e-7];

/// At most those of PyTorch, but for the short sums of [`SHORT_CHAINS`], which are less precise here.
#[test]
fn errors_of_sums_are_bounded() {
    // Root mean squares of a hundred draws vary by a tenth, here and in PyTorch.
    const VARIATION: f64 = 1.2;
    for isa in available() {
        for Sum { name, compute, pytorch } in SUMS {
            let mut allowed = *pytorch;
            if let Some((_, chains)) = SHORT_CHAINS.iter().find(|(of, _)| of == name) {
                allowed[..*chains].copy_from_slice(&CHAIN[..*chains]);
            }
            for (n, allowed) in LENGTHS.into_iter().zip(allowed).take(3) {
                let found = error(isa, *compute, n);
                assert!(found <= VARIATION * allowed, "{isa:?}: {name} of {n}: {found} {allowed}");
            }
        }
    }
}

#[test]
#[ignore = "prints the table of docs/decisions/0025"]
fn table_of_errors() {
    for Sum { name, compute, .. } in SUMS {
        let errors = LENGTHS.map(|n| format!("{:.1e}", error(Isa::best(), *compute, n)));
        println!("| {name} | {} |", errors.join(" | "));
    }
}

/// Also where a few rows and many rows are computed by different kernels, because weights come from memory.
#[test]
fn long_sums_of_a_row_have_the_same_bits_in_any_batch() {
    for (inputs, units) in [(9001, 65), (8193, 260), (700, 65), (513, 4100)] {
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
        let g = Geometry { groups, ..geometry([97; 2], 3, 0, [channels, filters]) };
        let (x, d_y) = (tests::whole(g.input_len(), 1), tests::whole(g.output_len(), 2));
        let mut expected = vec![0.0; g.weight_len()];
        reference::conv2d_d_weight(&g, &x, &d_y, &mut expected);
        for isa in available() {
            assert_eq!(conv_d_weight(isa, &g, &x, &d_y), expected, "{isa:?}: {channels} channels");
        }
    }
}

/// Long sums over a kernel: with parts of one of its elements, of some channels of an element, and of one of its lines.
fn long_convolutions() -> [Geometry; 3] {
    let of = |size, kernel, padding, channels| geometry([size; 2], kernel, padding, channels);
    [of(6, 3, 1, [1000, 16]), of(5, 3, 1, [930, 3]), of(52, 50, 2, [4, 16])]
}

/// The pixels are computed by kernel elements, where weights exceed the cache, or in strips.
#[test]
fn long_sums_of_a_pixel_have_the_same_bits_in_any_product() {
    for g in long_convolutions() {
        let (x, weight) = (positive(g.input_len(), 1), positive(g.weight_len(), 2));
        let bias = &positive(g.filters, 3)[..];
        for isa in available() {
            let [mut y, mut pooled] = [(); 2].map(|()| vec![f32::NAN; g.output_len()]);
            conv2d(isa, &g, ConvArgs { x: &x, weight: &weight, bias, y: &mut y });
            let args = ConvArgs { x: &x, weight: &weight, bias, y: &mut pooled };
            conv2d_max_pool(isa, &g, [1, 1], args);
            assert_eq!(pooled, y, "{isa:?}: {g:?}");
        }
    }
}

/// A stream has a state of zeros in place of the padding.
#[test]
fn padding_has_the_bits_of_zeros_in_long_sums() {
    for g in long_convolutions() {
        let (x, weight) = (positive(g.input_len(), 1), positive(g.weight_len(), 2));
        let bias = &positive(g.filters, 3)[..];
        let mut padded = vec![0.0; g.padded_len()];
        g.border().add(g.input, g.channels, &x, &mut padded);
        for isa in available() {
            let [mut y, mut of_zeros] = [(); 2].map(|()| vec![f32::NAN; g.output_len()]);
            conv2d(isa, &g, ConvArgs { x: &x, weight: &weight, bias, y: &mut y });
            let args = ConvArgs { x: &padded, weight: &weight, bias, y: &mut of_zeros };
            conv2d(isa, &g.padded(), args);
            assert_eq!(of_zeros, y, "{isa:?}: {g:?}");
        }
    }
}
