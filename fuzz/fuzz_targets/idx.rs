//! Any bytes as an IDX file, read as images and as labels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unrolled::data::Idx;

fuzz_target!(|bytes: &[u8]| {
    match Idx::parse("fuzz", bytes) {
        Ok(idx) => {
            assert_eq!(idx.dims().iter().product::<usize>(), idx.values().len());
            let _ = (idx.labels(), idx.images::<28, 28>(), idx.images::<2, 3>());
            let _ = idx.labelled::<2, 3>(&idx);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
