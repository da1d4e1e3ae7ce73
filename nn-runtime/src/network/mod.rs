//! Extension traits of all networks: inference, training, files.

#[cfg(feature = "train")]
mod activations;
mod c_api;
#[cfg(feature = "std")]
mod dyn_network;
#[cfg(feature = "files")]
mod files_ext;
#[cfg(feature = "train")]
mod gradient_check;
mod half;
mod inference_ext;
mod step_in;
#[cfg(feature = "std")]
mod streaming_check;
#[cfg(feature = "std")]
mod summary;
#[cfg(feature = "train")]
mod training_ext;

#[cfg(feature = "train")]
pub use activations::{Activation, Activations, UnknownPath};
#[cfg(feature = "std")]
pub use c_api::c_forward;
pub use c_api::{CHeader, c_forward_in};
#[cfg(feature = "std")]
pub use dyn_network::DynNetwork;
#[cfg(feature = "files")]
pub use files_ext::FilesExt;
#[cfg(feature = "train")]
pub use gradient_check::{GradientCheck, check_gradients};
pub use half::{Half, largest};
pub use inference_ext::InferenceExt;
pub use step_in::{step_in, step_in_as};
#[cfg(feature = "std")]
pub use streaming_check::{StreamingCheck, check_streaming};
#[cfg(feature = "train")]
pub use training_ext::TrainingExt;
