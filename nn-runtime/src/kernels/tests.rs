//! Every kernel against its naive twin, with all instructions of this machine, for sizes on both sides of every tile's
//! edge.
//!
//! Values are small integers, so that all sums are exact in any order: kernel and twin must agree in every bit.

use super::*;
use crate::system::RngKey;

/// `len` integers from -4 to 4.
pub(super) fn whole(len: usize, stream: u64) -> Vec<f32> {
    let key = RngKey::new(stream);
    (0..len).map(|i| (key.bits(i as u64) % 9) as f32 - 4.0).collect()
}

pub(super) fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_available())
}

/// What `f` writes into memory that is initialised with `before`. Asserts that the memory around it is unchanged.
#[track_caller]
pub(super) fn written(before: &[f32], f: impl FnOnce(&mut [f32])) -> Vec<f32> {
    const GUARD: usize = 64;
    let mut memory = vec![f32::MAX; before.len() + 2 * GUARD];
    memory[GUARD..GUARD + before.len()].copy_from_slice(before);
    f(&mut memory[GUARD..GUARD + before.len()]);
    let after = memory.split_off(GUARD + before.len());
    let values = memory.split_off(GUARD);
    assert!(memory.iter().chain(&after).all(|v| *v == f32::MAX), "wrote beyond the end");
    values
}

/// Adds the gradient of the rows of a weight from row `first` on.
fn d_weight_of(
    isa: Isa,
    [inputs, units, first]: [usize; 3],
    blocks: RowBlocks,
    [x, d_y]: [&[f32]; 2],
    d_weight: &mut [f32],
) {
    let accumulate = Accumulate::Add;
    dense_d_weight(
        isa,
        DenseDWeightArgs { inputs, units, accumulate, blocks, first, x, d_y, d_weight },
    );
}

/// The gradient of some or all weights of a convolution.
fn conv_d_weight(
    isa: Isa,
    g: &Geometry,
    part: Option<Taps>,
    accumulate: Accumulate,
    [x, d_y]: [&[f32]; 2],
    [d_weight, scratch]: [&mut [f32]; 2],
) {
    conv2d_d_weight(isa, g, ConvDWeightArgs { part, accumulate, x, d_y, d_weight, scratch });
}

const ROWS: [usize; 9] = [1, 2, 3, 4, 5, 7, 8, 9, 17];
const INPUTS: [usize; 9] = [1, 2, 3, 7, 16, 17, 33, 100, 515];
const UNITS: [usize; 19] = [1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 17, 31, 32, 33, 48, 64, 65, 127, 130];

fn for_all_dense(mut f: impl FnMut(Isa, usize, usize, usize)) {
    for isa in available() {
        for n in ROWS {
            for inputs in INPUTS {
                UNITS.into_iter().for_each(|units| f(isa, n, inputs, units));
            }
        }
    }
}

#[test]
fn dense_agrees_with_its_twin() {
    for_all_dense(|isa, n, inputs, units| {
        let (x, weight) = (whole(n * inputs, 1), whole(inputs * units, 2));
        for bias in [whole(units, 3), vec![]] {
            let before = vec![f32::NAN; n * units];
            let y = written(&before, |y| {
                let (x, weight, bias) = (&x, &weight, &bias);
                dense(isa, DenseArgs { inputs, units, x, weight, bias, y });
            });
            let mut twin = before;
            let (x, weight, bias, y2) = (&x, &weight, &bias, &mut twin);
            reference::dense(DenseArgs { inputs, units, x, weight, bias, y: y2 });
            assert_eq!(y, twin, "{isa:?}: {n} rows, {inputs} to {units}");
        }
    });
}

#[test]
fn dense_transposed_agrees_with_its_twin() {
    for_all_dense(|isa, n, inputs, units| {
        let (x, weight) = (whole(n * inputs, 1), whole(inputs * units, 2));
        for bias in [whole(units, 3), vec![]] {
            let before = vec![f32::NAN; n * units];
            let y = written(&before, |y| {
                let (x, weight, bias) = (&x, &weight, &bias);
                dense_transposed(isa, DenseArgs { inputs, units, x, weight, bias, y });
            });
            let mut twin = before;
            let (x, weight, bias, y2) = (&x, &weight, &bias, &mut twin);
            reference::dense_transposed(DenseArgs { inputs, units, x, weight, bias, y: y2 });
            assert_eq!(y, twin, "{isa:?}: {n} rows, {inputs} to {units}");
        }
    });
}

