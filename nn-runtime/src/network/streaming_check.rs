//! [`check_streaming`]: sequences step by step, compared with whole ones.

use crate::contract::{Infer, Network, Root, State, Streaming};
use crate::kernels::AtRunTime;
use crate::step::forward_into;
use crate::types::{Inputs, Values};
use std::fmt;

/// The result of [`check_streaming`]: the output with the largest difference.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamingCheck {
    /// The largest difference between an element step by step and in the whole sequence; infinite where one of them alone is
    /// NaN. It is 0 where all bits are equal.
    pub worst: f32,
    /// The sequence with this difference.
    pub sample: usize,
    /// The step of the sequence.
    pub step: usize,
    /// The element among those of the step.
    pub element: usize,
    /// The element in the whole sequence.
    pub whole: f32,
    /// The element step by step.
    pub stepped: f32,
    /// The number of steps that were compared.
    pub steps: usize,
}

impl fmt::Display for StreamingCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worst, sample, step, element, whole, stepped, steps } = self;
        write!(
            f,
            "{worst:e} is the largest difference in {steps} steps: element {element} of step {step} of sample {sample} \
             is {stepped:e} step by step, but {whole:e} in the whole sequence"
        )
    }
}

/// Runs each sequence step by step, from a new state, and compares the outputs with those of the whole sequence: a test of
/// `StreamingLayer::step` in one line. `net` is a network or a hand-written layer alone.
///
/// ```text
/// assert_eq!(check_streaming(&layer, &inputs).worst, 0.0);
/// ```
///
/// # Panics
/// If the output has another number of steps than the inputs.
pub fn check_streaming<N: Network + Streaming<Root>>(
    net: &N,
    inputs: &[N::Input],
) -> StreamingCheck {
    let mut found = StreamingCheck {
        worst: 0.0,
        sample: 0,
        step: 0,
        element: 0,
        whole: 0.0,
        stepped: 0.0,
        steps: 0,
    };
    let mut whole = N::Output::zeroed();
    for (sample, x) in inputs.iter().enumerate() {
        forward_into(net, x, &mut whole);
        compare(net, x, whole.as_floats(), StreamingCheck { sample, ..found }, &mut found);
    }
    found
}

/// Compares the steps of one sequence, whose output is `whole`. `at` has the number of the sample.
fn compare<N: Network + Streaming<Root>>(
    net: &N,
    x: &N::Input,
    whole: &[f32],
    at: StreamingCheck,
    found: &mut StreamingCheck,
) {
    let all = N::Output::SHAPE.dim(0);
    let inputs: Vec<&[f32]> = (0..N::Input::LENS.len()).map(|index| x.input(index)).collect();
    let steps = |index: usize| {
        let of_shape = N::Input::SHAPES[index].dim(0);
        assert_eq!(of_shape, all, "the steps of input {index}, and those of the output");
        x.steps(index).valid(0, of_shape)
    };
    let valid = (0..inputs.len()).map(steps).min().unwrap_or(0);
    let (mut state, mut y) = (State::<N>::new(), vec![0.0; whole.len() / all]);
    for (step, whole) in whole.chunks_exact(y.len()).enumerate().take(valid) {
        let x: Vec<&[f32]> =
            inputs.iter().map(|x| &x[x.len() / all * step..][..x.len() / all]).collect();
        let call = Infer { n: 1, x: &x, y: &mut y, ctx: state.ctx() };
        Streaming::<Root>::step(net, AtRunTime, call);
        found.steps += 1;
        for (element, (stepped, whole)) in y.iter().zip(whole).enumerate() {
            let difference = difference(*stepped, *whole);
            if difference > found.worst {
                let steps = found.steps;
                let (worst, whole, stepped) = (difference, *whole, *stepped);
                *found = StreamingCheck { worst, step, element, whole, stepped, steps, ..at };
            }
        }
    }
}

/// The difference of two elements; infinite where it is not a number, as that of a number and NaN.
fn difference(a: f32, b: f32) -> f32 {
    if a.to_bits() == b.to_bits() {
        return 0.0;
    }
    let difference = (a - b).abs();
    // Zeros of two signs differ by their bits.
    if difference.is_nan() { f32::INFINITY } else { difference.max(f32::MIN_POSITIVE) }
}
