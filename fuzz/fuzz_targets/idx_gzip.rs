//! Compressed IDX files: any bytes after the mark of gzip, and compressed bytes, which give what plain ones do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Write;
use unrolled::data::Idx;

fuzz_target!(|bytes: &[u8]| {
    let marked = [&[0x1f, 0x8b], bytes].concat();
    let _ = Idx::parse("fuzz", &marked);

    if bytes.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("a vector");
    let compressed = encoder.finish().expect("a vector");
    match (Idx::parse("fuzz", bytes), Idx::parse("fuzz", &compressed)) {
        (Ok(plain), Ok(unpacked)) => assert!(plain == unpacked),
        (Err(_), Err(_)) => {}
        (plain, unpacked) => panic!("plain: {}, compressed: {}", plain.is_ok(), unpacked.is_ok()),
    }
});