#[test]
fn dense_d_x_agrees_with_its_twin() {
    for_all_dense(|isa, n, inputs, units| {
        let (d_y, weight) = (whole(n * units, 1), whole(inputs * units, 2));
        let before = vec![f32::NAN; n * inputs];
        let d_x = written(&before, |d_x| dense_d_x(isa, units, &d_y, &weight, d_x));
        let mut twin = before;
        reference::dense_d_x(inputs, units, &d_y, &weight, &mut twin);
        assert_eq!(d_x, twin, "{isa:?}: {n} rows, {inputs} to {units}");
    });
}

/// Sums that are longer than a block.
#[test]
fn long_dense_d_x_agrees_with_its_twin() {
    for isa in available() {
        let (inputs, units) = (5, 2100);
        let (d_y, weight) = (whole(3 * units, 1), whole(inputs * units, 2));
        let mut d_x = vec![f32::NAN; 3 * inputs];
        let mut twin = d_x.clone();
        dense_d_x(isa, units, &d_y, &weight, &mut d_x);
        reference::dense_d_x(inputs, units, &d_y, &weight, &mut twin);
        assert_eq!(d_x, twin, "{isa:?}");
    }
}

#[test]
fn dense_d_weight_agrees_with_its_twin() {
    for_all_dense(|isa, n, inputs, units| {
        let (x, d_y) = (whole(n * inputs, 1), whole(n * units, 2));
        let before = whole(inputs * units, 3);
        let mut twin = before.clone();
        reference::dense_d_weight(inputs, units, &x, &d_y, &mut twin);
        let first = inputs / 3;
        let d_weight = written(&before[first * units..], |d_weight| {
            d_weight_of(isa, [inputs, units, first], RowBlocks::one(n), [&x, &d_y], d_weight);
        });
        assert_eq!(d_weight, twin[first * units..], "{isa:?}: {n} rows, {inputs} to {units}");
    });
}

#[test]
fn d_bias_agrees_with_its_twin() {
    for isa in available() {
        for n in ROWS {
            for units in UNITS {
                let (d_y, before) = (whole(n * units, 1), whole(units, 2));
                let mut twin = before.clone();
                reference::d_bias(&d_y, &mut twin);
                let d_bias = written(&before, |d| {
                    super::d_bias(isa, Accumulate::Add, RowBlocks::one(n), &d_y, d)
                });
                assert_eq!(d_bias, twin, "{isa:?}: {n} rows of {units}");
            }
        }
        super::d_bias(isa, Accumulate::Add, RowBlocks::one(1), &[1.0, 2.0], &mut []);
    }
}

/// Gradients of a batch in blocks, with other values between them.
#[test]
fn pieces_are_summed_in_order() {
    let (inputs, units, stride) = (13, 7, 90);
    let blocks = RowBlocks { count: 3, stride, rows: 4 };
    let memory = whole(3 * stride, 1);
    let (x, d_y) = (&memory[..2 * stride + 4 * inputs], &memory[4 * inputs..]);
    let (mut twin, mut twin_bias) = (whole(inputs * units, 2), whole(units, 3));
    let (before, before_bias) = (twin.clone(), twin_bias.clone());
    for block in 0..3 {
        let x = &x[block * stride..][..4 * inputs];
        let d_y = &d_y[block * stride..][..4 * units];
        reference::dense_d_weight(inputs, units, x, d_y, &mut twin);
        reference::d_bias(d_y, &mut twin_bias);
    }
    for isa in available() {
        let d_weight =
            written(&before, |d| d_weight_of(isa, [inputs, units, 0], blocks, [x, d_y], d));
        assert_eq!(d_weight, twin, "{isa:?}");
        let d_bias = written(&before_bias, |d| super::d_bias(isa, Accumulate::Add, blocks, d_y, d));
        assert_eq!(d_bias, twin_bias, "{isa:?}");
    }
}

