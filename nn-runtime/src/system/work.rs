//! [`time`]: an estimate of how long work takes.

use std::time::Duration;

/// Multiply-adds per nanosecond on one thread: fewer than in large products (about 50), more than in tiny ones (about 5).
const MACS: usize = 16;

/// Elements per nanosecond on one thread that elementwise layers and sums process.
const ELEMENTS: usize = 4;

/// About how long so many multiply-adds, and an elementwise pass over so many elements, take on one thread.
pub(crate) const fn time(macs: usize, elements: usize) -> Duration {
    Duration::from_nanos((macs / MACS + elements / ELEMENTS) as u64)
}
