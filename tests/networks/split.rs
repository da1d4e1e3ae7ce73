//! A single sample of a large network is divided among threads: by lines or filters of images, and by rows
//! or units of dense layers. The bits are those of one thread.

use crate::common;
use unrolled::parallel::{whatever_the_work, with_threads};
use unrolled::prelude::*;

network! {
    /// Kernels with edges, strides, dilation and groups; a fused pool; depthwise convolutions; a sum in an epilogue.
    struct Image(23x9x3) -> 10 {
        Conv2d(12, kernel = 5, padding = 2, bias = false), BatchNorm, ReLU,
        Residual { Conv2d(12, kernel = 3, padding = 2, dilation = 2, groups = 3, bias = false), BatchNorm },
        Conv2d(12, kernel = 3, padding = same, groups = 12), HardTanh,
        Conv2d(20, kernel = (3, 2), stride = (1, 2), padding = (2, 1, 1, 0)), ReLU,
        MaxPool2d(2),
        // A line of the output may meet padding alone.
        Conv2d(5, kernel = 1, padding = 1), ReLU,
        Flatten, Dense(10),
    }

    /// Many weights for few pixels, which are divided by filters.
    struct Deep(3x4x16) -> 3x4x48 {
        Conv2d(48, kernel = 3, padding = 1), ReLU,
        Residual { Conv2d(48, kernel = (3, 2), padding = same, bias = false), BatchNorm }, ReLU,
        Residual { Conv2d(48, kernel = 3, padding = 1), Tanh },
    }

    /// Convolutions by Winograd's algorithm, which are divided by lines, an odd number of them, and by filters.
    struct Winograd(15x16x3) -> 12x12x80 {
        Conv2d(64, kernel = 1), ReLU,
        Residual { Conv2d(64, kernel = 3, padding = 1, bias = false), BatchNorm }, ReLU,
        Conv2d(80, kernel = (4, 5)), ReLU,
        Residual { Conv2d(80, kernel = 3, padding = 1, bias = false), BatchNorm }, ReLU,
    }

    /// Dense layers on steps.
    struct Steps(37x6) -> 37x5 { Dense(40), ReLU, LSTM(8), PositionalEncoding, MultiHeadAttention(2), Dense(5) }

    /// Dense layers on a single row, which are divided by units: sums in parts, a last block with fewer units, and
    /// weights that come from memory.
    struct Units(600) -> 7 { Dense(3600), ReLU, Dense(45, bias = false), Tanh, Dense(7) }

    /// Depthwise separable convolutions of which some lines are stored.
    struct Banded(64x64x3) -> 32x32x8 {
        Conv2d(8, kernel = 1), ReLU,
        Residual {
            Conv2d(40, kernel = 1, bias = false), BatchNorm, ReLU6,
            Conv2d(40, kernel = 3, padding = 1, groups = 40, bias = false), BatchNorm, ReLU6,
            Conv2d(8, kernel = 1, bias = false), BatchNorm,
        },
        Conv2d(48, kernel = 1), ReLU,
        Conv2d(48, kernel = 5, stride = 2, padding = 2, groups = 48, bias = false), BatchNorm,
        Conv2d(8, kernel = 1, bias = false), BatchNorm, HardTanh(-0.5, 0.5),
    }
}

/// Compares the outputs of one sample on one thread with those on several.
#[track_caller]
fn check<N: Network>()
where
    N::Input: Values,
    N::Output: Values + PartialEq,
{
    let net = N::new(1);
    let mut input = N::Input::zeroed_vec(1);
    let values = input[0].as_floats_mut().iter_mut();
    values.enumerate().for_each(|(i, value)| *value = common::random(5, i));
    let on = |threads| {
        let mut output = N::Output::zeroed_vec(1);
        with_threads(threads, || whatever_the_work(|| net.forward_batch(&input, &mut output)));
        output
    };
    let one = on(1);
    assert!(one[0].as_floats().iter().any(|value| *value != 0.0));
    // More threads than lines, too.
    for threads in [2, 3, 5, 40] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn parts_on_several_threads_have_the_bits_of_the_whole() {
    check::<Image>();
    check::<Deep>();
    check::<Winograd>();
    check::<Steps>();
    check::<Units>();
    check::<Banded>();
}

/// `forward`, of networks that are worth it.
#[test]
fn one_image_on_several_threads_has_the_bits_of_one() {
    let net = Banded::new(2);
    let mut image = <[[[f32; 3]; 64]; 64]>::zeroed_vec(1);
    let pixels = image[0].as_flattened_mut().as_flattened_mut().iter_mut();
    pixels.enumerate().for_each(|(i, pixel)| *pixel = common::random(7, i));
    let on = |threads| with_threads(threads, || whatever_the_work(|| net.forward(&image[0])));
    assert!(on(2) == on(1));
}
