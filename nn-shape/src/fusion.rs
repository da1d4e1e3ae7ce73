//! [`Fusion`]: how inference computes several layers at once.

use crate::arguments::Value;
use crate::shape::Shape;

/// The number of elements between a convolution and a pool that are stored at a time: 16 KB, half of the
/// smallest first-level caches.
pub const STRIP: usize = 1 << 12;

/// Whether something holds of the inputs' shapes and the arguments' values, after the rule has agreed.
pub type Condition = fn(&[Shape], &[Value]) -> bool;

/// How inference computes a layer together with the layers before or after it.
#[derive(Clone, Copy, Debug)]
pub enum Fusion {
    /// By itself.
    None,
    /// Under this condition its output can go into a pool as it is computed, and is never stored as a whole.
    Pooled(Condition),
    /// It is a monotone function of each element, so that the largest of its outputs is the output for the
    /// largest of its inputs.
    Monotone,
    /// Under this condition it takes maxima over windows that do not overlap, and can take them from a
    /// [`Fusion::Pooled`] layer.
    Largest(Condition),
}
