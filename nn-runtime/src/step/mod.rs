//! Inference and training steps on batches: samples are cut into shards, and shards run on several threads.

#[cfg(feature = "train")]
mod batch;
mod error;
#[cfg(feature = "train")]
mod frozen_layers;
mod infer;
mod inlined;
#[cfg(feature = "train")]
mod input_gradients;
mod inputs;
#[cfg(feature = "train")]
mod observe;
mod outputs;
#[cfg(feature = "train")]
mod pass;
#[cfg(feature = "train")]
mod rank_sums;
#[cfg(feature = "train")]
mod sharded;
#[cfg(feature = "train")]
mod train;
mod work;
mod workspace;

#[cfg(feature = "train")]
pub(crate) use batch::{Batch, enough_for};
pub use error::BatchError;
#[cfg(feature = "train")]
pub(crate) use frozen_layers::FrozenLayers;
#[cfg(feature = "train")]
pub(crate) use infer::infer_flat;
pub(crate) use infer::{forward_from, forward_into};
pub use infer::{
    infer_batch, infer_one, infer_one_from, infer_one_from_into, infer_one_into, step_one,
    step_one_as,
};
pub use inlined::{infer_inlined, step_inlined};
#[cfg(feature = "train")]
pub(crate) use input_gradients::input_gradients;
pub(crate) use inputs::{check_inputs, check_numbers};
#[cfg(feature = "train")]
pub(crate) use observe::{OBSERVED_KEY, observe_gradients, observe_values};
#[cfg(feature = "train")]
pub(crate) use outputs::output_valid;
#[cfg(feature = "train")]
pub use pass::TrainPass;
#[cfg(feature = "train")]
pub(crate) use rank_sums::{SubtreeGradients, sum_over_ranks};
#[cfg(feature = "train")]
pub(crate) use train::{
    BatchOf, PartOfBatch, TrainStep, loss_and_sparse_gradients, run_step, train_len,
};
#[cfg(feature = "train")]
pub use train::{loss_and_all_gradients, loss_and_gradients, loss_and_gradients_from};
#[cfg(feature = "train")]
pub(crate) use workspace::Chunks;
