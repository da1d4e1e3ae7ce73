//! A weights file whose header is any text, with and without a correct length: `load` and `load_with` return.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unrolled::prelude::*;

network! {
    /// One layer of two tensors.
    struct Net(3) -> 2 { fc: Dense(2) }
}

// The first byte changes the length of the header; then come the header, a zero and the tensors.
fuzz_target!(|input: &[u8]| {
    let Some((distance, input)) = input.split_first() else { return };
    let (header, data) =
        input.split_at(input.iter().position(|byte| *byte == 0).unwrap_or(input.len()));
    // Mostly the true length, so that the header itself is read.
    let len = header.len() as u64 + u64::from(distance.saturating_sub(200));
    let bytes = [&len.to_le_bytes(), header, data.get(1..).unwrap_or_default()].concat();
    let plain = Net::load_from("fuzz", &bytes[..]).is_ok();
    assert!(!plain || str::from_utf8(&bytes[8..][..len as usize]).is_ok());
    let path = unrolled_fuzz::file_of(&bytes);
    if Net::load_with::<serde_json::Value>(&path).is_ok() {
        assert!(plain, "what `load_with` reads `load` reads too");
    }
});
