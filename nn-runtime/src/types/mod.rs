//! The data types of the API: samples, outputs, weights and their names in files.

mod half;
mod in_steps;
mod lengths;
#[cfg(feature = "nalgebra")]
mod matrix;
mod outputs;
mod parameters;
mod per_step;
mod sequence;
pub mod sizes;
mod static_weights;
mod values;
mod weights;

pub use half::Halves;
pub(crate) use half::{COLUMNS, HalfMatrix, widen};
pub use in_steps::{InSteps, InputsInSteps};
pub use lengths::{Lengths, Steps, steps_through};
#[cfg(feature = "nalgebra")]
pub use matrix::AsMatrix;
pub use outputs::{MAX_OUTPUTS, OutputInfo, Outputs};
pub use parameters::{Field, Parameters, len_of_weights};
pub use per_step::PerStep;
pub use sequence::{Sequence, SequenceError};
pub use static_weights::StaticWeights;
#[cfg(feature = "std")]
pub(crate) use unrolled_weights::layer_tensors;
#[cfg(feature = "std")]
pub use unrolled_weights::{Axis, Element, FeatureOrder, LayerOrder, Tensor};
pub(crate) use values::MAX_INPUTS;
pub use values::{Input, Inputs, Values};
#[cfg(feature = "train")]
pub(crate) use weights::zeroed_floats;
#[cfg(feature = "std")]
pub(crate) use weights::zeros_on_line;
pub use weights::{WeightSlice, Weights, len_of_fields};
