//! The architecture of TensorFlow Lite Micro's example `micro_speech`, for its size.
#![cfg_attr(target_os = "none", no_std, no_main)]

use unrolled::prelude::*;

network! {
    /// Classifies a second of sound, 49 spectra of 40 bands.
    pub struct Speech(49x40x1) -> 4 {
        Conv2d(8, kernel = (10, 8), stride = 2, padding = (5, 3)) -> 25x20x8, ReLU, Flatten, Dense(4),
    }
}

microcontroller::measure!(Speech);
