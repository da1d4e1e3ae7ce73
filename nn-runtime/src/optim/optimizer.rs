//! [`Optimizer`]: an update rule.

use super::pattern::GroupsError;
use super::state::{OptimizerState, StateError};
use crate::types::Tensor;
use std::any::type_name;
use std::ops::Range;

/// A rule that updates weights from their gradient.
///
/// [`OptimizerExt::update`](super::OptimizerExt::update) is one step for a network. Boxes and mutable references of
/// optimisers are optimisers, so that a program can choose one at run time:
///
/// ```
/// use unrolled_runtime::optim::{AdamW, Optimizer, SGD};
///
/// # let small = true;
/// let optimizer: Box<dyn Optimizer> =
///     if small { Box::new(SGD::new(0.1).momentum(0.9)) } else { Box::new(AdamW::new(1e-3)) };
/// # assert_eq!(optimizer.learning_rate(), 0.1);
/// ```
///
/// Another rule is three methods:
///
/// ```
/// use unrolled_runtime::optim::{Optimizer, TrainedRange};
///
/// /// Steps of the same length, whatever the gradient's (Bernstein et al., 2018).
/// struct SignDescent(f64);
///
/// impl Optimizer for SignDescent {
///     fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
///         for TrainedRange { range, rate, .. } in trained {
///             let rate = (self.0 * rate) as f32;
///             for (w, g) in weights[range.clone()].iter_mut().zip(&gradient[range.clone()]) {
///                 *w -= rate * g.signum();
///             }
///         }
///     }
///     fn learning_rate(&self) -> f64 {
///         self.0
///     }
///     fn set_learning_rate(&mut self, rate: f64) {
///         self.0 = rate;
///     }
/// }
/// ```
pub trait Optimizer {
    /// Updates the weights in the ranges `trained`, which are in ascending order; others, such as running
    /// statistics, stay. `gradient` has the layout of `weights`. All calls must be for the same network.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]);

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the next step.
    ///
    /// # Panics
    /// The optimisers of this crate panic if `rate` is not a finite number of at least 0.
    fn set_learning_rate(&mut self, rate: f64);

    /// The names and values of its settings but the learning rate, by default none. A run that is resumed from a checkpoint
    /// must have those of the run that wrote it.
    fn settings(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// What it remembers from one step to the next, by default nothing. An optimiser with the same settings continues
    /// to the same bits after [`set_state`](Self::set_state). Settings such as the learning rate are not included.
    fn state(&self) -> OptimizerState {
        OptimizerState::new(type_name::<Self>(), 0)
    }

    /// Replaces what it remembers.
    ///
    /// # Errors
    /// If `state` is that of another optimiser, of one with other settings that need other values, or of a network of
    /// another length. The optimiser is then unchanged.
    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        state.check(type_name::<Self>(), &[]).map(drop)
    }

    /// Prepares for the network whose [`tensors`](crate::InferenceExt::tensors) are passed. Trainers and
    /// [`update`](super::OptimizerExt::update) call it before each step. Does nothing by default: only optimisers that
    /// choose weights by name, such as [`Groups`](super::Groups), need it.
    ///
    /// # Errors
    /// If it cannot find weights that it was made for.
    fn prepare(&mut self, tensors: fn() -> Vec<Tensor>) -> Result<(), GroupsError> {
        let _ = tensors;
        Ok(())
    }

    /// How its state can be divided among the ranks of a distributed run, of which each then passes its own part of the weights
    /// to [`step`](Self::step): see [`Trainer::shard_optimizer`](crate::train::Trainer::shard_optimizer). By default it
    /// cannot.
    fn divisible(&self) -> Divisible {
        Divisible::No
    }

    /// What a step does to the rows of an [`Embedding`](crate::layers::Embedding) that no sample of the batch has. By default it
    /// updates them.
    fn untouched_rows(&self) -> UntouchedRows {
        UntouchedRows::Updated
    }