/// Sizes for which parts of `B` are packed.
#[test]
fn products_that_are_packed_agree_with_their_twins() {
    for isa in available() {
        for (n, inputs, units) in [(24, 300, 256), (31, 1100, 259), (300, 40, 270)] {
            let (x, weight) = (whole(n * inputs, 1), whole(inputs * units, 2));
            let before = vec![f32::NAN; n * units];
            let y = written(&before, |y| {
                let (x, weight) = (&x, &weight);
                dense(isa, DenseArgs { inputs, units, x, weight, bias: &[], y });
            });
            let mut twin = before;
            reference::dense(DenseArgs {
                inputs,
                units,
                x: &x,
                weight: &weight,
                bias: &[],
                y: &mut twin,
            });
            assert_eq!(y, twin, "{isa:?}: {n} rows, {inputs} to {units}");
            let before = whole(inputs * units, 3);
            let mut twin = before.clone();
            reference::dense_d_weight(inputs, units, &x, &y, &mut twin);
            let d_weight = written(&before, |d| {
                d_weight_of(isa, [inputs, units, 0], RowBlocks::one(n), [&x, &y], d);
            });
            assert_eq!(d_weight, twin, "{isa:?}: {n} rows, {inputs} to {units}");
        }
    }
}

/// Sizes for which panels begin at cache lines, from weights at each distance from one.
#[test]
fn products_of_weights_at_any_alignment_agree_with_their_twins() {
    for isa in available() {
        for (n, inputs, units) in [(6, 100, 320), (7, 600, 336)] {
            let (x, bias) = (whole(n * inputs, 1), whole(units, 2));
            let memory = whole(inputs * units + 16, 3);
            for offset in 0..16 {
                let weight = &memory[offset..offset + inputs * units];
                let (x, bias, before) = (&x, &bias, vec![f32::NAN; n * units]);
                let y = written(&before, |y| {
                    dense(isa, DenseArgs { inputs, units, x, weight, bias, y });
                });
                let mut twin = before;
                let y_twin = &mut twin;
                reference::dense(DenseArgs { inputs, units, x, weight, bias, y: y_twin });
                assert_eq!(y, twin, "{isa:?}: {n} rows, {inputs} to {units}, offset {offset}");
            }
        }
    }
}

/// Weights that are packed, and weights that do not stay in cache.
#[test]
fn convolutions_with_many_weights_agree_with_their_twins() {
    let packed = Geometry {
        input: [9, 20],
        channels: 40,
        output: [7, 18],
        filters: 257,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [[0; 2]; 2],
        dilation: [1, 1],
        groups: 1,
        depth: Depth::FLAT,
    };
    let large = Geometry { channels: 60, padding: [[1; 2]; 2], output: [9, 20], ..packed };
    let strided = Geometry { channels: 120, stride: [1, 2], output: [9, 10], ..large };
    [packed, large, strided].iter().for_each(check_convolution);
}

/// Images that are too wide for a window, a kernel that is too large for one, and channels in several groups.
#[test]
fn depthwise_convolutions_of_any_size_agree_with_their_twins() {
    let wide = Geometry {
        input: [2, 3000],
        channels: 20,
        output: [2, 3000],
        filters: 20,
        kernel: [3, 5],
        stride: [1, 1],
        padding: [[1; 2], [2; 2]],
        dilation: [1, 1],
        groups: 20,
        depth: Depth::FLAT,
    };
    let three = Geometry { kernel: [3, 3], padding: [[1; 2]; 2], ..wide };
    let strided = Geometry { stride: [1, 3], output: [2, 1000], ..three };
    let large = Geometry {
        input: [66, 66],
        channels: 3,
        output: [5, 5],
        filters: 3,
        kernel: [64, 64],
        groups: 3,
        ..three
    };
    let deep = Geometry {
        input: [5, 56],
        channels: 270,
        output: [5, 56],
        filters: 270,
        groups: 270,
        ..wide
    };
    // Every second column of the input meets nothing, with a kernel too high for a window.
    let tall = Geometry {
        input: [2100, 3],
        output: [1, 2],
        kernel: [2100, 1],
        stride: [1, 2],
        padding: [[0; 2]; 2],
        ..large
    };
    let deep_three = Geometry { kernel: three.kernel, padding: three.padding, ..deep };
    [wide, three, strided, large, deep, deep_three, tall].iter().for_each(check_convolution);
}

