//! [`EarlyStopping`]: the end of a training run whose loss stops falling.

use crate::hyper::{Range, checked};
use std::fmt;

/// The rule by which training ends once the loss has stopped falling (Prechelt, 1998): the validation loss, or without
/// validation data the training loss.
///
/// ```
/// # use unrolled_runtime::{Network, data::Data, loss::CrossEntropy, optim::*, train::*};
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
/// #     mut net: Box<N>, train: Data<[f32; 4], u32>, valid: Data<[f32; 4], u32>,
/// # ) -> Result<(), TrainError> {
/// Trainer::new(Adam::new(1e-3))
///     .epochs(100)
///     .validate(&valid)
///     .early_stopping(EarlyStopping::patience(5).min_delta(1e-3))
///     .keep_best(true)
///     .fit(&mut net, &train, &CrossEntropy::new())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
}

impl EarlyStopping {
    /// Ends training after `epochs` consecutive epochs without improvement. 0 is the same as 1.
    #[must_use]
    pub const fn patience(epochs: usize) -> Self {
        Self { patience: epochs, min_delta: 0.0 }
    }

    /// Sets by how much a loss has to be below the lowest one to count as an improvement; 0 at first.
    ///
    /// # Panics
    /// If `loss` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn min_delta(mut self, loss: f64) -> Self {
        self.min_delta = checked("EarlyStopping: min_delta", loss, Range::NonNegative);
        self
    }
}

/// The epochs without improvement so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patience {
    rule: EarlyStopping,
    /// The lowest loss and its epoch.
    pub(super) best: Option<(f64, usize)>,
    pub(super) without: usize,
}

impl Patience {
    pub(super) const fn new(rule: EarlyStopping) -> Self {
        Self { rule, best: None, without: 0 }
    }

    /// Records the loss of an epoch.
    pub(super) fn observe(&mut self, epoch: usize, loss: f64) {
        // A loss of NaN is no improvement.
        if self.best.is_none_or(|(best, _)| loss < best - self.rule.min_delta) {
            self.best = Some((loss, epoch));
            self.without = 0;
        } else {
            self.without = self.without.saturating_add(1);
        }
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.without >= self.rule.patience.max(1)
    }
}

/// Why training ended.
impl fmt::Display for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (loss, epoch) = self.best.unwrap_or_default();
        let (without, s) = (self.without, if self.without == 1 { "" } else { "s" });
        write!(
            f,
            "early stopping: {without} epoch{s} without a loss below {loss:.4}, that of epoch {epoch}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of epochs until training ends.
    fn epochs(rule: EarlyStopping, losses: &[f64]) -> Option<usize> {
        let mut patience = Patience::new(rule);
        losses.iter().zip(1..).find_map(|(loss, epoch)| {
            patience.observe(epoch, *loss);
            patience.is_exhausted().then_some(epoch)
        })
    }

    #[test]
    fn epochs_without_improvement_are_counted_anew_after_one_with_it() {
        let losses = [1.0, 0.9, 0.95, 0.8, 0.8, 0.85, 0.81];
        assert_eq!(epochs(EarlyStopping::patience(1), &losses), Some(3));
        assert_eq!(epochs(EarlyStopping::patience(0), &losses), Some(3));
        assert_eq!(epochs(EarlyStopping::patience(3), &losses), Some(7));
        assert_eq!(epochs(EarlyStopping::patience(4), &losses), None);
        assert_eq!(epochs(EarlyStopping::patience(2).min_delta(0.15), &losses), Some(3));
        assert_eq!(epochs(EarlyStopping::patience(2), &[1.0, f64::NAN, f64::NAN]), Some(3));
    }

    #[test]
    fn the_reason_names_the_best_epoch() {
        let mut patience = Patience::new(EarlyStopping::patience(2));
        for (epoch, loss) in [(1, 0.5), (2, 0.25), (3, 0.5)] {
            patience.observe(epoch, loss);
        }
        let expected = "early stopping: 1 epoch without a loss below 0.2500, that of epoch 2";
        assert_eq!(patience.to_string(), expected);
    }
}
