//! [`Subset`] and [`Split`]: parts of a data set, for validation and k-fold cross-validation.

use super::dataset::Dataset;
use super::shuffle::for_each_swap;
use crate::step::BatchError;
use crate::system::RngKey;
use std::collections::BTreeMap;
use thiserror::Error;

/// Some samples of a data set, in any order.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    data: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// The samples of `data` with these indices, such as those of a [`Split`].
    ///
    /// # Panics
    /// If an index is not below the number of samples.
    #[must_use]
    #[track_caller]
    pub fn new(data: D, indices: Vec<usize>) -> Self {
        let (samples, largest) = (data.len(), indices.iter().max());
        if let Some(largest) = largest.filter(|largest| **largest >= samples) {
            panic!(
                "Subset: expected indices below {samples}, the number of samples, found {largest}"
            );
        }
        Self { data, indices }
    }
}

#[diagnostic::do_not_recommend]
impl<D: Dataset> Dataset for Subset<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, i: usize, key: RngKey) -> (D::Input, D::Target) {
        self.data.get(self.indices[i], key)
    }

    fn check(&self) -> Result<(), BatchError> {
        self.data.check()
    }
}

/// The indices of the samples to train on and to validate on, each in ascending order.
///
/// ```
/// use unrolled_runtime::data::{Data, Dataset, Split, Subset};
///
/// let data: Data<[f32; 1], u32> = (0..100).map(|i| ([i as f32], i % 2)).collect();
/// for Split { train, valid } in Split::stratified_folds(&data.targets, 5, 7)? {
///     let (train, valid) = (Subset::new(&data, train), Subset::new(&data, valid));
///     assert_eq!((train.len(), valid.len()), (80, 20));
/// }
/// # Ok::<(), unrolled_runtime::data::SplitError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The samples to train on.
    pub train: Vec<usize>,
    /// The samples to validate on.
    pub valid: Vec<usize>,
}

/// A split that leaves nothing to train on or nothing to validate on.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A number of folds that cannot all have a sample.
    #[error("expected from 2 to {samples} folds for {samples} samples, found {found}")]
    Folds {
        /// The number of samples.
        samples: usize,
        /// The number of folds.
        found: usize,
    },
    /// A fraction of the samples that is none or all of them.
    #[error(
        "expected a fraction above 0 and below 1 that leaves samples on both sides, found {found} of {samples} samples"
    )]
    Fraction {
        /// The number of samples.
        samples: usize,
        /// The fraction.
        found: f64,
    },
}

impl Split {
    /// A random split of `len` samples, the `fraction` of them, rounded, for validation.
    ///
    /// # Errors
    /// If no sample is left on one side.
    pub fn random(len: usize, fraction: f64, seed: u64) -> Result<Self, SplitError> {
        Self::stratified(&vec![0; len], fraction, seed)
    }

    /// A random split in which each class has the `fraction` of its samples, rounded, for validation.
    ///
    /// # Errors
    /// If no sample is left on one side.
    pub fn stratified(classes: &[u32], fraction: f64, seed: u64) -> Result<Self, SplitError> {
        let mut in_validation = vec![false; classes.len()];
        for members in shuffled_classes(classes, seed) {
            let count = (members.len() as f64 * fraction).round() as usize;
            members.iter().take(count).for_each(|i| in_validation[*i] = true);
        }
        let split = Self::of(&in_validation);
        // NaN is outside of the range.
        if !(0.0..=1.0).contains(&fraction) || split.train.is_empty() || split.valid.is_empty() {
            return Err(SplitError::Fraction { samples: classes.len(), found: fraction });
        }
        Ok(split)
    }

    /// The splits of k-fold cross-validation: `len` samples in `folds` random parts, whose sizes differ by at most one, each
    /// of which is validated on once. scikit-learn's `KFold(shuffle=True)`.
    ///
    /// # Errors
    /// If there are fewer than 2 folds, or more than samples.
    pub fn folds(len: usize, folds: usize, seed: u64) -> Result<Vec<Self>, SplitError> {
        Self::stratified_folds(&vec![0; len], folds, seed)
    }

