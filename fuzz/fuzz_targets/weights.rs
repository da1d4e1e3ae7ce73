//! Any bytes as a weights file: `load` returns an error, or a network that is saved and loaded with the same bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unrolled::prelude::*;

network! {
    /// Small, with weights, running statistics and a permuted Dense.
    struct Net(4x4x2) -> 3 {
        Conv2d(2, kernel = 3, bias = false), BatchNorm, Flatten, Dense(3),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(net) = Net::load_from("fuzz", bytes) else { return };
    let path = unrolled_fuzz::file_of(bytes);
    net.save(&path).expect("the folder is writable");
    let again = Net::load(&path).expect("what `save` writes can be read");
    let bits = |net: &Net| net.params().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&net), bits(&again));
});
