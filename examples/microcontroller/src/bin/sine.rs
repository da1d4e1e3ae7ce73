//! The architecture of TensorFlow Lite Micro's example `hello_world`, for its size.
#![cfg_attr(target_os = "none", no_std, no_main)]

use unrolled::prelude::*;

network! {
    /// A sine.
    pub struct Sine(1x1x1) -> 1 {
        Flatten, Dense(16), ReLU, Dense(16), ReLU, Dense(1),
    }
}

microcontroller::measure!(Sine);
