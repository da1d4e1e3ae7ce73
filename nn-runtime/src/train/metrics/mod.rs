//! Metrics: measures of a network's outputs that are easier to read than a loss.

mod accuracy;
mod average;
mod labels;
mod measured;
mod metric;
mod of_output;
mod perplexity;
mod ranking;
mod regression;
#[cfg(test)]
mod tests;

pub use accuracy::Accuracy;
pub use average::{F1, IoU, Precision, Recall};
pub use labels::{Labels, Truth};
pub use measured::{MAX_METRICS, MetricValue, MetricValues};
pub use metric::Metric;
pub use of_output::{NthOutput, OfOutput};
pub use perplexity::Perplexity;
pub use ranking::{AveragePrecision, RocAuc};
pub use regression::{MeanAbsoluteError, R2};
