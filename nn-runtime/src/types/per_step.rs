//! [`PerStep`]: the samples of layers that are applied to each step of a sequence.

use unrolled_shape::StepsOf;

/// The samples of the layers in a `PerStep`, of which there is one for each step. Values are stored sample after sample, so that
/// a batch of `n` sequences of `T` steps is a batch of `n * T` steps.
#[derive(Clone, Copy, Debug)]
pub struct PerStep {
    /// The steps of the outermost `PerStep`.
    pub steps: usize,
    /// The samples for each of its steps: several in a `PerStep` inside of it.
    pub each: usize,
    /// The input whose steps these are, if any.
    pub of: Option<StepsOf>,
}

impl PerStep {
    /// The samples for each sample of the network.
    #[must_use]
    pub const fn samples(&self) -> usize {
        self.steps * self.each
    }
}
