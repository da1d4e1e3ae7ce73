//! [`FrozenLayers`]: the layers that a training step does not train.

use crate::memory::Frozen;
use crate::order::NetworkInfo;
use std::ops::Range;

/// The frozen layers of a network. A layer is frozen if all of its trained weights are or, if it has none, all of its
/// buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrozenLayers {
    /// The weights and buffers of frozen layers in ascending order, neighbours joined.
    layers: Vec<Range<usize>>,
    /// The offset of the first trained weight; 0 if no layer is frozen.
    lowest: usize,
}

impl FrozenLayers {
    /// The layers of a network that are frozen if these ranges of weights are.
    pub(crate) fn new(net: &NetworkInfo, weights: &[Range<usize>]) -> Self {
        let frozen = joined(weights.to_vec());
        let mut trained = Vec::new();
        net.for_each_trained_range(&mut |range| trained.push(range));
        let (mut layers, mut lowest) = (Vec::new(), usize::MAX);
        for layer in net.layer_ranges() {
            let weights = trained.iter().find(|range| range.start == layer.start);
            if is_inside(weights.unwrap_or(&layer), &frozen) {
                layers.push(layer);
            } else if let Some(weights) = weights {
                lowest = lowest.min(weights.start);
            }
        }
        if layers.is_empty() {
            return Self::default();
        }
        Self { layers: joined(layers), lowest }
    }

    /// As seen from the network. With gradients of the inputs the backward pass does not end before.
    pub(crate) fn view(&self, with_d_inputs: bool) -> Frozen<'_> {
        Frozen::new(&self.layers, if with_d_inputs { 0 } else { self.lowest })
    }
}

/// The same ranges in ascending order, those that touch joined.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn is_inside(range: &Range<usize>, all: &[Range<usize>]) -> bool {
    all.iter().any(|other| other.start <= range.start && range.end <= other.end)
}
