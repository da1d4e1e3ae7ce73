//! What the benchmarks share.

#[path = "../examples/common/timing.rs"]
pub mod timing;

use std::time::Duration;
use timing::Blocks;
use unrolled_runtime::RngKey;

/// `len` random values in `[-1, 1)`, the same for the same `seed`.
#[must_use]
pub fn random(len: usize, seed: u64) -> Vec<f32> {
    let key = RngKey::new(seed);
    (0..len).map(|i| 2.0 * key.uniform(i as u64) - 1.0).collect()
}

/// Seconds per call: the least of nine blocks, as `scripts/beside_pytorch.py` measures PyTorch.
pub fn seconds_per_call(call: impl FnMut()) -> f64 {
    Blocks { count: 9, block: Duration::from_millis(15) }.seconds_per_call(call)[0]
}
