//! [`Untrained`]: what a step changes before its loss is known.

use std::ops::Range;

/// The numbers of a network that are not trained, such as running statistics, from before a step.
/// The forward pass moves them, so a step that fails has to put them back.
pub(super) struct Untrained {
    places: Vec<Range<usize>>,
    numbers: Vec<f32>,
}

impl Untrained {
    /// Room for all numbers but those at `trained`, which are in order, of a network of `len`.
    pub(super) fn new(len: usize, trained: &[Range<usize>]) -> Self {
        let ends = trained.iter().map(|range| range.end);
        let begins = trained.iter().map(|range| range.start).chain([len]);
        let gaps = [0].into_iter().chain(ends).zip(begins).map(|(end, begin)| end..begin);
        let places: Vec<_> = gaps.filter(|gap| !gap.is_empty()).collect();
        let numbers = vec![0.0; places.iter().map(ExactSizeIterator::len).sum()];
        Self { places, numbers }
    }

    /// Remembers them.
    pub(super) fn remember(&mut self, net: &[f32]) {
        let mut rest = &mut self.numbers[..];
        for place in &self.places {
            let (numbers, behind) = rest.split_at_mut(place.len());
            numbers.copy_from_slice(&net[place.clone()]);
            rest = behind;
        }
    }

    /// Puts them back.
    pub(super) fn restore(&self, net: &mut [f32]) {
        let mut rest = &self.numbers[..];
        for place in &self.places {
            let (numbers, behind) = rest.split_at(place.len());
            net[place.clone()].copy_from_slice(numbers);
            rest = behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gaps_between_trained_numbers_come_back() {
        let old: Vec<f32> = (0..10_u8).map(f32::from).collect();
        let mut untrained = Untrained::new(10, &[1..3, 3..5, 8..9]);
        untrained.remember(&old);
        let mut net = vec![-1.0; 10];
        untrained.restore(&mut net);
        assert_eq!(net, [0.0, -1.0, -1.0, -1.0, -1.0, 5.0, 6.0, 7.0, -1.0, 9.0]);
    }

    #[test]
    fn where_all_is_trained_nothing_is_kept() {
        let trained = 0..10;
        assert!(Untrained::new(10, std::slice::from_ref(&trained)).numbers.is_empty());
    }
}
