//! Training: [`Trainer`] runs epochs over a data set, [`History`] records them.

mod chunks;
mod confusion;
mod error;
mod evaluate;
mod fit;
mod health;
mod health_data;
mod history;
mod progress;
mod trainer;
mod training_run;
mod untrained;

pub use confusion::Confusion;
pub use error::{Advice, DataSet, TrainError};
pub(crate) use evaluate::evaluate;
pub use health::{Health, Warning};
pub use history::{Epoch, History, OutputScore, Overfitting, Score};
pub use trainer::Trainer;
