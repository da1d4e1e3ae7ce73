//! [`Untrained`]: what the forward pass of a training step changes.

use std::ops::Range;

/// A copy of the untrained elements of a network, such as running statistics, from before a step. The forward pass updates
/// them, so that a step whose loss is not finite has to restore them.
#[derive(Debug)]
pub(super) struct Untrained {
    ranges: Vec<Range<usize>>,
    values: Vec<f32>,
}

impl Untrained {
    /// Memory for all elements but the ranges `trained`, which are in ascending order, of a network of `len` elements.
    pub(super) fn new(len: usize, trained: &[Range<usize>]) -> Self {
        let ends = trained.iter().map(|range| range.end);
        let begins = trained.iter().map(|range| range.start).chain([len]);
        let gaps = [0].into_iter().chain(ends).zip(begins).map(|(end, begin)| end..begin);
        let ranges: Vec<_> = gaps.filter(|gap| !gap.is_empty()).collect();
        let values = vec![0.0; ranges.iter().map(ExactSizeIterator::len).sum()];
        Self { ranges, values }
    }

    /// Copies them from the network.
    pub(super) fn remember(&mut self, net: &[f32]) {
        let mut rest = &mut self.values[..];
        for range in &self.ranges {
            let (values, after) = rest.split_at_mut(range.len());
            values.copy_from_slice(&net[range.clone()]);
            rest = after;
        }
    }

    /// Copies them back to the network.
    pub(super) fn restore(&self, net: &mut [f32]) {
        let mut rest = &self.values[..];
        for range in &self.ranges {
            let (values, after) = rest.split_at(range.len());
            net[range.clone()].copy_from_slice(values);
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gaps_between_trained_ranges_are_restored() {
        let old: Vec<f32> = (0..10_u8).map(f32::from).collect();
        let mut untrained = Untrained::new(10, &[1..3, 3..5, 8..9]);
        untrained.remember(&old);
        let mut net = vec![-1.0; 10];
        untrained.restore(&mut net);
        assert_eq!(net, [0.0, -1.0, -1.0, -1.0, -1.0, 5.0, 6.0, 7.0, -1.0, 9.0]);
    }

    #[test]
    fn where_all_is_trained_nothing_is_copied() {
        let trained = 0..10;
        assert!(Untrained::new(10, std::slice::from_ref(&trained)).values.is_empty());
    }
}
