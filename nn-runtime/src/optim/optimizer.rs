//! [`Optimizer`]: an update rule.

use std::ops::Range;

/// A rule that updates weights from their gradient.
///
/// ```
/// use unrolled_runtime::optim::Optimizer;
/// use std::ops::Range;
///
/// /// Steps of the same length, whatever the gradient's (Bernstein et al., 2018).
/// struct SignDescent(f64);
///
/// impl Optimizer for SignDescent {
///     fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]) {
///         for range in trained {
///             for (w, g) in weights[range.clone()].iter_mut().zip(&gradient[range.clone()]) {
///                 *w -= self.0 as f32 * g.signum();
///             }
///         }
///     }
///     fn learning_rate(&self) -> f64 {
///         self.0
///     }
///     fn set_learning_rate(&mut self, rate: f64) {
///         self.0 = rate;
///     }
/// }
/// ```
pub trait Optimizer {
    /// Updates the weights in the ranges `trained`, which are in ascending order; others, such as running
    /// statistics, stay. `gradient` has the layout of `weights`. All calls must be for the same network.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]);

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the next step.
    ///
    /// # Panics
    /// The optimisers of this crate panic if `rate` is not a finite number of at least 0.
    fn set_learning_rate(&mut self, rate: f64);
}
