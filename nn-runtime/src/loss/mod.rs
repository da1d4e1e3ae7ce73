//! Losses: what training makes small. Averaged over the batch.

use crate::Values;

/// A loss on outputs of type `Output`.
pub trait Loss<Output: Values>: Sync {
    /// What an output is compared with: a class number, an array.
    type Target: Copy + Send + Sync;

    /// Says what is wrong with a target, such as a class number out of range.
    ///
    /// # Errors
    /// With a sentence that names what was expected and what was found.
    fn check(&self, target: &Self::Target) -> Result<(), String>;

    /// The loss of one sample, and `d_y`, its gradient times `scale`.
    fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64;
}
