//! Data-parallel training: several processes, the *ranks*, train the same network, each on its part of every batch.
//!
//! [`Trainer::distributed`](crate::train::Trainer::distributed) is all that a program with a trainer needs. Ranks are
//! processes that MPI starts (the crate `unrolled-mpi`), or the threads of a [`LocalWorld`]. `docs/distributed.md` states
//! what is sent when, and how long it takes.

mod local_world;
mod sum_gradients;

pub use crate::ranks::{DistributedError, Incoming, Outgoing, RankDifference, Traffic, Transport};
pub use local_world::LocalWorld;
pub use sum_gradients::sum_gradients;
