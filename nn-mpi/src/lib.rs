//! Data-parallel training of unrolled's networks over MPI: [`World`].
//!
//! ```no_run
//! # use unrolled::{Network, data::Data, loss::CrossEntropy, optim::Adam, train::Trainer};
//! # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
//! #     mut net: Box<N>, train: Data<[f32; 4], u32>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let world = unrolled_mpi::World::init()?;
//! Trainer::new(Adam::new(1e-3))
//!     .batch(64)
//!     .distributed(&world)
//!     .fit(&mut net, &train, &CrossEntropy::new())?;
//! # Ok(())
//! # }
//! ```
//!
//! `mpirun -n 4 program` starts four processes. `docs/distributed.md` of the project describes what they send each other.

mod channel;
mod init_error;
mod late_exit;
mod messages;
mod wait;
mod world;

pub use init_error::InitError;
pub use world::World;
