//! The architecture of TensorFlow Lite Micro's example `person_detection`, for its size: a MobileNet (Howard et al., 2017)
//! with a quarter of the channels.
#![cfg_attr(target_os = "none", no_std, no_main)]

use unrolled::prelude::*;

network! {
    /// Depthwise and pointwise convolution. (The original has batch normalisation, which is part of the weights here.)
    #[allow(deep_without_skip)]
    block Separable(depth, channels, stride) {
        Conv2d(depth, kernel = 3, stride = stride, padding = 1, groups = depth), ReLU6,
        Conv2d(channels, kernel = 1), ReLU6,
    }

    /// Whether an image shows a person.
    #[allow(deep_without_skip)]
    pub struct Person(96x96x1) -> 2 {
        Conv2d(8, kernel = 3, stride = 2, padding = 1) -> 48x48x8, ReLU6,
        Separable(8, 16, 1),
        Separable(16, 32, 2), Separable(32, 32, 1),
        Separable(32, 64, 2), Separable(64, 64, 1),
        Separable(64, 128, 2), Repeat(5) { Separable(128, 128, 1) },
        Separable(128, 256, 2), Separable(256, 256, 1) -> 3x3x256,
        GlobalAvgPool,
        Dense(2),
    }
}

microcontroller::measure!(Person);
