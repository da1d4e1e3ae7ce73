//! What every expanded network offers.

use crate::{Inputs, Station, Values, Whole};
use nn_shape::Shape;
use std::ops::Range;

/// One line of [`Network::LAYERS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo {
    /// Its path: `stage1.0.conv2d`.
    pub name: &'static str,
    /// Its kind with its arguments, as the user wrote it: `Conv2d(32, kernel = 3)`.
    pub kind: &'static str,
    /// The shape of its output.
    pub output: Shape,
    /// How many trained numbers it has.
    pub params: usize,
    /// How many multiply-adds one sample costs forward.
    pub macs: usize,
    /// Where its numbers stand in [`Network::params`](Network).
    pub weights: (usize, usize),
}

/// A type that `network!` made.
pub trait Network: Station<Whole> {
    /// One sample: an array, or a tuple of arrays for several inputs.
    type Input: Inputs;
    /// What it gives for one sample.
    type Output: Values;
    /// How many trained numbers it has.
    const PARAMS: usize;
    /// Multiply-adds of one sample, forward.
    const MACS: usize;
    /// Its layers in order.
    const LAYERS: &'static [LayerInfo];
    /// Where trained numbers stand among all numbers: without running statistics.
    const TRAINED: &'static [Range<usize>];
}
