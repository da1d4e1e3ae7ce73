//! Distributions that weights begin with.

use crate::Streams;

/// Fills `weights` with numbers in `[-bound, bound)`.
pub(crate) fn uniform(weights: &mut [f32], bound: f32, streams: Streams) {
    for (i, w) in weights.iter_mut().enumerate() {
        *w = (2.0 * streams.uniform(i as u64) - 1.0) * bound;
    }
}

/// How PyTorch begins dense and convolutional layers: weights and biases uniform within
/// `1 / sqrt(fan_in)` (`kaiming_uniform_` with `a = sqrt(5)`).
pub(crate) fn fan_in_uniform(
    weight: &mut [f32],
    bias: &mut [f32],
    fan_in: usize,
    streams: Streams,
) {
    let bound = 1.0 / (fan_in as f32).sqrt();
    uniform(weight, bound, streams.child(Streams::number("weight")));
    uniform(bias, bound, streams.child(Streams::number("bias")));
}
