//! [`Confusion`]: the confusion matrix of a classifier.

use super::evaluate::for_each_output;
use super::same_types::SameInput;
use crate::contract::Network;
use crate::data::Dataset;
use crate::loss::{CrossEntropy, Loss, largest};
use crate::step::BatchError;
use std::fmt;

/// A confusion matrix: how many samples of each class were predicted as each class. Displays as a table with a row for
/// each class and a column for each prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion<const CLASSES: usize> {
    // `CLASSES` rows, on the heap: with thousands of classes they are larger than the stack.
    counts: Vec<[usize; CLASSES]>,
}

impl<const CLASSES: usize> Confusion<CLASSES> {
    /// The confusion matrix of `net` on `data`, [`Data`](crate::data::Data) or any other [`Dataset`], whose samples are the same
    /// in each call.
    ///
    /// # Errors
    /// If there are no samples, the numbers of inputs and targets differ, the network refuses an input, or a target is not a
    /// class index.
    pub fn of<N, D>(net: &N, data: &D) -> Result<Self, BatchError>
    where
        N: Network<Output = [f32; CLASSES]>,
        D: Dataset<Input: SameInput<N::Input>, Target = u32>,
    {
        let loss = CrossEntropy::new();
        let check = |index, class: &u32| {
            Loss::<N::Output>::check(&loss, class).map_err(|why| BatchError::Target { index, why })
        };
        let mut confusion = Self { counts: vec![[0; CLASSES]; CLASSES] };
        for_each_output(net, data, check, |class, scores| {
            confusion.counts[*class as usize][largest(scores)] += 1;
        })?;
        Ok(confusion)
    }

    /// The confusion matrix of pairs of a class and its prediction.
    ///
    /// ```
    /// # use unrolled_runtime::train::Confusion;
    /// let confusion = Confusion::<2>::from_pairs([(0, 0), (0, 1), (1, 1)]);
    /// assert_eq!(confusion.counts(), &[[1, 1], [0, 1]]);
    /// ```
    ///
    /// # Panics
    /// If a number is not below `CLASSES`.
    #[must_use]
    #[track_caller]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut confusion = Self { counts: vec![[0; CLASSES]; CLASSES] };
        for (class, predicted) in pairs {
            let largest = class.max(predicted) as usize;
            assert!(
                largest < CLASSES,
                "Confusion: expected classes below {CLASSES}, found {largest}"
            );
            confusion.counts[class as usize][predicted as usize] += 1;
        }
        confusion
    }

    /// The number of samples of each class (outer) that were predicted as each class (inner).
    #[must_use]
    pub fn counts(&self) -> &[[usize; CLASSES]; CLASSES] {
        self.counts[..].try_into().expect("a row for each class")
    }

    /// The fraction of correct predictions.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let correct: usize = (0..CLASSES).map(|class| self.counts[class][class]).sum();
        let all: usize = self.counts.as_flattened().iter().sum();
        correct as f64 / all as f64
    }
}

impl<const CLASSES: usize> fmt::Display for Confusion<CLASSES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_table(f, CLASSES, self.counts.as_flattened())
    }
}

/// A table of `classes` rows and as many columns.
fn write_table(f: &mut fmt::Formatter<'_>, classes: usize, counts: &[usize]) -> fmt::Result {
    let largest = counts.iter().max().copied().unwrap_or(0);
    let width = largest.max(classes).to_string().len() + 1;
    write!(f, "{:>8} |", "class")?;
    (0..classes).try_for_each(|class| write!(f, "{class:>width$}"))?;
    write!(f, "\n{:->9}+{:->bar$}", "", "", bar = width * classes)?;
    for (class, row) in counts.chunks(classes.max(1)).enumerate() {
        write!(f, "\n{class:>8} |")?;
        for (predicted, count) in row.iter().enumerate() {
            // A dot in place of 0 makes mistakes easy to see.
            match count {
                0 if class != predicted => write!(f, "{:>width$}", ".")?,
                _ => write!(f, "{count:>width$}")?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_rows_of_classes_and_columns_of_predictions() {
        let confusion = Confusion { counts: vec![[12, 0, 1], [0, 9, 0], [2, 0, 0]] };
        let table = "   class |  0  1  2\n\
                     ---------+---------\n       \
                     0 | 12  .  1\n       \
                     1 |  .  9  .\n       \
                     2 |  2  .  0";
        assert_eq!(confusion.to_string(), table);
        assert_eq!(confusion.accuracy(), 21.0 / 24.0);
    }
}