/// A convolution and both gradients, for two images.
fn check_convolution(g: &Geometry) {
    let (x, weight) = (whole(2 * g.input_len(), 1), whole(g.weight_len(), 2));
    let d_y = whole(2 * g.output_len(), 3);
    let (mut y, mut d_x) = (vec![f32::NAN; d_y.len()], vec![f32::NAN; x.len()]);
    let (mut d_weight, mut flipped) = (vec![0.0; weight.len()], vec![f32::NAN; weight.len()]);
    let mut scratch = vec![f32::NAN; g.scratch_len()];
    reference::conv2d(g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y });
    reference::conv2d_d_x(g, &d_y, &weight, &mut d_x);
    reference::conv2d_d_weight(g, &x, &d_y, &mut d_weight);
    for isa in available() {
        conv2d_flip(isa, g, &weight, &mut flipped);
        let before = vec![f32::NAN; y.len()];
        let found = written(&before, |y| {
            conv2d(isa, g, ConvArgs { x: &x, weight: &weight, bias: &[], y });
        });
        assert_eq!(found, y, "{isa:?}");
        let before = vec![f32::NAN; x.len()];
        assert_eq!(written(&before, |d| conv2d_d_x(isa, g, &d_y, &flipped, d)), d_x, "{isa:?}");
        let found = written(&vec![f32::NAN; weight.len()], |d| {
            conv_d_weight(isa, g, None, Accumulate::Overwrite, [&x, &d_y], [d, &mut scratch]);
        });
        assert_eq!(found, d_weight, "{isa:?}");
    }
}

/// Any convolution, small enough for its twin. The same `seed` gives the same one.
pub(super) fn any_convolution(seed: u64) -> Geometry {
    let key = RngKey::new(seed);
    let mut drawn = 0;
    let mut draw = |choices: &[usize]| {
        drawn += 1;
        choices[key.bits(drawn) as usize % choices.len()]
    };
    let groups = draw(&[1, 1, 1, 2, 3, 17]);
    let (mut channels, mut filters) =
        (groups * draw(&[1, 2, 3, 4, 16, 17]), groups * draw(&[1, 2, 3, 8, 16, 17, 33, 64, 70]));
    if groups == 17 {
        (channels, filters) = (17, 17 * draw(&[1, 1, 2]));
    }
    let mut pair = |choices: &[usize]| [draw(choices), draw(choices)];
    let (kernel, stride) = (pair(&[1, 2, 3, 3, 4]), pair(&[1, 1, 1, 2, 3]));
    let (dilation, input) = (pair(&[1, 1, 2, 3]), pair(&[1, 2, 4, 5, 8, 11]));
    let padding = [pair(&[0, 0, 1, 2, 5]), pair(&[0, 0, 1, 2])];
    let mut g = Geometry {
        input,
        channels,
        output: [0; 2],
        filters,
        kernel,
        stride,
        padding,
        dilation,
        groups,
        depth: Depth::FLAT,
    };
    for axis in 0..2 {
        let extent = dilation[axis] * (kernel[axis] - 1) + 1;
        // A kernel that does not fit makes the input larger.
        g.input[axis] += extent.saturating_sub(g.border().around(g.input)[axis]);
        g.output[axis] = (g.border().around(g.input)[axis] - extent) / stride[axis] + 1;
    }
    g
}

/// Any depthwise convolution: tiles of all widths, kernels that slide and others, channels on both sides
/// of a vector's end.
fn any_depthwise(seed: u64) -> Geometry {
    let key = RngKey::new(seed);
    let mut drawn = 0;
    let mut draw = |choices: &[usize]| {
        drawn += 1;
        choices[key.bits(drawn) as usize % choices.len()]
    };
    let channels = draw(&[2, 4, 7, 8, 16, 19, 33, 71, 152]);
    let mut pair = |choices: &[usize]| [draw(choices), draw(choices)];
    let kernel = pair(&[1, 3, 3, 5, 7, 4]);
    let (stride, dilation) = (pair(&[1, 1, 1, 2]), pair(&[1, 1, 1, 2]));
    let mut input = pair(&[1, 3, 5, 8, 13, 21]);
    let padding = [pair(&[0, 1, 2, 3]), pair(&[0, 1, 2, 3])];
    let mut output = [0; 2];
    for axis in 0..2 {
        let extent = dilation[axis] * (kernel[axis] - 1) + 1;
        let padded = input[axis] + padding[axis][0] + padding[axis][1];
        input[axis] += extent.saturating_sub(padded);
        output[axis] = (padded.max(extent) - extent) / stride[axis] + 1;
    }
    let (filters, groups) = (channels, channels);
    let depth = Depth::FLAT;
    Geometry { input, channels, output, filters, kernel, stride, padding, dilation, groups, depth }
}

