//! [`Dataset`]: samples from any source.

use super::in_memory::Data;
use crate::step::{BatchError, check_numbers};
use crate::system::RngKey;
use std::fmt;

/// Samples from any source, by their index: computed, or read from files when they are needed. [`Data`] holds them in
/// memory.
///
/// ```
/// use unrolled_runtime::{RngKey, data::Dataset};
///
/// /// Noisy points of a parabola, other ones in each epoch.
/// struct Parabola;
///
/// impl Dataset for Parabola {
///     type Input = [f32; 1];
///     type Target = [f32; 1];
///
///     fn len(&self) -> usize {
///         1000
///     }
///     fn get(&self, i: usize, key: RngKey) -> ([f32; 1], [f32; 1]) {
///         let x = i as f32 / 1000.0;
///         ([x], [x * x + 0.1 * (key.uniform(0) - 0.5)])
///     }
/// }
/// ```
///
/// [`Subset`](super::Subset), [`WeightedSamples`](super::WeightedSamples) and [`Windows`](super::Windows) choose samples
/// of others.
///
/// A trainer prepares the next steps on another thread while it trains: two steps are in memory, whatever the size of the
/// data set. [`prefetch_threads`](crate::train::Trainer::prefetch_threads) sets the number of such threads. Samples
/// depend on their index and their key only, so that the timing of these threads does not change any bit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no data set",
    label = "expected a data set",
    note = "a data set is `Data {{ inputs, targets }}`, two vectors of as many arrays or class indices, or a type that implements \
            `Dataset`"
)]
pub trait Dataset: Sync {
    /// The type of an input of the network.
    type Input;
    /// The type of a target of the loss.
    type Target;

    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sample `i`. All that is random in it should depend on `key`: it is another one for each sample and each epoch, and
    /// the same whenever a program runs. For validation data it is the same in each epoch.
    fn get(&self, i: usize, key: RngKey) -> (Self::Input, Self::Target);

    /// Checks what is known before any sample is read: [`Data`], that it has as many targets as inputs. A trainer calls it
    /// first. A data set that takes its samples from another one calls the `check` of that.
    ///
    /// # Errors
    /// What was expected and what was found.
    fn check(&self) -> Result<(), BatchError> {
        Ok(())
    }

    /// The samples after `f`, which receives input, target and a random key: a transform, such as a random change of
    /// images.
    ///
    /// ```
    /// # use unrolled_runtime::data::{Augment, Data, Dataset};
    /// # let train = Data { inputs: vec![[[[1.0]; 28]; 28]; 3], targets: vec![0_u32; 3] };
    /// let augment = Augment::new().shift(2).rotate(10.0);
    /// let changed = train.map(|image, digit, key| (augment.image(&image, key), digit));
    /// # assert_eq!(changed.len(), 3);
    /// ```
    fn map<F, Input, Target>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Input, Self::Target, RngKey) -> (Input, Target) + Sync,
    {
        Map { data: self, f }
    }

    /// The inputs and targets, if they are in memory, where a trainer reads them without copies.
    #[doc(hidden)]
    fn in_memory(&self) -> Option<InMemory<'_, Self::Input, Self::Target>> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<Input: Clone + Sync, Target: Clone + Sync> Dataset for Data<Input, Target> {
    type Input = Input;
    type Target = Target;

    fn len(&self) -> usize {
        self.inputs.len()
    }

    fn get(&self, i: usize, _key: RngKey) -> (Input, Target) {
        (self.inputs[i].clone(), self.targets[i].clone())
    }

    fn check(&self) -> Result<(), BatchError> {
        check_numbers(&self.inputs, &self.targets)
    }

    fn in_memory(&self) -> Option<InMemory<'_, Input, Target>> {
        Some((&self.inputs, &self.targets))
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset + ?Sized> Dataset for &D {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn get(&self, i: usize, key: RngKey) -> (D::Input, D::Target) {
        (**self).get(i, key)
    }

    fn check(&self) -> Result<(), BatchError> {
        (**self).check()
    }

    fn in_memory(&self) -> Option<InMemory<'_, D::Input, D::Target>> {
        (**self).in_memory()
    }
}

/// Inputs and targets that a trainer reads without copies.
#[doc(hidden)]
pub type InMemory<'a, Input, Target> = (&'a [Input], &'a [Target]);

/// The samples of a [`Dataset`] after a function: [`Dataset::map`].
#[derive(Clone, Copy)]
pub struct Map<D, F> {
    data: D,
    f: F,
}

/// Shows the data.
impl<D: fmt::Debug, F> fmt::Debug for Map<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("data", &self.data).finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset, F, Input, Target> Dataset for Map<D, F>
where
    F: Fn(D::Input, D::Target, RngKey) -> (Input, Target) + Sync,
{
    type Input = Input;
    type Target = Target;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn get(&self, i: usize, key: RngKey) -> (Input, Target) {
        // The keys of both are different: the data may be a map, too.
        let (input, target) = self.data.get(i, key.fold_in(0));
        (self.f)(input, target, key.fold_in(1))
    }

    fn check(&self) -> Result<(), BatchError> {
        self.data.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_have_keys_of_their_own() {
        let data: Data<[f32; 1], u32> = (0..3).map(|i| ([i as f32], i)).collect();
        let noisy = |x: [f32; 1], class, key: RngKey| ([x[0] + key.uniform(0)], class + 1);
        let twice = (&data).map(noisy).map(noisy);
        let key = RngKey::new(3);
        let ([x], class) = twice.get(2, key);
        let [inner, outer] = [key.fold_in(0).fold_in(1), key.fold_in(1)].map(|key| key.uniform(0));
        assert_eq!((x, class), (2.0 + inner + outer, 4));
        assert!(inner != outer && twice.len() == 3 && twice.in_memory().is_none());
        assert!(data.in_memory().is_some());
    }
}
