//! [`Loss`]: the function of outputs and targets that training minimises.

use super::loss_sum::{LossSum, LossSums};
use super::target_error::TargetError;
use crate::types::{MAX_OUTPUTS, Values};

/// A loss on outputs of type `Output`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss for outputs of type `{Output}`",
    label = "expected a loss for outputs of type `{Output}`",
    note = "the module `loss` lists all losses and the outputs that they take; a network with several outputs takes a tuple \
            with a loss for each: `(CrossEntropy::new(), MeanSquaredError)`"
)]
pub trait Loss<Output: Values>: Sync {
    /// The type of a target: a class index, an array.
    type Target: Copy + Send + Sync;

    /// Checks a target before training, such as the range of a class index.
    ///
    /// # Errors
    /// If the loss cannot be computed for this target.
    fn check(&self, target: &Self::Target) -> Result<(), TargetError>;

    /// The layer that the loss applies to the outputs itself, such as `Softmax`: a network should not end with it.
    fn applies(&self) -> Option<&'static str> {
        None
    }

    /// Returns the loss of one sample and writes its gradient times `scale` to `d_y`. For a sequence, `y` and
    /// `d_y` hold the valid steps only, while `target` holds all steps; those after the end are ignored.
    fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64;

    /// The weight of a sample in the mean over the batch if the first `steps` steps of its output are valid: by
    /// default the fraction of valid steps, 1 for an output that is not a sequence. A sample of weight 0 must
    /// have no loss.
    fn weight(&self, target: &Self::Target, steps: usize) -> f64 {
        let _ = target;
        steps as f64 / all_steps::<Output>() as f64
    }

    /// The number of correct predictions of a sample and the number of its predictions: `(1, 1)` for the right
    /// class. By default `(0, 0)`, for losses that are not classifications. `y` is as in
    /// [`sample`](Self::sample).
    fn correct(&self, y: &[f32], target: &Self::Target) -> (usize, usize) {
        let _ = (y, target);
        (0, 0)
    }

    /// Adds the weight of a sample for each output of the network to `weights`. `steps` are the valid steps of
    /// each output.
    fn add_weights(&self, target: &Self::Target, steps: &[usize], weights: &mut [f64]) {
        weights[0] += self.weight(target, steps[0]);
    }

    /// Adds a sample to the sums of each output of the network, and writes the gradient of its losses, each
    /// times its scale, to `d_y`. Tuples of losses, one for each output, implement this; a loss of one output
    /// need not.
    fn accumulate(&self, sample: OutputSample<'_, Self::Target>, sums: &mut LossSums)
    where
        Self: Sized,
    {
        let OutputSample { y, target, steps, scales, d_y } = sample;
        let one = OneOutput { y, target, steps: steps[0], scale: scales[0], d_y };
        add_sample(self, one, &mut sums.0[0]);
    }
}

/// All outputs of one sample with their target: the argument of [`Loss::accumulate`].
#[derive(Debug)]
#[non_exhaustive]
pub struct OutputSample<'a, Target> {
    /// The outputs, one after the other.
    pub y: &'a [f32],
    /// The target.
    pub target: &'a Target,
    /// The number of valid steps of each output.
    pub steps: &'a [usize],
    /// The factor of each output's gradient.
    pub scales: &'a [f32],
    /// The gradients of the outputs, to be written.
    pub d_y: &'a mut [f32],
}

impl<'a, Target> OutputSample<'a, Target> {
    pub(crate) const fn new(
        y: &'a [f32],
        target: &'a Target,
        steps: &'a [usize],
        scales: &'a [f32],
        d_y: &'a mut [f32],
    ) -> Self {
        Self { y, target, steps, scales, d_y }
    }

    /// Calls `f` with the same sample, whose gradients are to be multiplied by `factor` as well.
    pub(super) fn scaled(self, factor: f32, f: impl FnOnce(OutputSample<'_, Target>)) {
        let mut scaled = [0.0; MAX_OUTPUTS];
        for (scaled, scale) in scaled.iter_mut().zip(self.scales) {
            *scaled = factor * scale;
        }
        f(OutputSample { scales: &scaled[..self.scales.len()], ..self });
    }
}

/// One output of one sample with its target.
pub(super) struct OneOutput<'a, Target> {
    pub(super) y: &'a [f32],
    pub(super) target: &'a Target,
    pub(super) steps: usize,
    pub(super) scale: f32,
    pub(super) d_y: &'a mut [f32],
}

/// Adds one sample to `sum`, and writes its gradient: zeros after the valid steps.
pub(super) fn add_sample<Output: Values, L: Loss<Output>>(
    loss: &L,
    sample: OneOutput<'_, L::Target>,
    sum: &mut LossSum,
) {
    let OneOutput { y, target, steps, scale, d_y } = sample;
    let valid = steps * (y.len() / all_steps::<Output>());
    let (y, (d_y, after)) = (&y[..valid], d_y.split_at_mut(valid));
    after.fill(0.0);
    let (correct, predictions) = loss.correct(y, target);
    let weight = loss.weight(target, steps);
    let loss = loss.sample(y, target, scale, d_y);
    *sum = sum.with(&LossSum { samples: 1, weight, loss, correct, predictions });
}

/// The number of steps that an output has room for: the length of its first axis, 1 for a single number.
pub(super) const fn all_steps<Output: Values>() -> usize {
    if Output::SHAPE.rank() == 0 { 1 } else { Output::SHAPE.dim(0) }
}

/// The length of the last axis of an output: of a row of labels, classes or features.
pub(super) fn row_len<Output: Values>() -> usize {
    Output::SHAPE.dims().last().copied().unwrap_or(1)
}

/// The number of values of `y` with the right sign, and of all of them, for [`Loss::correct`]: positive where the target is
/// above `middle`.
pub(super) fn correct_by_sign<Output: Values>(
    y: &[f32],
    target: &Output,
    middle: f32,
) -> (usize, usize) {
    let pairs = y.iter().zip(target.as_floats());
    (pairs.filter(|(y, t)| (**y > 0.0) == (**t > middle)).count(), y.len())
}

/// The mean over all values of an output of a loss of each value and its target, for [`Loss::sample`]. `of_value`
/// takes the index, the value and the target, and returns the loss and its derivative.
pub(super) fn mean_of_values<Output: Values>(
    y: &[f32],
    target: &Output,
    scale: f32,
    d_y: &mut [f32],
    of_value: impl Fn(usize, f32, f32) -> (f64, f32),
) -> f64 {
    let factor = scale / Output::LEN as f32;
    let mut sum = 0.0;
    for (i, ((y, t), d_y)) in y.iter().zip(target.as_floats()).zip(d_y).enumerate() {
        let (loss, slope) = of_value(i, *y, *t);
        *d_y = slope * factor;
        sum += loss;
    }
    sum / Output::LEN as f64
}
