//! [`Review`]: validation, metrics and the callback after an epoch.

use super::callbacks::OnEpoch;
use super::error::TrainError;
use super::evaluate::{Evaluation, Metrics, evaluate_checked};
use super::history::Epoch;
use super::loader::CheckedData;
use super::metrics::MetricValues;
use crate::contract::Network;
use crate::loss::{Loss, LossSums};
use std::ops::ControlFlow;

/// What follows the steps of an epoch, without the types that it depends on.
pub(super) trait Review {
    /// The number of validation samples, if there are any.
    fn validation_len(&self) -> Option<usize>;

    /// The names of the metrics.
    fn metric_names(&self) -> Vec<&'static str>;

    /// The loss sums of the validation samples, if there are any. Adds them, or else the training samples, to the metrics.
    fn evaluate(
        &mut self,
        net: &[f32],
        evaluation: Evaluation<'_>,
    ) -> Result<Option<LossSums>, TrainError>;

    /// The values of the metrics, whose samples are then forgotten.
    fn take_metrics(&mut self) -> MetricValues;

    /// Calls the callback. `Break` ends training.
    fn after_epoch(&mut self, epoch: &Epoch, net: &[f32]) -> ControlFlow<()>;
}

/// The [`Review`] of a network, a loss and data sets of these types.
pub(super) struct TypedReview<'r, 'a, N: Network, L: Loss<N::Output>> {
    pub(super) train: &'r CheckedData<'r, N, L>,
    pub(super) validation: Option<CheckedData<'r, N, L>>,
    pub(super) metrics: &'r mut Metrics<'a, N, L::Target>,
    pub(super) on_epoch: &'r mut Option<OnEpoch<'a, N>>,
}

impl<N: Network, L: Loss<N::Output>> Review for TypedReview<'_, '_, N, L> {
    fn validation_len(&self) -> Option<usize> {
        self.validation.as_ref().map(CheckedData::len)
    }

    fn metric_names(&self) -> Vec<&'static str> {
        self.metrics.iter().map(|metric| metric.name()).collect()
    }

    fn evaluate(
        &mut self,
        net: &[f32],
        evaluation: Evaluation<'_>,
    ) -> Result<Option<LossSums>, TrainError> {
        let net = N::from_floats(net);
        if let Some(validation) = &self.validation {
            return evaluate_checked(net, validation, evaluation, self.metrics).map(Some);
        }
        if !self.metrics.is_empty() {
            evaluate_checked(net, self.train, evaluation, self.metrics)?;
        }
        Ok(None)
    }

    fn take_metrics(&mut self) -> MetricValues {
        let values: Vec<_> = self.metrics.iter().map(|m| (m.name(), m.value())).collect();
        self.metrics.iter_mut().for_each(|metric| metric.reset());
        MetricValues::new(&values)
    }

    fn after_epoch(&mut self, epoch: &Epoch, net: &[f32]) -> ControlFlow<()> {
        match self.on_epoch {
            Some(callback) => callback(epoch, N::from_floats(net)),
            None => ControlFlow::Continue(()),
        }
    }
}