/// Any convolution of volumes.
fn any_volumes(seed: u64, planes: Geometry) -> Geometry {
    let key = RngKey::new(seed).fold_in(1);
    let mut drawn = 0;
    let mut draw = |choices: &[usize]| {
        drawn += 1;
        choices[key.bits(drawn) as usize % choices.len()]
    };
    let (kernel, stride, dilation) =
        (draw(&[1, 2, 3, 3, 4]), draw(&[1, 1, 2, 3]), draw(&[1, 1, 2]));
    let [before, after] = [draw(&[0, 0, 1, 2, 4]), draw(&[0, 0, 1, 2])];
    let extent = dilation * (kernel - 1) + 1;
    // A kernel that does not fit makes the input larger.
    let input = draw(&[1, 2, 3, 5]).max(extent.saturating_sub(before + after));
    let output = (input + before + after - extent) / stride + 1;
    Geometry { depth: Depth { input, output, kernel, stride, before, dilation }, ..planes }
}

fn for_all_volumes(mut f: impl FnMut(Isa, usize, &Geometry)) {
    for isa in available() {
        for seed in 0..200 {
            f(isa, 1 + seed as usize % 3, &any_volumes(seed, any_convolution(seed)));
            f(isa, 1 + seed as usize % 3, &any_volumes(seed, any_depthwise(seed)));
        }
    }
}

#[test]
fn conv3d_agrees_with_its_twin() {
    for_all_volumes(|isa, n, g| {
        let (x, weight) = (whole(n * g.input_len(), 1), whole(g.weight_len(), 2));
        for bias in [whole(g.filters, 3), vec![]] {
            let before = vec![f32::NAN; n * g.output_len()];
            let (x, weight, bias) = (&x, &weight, &bias);
            let y = written(&before, |y| conv3d(isa, g, ConvArgs { x, weight, bias, y }));
            let mut twin = before;
            reference::conv2d(g, ConvArgs { x, weight, bias, y: &mut twin });
            assert_eq!(y, twin, "{isa:?}: {g:?}");
        }
    });
}

#[test]
fn conv3d_d_x_agrees_with_its_twin() {
    for_all_volumes(|isa, n, g| {
        let (d_y, weight) = (whole(n * g.output_len(), 1), whole(g.weight_len(), 2));
        let mut flipped = vec![f32::NAN; g.weight_len()];
        conv3d_flip(isa, g, &weight, &mut flipped);
        let before = vec![f32::NAN; n * g.input_len()];
        let d_x = written(&before, |d_x| conv3d_d_x(isa, g, &d_y, &flipped, d_x));
        let mut twin = before;
        reference::conv2d_d_x(g, &d_y, &weight, &mut twin);
        assert_eq!(d_x, twin, "{isa:?}: {g:?}");
    });
}

/// All weights, overwritten and added to, and each part by itself.
#[test]
fn conv3d_d_weight_agrees_with_its_twin() {
    for_all_volumes(|isa, n, g| {
        let (x, d_y) = (&whole(n * g.input_len(), 1), &whole(n * g.output_len(), 2));
        let (mut scratch, before) = (vec![f32::NAN; g.scratch_len()], whole(g.weight_len(), 3));
        let mut twin = vec![0.0; g.weight_len()];
        reference::conv2d_d_weight(g, x, d_y, &mut twin);
        let mut check = |part: Option<Taps>, accumulate, before: &[f32], twin: &[f32]| {
            let found = written(before, |d_weight| {
                let scratch = if part.is_some() { &mut [][..] } else { &mut scratch[..] };
                let args = ConvDWeightArgs { part, accumulate, x, d_y, d_weight, scratch };
                conv3d_d_weight(isa, g, args);
            });
            assert_eq!(found, twin, "{isa:?}: {g:?}, {part:?}");
        };
        check(None, Accumulate::Overwrite, &vec![f32::NAN; twin.len()], &twin);
        let some = g.group_channels().div_ceil(2);
        for tap in 0..g.taps() {
            for channel in (0..g.group_channels()).step_by(some) {
                let rows = some.min(g.group_channels() - channel) * g.filters;
                let first = (tap * g.group_channels() + channel) * g.filters;
                let (part, twin) = (Some(Taps { tap, channel }), &twin[first..][..rows]);
                check(part, Accumulate::Overwrite, &vec![f32::NAN; rows], twin);
            }
        }
        let sums: Vec<f32> = twin.iter().zip(&before).map(|(twin, before)| twin + before).collect();
        check(None, Accumulate::Add, &before, &sums);
    });
}

