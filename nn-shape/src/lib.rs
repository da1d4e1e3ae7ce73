//! The arithmetic of layer shapes: the one definition of the rules, all `const fn`, without dependencies. Beside a rule are
//! the names and layouts of its layer's weights in files.
//!
//! Three callers use the same rules: the `network!` macro while it expands, constants in expanded code,
//! and hand-written layers. The wording of every shape error is here too, built by [`Text`], so that all
//! of them report a mistake in the same words.
#![no_std]
#[cfg(test)]
extern crate std;

mod arguments;
mod budget;
pub mod checks;
mod error;
mod fusion;
pub mod half;
mod plan;
pub mod registry;
mod role;
mod row;
pub mod rules;
mod shape;
mod steps;
mod tensors;
mod text;
mod winograd;

pub use arguments::{Dimension, Kind, Padding, Parameter, StepPadding, Value, VolumePadding, Word};
pub use budget::{LayerMemory, check_flash, check_ram};
pub use error::{Blame, ShapeError, expect, explain, trace};
pub use fusion::{CACHED, Condition, Fusion, STRIP, Separable};
pub use plan::{Lifetime, plan, plan_into};
pub use role::{Activation, Role};
pub use shape::{MAX_RANK, Shape};
pub use steps::{StepMap, StepsOf};
pub use tensors::{Element, Entries, LayerAxis, LayerTensor, TensorSink};
pub use text::Text;
pub use winograd::ImageConvolution;
