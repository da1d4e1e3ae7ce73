//! The valid steps of a network's outputs.

use crate::contract::Network;
#[cfg(feature = "train")]
use crate::types::{Inputs, MAX_INPUTS};
use crate::types::{Lengths, MAX_OUTPUTS, Steps, Values};
use unrolled_shape::{Shape, StepsOf};

/// The number of valid steps of each output of one sample; for an output without steps the length of its first axis.
pub(crate) type ValidSteps = [usize; MAX_OUTPUTS];

/// The valid steps of the outputs of sample `sample`.
pub(crate) fn valid_steps<N: Network>(lengths: &Lengths<'_>, sample: usize) -> ValidSteps {
    let mut valid = [0; MAX_OUTPUTS];
    for_each_output::<N>(|nth, shape, steps| {
        valid[nth] = steps_of(steps, lengths).valid(sample, room(shape));
    });
    valid
}

/// Writes zeros after the end of each output of `n` samples that is a sequence.
pub(crate) fn clear_outputs<N: Network>(n: usize, lengths: &Lengths<'_>, y: &mut [f32]) {
    let len = N::Output::LEN;
    let mut begin = 0;
    for_each_output::<N>(|_, shape, steps| {
        let steps = steps_of(steps, lengths);
        // Most networks have no sequences: nothing to compute per sample.
        if !matches!(steps, Steps::Full) {
            let step = shape.len() / room(shape);
            for (sample, y) in y.chunks_exact_mut(len).take(n).enumerate() {
                let valid = steps.valid(sample, room(shape));
                y[begin..begin + shape.len()][valid * step..].fill(0.0);
            }
        }
        // The outputs of a sample are contiguous, in the order of the header.
        begin += shape.len();
    });
}

/// Calls `f` with the index, shape and steps of each output, in order.
fn for_each_output<N: Network>(mut f: impl FnMut(usize, Shape, Option<&'static StepsOf>)) {
    // A network with one output has no list of named ones.
    if N::OUTPUTS.is_empty() {
        return f(0, <N::Output as Values>::SHAPE, const { &N::OUTPUT_STEPS }.as_ref());
    }
    for (nth, output) in N::OUTPUTS.iter().enumerate() {
        f(nth, output.shape, output.steps.as_ref());
    }
}

fn steps_of<'a>(steps: Option<&'static StepsOf>, lengths: &'a Lengths<'a>) -> Steps<'a> {
    steps.map_or(Steps::Full, |of| lengths.through(of))
}

/// The number of steps that an output has room for: the length of its first axis, 1 for a single value.
fn room(shape: Shape) -> usize {
    if shape.rank() == 0 { 1 } else { shape.dim(0) }
}

#[cfg(feature = "train")]
/// The valid steps of each output of a network with this input.
pub(crate) fn output_valid<N: Network>(input: &N::Input) -> ValidSteps {
    let steps: [Steps; MAX_INPUTS] = std::array::from_fn(|index| {
        if index < N::Input::LENS.len() { input.steps(index) } else { Steps::Full }
    });
    valid_steps::<N>(&Lengths::Given(&steps), 0)
}
