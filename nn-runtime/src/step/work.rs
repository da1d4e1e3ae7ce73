//! Estimates of how long steps take on one thread, which decide how many threads take part.

use super::inputs::inputs_len;
#[cfg(feature = "train")]
use super::sharded::LocalLayout;
use crate::contract::{Network, Node, Root};
use crate::system::time;
use crate::types::Values;
use std::time::Duration;

/// The time of inference on `samples` samples.
pub(super) const fn infer_time<N: Network>(samples: usize) -> Duration {
    let elements = inputs_len::<N>() + N::Output::LEN + <N as Node<Root>>::WORKSPACE;
    let samples = samples as u64;
    time(samples * N::MACS as u64, samples * elements as u64)
}

/// The time of a forward and a backward pass on `samples` samples; a little more than that of one of both alone.
#[cfg(feature = "train")]
pub(super) const fn train_time<N: Network>(samples: usize) -> Duration {
    // Three products of each layer. Each value is written and read forward and backward.
    let (samples, values) = (samples as u64, LocalLayout::forward::<N>() as u64);
    time(3 * samples * N::MACS as u64, 4 * samples * values + N::LEN as u64)
}
