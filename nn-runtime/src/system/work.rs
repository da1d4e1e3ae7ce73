//! [`time`]: an estimate of how long work takes.

use std::time::Duration;

/// Multiply-adds per nanosecond on one thread: fewer than in large products (about 50), more than in tiny ones (about 5).
const MACS: u64 = 16;

/// Elements per nanosecond on one thread that elementwise layers and sums process.
const ELEMENTS: u64 = 4;

/// About how long so many multiply-adds, and an elementwise pass over so many elements, take on one thread. The counts of a
/// batch may not fit a `usize` of 32 bits.
pub(crate) const fn time(macs: u64, elements: u64) -> Duration {
    Duration::from_nanos(macs / MACS + elements / ELEMENTS)
}
