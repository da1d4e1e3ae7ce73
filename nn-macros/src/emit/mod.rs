//! From the network to code: a struct beside its constants, and an unnamed constant that holds the
//! rest, so that nothing of it meets names of the user's.
//!
//! Names in expanded code are absolute paths or begin with two underscores; `__rt` is the runtime.

mod backward;
mod constants;
mod context;
mod docs;
mod forward;
mod inputs;
mod memory;
mod names;
mod network;
mod outputs;
mod shapes;
mod sources;
mod specs;
mod steps;
mod streaming;
mod structure;

pub(crate) use network::emit;
pub(crate) use outputs::Outputs;
pub(crate) use shapes::{input_type, shape};
