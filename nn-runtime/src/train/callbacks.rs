//! Functions of the user that a trainer calls after steps and epochs.

use super::history::Epoch;
use crate::ranks::Traffic;
use std::ops::ControlFlow;

/// The state of training after one step: the argument of [`Trainer::on_step`](crate::train::Trainer::on_step).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step of the epoch, counted from 1. A step is one update of the weights.
    pub step: usize,
    /// The number of steps of the epoch.
    pub steps: usize,
    /// The number of steps over all epochs.
    pub total_steps: u64,
    /// The mean loss of the step's samples, before the update and in training mode.
    pub loss: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// What this rank of a distributed run exchanged with the others for the step; zeros in other runs.
    pub traffic: Traffic,
}

/// The result of a callback: `()` to continue, or a [`ControlFlow`], whose `Break` ends training.
pub trait CallbackResult {
    /// Whether training continues.
    fn control_flow(self) -> ControlFlow<()>;
}

impl CallbackResult for () {
    fn control_flow(self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl CallbackResult for ControlFlow<()> {
    fn control_flow(self) -> Self {
        self
    }
}

/// What a trainer calls after each step.
pub(super) type OnStep<'a> = Box<dyn FnMut(&Step) -> ControlFlow<()> + Send + 'a>;

/// What a trainer calls after each epoch.
pub(super) type OnEpoch<'a, N> = Box<dyn FnMut(&Epoch, &N) -> ControlFlow<()> + Send + 'a>;
