//! Tests of all layers with inputs of extreme magnitude, infinity and NaN.

use super::gates::testing::sigmoid;
use super::testing::{OutOfPlace, Outcome, Trial, spec};
use super::*;
use crate::contract::{Spec, TrainNode};
use crate::system::RngKey;
use unrolled_shape::registry::ROWS;
use unrolled_shape::rules::pad1d::PadMode;
use unrolled_shape::rules::upsample::Mode;
use unrolled_shape::rules::{
    gelu, gru, lstm, reduce, rnn, sn_conv1d, sn_conv2d, sn_dense, wn_conv1d, wn_conv2d, wn_dense,
};
use unrolled_shape::{Padding, StepPadding, VolumePadding};

/// Factors of random inputs in `[-1, 1)`: zero, subnormal, tiny, and large ones.
const TINY: [f32; 3] = [0.0, 1e-40, 1e-30];
const LARGE: [f32; 3] = [1e10, 1e20, 1e30];

/// How outputs and gradients depend on the magnitude of all inputs together.
#[derive(Clone, Copy)]
enum Scaling {
    /// The output is proportional to the inputs.
    Linear,
    /// The output is proportional to small inputs, and does not depend on the magnitude of large ones.
    Normalisation,
    /// The output depends on each input element only: value and slope of the function, in `f64`.
    Elementwise(fn(f64) -> [f64; 2]),
    /// Large inputs saturate, or are shifted or multiplied by each other: no closed form.
    Other,
    /// The same at factors for which this is true. At others, such as 0 of a quotient, results are NaN, as in PyTorch.
    OtherAt(fn(f32) -> bool),
}

/// A layer in training: random inputs times `factor`, and weights as initialised.
fn trial<S: Spec, T: TrainNode<S>>(factor: f32) -> Trial<S, T> {
    let mut trial = Trial::<S, T>::random();
    trial.node = T::zeros();
    trial.node.initialise(RngKey::new(3));
    trial.x.iter_mut().flatten().for_each(|x| *x *= factor);
    trial
}

/// Checks a layer at all magnitudes, forward and backward.
#[track_caller]
fn check<S: Spec, T: TrainNode<S>>(name: &str, scaling: Scaling) {
    for factor in TINY.into_iter().chain(LARGE) {
        let what = format!("{name} at {factor:e}");
        let outcome = trial::<S, T>(factor).train();
        let values = [&outcome.y, &outcome.d_weights].into_iter().chain(&outcome.d_x);
        let may_be_nan = match scaling {
            Scaling::OtherAt(has_values) => !has_values(factor),
            // Compared with the function, which may be NaN.
            Scaling::Elementwise(_) => true,
            _ => false,
        };
        assert!(may_be_nan || values.flatten().all(|value| !value.is_nan()), "{what}: NaN");
        let are_nan = |y: &[f32]| y.iter().map(|y| y.is_nan()).collect::<Vec<_>>();
        let y = trial::<S, T>(factor).infer();
        assert_eq!(are_nan(&y), are_nan(&outcome.y), "{what}: NaN at inference");
        match scaling {
            Scaling::Linear => check_powers::<S, T>(&what, &outcome, [1.0, factor], [1, 0]),
            Scaling::Normalisation if factor < 1.0 => {
                check_powers::<S, T>(&what, &outcome, [1e-8, factor], [1, 0]);
            }
            Scaling::Normalisation => {
                check_powers::<S, T>(&what, &outcome, [1e4, factor], [0, -1]);
            }
            Scaling::Elementwise(function) => {
                check_elements::<S, T>(&what, &outcome, function, factor)
            }
            Scaling::Other | Scaling::OtherAt(_) => {}
        }
    }
    check_not_finite::<S, T>(name);
}

