//! At inference a convolution takes in the layers after it. The outputs have the bits of the layers one after the other: those of
//! a network of which each value is an output, so that each is stored.

use crate::common;
use unrolled::prelude::*;

network! {
    block Inverted(hidden, channels, stride) {
        expand: Conv2d(hidden, kernel = 1, bias = false), bn1: BatchNorm, ReLU6,
        depthwise: Conv2d(hidden, kernel = 3, stride = stride, padding = 1, groups = hidden, bias = false),
        bn2: BatchNorm, ReLU6,
        project: Conv2d(channels, kernel = 1, bias = false), bn3: BatchNorm,
    }

    /// Epilogues with all and with some of their parts, in groups, and in nested blocks.
    #[allow(bias_before_batch_norm, activation_at_output)]
    struct Closed(9x8x3) -> 5x4x7 {
        stem: Conv2d(6, kernel = 3, padding = 1), norm: BatchNorm, act: ReLU,
        Residual { left: Conv2d(6, kernel = 3, padding = 1, groups = 2), left_norm: BatchNorm },
        down: Residual { Inverted(20, 7, 2) } skip {
            skip_conv: Conv2d(7, kernel = 1, stride = 2), skip_norm: BatchNorm(affine = false),
        },
        bound: HardTanh(-0.5, 0.5),
        last: Conv2d(7, kernel = 3, padding = 1, groups = 7), Add { {}, bound }, ReLU,
    }

    #[allow(bias_before_batch_norm, batch_norm_at_output, activation_at_output)]
    struct Open(9x8x3) -> (
        out: 5x4x7, stem: 9x8x6, norm: 9x8x6, left: 9x8x6, left_norm: 9x8x6, sum: 9x8x6, expand: 9x8x20, bn1: 9x8x20,
        depthwise: 5x4x20, bn2: 5x4x20, project: 5x4x7, bn3: 5x4x7, skip_conv: 5x4x7, skip_norm: 5x4x7, down: 5x4x7,
        last: 5x4x7, last_sum: 5x4x7,
    ) {
        stem: Conv2d(6, kernel = 3, padding = 1), norm: BatchNorm, act: ReLU,
        left: Conv2d(6, kernel = 3, padding = 1, groups = 2), left_norm: BatchNorm, sum: Add { {}, act },
        expand: Conv2d(20, kernel = 1, bias = false), bn1: BatchNorm, ReLU6,
        depthwise: Conv2d(20, kernel = 3, stride = 2, padding = 1, groups = 20, bias = false), bn2: BatchNorm, ReLU6,
        project: Conv2d(7, kernel = 1, bias = false), bn3: BatchNorm,
        skip_conv: sum => Conv2d(7, kernel = 1, stride = 2), skip_norm: BatchNorm(affine = false), down: Add { {}, bn3 },
        bound: HardTanh(-0.5, 0.5),
        last: Conv2d(7, kernel = 3, padding = 1, groups = 7), last_sum: Add { {}, bound }, out: ReLU,
    }
}

/// Two networks with the same weights, all of which differ from their initial values.
fn networks<A: Network, B: Network>() -> (Box<A>, Box<B>) {
    let (mut a, mut b) = (A::new(1), B::zeros());
    for (i, weight) in a.params_mut().iter_mut().enumerate() {
        let random = common::random(2, i);
        *weight += 0.3 * *weight * random + 0.01 * random.abs();
    }
    b.params_mut().copy_from_slice(a.params());
    (a, b)
}

#[test]
fn fused_layers_have_the_bits_of_the_layers_one_after_the_other() {
    let (closed, open) = networks::<Closed, Open>();
    type Image = [[[f32; 3]; 8]; 9];
    let mut images = Image::zeroed_vec(3);
    let pixels = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    pixels.iter_mut().enumerate().for_each(|(i, pixel)| *pixel = common::random(2, i));
    let mut outputs = vec![Default::default(); images.len()];
    closed.forward_batch(&images, &mut outputs);
    for (image, output) in images.iter().zip(&outputs) {
        let opened = open.forward(image).out;
        assert!(opened.as_flattened().as_flattened().iter().any(|value| *value > 0.0));
        assert_eq!(*output, opened);
        assert_eq!(closed.forward(image), opened);
    }
}

