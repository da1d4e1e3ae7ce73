//! The outputs of networks that have several.

use super::values::Values;
use unrolled_shape::{Shape, StepsOf};

/// One of the outputs of a network that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputInfo {
    /// The line that gives it.
    pub name: &'static str,
    /// Its shape.
    pub shape: Shape,
    /// Of which input it has the steps, if its first axis counts any.
    pub steps: Option<StepsOf>,
}

/// What a network with several outputs gives: a struct with one array for each, which `network!` makes.
///
/// A tuple of losses, one for each output, is its [`Loss`](crate::loss::Loss).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a network with several outputs gives",
    note = "a tuple of losses is for a network whose header says `-> (a: .., b: ..)`, with one loss for each \
            output"
)]
pub trait Outputs: Values {
    /// The types of its arrays, a tuple.
    type Each;
    /// The names of its arrays.
    const NAMES: &'static [&'static str];
}

/// The most outputs a network can have.
pub const MAX_OUTPUTS: usize = 8;
