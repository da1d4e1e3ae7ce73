//! Data-parallel training: several processes, the *ranks*, train the same network, each on its part of every batch.
//!
//! [`Trainer::distributed`](crate::train::Trainer::distributed) is all that a program with a trainer needs. Ranks are
//! the threads of a [`LocalWorld`], or processes that a [`Transport`] of the program connects. `docs/distributed.md` states what
//! is sent when.

mod local_world;
mod sum_gradients;

pub use crate::ranks::{DistributedError, Incoming, Outgoing, RankDifference, Traffic, Transport};
pub use local_world::LocalWorld;
pub use sum_gradients::sum_gradients;