/// Planes that do not all stay in cache at once, and weights that are read one kernel element after the other.
#[test]
fn large_convolutions_of_volumes_agree_with_their_twins() {
    let wide = Geometry {
        input: [9, 300],
        channels: 17,
        output: [9, 300],
        filters: 16,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [[1; 2]; 2],
        dilation: [1, 1],
        groups: 1,
        depth: Depth { input: 4, output: 4, kernel: 3, stride: 1, before: 1, dilation: 1 },
    };
    let many = Geometry { input: [3, 4], output: [3, 4], channels: 60, filters: 257, ..wide };
    for g in [wide, many] {
        let (x, weight) = (whole(g.input_len(), 1), whole(g.weight_len(), 2));
        let (mut y, mut twin) = (vec![f32::NAN; g.output_len()], vec![f32::NAN; g.output_len()]);
        reference::conv2d(&g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut twin });
        for isa in available() {
            conv3d(isa, &g, ConvArgs { x: &x, weight: &weight, bias: &[], y: &mut y });
            assert_eq!(y, twin, "{isa:?}");
        }
    }
}

fn for_all_convolutions(mut f: impl FnMut(Isa, usize, &Geometry)) {
    for isa in available() {
        for seed in 0..400 {
            f(isa, 1 + seed as usize % 3, &any_convolution(seed));
            f(isa, 1 + seed as usize % 3, &any_depthwise(seed));
        }
    }
}

#[test]
fn conv2d_agrees_with_its_twin() {
    for_all_convolutions(|isa, n, g| {
        let (x, weight) = (whole(n * g.input_len(), 1), whole(g.weight_len(), 2));
        for bias in [whole(g.filters, 3), vec![]] {
            let before = vec![f32::NAN; n * g.output_len()];
            let (x, weight, bias) = (&x, &weight, &bias);
            let y = written(&before, |y| conv2d(isa, g, ConvArgs { x, weight, bias, y }));
            let mut twin = before;
            reference::conv2d(g, ConvArgs { x, weight, bias, y: &mut twin });
            assert_eq!(y, twin, "{isa:?}: {g:?}");
        }
    });
}

#[test]
fn conv2d_d_x_agrees_with_its_twin() {
    for_all_convolutions(|isa, n, g| {
        let (d_y, weight) = (whole(n * g.output_len(), 1), whole(g.weight_len(), 2));
        let mut flipped = vec![f32::NAN; g.weight_len()];
        conv2d_flip(isa, g, &weight, &mut flipped);
        let before = vec![f32::NAN; n * g.input_len()];
        let d_x = written(&before, |d_x| conv2d_d_x(isa, g, &d_y, &flipped, d_x));
        let mut twin = before;
        reference::conv2d_d_x(g, &d_y, &weight, &mut twin);
        assert_eq!(d_x, twin, "{isa:?}: {g:?}");
    });
}

#[test]
fn conv2d_d_weight_agrees_with_its_twin() {
    for_all_convolutions(|isa, n, g| {
        let (x, d_y) = (whole(n * g.input_len(), 1), whole(n * g.output_len(), 2));
        let mut scratch = vec![f32::NAN; g.scratch_len()];
        let before = whole(g.weight_len(), 3);
        let d_weight = written(&before, |d_w| {
            conv_d_weight(isa, g, None, Accumulate::Add, [&x, &d_y], [d_w, &mut scratch])
        });
        let mut twin = before;
        reference::conv2d_d_weight(g, &x, &d_y, &mut twin);
        assert_eq!(d_weight, twin, "{isa:?}: {g:?}");
    });
}

