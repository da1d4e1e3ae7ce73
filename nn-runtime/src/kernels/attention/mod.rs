//! Attention of several heads (Vaswani et al., 2017), sample by sample.
//!
//! A head's scores of all pairs of steps are one matrix, small enough to stay in cache: it is computed, converted to
//! probabilities row by row, and used at once. Queries are in rows of `width` elements, keys and values side by
//! side in rows of their own. A head is some columns of each. Several heads of queries can share keys and values
//! (Ainslie et al., 2023).
//!
//! Causal heads process their steps in blocks, and skip the steps after a block. Steps that only the later rows of a
//! block attend to have probability 0 in the earlier ones, so that each element is the same sum as without blocks.

mod alibi;
mod backward;
mod batch;
mod cache;
mod deferred;
mod forward;
mod rotary;
mod scores;
mod sizes;
#[cfg(test)]
mod tests;
mod weights;

pub(crate) use batch::{Batch, BatchBackward, TrainMemory};
pub(crate) use cache::CachedStep;
pub(crate) use deferred::DeferredShards;
pub(crate) use sizes::Attention;
pub(crate) use weights::Weights;
