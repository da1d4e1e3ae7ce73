//! [`Frozen`]: the layers that a training step does not train.

use super::buffer::Buffer;
use super::layout::Layout;
use core::ops::Range;

/// The frozen layers of a network in one training step, as a node of it sees them.
///
/// Weights are in the order in which layers first run. So one offset is enough to know where the backward pass ends: nothing
/// before the first trained weight needs a gradient.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a> {
    /// All weights and buffers of frozen layers among those of the outermost network, in ascending order.
    layers: &'a [Range<usize>],
    /// The offset of the node's weights among them.
    offset: usize,
    /// The offset of the first trained weight, seen from the node; 0 if nothing is frozen.
    lowest: usize,
}

impl<'a> Frozen<'a> {
    /// No layer is frozen.
    pub const NONE: Self = Self { layers: &[], offset: 0, lowest: 0 };

    /// The frozen layers of an outermost network: the ranges of their weights in ascending order, without neighbours, and the
    /// offset of the first trained weight. With an offset of 0 the gradients of inputs are computed, if they are requested.
    pub(crate) const fn new(layers: &'a [Range<usize>], lowest: usize) -> Self {
        Self { layers, offset: 0, lowest }
    }

    /// As seen from a node.
    pub(super) fn part(self, layout: &Layout) -> Self {
        let Self { layers, offset, lowest } = self;
        // Not those of `weights`: where an earlier node is applied again, layers between the two may be trained.
        let lowest = lowest.saturating_sub(layout.own_weights.offset);
        Self { layers, offset: offset + layout.weights.offset, lowest }
    }

    /// Whether the layer with these weights is frozen. Layers without weights never are.
    #[must_use]
    pub fn contains(&self, weights: Buffer) -> bool {
        let range = self.offset + weights.offset..self.offset + weights.end();
        let after = self.layers.partition_point(|layer| layer.start <= range.start);
        let layer = after.checked_sub(1).map(|nth| &self.layers[nth]);
        !range.is_empty() && layer.is_some_and(|layer| range.end <= layer.end)
    }

    /// Whether all weights before offset `end` are frozen, so that nothing there needs a gradient.
    #[must_use]
    pub const fn covers(&self, end: usize) -> bool {
        // An `end` of 0, after layers without weights, is not covered if nothing is frozen.
        self.lowest > 0 && self.lowest >= end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn weights(offset: usize, len: usize) -> Buffer {
        Buffer { offset, len }
    }

    const fn layout(weights: Buffer) -> Layout {
        Layout { weights, own_weights: weights, ..Layout::START }
    }

    #[test]
    fn layers_are_found_inside_of_networks() {
        let frozen = Frozen::new(&[0..10, 20..30], 10);
        assert!(frozen.contains(weights(0, 4)) && frozen.contains(weights(4, 6)));
        assert!(!frozen.contains(weights(8, 4)) && !frozen.contains(weights(10, 10)));
        assert!(!frozen.contains(weights(4, 0)), "a layer without weights");
        let inner = frozen.part(&layout(weights(15, 20)));
        assert!(inner.contains(weights(5, 10)) && !inner.contains(weights(4, 2)));
        assert!(!Frozen::NONE.contains(weights(0, 4)));
    }

    #[test]
    fn the_backward_pass_ends_at_the_first_trained_weight() {
        let frozen = Frozen::new(core::slice::from_ref(&(0..10)), 10);
        assert!(frozen.covers(0) && frozen.covers(4) && frozen.covers(10) && !frozen.covers(15));
        // Of a network that begins there, the first layer's input may be one that the outer network needs.
        let inner = frozen.part(&layout(weights(10, 8)));
        assert!(!inner.covers(0) && !Frozen::NONE.covers(0));
    }

    #[test]
    fn the_backward_pass_does_not_end_where_a_frozen_network_is_applied_again() {
        // A frozen network of two layers, and it again after a trained layer.
        let frozen = Frozen::new(core::slice::from_ref(&(0..10)), 10);
        let first = layout(weights(0, 10));
        assert!(frozen.part(&first).covers(4));
        let again = Layout { own_weights: weights(15, 0), ..Layout::START }.sharing(&first);
        let again = frozen.part(&again);
        assert!(again.contains(weights(4, 6)) && !again.covers(4));
    }
}
