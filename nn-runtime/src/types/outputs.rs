//! The outputs of networks that have several.

use super::values::Values;
use unrolled_shape::{Shape, StepsOf};

/// One of the outputs of a network that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputInfo {
    /// The name of the line that it is the output of.
    pub name: &'static str,
    /// Its shape.
    pub shape: Shape,
    /// The input whose steps its first axis counts, if any.
    pub steps: Option<StepsOf>,
}

/// The output of a network with several outputs: a struct with one array per output, which `network!` defines.
///
/// A tuple of losses, one for each output, is its [`Loss`](crate::loss::Loss).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the output of a network with several outputs",
    note = "a tuple of losses is for a network whose header has `-> (a: .., b: ..)`, with one loss per output"
)]
pub trait Outputs: Values {
    /// The types of its arrays, as a tuple.
    type Each;
    /// The names of its arrays.
    const NAMES: &'static [&'static str];
}

/// The largest number of outputs of a network.
pub const MAX_OUTPUTS: usize = 8;
