//! [`DistributedError`]: why training on several ranks ended.

use std::fmt;
use thiserror::Error;

/// Why training on several ranks ended on this one.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DistributedError {
    /// A rank that reported an error.
    #[error("rank {rank} ended with an error: {why}")]
    Failed {
        /// The rank.
        rank: usize,
        /// Its error.
        why: String,
    },
    /// A rank that has ended.
    #[error("rank {rank} has ended, but this rank still expects messages from it")]
    Ended {
        /// The rank.
        rank: usize,
    },
    /// A rank that does not answer.
    #[error(
        "rank {rank} has not answered for {seconds:.1} s: it has ended, hangs, or is that much slower than this one; the \
         world's `timeout` sets how long a rank waits"
    )]
    NoAnswer {
        /// The rank.
        rank: usize,
        /// How long this rank has waited.
        seconds: f64,
    },
    /// A message of another length than expected.
    #[error(
        "rank {rank} sent {found} bytes, expected {expected}: do all ranks run the same program with the same arguments?"
    )]
    Message {
        /// The rank that sent it.
        rank: usize,
        /// The expected length in bytes.
        expected: usize,
        /// The length of the message.
        found: usize,
    },
    /// A rank that trains something else.
    #[error("rank {rank} trains something else than rank 0:{}", listed(differences))]
    Differs {
        /// The rank.
        rank: usize,
        /// All differences.
        differences: Vec<RankDifference>,
    },
    /// More ranks than leaves of the reduction tree.
    #[error(
        "{ranks} ranks, but the gradient of a batch is the sum of {leaves} leaves, of which each rank needs one: start at \
         most {leaves} ranks, or set `reduction_leaves({})`",
        ranks.next_power_of_two()
    )]
    TooManyRanks {
        /// The number of ranks.
        ranks: usize,
        /// The number of leaves.
        leaves: usize,
    },
    /// An optimiser whose state cannot be divided among ranks.
    #[error(
        "the state of the optimiser `{optimizer}` cannot be divided among ranks: leave `shard_optimizer` out, or implement \
         `Optimizer::divisible` for it"
    )]
    NotDivisible {
        /// The name of the optimiser.
        optimizer: String,
    },
    /// An error of the library that sends the messages.
    #[error("messages between ranks fail: {0}")]
    Library(String),
}

/// A setting that differs between two ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RankDifference {
    /// The setting: `batch size`.
    pub setting: String,
    /// Its value on rank 0.
    pub expected: String,
    /// Its value on the other rank.
    pub found: String,
}

impl fmt::Display for RankDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, expected, found } = self;
        write!(f, "{setting}: expected {expected}, found {found}")
    }
}

fn listed(differences: &[RankDifference]) -> String {
    differences.iter().map(|difference| format!("\n  {difference}")).collect()
}