/// Checks that output and input gradient are those at another magnitude, times these powers of the ratio.
#[track_caller]
fn check_powers<S: Spec, T: TrainNode<S>>(
    what: &str,
    found: &Outcome,
    [other, factor]: [f32; 2],
    [output, gradient]: [i32; 2],
) {
    let expected = trial::<S, T>(other).train();
    let ratio = f64::from(factor) / f64::from(other);
    check_close(&format!("{what}: output"), &found.y, &scaled(&expected.y, ratio.powi(output)));
    // At 0, a maximum and two lines have several gradients.
    for (found, expected) in found.d_x.iter().zip(&expected.d_x).filter(|_| factor != 0.0) {
        check_close(&format!("{what}: d_x"), found, &scaled(expected, ratio.powi(gradient)));
    }
}

fn scaled(values: &[f32], by: f64) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value) * by).collect()
}

/// Checks output and input gradient of an elementwise function.
#[track_caller]
fn check_elements<S: Spec, T: TrainNode<S>>(
    what: &str,
    found: &Outcome,
    function: fn(f64) -> [f64; 2],
    factor: f32,
) {
    let trial = trial::<S, T>(factor);
    let expected = trial.x[0].iter().zip(&trial.d_y).map(|(x, d_y)| {
        let [y, slope] = function(f64::from(*x));
        (y, slope * f64::from(*d_y))
    });
    let (y, d_x): (Vec<_>, Vec<_>) = expected.unzip();
    check_close(&format!("{what}: output"), &found.y, &y);
    check_close(&format!("{what}: d_x"), &found.d_x[0], &d_x);
}

/// Checks values relative to the largest finite one.
#[track_caller]
fn check_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let finite = expected.iter().filter(|e| (**e as f32).is_finite());
    let scale = finite.fold(0.0, |max: f64, e| max.max(e.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        // Infinite, or too large for `f32`.
        let same = *found == *expected as f32 || (found.is_nan() && expected.is_nan());
        // Sums of subnormal numbers are rounded to multiples of 1.4e-45.
        let within = (f64::from(*found) - expected).abs() <= 1e-4 * scale + 2e-44;
        assert!(same || within, "{what}, element {i}: expected {expected:e}, found {found:e}");
    }
}

/// Checks that NaN or an infinity in the first sample changes no other sample at inference, and that NaN reaches its
/// output.
#[track_caller]
fn check_not_finite<S: Spec, T: TrainNode<S>>(name: &str) {
    let bits = |y: &[f32]| y[S::OUT..].iter().map(|y| y.to_bits()).collect::<Vec<_>>();
    let others = bits(&trial::<S, T>(1.0).infer());
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut trial = trial::<S, T>(1.0);
        trial.x[0][..S::INPUTS[0].len()].fill(value);
        let y = trial.infer();
        assert_eq!(bits(&y), others, "{name} at {value}: another sample");
        if value.is_nan() {
            assert!(y[..S::OUT].iter().any(|y| y.is_nan()), "{name}: NaN is lost");
            assert!(trial.train().y.iter().any(|y| y.is_nan()), "{name}: NaN is lost in training");
        }
    }
}

/// `x` above 0, `slope * x` below.
fn two_lines(x: f64, slope: f64) -> [f64; 2] {
    if x > 0.0 { [x, 1.0] } else { [slope * x, slope] }
}

/// GELU and SiLU where they are linear: near 0 and far from it.
fn gate(x: f64) -> [f64; 2] {
    if x.abs() < 1e-20 { [0.5 * x, 0.5] } else { two_lines(x, 0.0) }
}

/// Defines a test for each group of layers, and `LAYERS`, the names of all of them.
macro_rules! tests {
    ($($test:ident {
        $($Layer:ty: $module:ident::$Name:ident { $($fields:tt)* }, [$($input:expr),+] -> $output:expr, $scaling:expr;)*
    })*) => {
        $(#[test]
        fn $test() {
            $({
                spec!(Case: $module::$Name { $($fields)* }, [$($input),+] -> $output);
                check::<Case, $Layer>(stringify!($Layer), $scaling);
            })*
        })*

        const LAYERS: &[&str] = &[$($(stringify!($Name)),*),*];
    };
}

const NO_PADDING: Padding = Padding::Explicit([0, 0]);

