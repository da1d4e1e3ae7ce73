//! The data types of the API: samples, outputs, weights and their names in files.

#[cfg(feature = "std")]
mod feature_order;
mod lengths;
#[cfg(feature = "nalgebra")]
mod matrix;
mod outputs;
mod parameters;
mod sequence;
pub mod sizes;
#[cfg(feature = "std")]
mod tensor;
mod values;
mod weights;

#[cfg(feature = "std")]
pub use feature_order::{FeatureOrder, LayerOrder};
pub use lengths::{Lengths, Steps, steps_through};
#[cfg(feature = "nalgebra")]
pub use matrix::AsMatrix;
pub use outputs::{MAX_OUTPUTS, OutputInfo, Outputs};
pub use parameters::{Field, Parameters, len_of_weights};
pub use sequence::{Sequence, SequenceError};
#[cfg(feature = "std")]
pub use tensor::{Axis, Element, Tensor};
pub(crate) use values::MAX_INPUTS;
pub use values::{Input, Inputs, Values};
#[cfg(feature = "std")]
pub(crate) use weights::zeros_on_line;
pub use weights::{WeightSlice, Weights, len_of_fields};
