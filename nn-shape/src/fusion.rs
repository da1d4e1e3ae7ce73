//! [`Fusion`]: what inference computes of several layers at once.

use crate::arguments::Value;
use crate::shape::Shape;

/// Numbers of a picture between a convolution and a pool that are there at a time: a part of a first-level
/// cache.
pub const STRIP: usize = 1 << 12;

/// Whether something holds of the inputs' shapes and the arguments' values, after the rule has agreed.
pub type Condition = fn(&[Shape], &[Value]) -> bool;

/// What a layer does at inference together with layers before or behind it.
#[derive(Clone, Copy, Debug)]
pub enum Fusion {
    /// Nothing.
    None,
    /// Under this condition its output can go into a pool as it comes about, and is never there as a
    /// whole.
    Pooled(Condition),
    /// It gives the same number for the same number, and never a smaller one for a larger: the largest of its
    /// outputs is what it gives for the largest of its inputs.
    Monotone,
    /// Under this condition it takes the largest under windows that lie side by side, and takes them out of a
    /// [`Fusion::Pooled`].
    Largest(Condition),
}
