//! [`Packing`]: sequences of different lengths as rows, step by step.

use crate::types::Steps;

/// The layout of a batch of sequences for a recurrent cell, as PyTorch's `PackedSequence`: all first steps, then all
/// second ones, the longest sequence first. The sequences that have not ended yet are therefore always the first rows
/// of a step.
///
/// The *rank* of a sample is its index in that order. A cell that runs from the end to the beginning reads the last
/// time of each sequence in its step 0.
#[derive(Clone, Copy)]
pub(crate) struct Packing<'a> {
    n: usize,
    steps: usize,
    // The sample of each rank, then the length of each rank; empty if all sequences are full. They are stored in memory
    // of `f32`, which represents such counts exactly.
    order: &'a [f32],
}

/// The rows of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepRows {
    /// The first row.
    pub(crate) first: usize,
    /// The number of sequences that have this step.
    pub(crate) active: usize,
    /// The first row of the previous step, counting the `n` initial rows that precede all others: 0 for step 0.
    pub(crate) before: usize,
}

/// The sample and the time of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The index of the row.
    pub(crate) row: usize,
    /// The index of the sample.
    pub(crate) sample: usize,
    /// The time in the sequence.
    pub(crate) time: usize,
}

impl<'a> Packing<'a> {
    /// Elements per sample that the order takes.
    pub(crate) const LEN: usize = 2;

    /// Orders `n` sequences of up to `steps` steps. Full sequences need no order, and `order` stays as it is.
    pub(crate) fn new(n: usize, steps: usize, lengths: Steps<'_>, order: &'a mut [f32]) -> Self {
        if matches!(lengths, Steps::Full) {
            return Self { n, steps, order: &[] };
        }
        let (samples, valid) = order[..Self::LEN * n].split_at_mut(n);
        for sample in 0..n {
            // Insertion sort: shards are small, and it keeps the order of equal lengths.
            let length = lengths.valid(sample, steps) as f32;
            let mut rank = sample;
            while rank > 0 && valid[rank - 1] < length {
                valid[rank] = valid[rank - 1];
                samples[rank] = samples[rank - 1];
                rank -= 1;
            }
            valid[rank] = length;
            samples[rank] = sample as f32;
        }
        Self { n, steps, order }
    }

    /// The packing whose order [`Self::new`] wrote earlier.
    pub(crate) fn again(n: usize, steps: usize, lengths: Steps<'_>, order: &'a [f32]) -> Self {
        let order = if matches!(lengths, Steps::Full) { &[] } else { order };
        Self { n, steps, order }
    }

    /// The number of sequences.
    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// The sample of rank `rank`.
    pub(crate) fn sample(&self, rank: usize) -> usize {
        if self.order.is_empty() { rank } else { self.order[rank] as usize }
    }

    /// The length of the sequence of rank `rank`.
    pub(crate) fn valid(&self, rank: usize) -> usize {
        if self.order.is_empty() { self.steps } else { self.order[self.n + rank] as usize }
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.first_row(self.steps)
    }

    /// The first row of step `step`.
    fn first_row(&self, step: usize) -> usize {
        if self.order.is_empty() {
            return step * self.n;
        }
        // The rows of all earlier steps. Proportional to the number of samples, which a shard keeps small.
        (0..self.n).map(|rank| self.valid(rank).min(step)).sum()
    }

    /// The row of the last step of rank `rank`, counting the `n` initial rows that precede all others: the initial row
    /// if the sequence has no step.
    pub(crate) fn last_row(&self, rank: usize) -> usize {
        match self.valid(rank).checked_sub(1) {
            Some(last) => self.n + self.first_row(last) + rank,
            None => rank,
        }
    }

    /// The rows of all steps, from the first to the last.
    pub(crate) fn steps(self) -> impl Iterator<Item = StepRows> + use<'a> {
        let (mut first, mut before, mut active) = (0, 0, self.n);
        (0..self.steps).map_while(move |step| {
            // The longest sequences come first, so that those that have ended are the last ones.
            while active > 0 && self.valid(active - 1) <= step {
                active -= 1;
            }
            let rows = StepRows { first, active, before };
            // The rows of a step begin with the same sequences as those of the step before, which may have more.
            before = self.n + first;
            first += active;
            (active > 0).then_some(rows)
        })
    }

    /// The rows of all steps, from the last to the first.
    pub(crate) fn steps_backward(self) -> impl Iterator<Item = StepRows> + use<'a> {
        let (mut end, mut active) = (self.rows(), 0);
        (0..self.steps).rev().filter_map(move |step| {
            while active < self.n && self.valid(active) > step {
                active += 1;
            }
            end -= active;
            let before = match step {
                0 => 0,
                // The previous step has all of these rows, and those that end there.
                _ => self.n + self.first_row(step - 1),
            };
            (active > 0).then_some(StepRows { first: end, active, before })
        })
    }

    /// The rows of all steps. If sequences are full, all steps are joined into one, because their rows and the rows
    /// before are contiguous.
    pub(crate) fn steps_in_runs(self) -> impl Iterator<Item = StepRows> + use<'a> {
        let full = StepRows { first: 0, active: self.rows(), before: 0 };
        let joined = self.order.is_empty().then_some(full);
        let steps = (!self.order.is_empty()).then(|| self.steps());
        joined.into_iter().chain(steps.into_iter().flatten())
    }

    /// All rows of a cell that runs forward or `backward`.
    pub(crate) fn all(self, backward: bool) -> impl Iterator<Item = Row> + use<'a> {
        self.steps().enumerate().flat_map(move |(step, rows)| {
            (0..rows.active).map(move |rank| {
                // A reversed cell begins with the last valid step of each sequence, not with the padding after it.
                let time = if backward { self.valid(rank) - 1 - step } else { step };
                Row { row: rows.first + rank, sample: self.sample(rank), time }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_come_first_and_rows_are_dense() {
        let lengths = [2, 4, 0, 2];
        let mut order = [f32::NAN; 8];
        let packing = Packing::new(4, 5, Steps::Given(&lengths), &mut order);
        assert_eq!([0, 1, 2, 3].map(|rank| packing.sample(rank)), [1, 0, 3, 2]);
        assert_eq!(packing.rows(), 8);
        let steps: Vec<StepRows> = packing.steps().collect();
        let expected = [(0, 3, 0), (3, 3, 4), (6, 1, 7), (7, 1, 10)];
        let expected = expected.map(|(first, active, before)| StepRows { first, active, before });
        assert_eq!(steps, expected);
        let mut back: Vec<StepRows> = packing.steps_backward().collect();
        back.reverse();
        assert_eq!(back, steps);
        let last = [0, 1, 2, 3].map(|rank| packing.last_row(rank));
        assert_eq!(last, [4 + 7, 4 + 4, 4 + 5, 3]);
        let rows: Vec<Row> = packing.all(true).collect();
        assert_eq!(rows[0], Row { row: 0, sample: 1, time: 3 });
        assert_eq!(rows[4], Row { row: 4, sample: 0, time: 0 });
        assert_eq!(rows.len(), 8);
    }

    #[test]
    fn full_lengths_need_no_order() {
        let packing = Packing::new(3, 2, Steps::Full, &mut []);
        let mut order = [f32::NAN; 6];
        let given = Packing::new(3, 2, Steps::Given(&[2, 2, 2]), &mut order);
        assert!(packing.all(false).eq(given.all(false)));
        assert!(packing.steps_backward().eq(given.steps_backward()));
        assert_eq!(packing.last_row(2), given.last_row(2));
    }
}