/// The gradient of some rows of the weights.
#[test]
fn parts_of_conv2d_d_weight_agree_with_the_whole() {
    for_all_convolutions(|isa, n, g| {
        let (x, d_y) = (whole(n * g.input_len(), 1), whole(n * g.output_len(), 2));
        let mut twin = vec![0.0; g.weight_len()];
        reference::conv2d_d_weight(g, &x, &d_y, &mut twin);
        let some = g.group_channels().div_ceil(2);
        for tap in 0..g.kernel[0] * g.kernel[1] {
            for channel in (0..g.group_channels()).step_by(some) {
                let rows = some.min(g.group_channels() - channel);
                let begin = (tap * g.group_channels() + channel) * g.filters;
                let part = Some(Taps { tap, channel });
                let d_weight = written(&vec![f32::NAN; rows * g.filters], |d_w| {
                    let accumulate = Accumulate::Overwrite;
                    conv_d_weight(isa, g, part, accumulate, [&x, &d_y], [d_w, &mut []]);
                });
                assert_eq!(d_weight, twin[begin..][..rows * g.filters], "{isa:?}: {g:?}");
            }
        }
    });
}

/// Values whose sums are not exact: every row has the same bits in any batch.
#[test]
fn a_row_is_the_same_in_any_batch() {
    use crate::layers::testing::random;
    for isa in available() {
        for (inputs, units) in [(37, 10), (600, 128), (20, 33)] {
            let (x, weight) = (random(20 * inputs, 1), random(inputs * units, 2));
            let mut all = vec![0.0; 20 * units];
            let weight = &weight;
            dense(isa, DenseArgs { inputs, units, x: &x, weight, bias: &[], y: &mut all });
            for n in 1..20 {
                let mut some = vec![0.0; n * units];
                let x = &x[..n * inputs];
                dense(isa, DenseArgs { inputs, units, x, weight, bias: &[], y: &mut some });
                assert_eq!(some, all[..n * units], "{isa:?}: {n} rows");
            }
            let mut d_x = vec![0.0; 20 * inputs];
            dense_d_x(isa, units, &all, weight, &mut d_x);
            for n in 1..20 {
                let mut some = vec![0.0; n * inputs];
                dense_d_x(isa, units, &all[..n * units], weight, &mut some);
                assert_eq!(some, d_x[..n * inputs], "{isa:?}: {n} rows backward");
            }
        }
    }
}

fn dense_of_zeros([inputs, units]: [usize; 2], [x, weight, bias]: [&[f32]; 3], y: &mut [f32]) {
    dense(Isa::best(), DenseArgs { inputs, units, x, weight, bias, y });
}

#[test]
#[should_panic(expected = "rows end inside A")]
fn refuses_an_input_that_is_too_short() {
    dense_of_zeros([40, 20], [&[0.0; 79], &[0.0; 800], &[]], &mut [0.0; 40]);
}

#[test]
#[should_panic(expected = "terms end inside B")]
fn refuses_weights_that_are_too_short() {
    dense_of_zeros([40, 20], [&[0.0; 80], &[0.0; 799], &[]], &mut [0.0; 40]);
}

#[test]
#[should_panic(expected = "one for each column")]
fn refuses_a_bias_that_is_too_short() {
    dense_of_zeros([40, 20], [&[0.0; 80], &[0.0; 800], &[0.0; 19]], &mut [0.0; 40]);
}

#[test]
#[should_panic(expected = "whole rows")]
fn refuses_an_input_that_is_too_short_for_a_small_layer() {
    dense_of_zeros([4, 2], [&[0.0; 7], &[0.0; 8], &[]], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "a weight for each input and unit")]
fn refuses_weights_that_are_too_short_for_a_small_layer() {
    dense_of_zeros([4, 2], [&[0.0; 8], &[0.0; 7], &[]], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "a bias for each unit")]
fn refuses_a_bias_that_is_too_short_for_a_small_layer() {
    dense_of_zeros([4, 3], [&[0.0; 8], &[0.0; 12], &[0.0; 2]], &mut [0.0; 6]);
}
