//! What benchmarks share.

use nn_runtime::Streams;

/// `len` numbers in `[-1, 1)`, the same ones for the same `stream`.
#[must_use]
pub fn random(len: usize, stream: u64) -> Vec<f32> {
    let streams = Streams::new(stream);
    (0..len).map(|i| 2.0 * streams.uniform(i as u64) - 1.0).collect()
}
