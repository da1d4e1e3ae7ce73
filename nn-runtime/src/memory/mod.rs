//! The memory of a pass: where each node finds its part.
//!
//! A training step cuts its batch into shards of a few samples. Each shard runs through the network by itself, in
//! memory that stays in cache. The size of everything is a constant per sample, so a range of memory is a constant too:
//! `samples * offset .. samples * (offset + len)`.

mod buffer;
#[cfg(feature = "train")]
mod frozen;
mod infer_ctx;
mod layout;
#[cfg(feature = "train")]
mod shard_cut;
#[cfg(feature = "train")]
mod shards;
mod state_mut;
#[cfg(feature = "train")]
mod touched_rows;
#[cfg(feature = "train")]
mod train_ctx;
mod weight_tying;

pub use buffer::{Buffer, take};
#[cfg(feature = "train")]
pub use frozen::Frozen;
pub use infer_ctx::InferCtx;
pub use layout::Layout;
#[cfg(feature = "train")]
pub use layout::TrainLayout;
#[cfg(feature = "train")]
pub(crate) use shard_cut::ShardCut;
#[cfg(feature = "train")]
pub use shards::{FullShards, Shards};
pub use state_mut::StateMut;
pub(crate) use state_mut::count_steps;
#[cfg(feature = "train")]
pub(crate) use touched_rows::{TouchedRows, ranges_in};
#[cfg(feature = "train")]
pub use train_ctx::TrainCtx;
pub use weight_tying::{TiedWeight, WeightLayout, WeightOwner};
