//! [`Metric`]: a measure of outputs against targets.

use crate::types::Values;

/// A measure of outputs of type `Output` against targets, added up sample by sample.
///
/// ```
/// use unrolled_runtime::train::Metric;
///
/// /// The largest error.
/// #[derive(Default)]
/// struct MaxError(f64);
///
/// impl Metric<[f32; 1], [f32; 1]> for MaxError {
///     fn name(&self) -> &'static str {
///         "max error"
///     }
///     fn add(&mut self, y: &[f32], target: &[f32; 1]) {
///         self.0 = self.0.max(f64::from((y[0] - target[0]).abs()));
///     }
///     fn value(&self) -> f64 {
///         self.0
///     }
///     fn reset(&mut self) {
///         self.0 = 0.0;
///     }
/// }
/// # let mut metric = MaxError::default();
/// # metric.add(&[1.0], &[3.0]);
/// # assert_eq!(metric.value(), 2.0);
/// ```
pub trait Metric<Output: Values, Target>: Send {
    /// Its name in tables.
    fn name(&self) -> &'static str;

    /// Adds a sample. For a sequence, `y` holds the valid steps only, while `target` holds all steps.
    fn add(&mut self, y: &[f32], target: &Target);

    /// The measure of all samples since the last [`reset`](Self::reset); NaN if it is not defined for them.
    fn value(&self) -> f64;

    /// Forgets all samples.
    fn reset(&mut self);
}
