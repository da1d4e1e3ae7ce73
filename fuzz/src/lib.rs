//! What several targets share.

use std::path::PathBuf;
use std::{env, fs, process};

/// Writes `bytes` to a file of this process and returns its path: readers of paths are fuzzed through it.
pub fn file_of(bytes: &[u8]) -> PathBuf {
    let path = env::temp_dir().join(format!("unrolled-fuzz-{}", process::id()));
    fs::write(&path, bytes).expect("the folder for temporary files is writable");
    path
}
