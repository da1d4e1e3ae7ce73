//! [`Fusion`]: how inference computes several layers at once.

use crate::arguments::Value;
use crate::shape::Shape;

/// The number of elements between a convolution and a pool that are stored at a time: 16 KB, half of the
/// smallest first-level caches.
pub const STRIP: usize = 1 << 12;

/// Elements that stay in a second-level cache while others pass through it: 512 kB, half of a cache of 1 MB.
pub const CACHED: usize = 1 << 17;

/// Whether something holds of the inputs' shapes and the arguments' values, after the rule has agreed.
pub type Condition = fn(&[Shape], &[Value]) -> bool;

/// A part of a depthwise separable convolution (Howard et al., 2017), which inference computes line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separable {
    /// A convolution of each pixel by itself.
    Pointwise,
    /// A convolution of each channel by itself.
    Depthwise {
        /// The lines from one line of the output to the next.
        stride: usize,
        /// The lines that one line of the output reads.
        extent: usize,
    },
}

/// How inference computes a layer together with the layers before or after it.
#[derive(Clone, Copy, Debug)]
pub enum Fusion {
    /// By itself.
    None,
    /// It is a convolution: a normalisation, a sum and bounds can be applied to its outputs before they are stored.
    Convolution {
        /// Under this condition its output can also go into a pool as it is computed, and is never stored as a whole.
        pooled: Condition,
        /// Its part in a depthwise separable convolution, if it can have one.
        separable: fn(&[Shape], &[Value]) -> Option<Separable>,
    },
    /// At inference it is a linear function of each element, whose factors are those of the channel.
    Normalization,
    /// It adds values of equal shape.
    Sum,
    /// It bounds each element, so that the largest of its outputs is the output for the largest of its inputs.
    Bounds,
    /// Under this condition it takes maxima over windows that do not overlap, and can take them from a
    /// [`Fusion::Convolution`].
    Largest(Condition),
}
