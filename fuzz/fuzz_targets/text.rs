//! Any bytes as a text file, and vocabularies of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unrolled::data::{Vocabulary, read_text};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = read_text(unrolled_fuzz::file_of(bytes)) else { return };
    let characters = Vocabulary::characters().learn([&text]);
    assert_eq!(characters.decode(&characters.encode(&text)), text);
    let words = Vocabulary::words().size(16).learn([&text]);
    let numbers = words.encode(&text);
    assert!(numbers.iter().all(|number| (*number as usize) < words.size()));
    let _ = words.decode(&numbers);
});
