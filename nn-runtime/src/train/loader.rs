//! [`CheckedData`]: samples that are checked before they are used.

use super::error::{DataSet, TrainError};
use super::prefetch::for_each_loaded;
use crate::contract::Network;
use crate::data::Dataset;
use crate::kernels::dispatch::dispatch;
use crate::loss::Loss;
use crate::step::{Batch, BatchError, BatchOf, check_inputs};
use crate::system::RngKey;
use crate::types::Inputs;
use std::ops::{ControlFlow, Range};

/// A data set for a network of type `N`.
pub(super) type DynData<'a, N, Target> =
    &'a dyn Dataset<Input = <N as Network>::Input, Target = Target>;

/// A data set whose samples are checked: at once if they are in memory, otherwise when they are loaded.
pub(super) struct CheckedData<'a, N: Network, L: Loss<N::Output>> {
    set: DataSet,
    data: DynData<'a, N, L::Target>,
    loss: &'a L,
    /// The threads that load samples that are not in memory.
    threads: usize,
    /// All samples, if they are in memory.
    whole: Option<BatchOf<'a, N, L>>,
    /// The largest magnitude of an input in memory; 0 if they are not.
    pub(super) largest_input: f32,
}

/// Samples in memory, as long as they are needed.
pub(super) struct Loaded<Input, Target> {
    pub(super) inputs: Vec<Input>,
    pub(super) targets: Vec<Target>,
}

impl<Input, Target> Default for Loaded<Input, Target> {
    fn default() -> Self {
        Self { inputs: Vec::new(), targets: Vec::new() }
    }
}

impl<'a, N: Network, L: Loss<N::Output>> CheckedData<'a, N, L> {
    pub(super) fn new(
        set: DataSet,
        data: DynData<'a, N, L::Target>,
        loss: &'a L,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let (whole, largest_input) = match data.in_memory() {
            Some((inputs, targets)) => {
                let (whole, largest) = check_data::<N, L>(set, inputs, targets, loss)?;
                (Some(whole), largest)
            }
            None if data.is_empty() => {
                return Err(TrainError::Data { data: set, source: BatchError::Empty });
            }
            None => (None, 0.0),
        };
        Ok(Self { set, data, loss, threads, whole, largest_input })
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) const fn loss(&self) -> &'a L {
        self.loss
    }

    /// The inputs and targets, if they are in memory.
    pub(super) fn in_memory(&self) -> Option<(&'a [N::Input], &'a [L::Target])> {
        self.data.in_memory()
    }

    /// Calls `f` with the samples `indices(number)` for each of the numbers, until it fails or breaks. Samples that are not
    /// in memory are loaded on other threads.
    pub(super) fn for_each_batch<'i>(
        &self,
        numbers: Range<usize>,
        indices: impl Fn(usize) -> &'i [usize] + Sync,
        key: RngKey,
        mut f: impl FnMut(usize, BatchOf<'_, N, L>) -> Result<ControlFlow<()>, TrainError>,
    ) -> Result<ControlFlow<()>, TrainError> {
        let Some(whole) = self.whole else {
            return self.for_each_loaded(numbers, indices, key, |number, loaded| {
                f(number, Batch::of(&loaded.inputs, &loaded.targets))
            });
        };
        for number in numbers {
            if f(number, whole.choose(indices(number)))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// As [`for_each_batch`](Self::for_each_batch), with copies of all samples.
    pub(super) fn for_each_loaded<'i>(
        &self,
        numbers: Range<usize>,
        indices: impl Fn(usize) -> &'i [usize] + Sync,
        key: RngKey,
        f: impl FnMut(usize, &Loaded<N::Input, L::Target>) -> Result<ControlFlow<()>, TrainError>,
    ) -> Result<ControlFlow<()>, TrainError> {
        let load = move |number, loaded: &mut Loaded<_, _>| self.load(indices(number), key, loaded);
        for_each_loaded(numbers, self.threads, load, f)
    }

    fn load(
        &self,
        indices: &[usize],
        key: RngKey,
        loaded: &mut Loaded<N::Input, L::Target>,
    ) -> Result<(), TrainError> {
        loaded.inputs.clear();
        loaded.targets.clear();
        for &index in indices {
            let (input, target) = self.data.get(index, key.fold_in(index as u64));
            self.check_sample(index, &input, &target)?;
            loaded.inputs.push(input);
            loaded.targets.push(target);
        }
        Ok(())
    }

    fn check_sample(
        &self,
        index: usize,
        input: &N::Input,
        target: &L::Target,
    ) -> Result<(), TrainError> {
        let refused = |source| TrainError::Data { data: self.set, source };
        self.loss.check(target).map_err(|why| refused(BatchError::Target { index, why }))?;
        check_inputs::<N>([input]).map_err(|error| match error {
            BatchError::Input { why, .. } => refused(BatchError::Input { index, why }),
            other => refused(other),
        })?;
        check_finite::<N>(self.set, index, input, &mut 0)
    }
}

/// Checks all targets and that inputs are finite. Also returns the largest magnitude of an input.
fn check_data<'a, N: Network, L: Loss<N::Output>>(
    set: DataSet,
    inputs: &'a [N::Input],
    targets: &'a [L::Target],
    loss: &L,
) -> Result<(BatchOf<'a, N, L>, f32), TrainError> {
    let samples = Batch::checked(loss, inputs, targets)
        .and_then(Batch::accepted_by::<N>)
        .map_err(|source| TrainError::Data { data: set, source })?;
    let mut largest = 0;
    for (sample, input) in inputs.iter().enumerate() {
        check_finite::<N>(set, sample, input, &mut largest)?;
    }
    Ok((samples, f32::from_bits(largest.cast_unsigned())))
}

/// Checks that the inputs of a sample are finite, and raises `largest` to the bits of the largest magnitude.
fn check_finite<N: Network>(
    set: DataSet,
    sample: usize,
    inputs: &N::Input,
    largest: &mut i32,
) -> Result<(), TrainError> {
    for input in (0..N::Input::LENS.len()).filter(|&input| N::Input::REAL[input]) {
        let values = inputs.input(input);
        raise(largest, values);
        if *largest >= f32::INFINITY.to_bits().cast_signed() {
            let index = values.iter().position(|v| !v.is_finite()).unwrap_or_default();
            let value = values[index];
            return Err(TrainError::Input { data: set, sample, input, index, value });
        }
    }
    Ok(())
}

dispatch! {
    /// Raises `largest` to the bits of the largest magnitude. Non-negative floats have the order of their bits, with
    /// infinity and NaN above all others, so that an integer maximum finds those too; a float maximum ignores NaN.
    pub(super) fn raise(largest: &mut i32, values: &[f32]) {
        for value in values {
            *largest = (*largest).max(value.abs().to_bits().cast_signed());
        }
    }
}
