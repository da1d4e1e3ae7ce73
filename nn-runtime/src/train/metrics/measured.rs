//! [`MetricValues`]: the values of an epoch's metrics.

use std::fmt;

/// The largest number of metrics of a trainer.
pub const MAX_METRICS: usize = 8;

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricValue {
    /// The metric's name: `F1 (macro)`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

/// The values of the metrics of a trainer, in the order in which they were added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MetricValues([Option<MetricValue>; MAX_METRICS]);

impl MetricValues {
    pub(crate) fn new(values: &[(&'static str, f64)]) -> Self {
        let mut all = Self::default();
        for (slot, &(name, value)) in all.0.iter_mut().zip(values) {
            *slot = Some(MetricValue { name, value });
        }
        all
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &MetricValue> {
        self.0.iter().flatten()
    }

    /// The value of the metric called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}

/// `, F1 (macro) 0.8912, ROC AUC 0.9310`
impl fmt::Display for MetricValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|metric| write!(f, ", {} {:.4}", metric.name, metric.value))
    }
}