    /// Sets the index among the elements of the network of the first one that [`step`](Self::step) is passed, 0 unless the
    /// state is divided. Does nothing by default: only optimisers that choose weights by name need it.
    fn set_first(&mut self, first: usize) {
        let _ = first;
    }

    /// The ranges of weights that stay as they are whatever their gradient, after [`prepare`](Self::prepare); by default
    /// none. Trainers do not compute the gradients of layers whose trained weights are all in these ranges.
    fn frozen(&self) -> Vec<Range<usize>> {
        Vec::new()
    }
}

/// How the state of an optimiser can be divided among ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Divisible {
    /// Not at all.
    No,
    /// Between tensors: the step for a weight depends on all weights of its tensor, as in [`LAMB`](super::LAMB).
    ByTensor,
    /// Anywhere: the step for a weight depends on that weight and its gradient only.
    ByElement,
}

/// What a step does to the rows of an [`Embedding`](crate::layers::Embedding) that no sample of the batch has, whose gradient is
/// zero. Where it does not update them, trainers and [`update_sparse`](super::OptimizerExt::update_sparse) leave them out of the
/// ranges of [`Optimizer::step`], so that its time is that of the other rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UntouchedRows {
    /// It updates them, since it has a momentum or weight decay.
    Updated,
    /// It would leave them, and what it remembers of them, as they are.
    Unchanged,
    /// It would update them, but must not: [`AdamLike::lazy`](super::AdamLike::lazy). It needs to know which rows these are.
    LeftOut,
}

impl UntouchedRows {
    pub(super) const fn unchanged_if(unchanged: bool) -> Self {
        if unchanged { Self::Unchanged } else { Self::Updated }
    }
}

/// Settings with their names.
pub(super) fn settings<const K: usize>(all: [(&str, f64); K]) -> Vec<(String, f64)> {
    all.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// The number that a user wrote for `x`: 0.9, and not the nearest 32-bit float, 0.899999976.
pub(super) fn decimal(x: f32) -> f64 {
    x.to_string().parse().unwrap_or_else(|_| x.into())
}

/// A range of weights that a step updates, and how: what is a parameter group in PyTorch.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedRange {
    /// The indices of the weights among all elements of the network.
    pub range: Range<usize>,
    /// The factor on the optimiser's learning rate.
    pub rate: f64,
    /// Whether the optimiser's weight decay applies.
    pub decay: bool,
}

/// The learning rate and the weight decay of the optimiser itself.
impl From<Range<usize>> for TrainedRange {
    fn from(range: Range<usize>) -> Self {
        Self { range, rate: 1.0, decay: true }
    }
}

/// Implements the trait for a pointer to an optimiser: each method is that of the optimiser.
macro_rules! forward_to_pointee {
    ($pointer:ty) => {
        impl<O: Optimizer + ?Sized> Optimizer for $pointer {
            fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
                (**self).step(weights, gradient, trained);
            }
            fn learning_rate(&self) -> f64 {
                (**self).learning_rate()
            }
            #[track_caller]
            fn set_learning_rate(&mut self, rate: f64) {
                (**self).set_learning_rate(rate);
            }
            fn settings(&self) -> Vec<(String, f64)> {
                (**self).settings()
            }
            fn state(&self) -> OptimizerState {
                (**self).state()
            }
            fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
                (**self).set_state(state)
            }
            fn prepare(&mut self, tensors: fn() -> Vec<Tensor>) -> Result<(), GroupsError> {
                (**self).prepare(tensors)
            }
            fn divisible(&self) -> Divisible {
                (**self).divisible()
            }
            fn untouched_rows(&self) -> UntouchedRows {
                (**self).untouched_rows()
            }
            fn set_first(&mut self, first: usize) {
                (**self).set_first(first);
            }
            fn frozen(&self) -> Vec<Range<usize>> {
                (**self).frozen()
            }
        }
    };
}

forward_to_pointee!(&mut O);
forward_to_pointee!(Box<O>);
