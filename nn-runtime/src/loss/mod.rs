//! Losses: what training minimises. The loss of a batch is the mean over its samples: the sum of their losses
//! divided by the sum of their weights.

mod binary_cross_entropy;
mod cosine_similarity;
mod cross_entropy;
mod huber;
mod loss_sum;
mod loss_trait;
mod mean_absolute_error;
mod mean_squared_error;
mod mixed;
mod several;
mod target_error;
#[cfg(test)]
mod tests;

pub use binary_cross_entropy::BinaryCrossEntropyWithLogits;
pub use cosine_similarity::CosineSimilarity;
pub(crate) use cross_entropy::largest;
pub use cross_entropy::{CrossEntropy, Scores};
pub use huber::Huber;
pub use loss_sum::{LossSum, LossSums};
pub use loss_trait::{Loss, OutputSample};
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use mixed::{Mixed, MixedTarget};
pub use several::Weighted;
pub use target_error::TargetError;
