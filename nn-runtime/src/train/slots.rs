//! [`Slots`]: memory for samples that other threads load.

use super::error::TrainError;
use super::prefetch;
use crate::contract::Network;
use crate::data::Dataset;
use crate::system::RngKey;
use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A data set for a network of type `N`.
pub(super) type DynData<'a, N, Target> =
    &'a dyn Dataset<Input = <N as Network>::Input, Target = Target>;

/// Samples in memory, as long as they are needed.
pub(super) struct Loaded<Input, Target> {
    pub(super) inputs: Vec<Input>,
    pub(super) targets: Vec<Target>,
}

/// A data set that is not in memory, and memory for some of its samples at a time.
pub(super) struct Slots<'a, N: Network, Target> {
    data: DynData<'a, N, Target>,
    /// The threads that load samples.
    threads: usize,
    slots: Vec<Mutex<Loaded<N::Input, Target>>>,
}

impl<'a, N: Network, Target: Send + Sync> Slots<'a, N, Target> {
    pub(super) fn new(data: DynData<'a, N, Target>, threads: usize) -> Self {
        let slot = |_| Mutex::new(Loaded { inputs: Vec::new(), targets: Vec::new() });
        Self { data, threads, slots: (0..prefetch::slots(threads)).map(slot).collect() }
    }

    /// The samples of a slot. Its lock is poisoned only by a panic of a network or a loss, which ends the run.
    pub(super) fn get(&self, slot: usize) -> MutexGuard<'_, Loaded<N::Input, Target>> {
        self.slots[slot].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the samples with these indices, each of which `check` accepts.
    pub(super) fn load(
        &self,
        slot: usize,
        indices: &[usize],
        key: RngKey,
        check: impl Fn(usize, &N::Input, &Target) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let mut loaded = self.get(slot);
        let Loaded { inputs, targets } = &mut *loaded;
        inputs.clear();
        targets.clear();
        for &index in indices {
            let (input, target) = self.data.get(index, key.fold_in(index as u64));
            check(index, &input, &target)?;
            inputs.push(input);
            targets.push(target);
        }
        Ok(())
    }

    /// Calls `load` with each of the numbers and the slot for its samples on other threads, and, in order, `f` with the slot
    /// that has them.
    pub(super) fn for_each(
        &self,
        numbers: Range<usize>,
        load: &(dyn Fn(usize, usize) -> Result<(), TrainError> + Sync),
        f: &mut dyn FnMut(usize),
    ) -> Result<(), TrainError> {
        prefetch::for_each_loaded(numbers, self.threads, load, &mut |_, slot| {
            f(slot);
            Ok(ControlFlow::Continue(()))
        })
        .map(drop)
    }
}
