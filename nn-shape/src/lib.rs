//! The arithmetic of layer shapes: the one truth about them, all `const fn`, without dependencies.
//!
//! Three callers ask the same rules: the `network!` macro while it expands, constants in expanded
//! code, and hand-written layers. The wording of every shape error stands here too, built by
//! [`Text`], so that each caller says the same words.
#![no_std]
#[cfg(test)]
extern crate std;

mod arguments;
pub mod checks;
mod error;
mod fusion;
mod plan;
pub mod registry;
pub mod rules;
mod shape;
mod steps;
mod text;

pub use arguments::{Kind, Padding, Parameter, StepPadding, Value};
pub use error::{Blame, ShapeError, explain, trace};
pub use fusion::{Condition, Fusion, STRIP};
pub use plan::{Lifetime, plan, plan_into};
pub use shape::{MAX_RANK, Shape};
pub use steps::{StepMap, StepsOf};
pub use text::Text;

/// The shape, or the compile error that says why there is none: what expanded constants call, with
/// the user's own token as the caller. Of [`ShapeError::LOST`] nothing is said.
///
/// # Panics
/// With the message of [`explain`] when `result` is an error.
#[must_use]
#[track_caller]
pub const fn expect(result: Result<Shape, ShapeError>, name: &str, trace: &str) -> Shape {
    match result {
        Ok(shape) => shape,
        Err(error) if error.message.is_empty() => Shape::new(&[]),
        Err(error) => panic!("{}", explain(name, &error, trace).as_str()),
    }
}
