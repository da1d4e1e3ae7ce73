//! Training: [`Trainer`] runs epochs over a data set, [`History`] records them.

mod callbacks;
#[cfg(feature = "files")]
mod checkpoint;
#[cfg(not(feature = "files"))]
#[path = "no_checkpoint.rs"]
mod checkpoint;
#[cfg(feature = "files")]
mod checkpoint_error;
mod checkpoints;
mod chunks;
mod confusion;
#[cfg(feature = "ctrl-c")]
mod ctrl_c;
mod distributed;
mod early_stopping;
mod epochs;
mod error;
mod evaluate;
mod fit;
mod health;
mod health_data;
mod history;
mod layer_list;
mod loader;
mod log;
pub mod metrics;
mod position;
mod prefetch;
mod progress;
mod review;
mod run_settings;
mod same_types;
mod samples;
mod shard_optimizer;
mod slots;
mod task;
mod trainer;
mod training_run;
mod trial;
mod untrained;

pub use callbacks::{CallbackResult, Step};
#[cfg(feature = "files")]
pub use checkpoint_error::{CheckpointError, Difference};
pub use confusion::Confusion;
pub use early_stopping::EarlyStopping;
pub use error::{Advice, DataSet, TrainError};
pub(crate) use evaluate::evaluate;
pub use evaluate::measure;
pub use health::{Health, Warning};
pub use history::{Epoch, GradientNorms, History, OutputScore, Overfitting, Score};
pub use log::Comparison;
// Not `MeanAbsoluteError`, which is also the name of a loss.
pub use metrics::{
    Accuracy, AveragePrecision, F1, IoU, Metric, MetricValue, MetricValues, OfOutput, Perplexity,
    Precision, R2, Recall, RocAuc,
};
pub use same_types::{LossTarget, SameInput, SameTarget};
pub use trainer::Trainer;
pub use trial::RateSearch;
