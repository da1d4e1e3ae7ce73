//! Attention of several heads (Vaswani et al., 2017), sample by sample.
//!
//! A head's scores of all pairs of steps are one matrix, small enough to stay in cache: it is made,
//! turned into probabilities row by row, and used at once. Queries stand in rows of `width` numbers, keys
//! and values in rows of twice as many, side by side; a head is some columns of each.
//!
//! Causal heads go over their steps in [`ROWS`] at a time, and leave out what stands behind these. What
//! the last of them sees and the first does not is 0 in the first one's row, so that each number is the
//! same sum as without blocks.

mod backward;
mod batch;
mod cache;
mod forward;
mod rotary;
mod scores;
mod sizes;
#[cfg(test)]
mod tests;
mod weights;

pub(crate) use backward::DeferredShards;
pub(crate) use batch::Batch;
pub(crate) use sizes::Attention;
pub(crate) use weights::Weights;
