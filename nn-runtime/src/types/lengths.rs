//! The lengths of the sequences of a batch: shapes are the largest number of steps, lengths the valid ones.
//!
//! Steps after a sequence's end are zero where it enters a network and where it leaves it. Layers that mix steps
//! (recurrent layers, convolutions and pools over steps, BatchNorm) and losses skip them: they read nothing there and
//! write zeros, forward and backward. A kernel sees zeros after the end, as it does after a sequence of full length;
//! where it does not fit, there is no output step. Layers that process each step alone ignore lengths. Those that take
//! all steps at once (`Flatten`) are refused by `network!` where a header has `..`; in a nested network, and in
//! hand-written layers, such steps contain what the layers before computed from zeros.

use super::per_step::PerStep;
use unrolled_shape::{StepMap, StepsOf};

/// The lengths of all inputs of a network, for the samples of a shard.
#[derive(Clone, Copy, Debug, Default)]
pub enum Lengths<'a> {
    /// All sequences are full.
    #[default]
    Full,
    /// Those of each input.
    Given(&'a [Steps<'a>]),
    /// Those of the network that contains this one.
    Inside {
        /// The lengths of the outer network.
        outer: &'a Lengths<'a>,
        /// For each input, the input of the outer network whose steps it has.
        steps: &'static [Option<StepsOf>],
    },
    /// Those in a `PerStep`, where each step is a sample: a step after the end is a sample without valid steps.
    PerStep {
        /// The lengths around it.
        outer: &'a Lengths<'a>,
        /// Its samples.
        per_step: &'a PerStep,
    },
}

/// The number of valid steps of a value, sample by sample.
#[derive(Clone, Copy, Debug, Default)]
pub enum Steps<'a> {
    /// All steps of its shape.
    #[default]
    Full,
    /// A number per sample.
    Given(&'a [u32]),
    /// Derived from the steps of an input.
    Mapped {
        /// The lengths of the inputs.
        inputs: &'a Lengths<'a>,
        /// The input, and how its steps change on the way.
        of: &'a StepsOf,
    },
    /// In a `PerStep`: all of a sample, or none.
    OfSample {
        /// The lengths in the `PerStep`.
        lengths: &'a Lengths<'a>,
    },
}

impl<'a> Lengths<'a> {
    /// The lengths of a value whose steps come from an input.
    #[must_use]
    pub fn through(&'a self, of: &'a StepsOf) -> Steps<'a> {
        match self.input(of.input) {
            Steps::Full => Steps::Full,
            // Most layers keep the steps: without a chain of maps, a length is one load.
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
                // An input of the inner network whose steps come from no input of the outer one.
                _ => Steps::Full,
            },
            // One step has no steps, and its own axes are full.
            Self::PerStep { .. } => Steps::Full,
        }
    }

    /// The lengths of the samples of `per_step`.
    #[must_use]
    pub(crate) const fn of_each_step(&'a self, per_step: &'a PerStep) -> Self {
        match self {
            Self::Full => Self::Full,
            outer => Self::PerStep { outer, per_step },
        }
    }

    /// Whether sample `sample` is no step after the end of a sequence.
    fn contain(&self, sample: usize) -> bool {
        let Self::PerStep { outer, per_step } = self else { return true };
        let sequence = sample / per_step.samples();
        let step = sample / per_step.each % per_step.steps;
        let valid = per_step.of.as_ref().and_then(|of| outer.through(of).count(sequence));
        valid.is_none_or(|valid| step < valid) && outer.contain(sequence)
    }
}

impl Steps<'_> {
    /// The number of valid steps of sample `sample`, at most `full`.
    #[must_use]
    pub fn valid(&self, sample: usize, full: usize) -> usize {
        self.count(sample).map_or(full, |count| count.min(full))
    }

    fn count(&self, sample: usize) -> Option<usize> {
        match self {
            Self::Full => None,
            Self::Given(lengths) => Some(lengths[sample] as usize),
            Self::Mapped { inputs, of } => {
                // One map per level of nesting: within a network, `StepsOf` composes those of all layers.
                inputs.input(of.input).count(sample).map(|count| of.map.apply(count))
            }
            Self::OfSample { lengths } => (!lengths.contain(sample)).then_some(0),
        }
    }
}

/// Where the steps of a network's output come from, if those of its inputs come from `inputs`.
#[must_use]
pub const fn steps_through(output: Option<StepsOf>, inputs: &[Option<StepsOf>]) -> Option<StepsOf> {
    match output {
        Some(StepsOf { input, map }) => StepsOf::through(inputs[input], map),
        None => None,
    }
}