tests! {
    layers_that_are_linear_in_their_input {
        Add: add::Add {}, [&[3, 4], &[3, 4]] -> &[3, 4], Scaling::Linear;
        AdaptiveAvgPool1d: adaptive_avg_pool1d::AdaptiveAvgPool1d { size: 4 }, [&[7, 3]] -> &[4, 3], Scaling::Linear;
        AdaptiveAvgPool2d: adaptive_avg_pool2d::AdaptiveAvgPool2d { size: [3, 4] }, [&[5, 7, 3]] -> &[3, 4, 3],
            Scaling::Linear;
        AdaptiveAvgPool3d: adaptive_avg_pool3d::AdaptiveAvgPool3d { size: [2, 3, 1] }, [&[3, 5, 2, 3]] -> &[2, 3, 1, 3],
            Scaling::Linear;
        AdaptiveMaxPool1d: adaptive_max_pool1d::AdaptiveMaxPool1d { size: 4 }, [&[7, 3]] -> &[4, 3], Scaling::Linear;
        AdaptiveMaxPool2d: adaptive_max_pool2d::AdaptiveMaxPool2d { size: [3, 4] }, [&[5, 7, 3]] -> &[3, 4, 3],
            Scaling::Linear;
        AdaptiveMaxPool3d: adaptive_max_pool3d::AdaptiveMaxPool3d { size: [2, 3, 1] }, [&[3, 5, 2, 3]] -> &[2, 3, 1, 3],
            Scaling::Linear;
        AvgPool1d: avg_pool1d::AvgPool1d { kernel: 2, stride: None, padding: StepPadding::Explicit(0), count_include_pad: true, ceil_mode: false },
            [&[7, 3]] -> &[3, 3], Scaling::Linear;
        AvgPool2d: avg_pool2d::AvgPool2d { kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), count_include_pad: true, ceil_mode: false },
            [&[5, 7, 3]] -> &[2, 3, 3], Scaling::Linear;
        AvgPool3d: avg_pool3d::AvgPool3d { kernel: [2; 3], stride: None, padding: VolumePadding::Explicit([0; 3]), count_include_pad: true, ceil_mode: false },
            [&[4, 5, 3, 3]] -> &[2, 2, 1, 3], Scaling::Linear;
        Concat: concat::Concat {}, [&[2, 3], &[2, 1]] -> &[2, 4], Scaling::Linear;
        Conv1d<3, 2, 3, 0>: conv1d::Conv1d {
            out_channels: 3, kernel: 3, stride: 1, padding: StepPadding::Causal, dilation: 1, groups: 1, bias: false
        }, [&[7, 2]] -> &[7, 3], Scaling::Linear;
        Conv2d<3, 2, 3, 3, 0>: conv2d::Conv2d {
            out_channels: 3, kernel: [3; 2], stride: [1; 2], padding: Padding::Same, dilation: [1; 2], groups: 1,
            bias: false
        }, [&[5, 6, 2]] -> &[5, 6, 3], Scaling::Linear;
        Conv2d<5, 1, 3, 3, 0>: conv2d::Conv2d {
            out_channels: 5, kernel: [3; 2], stride: [1; 2], padding: NO_PADDING, dilation: [1; 2], groups: 5,
            bias: false
        }, [&[5, 6, 5]] -> &[3, 4, 5], Scaling::Linear;
        Conv3d<3, 2, 3, 2, 3, 0>: conv3d::Conv3d {
            out_channels: 3, kernel: [3, 2, 3], stride: [1; 3], padding: VolumePadding::Same, dilation: [1; 3], groups: 1,
            bias: false
        }, [&[4, 3, 2, 2]] -> &[4, 3, 2, 3], Scaling::Linear;
        Conv3d<5, 1, 3, 3, 3, 0>: conv3d::Conv3d {
            out_channels: 5, kernel: [3; 3], stride: [1; 3], padding: VolumePadding::Same, dilation: [1; 3], groups: 5,
            bias: false
        }, [&[3, 2, 4, 5]] -> &[3, 2, 4, 5], Scaling::Linear;
        ConvTranspose1d<3, 2, 3, 3, 0>: conv_transpose1d::ConvTranspose1d {
            out_channels: 3, kernel: 3, stride: 2, padding: 1, output_padding: 1, dilation: 1, groups: 1, bias: false
        }, [&[4, 2]] -> &[8, 3], Scaling::Linear;
        ConvTranspose2d<3, 2, 3, 3, 3, 0>: conv_transpose2d::ConvTranspose2d {
            out_channels: 3, kernel: [3; 2], stride: [1; 2], padding: [0; 2], output_padding: [0; 2],
            dilation: [1; 2], groups: 1, bias: false
        }, [&[3, 4, 2]] -> &[5, 6, 3], Scaling::Linear;
        Dense<7, 3, 0>: dense::Dense { units: 3, bias: false, weight: None }, [&[7]] -> &[3], Scaling::Linear;
        Dense<17, 33, 0>: dense::Dense { units: 33, bias: false, weight: None }, [&[2, 17]] -> &[2, 33],
            Scaling::Linear;
        OutOfPlace<Dropout>: dropout::Dropout { p: 0.25 }, [&[40]] -> &[40], Scaling::Linear;
        GlobalAvgPool: global_avg_pool::GlobalAvgPool {}, [&[3, 4, 21]] -> &[21], Scaling::Linear;
        GlobalMaxPool: global_max_pool::GlobalMaxPool {}, [&[3, 4, 21]] -> &[21], Scaling::Linear;
        Max: max::Max {}, [&[3, 4], &[4]] -> &[3, 4], Scaling::Linear;
        MaxPool1d: max_pool1d::MaxPool1d { kernel: 2, stride: None, padding: StepPadding::Explicit(0), dilation: 1, ceil_mode: false },
            [&[7, 3]] -> &[3, 3], Scaling::Linear;
        MaxPool2d: max_pool2d::MaxPool2d { kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), dilation: [1; 2], ceil_mode: false },
            [&[5, 7, 3]] -> &[2, 3, 3], Scaling::Linear;
        MaxPool3d: max_pool3d::MaxPool3d { kernel: [2; 3], stride: None, padding: VolumePadding::Explicit([0; 3]), dilation: [1; 3], ceil_mode: false },
            [&[4, 5, 3, 3]] -> &[2, 2, 1, 3], Scaling::Linear;
        Min: min::Min {}, [&[3, 4], &[4]] -> &[3, 4], Scaling::Linear;
        Pad1d: pad1d::Pad1d { padding: StepPadding::Sides([2, 1]), mode: PadMode::Constant, value: 0.0 }, [&[3, 2]] -> &[6, 2],
            Scaling::Linear;
        Pad2d: pad2d::Pad2d { padding: Padding::Sides([1, 2, 2, 1]), mode: PadMode::Reflect, value: 0.0 }, [&[3, 4, 2]] -> &[6, 7, 2],
            Scaling::Linear;
        PixelShuffle: pixel_shuffle::PixelShuffle { factor: 2 }, [&[3, 2, 12]] -> &[6, 4, 3], Scaling::Linear;
        PReLU<4>: prelu::PReLU { per_channel: true, init: 0.25 }, [&[3, 4]] -> &[3, 4], Scaling::Linear;
        Reduce: reduce::Reduce { mode: reduce::Mode::Mean, axis: 0 }, [&[4, 3]] -> &[3], Scaling::Linear;
        Reduce: reduce::Reduce { mode: reduce::Mode::Max, axis: 1 }, [&[2, 4, 3]] -> &[2, 3], Scaling::Linear;
        RepeatSteps: repeat_steps::RepeatSteps { steps: 4 }, [&[3]] -> &[4, 3], Scaling::Linear;
        Scale<7>: scale::Scale { init: 0.25, trained: true, per_channel: true }, [&[3, 7]] -> &[3, 7],
            Scaling::Linear;
        Slice: slice::Slice { start: 1, end: Some(3), axis: 0, step: 1 }, [&[4, 3, 2]] -> &[2, 3, 2], Scaling::Linear;
        Split: split::Split { parts: 2, part: 1, axis: Some(0) }, [&[4, 3, 2]] -> &[2, 3, 2], Scaling::Linear;
        SNConv1d<3, 2, 3, 0>: sn_conv1d::SNConv1d {
            out_channels: 3, kernel: 3, stride: 1, padding: StepPadding::Causal, dilation: 1, groups: 1, bias: false,
            names: sn_conv1d::Names::Parametrizations
        }, [&[7, 2]] -> &[7, 3], Scaling::Linear;
        SNConv2d<3, 2, 3, 3, 0>: sn_conv2d::SNConv2d {
            out_channels: 3, kernel: [3; 2], stride: [1; 2], padding: Padding::Same, dilation: [1; 2], groups: 1,
            bias: false, names: sn_conv2d::Names::Parametrizations
        }, [&[4, 3, 2]] -> &[4, 3, 3], Scaling::Linear;
        SNDense<17, 33, 0>: sn_dense::SNDense { units: 33, bias: false, names: sn_dense::Names::Parametrizations },
            [&[2, 17]] -> &[2, 33], Scaling::Linear;
        Sub: sub::Sub {}, [&[3, 4], &[4]] -> &[3, 4], Scaling::Linear;
        Transpose: transpose::Transpose { first: 0, second: 1 }, [&[4, 3]] -> &[3, 4], Scaling::Linear;
        Upsample: upsample::Upsample { factor: Some([2, 3]), size: None, mode: Mode::Bilinear, align_corners: false },
            [&[3, 4, 3]] -> &[6, 12, 3], Scaling::Linear;
        WNConv1d<3, 2, 3, 0>: wn_conv1d::WNConv1d {
            out_channels: 3, kernel: 3, stride: 1, padding: StepPadding::Causal, dilation: 1, groups: 1, bias: false,
            names: wn_conv1d::Names::Parametrizations
        }, [&[7, 2]] -> &[7, 3], Scaling::Linear;
        WNConv2d<3, 2, 3, 3, 0>: wn_conv2d::WNConv2d {
            out_channels: 3, kernel: [3; 2], stride: [1; 2], padding: Padding::Same, dilation: [1; 2], groups: 1,
            bias: false, names: wn_conv2d::Names::Parametrizations
        }, [&[4, 3, 2]] -> &[4, 3, 3], Scaling::Linear;
        WNDense<17, 33, 0>: wn_dense::WNDense { units: 33, bias: false, names: wn_dense::Names::Parametrizations },
            [&[2, 17]] -> &[2, 33], Scaling::Linear;
        WSConv2d<3, 2, 3, 3, 0>: ws_conv2d::WSConv2d {
            out_channels: 3, kernel: [3; 2], stride: [1; 2], padding: Padding::Same, dilation: [1; 2], groups: 1,
            bias: false, eps: 1e-4
        }, [&[4, 3, 2]] -> &[4, 3, 3], Scaling::Linear;
    }

    normalisations {
        BatchNorm<19>: batch_norm::BatchNorm { momentum: 0.1, eps: 1e-5, affine: true }, [&[4, 19]] -> &[4, 19],
            Scaling::Normalisation;
        GroupNorm<6>: group_norm::GroupNorm { groups: 3, eps: 1e-5, affine: true }, [&[2, 3, 6]] -> &[2, 3, 6],
            Scaling::Normalisation;
        InstanceNorm<4>: instance_norm::InstanceNorm { eps: 1e-5, affine: true }, [&[2, 3, 4]] -> &[2, 3, 4],
            Scaling::Normalisation;
        LayerNorm<5>: layer_norm::LayerNorm { eps: 1e-5, affine: true, bias: true, axes: 1 }, [&[3, 5]] -> &[3, 5],
            Scaling::Normalisation;
        LayerNorm<0>: layer_norm::LayerNorm { eps: 1e-5, affine: false, bias: false, axes: 1 }, [&[37]] -> &[37],
            Scaling::Normalisation;
        RMSNorm<19>: rms_norm::RMSNorm { eps: 1e-5, affine: true }, [&[3, 19]] -> &[3, 19], Scaling::Normalisation;
    }

    activations {
        Abs: abs::Abs {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [x.abs(), if x == 0.0 { 0.0 } else { x.signum() }]);
        OutOfPlace<Clip>: clip::Clip { min: Some(-1.0), max: Some(1.0) }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x.abs() < 1.0 { [x, 1.0] } else { [x.signum(), 0.0] });
        ELU: elu::ELU { alpha: 1.0 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x > 0.0 { [x, 1.0] } else { [x.exp_m1(), x.exp()] });
        OutOfPlace<Exp>: exp::Exp {}, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| [x.exp(), x.exp()]);
        GELU: gelu::GELU { approximate: gelu::Approximate::None }, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(gate);
        GELU: gelu::GELU { approximate: gelu::Approximate::Tanh }, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(gate);
        HardSwish: hard_swish::HardSwish {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x.abs() < 3.0 { [0.5 * x, 0.5] } else { two_lines(x, 0.0) });
        CELU: celu::CELU { alpha: 1.0 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x > 0.0 { [x, 1.0] } else { [x.exp_m1(), x.exp()] });
        HardSigmoid: hard_sigmoid::HardSigmoid {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x.abs() < 3.0 { [x / 6.0 + 0.5, 1.0 / 6.0] } else { [f64::from(x > 0.0), 0.0] });
        OutOfPlace<HardTanh>: hard_tanh::HardTanh { min: -1.0, max: 1.0 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x.abs() < 1.0 { [x, 1.0] } else { [x.signum(), 0.0] });
        OutOfPlace<Identity>: identity::Identity {}, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| [x, 1.0]);
        Log: log::Log {}, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| [x.ln(), 1.0 / x]);
        LogSigmoid: log_sigmoid::LogSigmoid {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [x.min(0.0) - (-x.abs()).exp().ln_1p(), sigmoid(-x)]);
        Mish: mish::Mish {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x.abs() < 1e-20 { [0.6 * x, 0.6] } else { two_lines(x, 0.0) });
        OutOfPlace<Neg>: neg::Neg {}, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| [-x, -1.0]);
        Pow: pow::Pow { exponent: 2.0 }, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| [x * x, 2.0 * x]);
        Pow: pow::Pow { exponent: 1.5 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [x.powf(1.5), 1.5 * x.sqrt()]);
        OutOfPlace<ReLU6>: relu6::ReLU6 {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x < 6.0 { two_lines(x, 0.0) } else { [6.0, 0.0] });
        SELU: selu::SELU {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| {
                let (alpha, scale) = (1.6732632423543772, 1.0507009873554805);
                if x > 0.0 { [scale * x, scale] } else { [scale * alpha * x.exp_m1(), scale * alpha * x.exp()] }
            });
        OutOfPlace<Sqrt>: sqrt::Sqrt {}, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| [x.sqrt(), 0.5 / x.sqrt()]);
        Softsign: softsign::Softsign {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [x / (1.0 + x.abs()), (1.0 + x.abs()).powi(-2)]);
        Threshold: threshold::Threshold { threshold: 0.5, value: -1.5 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| if x > 0.5 { [x, 1.0] } else { [-1.5, 0.0] });
        OutOfPlace<LeakyReLU>: leaky_relu::LeakyReLU { slope: 0.125 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| two_lines(x, 0.125));
        OutOfPlace<ReLU>: relu::ReLU {}, [&[3, 7]] -> &[3, 7], Scaling::Elementwise(|x| two_lines(x, 0.0));
        OutOfPlace<Sigmoid>: sigmoid::Sigmoid {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [sigmoid(x), sigmoid(x) * sigmoid(-x)]);
        SiLU: silu::SiLU {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(gate);
        Softplus: softplus::Softplus { beta: 1.0, threshold: 20.0 }, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid(x)]);
        OutOfPlace<Tanh>: tanh::Tanh {}, [&[3, 7]] -> &[3, 7],
            Scaling::Elementwise(|x| [x.tanh(), 1.0 - x.tanh().powi(2)]);
    }

    other_layers {
        ClassToken<3>: class_token::ClassToken {}, [&[4, 3]] -> &[5, 3], Scaling::Other;
        // 0 divided by 0.
        Div: div::Div {}, [&[3, 4], &[3, 4]] -> &[3, 4], Scaling::OtherAt(|factor| factor > 0.0);
        OutOfPlace<GaussianNoise>: gaussian_noise::GaussianNoise { std: 0.5 }, [&[3, 7]] -> &[3, 7], Scaling::Other;
        GLU: glu::GLU {}, [&[3, 8]] -> &[3, 4], Scaling::Other;
        GRU<63>: gru::GRU {
            units: 3, layers: 1, bidirectional: false, dropout: 0.0, bias: true, output: gru::Output::Sequence, state: None,
            names: gru::Names::Layer
        }, [&[4, 2]] -> &[4, 3], Scaling::Other;
        LogSoftmax: log_softmax::LogSoftmax {}, [&[2, 4]] -> &[2, 4], Scaling::Other;
        LSTM<84>: lstm::LSTM {
            units: 3, layers: 1, bidirectional: false, dropout: 0.0, bias: true, output: lstm::Output::Sequence, state: None, projection: None, cell: None,
            names: lstm::Names::Layer
        }, [&[4, 2]] -> &[4, 3], Scaling::Other;
        Mul: mul::Mul {}, [&[3, 4], &[3, 4]] -> &[3, 4], Scaling::Other;
        MultiHeadAttention<4>: multi_head_attention::MultiHeadAttention {
            heads: 2, memory: None, causal: false, dropout: 0.0, rotary: false, bias: true,
            names: unrolled_shape::rules::multi_head_attention::Names::Torch, kv_heads: None, alibi: false
        }, [&[5, 4]] -> &[5, 4],
            // Products of large inputs are subtracted, which may be infinite.
            Scaling::OtherAt(|factor| factor < 1e19);
        PositionalEmbedding<4, 3>: positional_embedding::PositionalEmbedding { parameter: false }, [&[4, 3]] -> &[4, 3],
            Scaling::Other;
        PositionalEncoding: positional_encoding::PositionalEncoding {}, [&[4, 6]] -> &[4, 6], Scaling::Other;
        RNN<21>: rnn::RNN {
            units: 3, layers: 1, nonlinearity: rnn::Nonlinearity::Tanh, bidirectional: false, dropout: 0.0,
            bias: true, output: rnn::Output::Sequence, state: None,
            names: rnn::Names::Layer
        }, [&[4, 2]] -> &[4, 3], Scaling::Other;
        RNN<21>: rnn::RNN {
            units: 3, layers: 1, nonlinearity: rnn::Nonlinearity::Relu, bidirectional: false, dropout: 0.0,
            bias: true, output: rnn::Output::Sequence, state: None,
            names: rnn::Names::Layer
        }, [&[4, 2]] -> &[4, 3], Scaling::Other;
        Softmax: softmax::Softmax { axis: None }, [&[2, 4]] -> &[2, 4], Scaling::Other;
        Softmax: softmax::Softmax { axis: Some(0) }, [&[4, 2]] -> &[4, 2], Scaling::Other;
        SwiGLU: swi_glu::SwiGLU {}, [&[3, 8]] -> &[3, 4], Scaling::Other;
    }
}

/// Layers without tests here, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("Embedding", "its input are indices"),
    ("Flatten", "no code: the output is the input"),
    ("Gather", "one of its inputs are indices"),
    ("Reshape", "no code: the output is the input"),
];

#[test]
fn all_layers_are_tested() {
    for row in ROWS {
        let is_exception = EXCEPTIONS.iter().any(|(name, _)| *name == row.name);
        let tests = LAYERS.iter().filter(|name| **name == row.name).count();
        assert_eq!(tests == 0, is_exception, "`{}` has {tests} tests here", row.name);
    }
}
