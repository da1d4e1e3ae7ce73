//! What runs: layers' mathematics, kernels, losses, optimisers, training, data and files.
//!
//! Programs use it through the crate `unrolled`.

mod batch;
mod carried;
mod check;
pub mod data;
mod heads;
pub mod init;
#[cfg(feature = "files")]
pub mod io;
pub mod kernels;
mod layer;
pub mod layers;
mod lengths;
pub mod loss;
#[cfg(feature = "nalgebra")]
mod matrix;
mod memory;
mod network;
pub mod optim;
mod pages;
pub mod parallel;
mod parameters;
mod place;
mod random;
mod sequence;
pub mod sizes;
mod state;
mod station;
mod step;
mod summary;
mod tensor;
mod tied;
pub mod train;
mod values;
mod weights;

pub use batch::BatchError;
pub use carried::Carried;
pub use check::{GradientCheck, check_gradients};
pub use heads::{Head, Heads, MOST_HEADS};
pub use kernels::{AtRunTime, Instructions};
pub use layer::Layer;
pub use lengths::{Lengths, Steps, steps_through};
#[cfg(feature = "nalgebra")]
pub use matrix::AsMatrix;
pub use memory::{Buffer, FullShards, Memory, Part, Shards, WorkMemory, add_to, take};
#[cfg(feature = "nalgebra")]
#[doc(no_inline)]
pub use nalgebra;
pub use network::{LayerInfo, Network, Shaped, Standing, Use, check_inputs};
pub use parameters::{Parameters, add_field};
pub use place::{InPlace, Place};
pub use random::Streams;
pub use sequence::{Sequence, SequenceError};
pub(crate) use state::Line;
pub use state::State;
pub use station::{InPlaceStation, Pass, Phases, PooledStation, Spec, Station, Streaming, Whole};
pub use step::{
    infer_batch, infer_inlined, infer_one, infer_one_from, loss_and_all_gradients,
    loss_and_gradients, loss_and_gradients_from, step_inlined, step_one,
};
pub use tensor::{Axis, Element, Tensor};
pub use tied::{Layout, Owner, Tied, TiedWeight};
#[doc(no_inline)]
pub use typenum;
pub use values::{Input, Inputs, Values};
pub use weights::{Weights, len_of_fields};
