//! [`Position`]: how far training has come.

use crate::loss::LossSums;

/// How far training has come, over all calls of [`Trainer::fit`](crate::train::Trainer::fit).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Position {
    /// Complete epochs.
    pub(super) epochs: usize,
    /// Steps of all epochs.
    pub(super) steps: u64,
    /// The loss of each epoch that the schedule has seen.
    pub(super) losses: Vec<f64>,
    /// The epoch that was stopped before its end, if any.
    pub(super) begun: Option<Begun>,
}

/// The part of an epoch before it was stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Begun {
    /// Its steps so far.
    pub(super) step: usize,
    /// The loss sums of these steps.
    pub(super) sums: LossSums,
    /// The recurrent states after these steps.
    pub(super) state: Vec<f32>,
}

impl Position {
    /// Before the first step.
    pub(super) const START: Self = Self { epochs: 0, steps: 0, losses: Vec::new(), begun: None };

    /// The epoch that is to begin, or to be continued. Saturating: a damaged checkpoint may have any number of epochs.
    pub(super) const fn next_epoch(&self) -> usize {
        self.epochs.saturating_add(1)
    }
}
