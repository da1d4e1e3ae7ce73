//! Training on several processes, the *ranks*: messages between them, and sums over all of them in a fixed binary tree.

mod bytes;
mod division;
mod error;
mod leaves;
mod reduce;
mod shares;
mod traffic;
mod transport;
mod tree;

pub(crate) use bytes::{bytes_of, bytes_of_mut};
pub(crate) use division::Division;
pub use error::{DistributedError, RankDifference};
pub(crate) use leaves::Leaves;
pub(crate) use reduce::{TreeSum, add_sums};
pub(crate) use shares::Shares;
pub(crate) use traffic::Ranks;
pub use traffic::Traffic;
pub use transport::{Incoming, Outgoing, Transport};
pub(crate) use tree::Tree;
