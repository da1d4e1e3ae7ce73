//! A weights file whose header is any text, with and without a correct length: `load` and `load_with` return.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unrolled::prelude::*;

network! {
    /// One layer of two tensors.
    struct Net(3) -> 2 { fc: Dense(2) }
}

fuzz_target!(|input: (String, u8, Vec<u8>)| {
    let (header, distance, data) = input;
    // Mostly the true length, so that the header itself is read.
    let len = header.len() as u64 + if distance < 200 { 0 } else { u64::from(distance) - 200 };
    let mut bytes = len.to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(&data);
    let path = unrolled_fuzz::file_of(&bytes);
    let plain = Net::load(&path).is_ok();
    if Net::load_with::<serde_json::Value>(&path).is_ok() {
        assert!(plain, "what `load_with` reads `load` reads too");
    }
});