    /// As [`folds`](Self::folds), with the samples of each class spread evenly: their numbers differ by at most one.
    ///
    /// # Errors
    /// If there are fewer than 2 folds, or more than samples.
    pub fn stratified_folds(
        classes: &[u32],
        folds: usize,
        seed: u64,
    ) -> Result<Vec<Self>, SplitError> {
        if folds < 2 || folds > classes.len() {
            return Err(SplitError::Folds { samples: classes.len(), found: folds });
        }
        // Dealt out one after the other, also from one class to the next, so that the folds have the same size.
        let mut fold_of = vec![0; classes.len()];
        for (nth, i) in shuffled_classes(classes, seed).into_iter().flatten().enumerate() {
            fold_of[i] = nth % folds;
        }
        let split = |fold| Self::of(&fold_of.iter().map(|of| *of == fold).collect::<Vec<_>>());
        Ok((0..folds).map(split).collect())
    }

    fn of(in_validation: &[bool]) -> Self {
        let (valid, train) = (0..in_validation.len()).partition(|i| in_validation[*i]);
        Self { train, valid }
    }
}

/// The indices of the samples of each class in random order.
fn shuffled_classes(classes: &[u32], seed: u64) -> Vec<Vec<usize>> {
    let mut members = BTreeMap::<u32, Vec<usize>>::new();
    for (i, class) in classes.iter().enumerate() {
        members.entry(*class).or_default().push(i);
    }
    let key = RngKey::new(seed);
    let shuffled = members.into_iter().map(|(class, mut members)| {
        for_each_swap(members.len(), key.fold_in(u64::from(class)), |i, j| members.swap(i, j));
        members
    });
    shuffled.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Data;
    use super::*;

    /// 61 samples of class 0, 7 of class 1 and 3 of class 9.
    fn classes() -> Vec<u32> {
        (0..71)
            .map(|i| {
                if i % 10 == 3 {
                    1
                } else if i % 25 == 9 {
                    9
                } else {
                    0
                }
            })
            .collect()
    }

    fn count(indices: &[usize], class: u32) -> usize {
        indices.iter().filter(|i| classes()[**i] == class).count()
    }

    #[test]
    fn folds_are_of_the_same_size_and_each_sample_is_in_one() {
        for classes in [classes(), vec![0; 71]] {
            let folds = Split::stratified_folds(&classes, 4, 7).unwrap();
            let mut all: Vec<usize> = folds.iter().flat_map(|split| split.valid.clone()).collect();
            all.sort_unstable();
            assert_eq!(all, (0..71).collect::<Vec<_>>());
            for split in &folds {
                assert!((17..=18).contains(&split.valid.len()), "{split:?}");
                assert_eq!(split.train.len() + split.valid.len(), 71);
                assert!(split.train.iter().all(|i| !split.valid.contains(i)));
            }
            assert_ne!(folds, Split::stratified_folds(&classes, 4, 8).unwrap(), "another seed");
        }
        let folds = Split::stratified_folds(&classes(), 4, 7).unwrap();
        for class in [0, 1, 9] {
            let counts = folds.iter().map(|split| count(&split.valid, class));
            let (least, most) = counts.fold((71, 0), |(a, b), c| (a.min(c), b.max(c)));
            assert!(most - least <= 1, "class {class}: {least} to {most}");
        }
    }

    #[test]
    fn a_stratified_split_has_the_fraction_of_each_class() {
        let split = Split::stratified(&classes(), 0.3, 5).unwrap();
        assert_eq!([0, 1, 9].map(|class| count(&split.valid, class)), [18, 2, 1]);
        let split = Split::random(10, 0.25, 5).unwrap();
        assert_eq!((split.train.len(), split.valid.len()), (7, 3));
    }

    #[test]
    fn splits_without_samples_are_refused() {
        for folds in [0, 1, 11] {
            let error = Split::folds(10, folds, 1).unwrap_err();
            assert_eq!(error, SplitError::Folds { samples: 10, found: folds });
        }
        for fraction in [0.0, 0.01, 1.0, -0.5, 1.5, f64::NAN] {
            assert!(Split::random(10, fraction, 1).is_err(), "{fraction}");
        }
    }

    #[test]
    fn a_subset_has_the_samples_of_its_indices() {
        let data: Data<[f32; 1], u32> = (0..9).map(|i| ([i as f32], i)).collect();
        let subset = Subset::new(&data, vec![7, 2]);
        assert_eq!((subset.len(), subset.get(0, RngKey::new(0)).1), (2, 7));
    }

    #[test]
    #[should_panic(expected = "Subset: expected indices below 2, the number of samples, found 2")]
    fn indices_are_those_of_samples() {
        let _ = Subset::new(Data { inputs: vec![[0.5]; 2], targets: vec![0; 2] }, vec![0, 2]);
    }
}
