//! [`MeanAbsoluteError`] and [`R2`]: errors of predicted numbers.

use super::metric::Metric;
use crate::types::Values;

/// The mean of the absolute differences, over all values of all outputs.
///
/// The loss of the same name is [`loss::MeanAbsoluteError`](crate::loss::MeanAbsoluteError).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanAbsoluteError {
    sum: f64,
    count: u64,
}

impl MeanAbsoluteError {
    /// Before the first sample.
    #[must_use]
    pub const fn new() -> Self {
        Self { sum: 0.0, count: 0 }
    }
}

impl<Output: Values> Metric<Output, Output> for MeanAbsoluteError {
    fn name(&self) -> &'static str {
        "mean absolute error"
    }

    fn add(&mut self, y: &[f32], target: &Output) {
        let pairs = y.iter().zip(target.as_floats());
        self.sum += pairs.map(|(y, target)| f64::from((y - target).abs())).sum::<f64>();
        self.count += y.len() as u64;
    }

    fn value(&self) -> f64 {
        self.sum / self.count as f64
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}

/// The coefficient of determination: 1 minus the sum of squared errors over the sum of squares around the mean of the
/// targets; 1 is perfect, 0 as good as the mean. For several outputs the mean over them: scikit-learn's `r2_score`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct R2 {
    outputs: Vec<Variation>,
}

/// Errors and targets of one value of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Variation {
    count: f64,
    mean: f64,
    /// The sum of squares around the mean.
    squares: f64,
    squared_errors: f64,
}

impl Variation {
    /// Welford's recurrence: sums of squares alone would cancel where the mean is large.
    fn add(&mut self, y: f64, target: f64) {
        self.count += 1.0;
        let before = target - self.mean;
        self.mean += before / self.count;
        self.squares += before * (target - self.mean);
        self.squared_errors += (y - target) * (y - target);
    }

    fn r2(self) -> f64 {
        match (self.squared_errors, self.squares) {
            // As scikit-learn: targets that are all equal.
            (0.0, 0.0) => 1.0,
            (_, 0.0) => 0.0,
            (errors, squares) => 1.0 - errors / squares,
        }
    }
}

impl R2 {
    /// Before the first sample.
    #[must_use]
    pub const fn new() -> Self {
        Self { outputs: Vec::new() }
    }
}

impl<Output: Values> Metric<Output, Output> for R2 {
    fn name(&self) -> &'static str {
        "R2"
    }

    fn add(&mut self, y: &[f32], target: &Output) {
        self.outputs.resize(Output::LEN, Variation::default());
        for ((y, target), output) in y.iter().zip(target.as_floats()).zip(&mut self.outputs) {
            output.add(f64::from(*y), f64::from(*target));
        }
    }

    fn value(&self) -> f64 {
        // Steps that no sequence reaches have no targets.
        let defined = self.outputs.iter().filter(|output| output.count > 0.0);
        let (sum, count) =
            defined.fold((0.0, 0.0), |(sum, count), output| (sum + output.r2(), count + 1.0));
        sum / count
    }

    fn reset(&mut self) {
        self.outputs.clear();
    }
}