network! {
    /// The outputs of the pointwise convolution are too large for a cache: some lines are stored.
    struct Banded(64x64x3) -> 32x32x8 {
        Conv2d(8, kernel = 1), ReLU,
        Residual {
            Conv2d(40, kernel = 1, bias = false), BatchNorm, ReLU6,
            Conv2d(40, kernel = 3, padding = 1, groups = 40, bias = false), BatchNorm, ReLU6,
            Conv2d(8, kernel = 1, bias = false), BatchNorm,
        },
        Conv2d(48, kernel = 1), ReLU,
        Conv2d(48, kernel = 5, stride = 2, padding = 2, groups = 48, bias = false), BatchNorm(affine = false),
        Conv2d(8, kernel = 1, bias = false), BatchNorm, HardTanh(-0.5, 0.5),
    }

    /// The same. Each convolution is read through a view, and stored.
    struct Stored(64x64x3) -> 32x32x8 {
        Conv2d(8, kernel = 1), Reshape(4096x8), ReLU, Reshape(64x64x8),
        Residual {
            Conv2d(40, kernel = 1, bias = false), Reshape(4096x40), BatchNorm, ReLU6, Reshape(64x64x40),
            Conv2d(40, kernel = 3, padding = 1, groups = 40, bias = false), Reshape(4096x40), BatchNorm, ReLU6,
            Reshape(64x64x40), Conv2d(8, kernel = 1, bias = false), Reshape(4096x8), BatchNorm, Reshape(64x64x8),
        },
        Conv2d(48, kernel = 1), Reshape(4096x48), ReLU, Reshape(64x64x48),
        Conv2d(48, kernel = 5, stride = 2, padding = 2, groups = 48, bias = false), Reshape(1024x48),
        BatchNorm(affine = false), Reshape(32x32x48),
        Conv2d(8, kernel = 1, bias = false), Reshape(1024x8), BatchNorm, HardTanh(-0.5, 0.5), Reshape(32x32x8),
    }
}

#[test]
fn bands_of_lines_have_the_bits_of_whole_values() {
    let (banded, stored) = networks::<Banded, Stored>();
    let mut images = <[[[f32; 3]; 64]; 64]>::zeroed_vec(2);
    let pixels = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    pixels.iter_mut().enumerate().for_each(|(i, pixel)| *pixel = common::random(7, i));
    let [mut found, mut expected] = [(); 2].map(|()| <[[[f32; 8]; 32]; 32]>::zeroed_vec(2));
    banded.forward_batch(&images, &mut found);
    stored.forward_batch(&images, &mut expected);
    let distinct = |value: &f32| value.abs() < 0.5 && *value != 0.0;
    assert!(found.as_flattened().as_flattened().as_flattened().iter().any(distinct));
    assert_eq!(found, expected);
    // Some lines of the largest values are stored.
    const { assert!(Banded::WORKSPACE_LEN < Stored::WORKSPACE_LEN / 2) };
}

network! {
    /// Convolutions by Winograd's algorithm, with all parts of an epilogue, with some, and with a pool that is not taken in.
    #[allow(bias_before_batch_norm)]
    struct Winograd(13x12x3) -> 6x6x80 {
        Conv2d(64, kernel = 1), ReLU,
        Residual { Conv2d(64, kernel = 3, padding = 1, bias = false), BatchNorm }, ReLU,
        Conv2d(80, kernel = 3, padding = same), ReLU, MaxPool2d(2),
    }

    /// The same. Each convolution is read through a view, and stored.
    #[allow(bias_before_batch_norm)]
    struct StoredWinograd(13x12x3) -> 6x6x80 {
        Conv2d(64, kernel = 1), ReLU,
        Residual {
            Conv2d(64, kernel = 3, padding = 1, bias = false), Reshape(156x64), BatchNorm, Reshape(13x12x64),
        },
        ReLU,
        Conv2d(80, kernel = 3, padding = same), Reshape(156x80), ReLU, Reshape(13x12x80), MaxPool2d(2),
    }
}

#[test]
fn winograds_algorithm_has_the_bits_of_the_layers_one_after_the_other() {
    let (fused, stored) = networks::<Winograd, StoredWinograd>();
    let mut images = <[[[f32; 3]; 12]; 13]>::zeroed_vec(2);
    let pixels = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    pixels.iter_mut().enumerate().for_each(|(i, pixel)| *pixel = common::random(7, i));
    let mut workspace = vec![f32::NAN; Winograd::WORKSPACE_LEN];
    for image in &images {
        let found = fused.forward(image);
        assert!(found.as_flattened().as_flattened().iter().any(|value| *value > 0.0));
        assert_eq!(found, stored.forward(image));
        assert_eq!(found, fused.forward_in(&mut workspace, image));
    }
}

/// The workspace has no room for what is not stored.
#[test]
fn what_is_not_stored_takes_no_memory() {
    network! {
        struct Plain(32x32x4) -> 32x32x4 { Conv2d(4, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU, Conv2d(4, kernel = 1) }
    }
    // The output of `ReLU`, and the three factors of each channel.
    assert_eq!(Plain::WORKSPACE_LEN, 32 * 32 * 4 + 3 * 4);
}
