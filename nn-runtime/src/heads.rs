//! Networks with several outputs: each is a *head*, what they give stands side by side.

use crate::{Lengths, Network, Steps, Values};
use nn_shape::{Shape, StepsOf};

/// One of the outputs of a network that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The line that gives it.
    pub name: &'static str,
    /// Its shape.
    pub shape: Shape,
    /// Of which input it has the steps, if its first axis counts any.
    pub steps: Option<StepsOf>,
}

/// What a network with several outputs gives: a struct with one array for each, which `network!` makes.
///
/// A tuple of losses, one for each output, is its [`Loss`](crate::loss::Loss).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a network with several outputs gives",
    note = "a tuple of losses is for a network whose header says `-> (a: .., b: ..)`, with one loss for each \
            output"
)]
pub trait Heads: Values {
    /// The types of its arrays, a tuple.
    type Each;
    /// The names of its arrays.
    const NAMES: &'static [&'static str];
}

/// The most outputs a network can have.
pub const MOST_HEADS: usize = 8;

/// How many steps of each output of one sample are valid; of an output without steps, all along its
/// first axis.
pub(crate) type ValidSteps = [usize; MOST_HEADS];

/// The valid steps of the outputs of sample `sample`.
pub(crate) fn valid_steps<N: Network>(lengths: &Lengths<'_>, sample: usize) -> ValidSteps {
    let mut valid = [0; MOST_HEADS];
    for_each_head::<N>(|nth, shape, steps| {
        valid[nth] = steps_of(steps, lengths).valid(sample, room(shape));
    });
    valid
}

/// Writes zeros behind the end of each output of `n` samples that is a sequence.
pub(crate) fn clear_outputs<N: Network>(n: usize, lengths: &Lengths<'_>, y: &mut [f32]) {
    let len = N::Output::LEN;
    let mut begin = 0;
    for_each_head::<N>(|_, shape, steps| {
        let steps = steps_of(steps, lengths);
        if !matches!(steps, Steps::Full) {
            let step = shape.len() / room(shape);
            for (sample, y) in y.chunks_exact_mut(len).take(n).enumerate() {
                let valid = steps.valid(sample, room(shape));
                y[begin..begin + shape.len()][valid * step..].fill(0.0);
            }
        }
        begin += shape.len();
    });
}

/// Calls `f` with number, shape and steps of each output, in order.
fn for_each_head<N: Network>(mut f: impl FnMut(usize, Shape, Option<&'static StepsOf>)) {
    if N::HEADS.is_empty() {
        return f(0, <N::Output as Values>::SHAPE, const { &N::OUTPUT_STEPS }.as_ref());
    }
    for (nth, head) in N::HEADS.iter().enumerate() {
        f(nth, head.shape, head.steps.as_ref());
    }
}

fn steps_of<'a>(steps: Option<&'static StepsOf>, lengths: &'a Lengths<'a>) -> Steps<'a> {
    steps.map_or(Steps::Full, |of| lengths.through(of))
}

/// For how many steps there is room in outputs: the length of their first axis, 1 if they are numbers.
fn room(shape: Shape) -> usize {
    if shape.rank() == 0 { 1 } else { shape.dim(0) }
}
