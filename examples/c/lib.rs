//! A library for C: handwritten digits, with weights trained in PyTorch (`train.py`).
//!
//! ```text
//! cargo build --release --example digits_c
//! gcc main.c -o digits -L ../../target/release/examples -ldigits_c
//! LD_LIBRARY_PATH=../../target/release/examples ./digits
//! python digits.py ../../target/release/examples/libdigits_c.so
//! ```

use unrolled::prelude::*;

network! {
    /// Classifies images of 8x8 pixels from 0 (paper) to 1 (ink).
    #[weights("examples/c/digits.safetensors")]
    #[fits(flash = 4K, ram = 2K)]
    pub struct Digits(8x8x1) -> 10 {
        conv: Conv2d(8, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        fc: Dense(10),
    }
}

unrolled::c_api!(Digits);
