//! How long the sequences of a batch are: shapes say how many steps fit, lengths how many there are.
//!
//! What lies behind a sequence's end is zero where it enters a network and where it leaves it. Layers that
//! mix steps (recurrent ones, convolutions and pools over steps, BatchNorm) and losses leave it out: they read
//! nothing there, and write zeros, forward and backward. A kernel meets zeros behind the end, as it does behind
//! a sequence that is as long as its shape; where it does not fit, no step comes out. Layers that see one step
//! at a time need not care. Those that take all steps at once (`Flatten`) are refused by `network!` where a
//! header says `..`; inside of another network, and to layers of the user's, such steps hold what the layers
//! before made of zeros.

use unrolled_shape::{StepMap, StepsOf};

/// The lengths of all inputs of a network, for the samples of a shard.
#[derive(Clone, Copy, Debug, Default)]
pub enum Lengths<'a> {
    /// All sequences are full.
    #[default]
    Full,
    /// Those of each input.
    Given(&'a [Steps<'a>]),
    /// Those of the network around this one, and from which of its inputs ours come.
    Inside {
        /// Of the network around.
        outer: &'a Lengths<'a>,
        /// One for each of our inputs.
        steps: &'static [Option<StepsOf>],
    },
}

/// How many steps of a value are valid, sample by sample.
#[derive(Clone, Copy, Debug, Default)]
pub enum Steps<'a> {
    /// All that its shape has room for.
    #[default]
    Full,
    /// So many of each sample.
    Given(&'a [u32]),
    /// So many as are left of an input's steps.
    Mapped {
        /// The lengths of the inputs.
        inputs: &'a Lengths<'a>,
        /// Of which input, and what lies between.
        of: &'static StepsOf,
    },
}

impl<'a> Lengths<'a> {
    /// The lengths of a value that has its steps from an input.
    #[must_use]
    pub fn through(&'a self, of: &'static StepsOf) -> Steps<'a> {
        match self.input(of.input) {
            Steps::Full => Steps::Full,
            steps if of.map == StepMap::SAME => steps,
            _ => Steps::Mapped { inputs: self, of },
        }
    }

    fn input(&self, input: usize) -> Steps<'a> {
        match self {
            Self::Full => Steps::Full,
            Self::Given(inputs) => inputs[input],
            Self::Inside { outer, steps } => match steps.get(input) {
                Some(Some(of)) => outer.through(of),
                _ => Steps::Full,
            },
        }
    }
}

impl Steps<'_> {
    /// How many steps of sample `sample` are valid, where there is room for `full`.
    #[must_use]
    pub fn valid(&self, sample: usize, full: usize) -> usize {
        self.count(sample).map_or(full, |count| count.min(full))
    }

    fn count(&self, sample: usize) -> Option<usize> {
        match self {
            Self::Full => None,
            Self::Given(lengths) => Some(lengths[sample] as usize),
            Self::Mapped { inputs, of } => {
                inputs.input(of.input).count(sample).map(|count| of.map.apply(count))
            }
        }
    }

    /// Writes zeros behind the end of each sample of `[n, full, ..]`.
    #[inline]
    pub fn clear_behind(&self, n: usize, full: usize, values: &mut [f32]) {
        if matches!(self, Self::Full) {
            return;
        }
        let step = values.len() / (n * full);
        for (sample, values) in values.chunks_exact_mut(full * step).enumerate() {
            values[self.valid(sample, full) * step..].fill(0.0);
        }
    }
}

/// From where the output of a network has its steps, where its inputs have theirs from `inputs`.
#[must_use]
pub const fn steps_through(output: Option<StepsOf>, inputs: &[Option<StepsOf>]) -> Option<StepsOf> {
    match output {
        Some(StepsOf { input, map }) => StepsOf::through(inputs[input], map),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_end_are_zeros() {
        let mut values = [1.0; 12];
        Steps::Given(&[1, 3]).clear_behind(2, 3, &mut values);
        assert_eq!(values, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
