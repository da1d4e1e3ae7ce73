//! [`SameInput`], [`SameTarget`] and [`LossTarget`]: bounds of [`Trainer::fit`](super::Trainer::fit) that demand equal types.
//!
//! `D: Dataset<Input = N::Input>` demands the same, but the compiler reports a mismatch of associated types in its own words,
//! and `diagnostic::on_unimplemented` is for traits only. The price is that code which knows of the equality has to convert:
//! [`TypedData`] and [`TypedLoss`] do.

use crate::data::{Dataset, InMemory};
use crate::loss::{Loss, LossSums, OutputSample, TargetError};
use crate::step::BatchError;
use crate::system::RngKey;
use crate::types::Values;
use std::marker::PhantomData;

/// A type equal to `T`.
#[doc(hidden)]
pub trait Is<T>: Sized {
    /// The same value.
    fn same(self) -> T;
    /// The same values.
    fn slice(these: &[Self]) -> &[T];
    /// Calls `f` with the same value. Without a closure, a reference to `Self` would need a lifetime bound.
    fn with<R>(other: &T, f: impl FnOnce(&Self) -> R) -> R;
}

impl<T> Is<T> for T {
    fn same(self) -> T {
        self
    }
    fn slice(these: &[Self]) -> &[T] {
        these
    }
    fn with<R>(other: &T, f: impl FnOnce(&Self) -> R) -> R {
        f(other)
    }
}

/// The type of a data set's inputs: that of the network's.
#[diagnostic::on_unimplemented(
    message = "the data set has inputs of type `{Self}`, but the network takes `{Input}`",
    label = "has inputs of type `{Self}`",
    note = "inputs are arrays with the axes of the network's header: `[[[f32; 1]; 28]; 28]` for `28x28x1`, `[f32; 784]` for \
            `784`; `vector.try_into()` makes an array of a `Vec`"
)]
pub trait SameInput<Input>: Is<Input> {}

#[diagnostic::do_not_recommend]
impl<T> SameInput<T> for T {}

/// The type of a data set's targets: that of the validation data's and metrics'.
#[diagnostic::on_unimplemented(
    message = "the training data has targets of type `{Self}`, but the validation data or a metric has `{Target}`",
    label = "has targets of type `{Self}`",
    note = "all data sets of a run have targets of one type, that of the loss"
)]
pub trait SameTarget<Target>: Is<Target> {}

#[diagnostic::do_not_recommend]
impl<T> SameTarget<T> for T {}

/// The type of a loss's targets: that of the data set's.
#[diagnostic::on_unimplemented(
    message = "the loss takes targets of type `{Self}`, but the data set has `{Target}`",
    label = "takes targets of type `{Self}`",
    note = "class indices are `u32`, one for each prediction; targets of the other losses have the type of the network's \
            output"
)]
pub trait LossTarget<Target>: Is<Target> {}

#[diagnostic::do_not_recommend]
impl<T> LossTarget<T> for T {}

/// A data set whose types are `Input` and `Target`.
pub(super) struct TypedData<'a, D, Input, Target> {
    data: &'a D,
    types: PhantomData<fn() -> (Input, Target)>,
}

impl<'a, D, Input, Target> TypedData<'a, D, Input, Target> {
    pub(super) const fn new(data: &'a D) -> Self {
        Self { data, types: PhantomData }
    }
}

impl<D, Input, Target> Dataset for TypedData<'_, D, Input, Target>
where
    D: Dataset<Input: Is<Input>, Target: Is<Target>>,
{
    type Input = Input;
    type Target = Target;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn get(&self, i: usize, key: RngKey) -> (Input, Target) {
        let (input, target) = self.data.get(i, key);
        (input.same(), target.same())
    }

    fn check(&self) -> Result<(), BatchError> {
        self.data.check()
    }

    fn in_memory(&self) -> Option<InMemory<'_, Input, Target>> {
        let (inputs, targets) = self.data.in_memory()?;
        Some((Is::slice(inputs), Is::slice(targets)))
    }
}

/// A loss whose targets are those of a data set, `InData`, and of a trainer, `Target`.
pub(super) struct TypedLoss<'a, L, InData, Target> {
    loss: &'a L,
    types: PhantomData<fn() -> (InData, Target)>,
}

impl<'a, L, InData, Target> TypedLoss<'a, L, InData, Target>
where
    InData: Is<Target>,
{
    pub(super) const fn new(loss: &'a L) -> Self {
        Self { loss, types: PhantomData }
    }

    /// Calls `f` with `target` as a target of the loss.
    fn with<Own: Is<InData>, R>(target: &Target, f: impl FnOnce(&Own) -> R) -> R {
        InData::with(target, |target| Own::with(target, f))
    }
}

impl<L, InData, Output, Target> Loss<Output> for TypedLoss<'_, L, InData, Target>
where
    L: Loss<Output, Target: Is<InData>>,
    InData: Is<Target>,
    Output: Values,
    Target: Copy + Send + Sync,
{
    type Target = Target;

    fn check(&self, target: &Target) -> Result<(), TargetError> {
        Self::with(target, |target| self.loss.check(target))
    }

    fn applies(&self) -> Option<&'static str> {
        self.loss.applies()
    }

    fn sample(&self, y: &[f32], target: &Target, scale: f32, d_y: &mut [f32]) -> f64 {
        Self::with(target, |target| self.loss.sample(y, target, scale, d_y))
    }

    fn weight(&self, target: &Target, steps: usize) -> f64 {
        Self::with(target, |target| self.loss.weight(target, steps))
    }

    fn correct(&self, y: &[f32], target: &Target) -> (usize, usize) {
        Self::with(target, |target| self.loss.correct(y, target))
    }

    fn add_weights(&self, target: &Target, steps: &[usize], weights: &mut [f64]) {
        Self::with(target, |target| self.loss.add_weights(target, steps, weights));
    }

    fn accumulate(&self, sample: OutputSample<'_, Target>, sums: &mut LossSums) {
        let OutputSample { y, target, steps, scales, d_y } = sample;
        Self::with(target, |target| {
            self.loss.accumulate(OutputSample::new(y, target, steps, scales, d_y), sums);
        });
    }
}
