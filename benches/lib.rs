//! What benchmarks share.

use std::time::{Duration, Instant};
use unrolled_runtime::RngKey;

/// `len` numbers in `[-1, 1)`, the same ones for the same `stream`.
#[must_use]
pub fn random(len: usize, stream: u64) -> Vec<f32> {
    let key = RngKey::new(stream);
    (0..len).map(|i| 2.0 * key.uniform(i as u64) - 1.0).collect()
}

/// Seconds of a call, the least of nine blocks: what else the machine does only adds to it.
pub fn seconds_per_call(mut call: impl FnMut()) -> f64 {
    const BLOCK: Duration = Duration::from_millis(15);
    let begin = Instant::now();
    let mut calls = 0_u32;
    while calls < 2 || begin.elapsed() < BLOCK {
        call();
        calls += 1;
    }
    let block = || {
        let begin = Instant::now();
        (0..calls).for_each(|_| call());
        begin.elapsed().as_secs_f64() / f64::from(calls)
    };
    std::iter::repeat_with(block).take(9).fold(f64::INFINITY, f64::min)
}
