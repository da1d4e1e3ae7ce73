//! Gradients kept within bounds: PyTorch's `clip_grad_norm_` and `clip_grad_value_`.

use super::AdaptiveClip;
use crate::contract::Network;
use crate::kernels::dispatch::dispatch;
use crate::system::parallel;
use crate::types::Weights;
use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a trainer keeps gradients within bounds before each update. Recurrent networks need it: their
/// gradients grow from step to step. So do networks without normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// No longer, seen as one vector, than this: [`clip_norm`].
    Norm(f64),
    /// No number larger in size than this: [`clip_value`].
    Value(f32),
    /// Of each unit no longer than `ratio` times the unit's weights, but for the layers `except`:
    /// [`AdaptiveClip`].
    Adaptive {
        /// How long a gradient may be, in lengths of the weights: 0.01 for large batches.
        ratio: f64,
        /// Layers that are left alone: the last one.
        except: &'static [&'static str],
    },
}

/// What a trainer clips with.
pub(crate) enum Clipper {
    Norm(f64),
    Value(f32),
    Adaptive(AdaptiveClip),
}

impl Clipper {
    /// For networks of type `N`.
    pub(crate) fn new<N: Network>(clip: Clip) -> Self {
        match clip {
            Clip::Norm(largest) => Self::Norm(largest),
            Clip::Value(largest) => Self::Value(largest),
            Clip::Adaptive { ratio, except } => {
                Self::Adaptive(AdaptiveClip::new::<N>(ratio, except))
            }
        }
    }

    /// Clips a gradient in place.
    pub(crate) fn apply<N: Network>(&mut self, net: &N, d_net: &mut N) {
        match self {
            Self::Norm(largest) => {
                clip_norm(d_net, *largest);
            }
            Self::Value(largest) => clip_value(d_net, *largest),
            Self::Adaptive(clip) => clip.clip(net, d_net),
        }
    }
}

/// Scales a gradient so that its Euclidean norm is at most `largest`, and gives the norm that it had.
/// One that is not finite makes the gradient so too.
///
/// ```
/// # use unrolled_runtime::optim::clip_norm;
/// let mut gradient = [3.0, 4.0];
/// assert_eq!(clip_norm(&mut gradient, 1.0), 5.0);
/// assert!((gradient[0] - 0.6).abs() < 1e-6);
/// ```
pub fn clip_norm(d_net: &mut impl Weights, largest: f64) -> f64 {
    let norm = norm(d_net.as_floats());
    // As in PyTorch the norm is a little more, so that nothing is divided by zero.
    let factor = largest / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        for_each_task(d_net.as_floats_mut(), |numbers| scale(numbers, factor as f32));
    }
    norm
}

/// The Euclidean norm of a gradient.
pub(crate) fn norm(gradient: &[f32]) -> f64 {
    sum_of_squares(gradient).sqrt()
}

/// Brings each number of a gradient to the nearest from `-largest` to `largest`.
///
/// # Panics
/// When `largest` is negative or not a number.
pub fn clip_value(d_net: &mut impl Weights, largest: f32) {
    assert!(largest >= 0.0, "the largest size of a number is not negative");
    for_each_task(d_net.as_floats_mut(), |numbers| clamp(numbers, largest));
}

/// Into how many runs numbers are cut, whatever the number of threads.
const TASKS: usize = parallel::MAX_THREADS;

/// Where run `task` of `len` numbers ends, in whole runs of lanes.
fn end(len: usize, task: usize) -> usize {
    (len.div_ceil(TASKS).next_multiple_of(LANES) * (task + 1)).min(len)
}

fn for_each_task(numbers: &mut [f32], f: impl Fn(&mut [f32]) + Sync) {
    let len = numbers.len();
    parallel::for_each_piece(numbers, TASKS, |task| end(len, task), |_, _, run| f(run));
}

/// Added up run by run, in the same order on any number of threads.
fn sum_of_squares(numbers: &[f32]) -> f64 {
    let sums: [AtomicU64; TASKS] = array::from_fn(|_| AtomicU64::new(0));
    parallel::for_each(TASKS, |task, _| {
        let begin = if task == 0 { 0 } else { end(numbers.len(), task - 1) };
        let mut lanes = [0.0; LANES];
        add_squares(&numbers[begin..end(numbers.len(), task)], &mut lanes);
        sums[task].store(lanes.iter().sum::<f64>().to_bits(), Ordering::Relaxed);
    });
    sums.into_iter().map(|sum| f64::from_bits(sum.into_inner())).sum()
}

/// Sums that are added to at the same time: what the widest vectors hold.
const LANES: usize = 16;

dispatch! {
    fn add_squares(numbers: &[f32], lanes: &mut [f64; LANES]) {
        let (runs, rest) = numbers.as_chunks::<LANES>();
        for run in runs {
            for (lane, x) in lanes.iter_mut().zip(run) {
                *lane += f64::from(*x) * f64::from(*x);
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }

    fn scale(numbers: &mut [f32], factor: f32) {
        for x in numbers {
            *x *= factor;
        }
    }

    fn clamp(numbers: &mut [f32], largest: f32) {
        for x in numbers {
            *x = x.clamp(-largest, largest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::parallel::with_threads;

    // Expected numbers: PyTorch's definitions, `g * largest / (norm + 1e-6)` where that is smaller.
    #[test]
    fn long_gradients_become_as_long_as_allowed() {
        let mut gradient = [3.0, -4.0, 12.0];
        assert_eq!(clip_norm(&mut gradient, 2.6), 13.0);
        for (found, expected) in gradient.into_iter().zip([0.6, -0.8, 2.4]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn short_gradients_and_zeros_stay() {
        let mut gradient = [0.5, -0.25];
        clip_norm(&mut gradient, 1.0);
        assert_eq!(gradient, [0.5, -0.25]);
        let mut gradient = [0.0; 5];
        assert_eq!(clip_norm(&mut gradient, 1.0), 0.0);
        assert_eq!(gradient, [0.0; 5]);
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        let mut gradient = [1.0, f32::NAN];
        assert!(clip_norm(&mut gradient, 1.0).is_nan());
        assert!(gradient[0].is_nan() && gradient[1].is_nan());
    }

    #[test]
    fn values_are_bounded_one_by_one() {
        let mut gradient = [3.0, -0.25, -7.0, 0.0, 0.5];
        clip_value(&mut gradient, 0.5);
        assert_eq!(gradient, [0.5, -0.25, -0.5, 0.0, 0.5]);
    }

    #[test]
    fn norms_are_the_same_bits_on_any_number_of_threads() {
        const LEN: usize = 20_003;
        let numbers: [f32; LEN] = array::from_fn(|i| (i as f32).sin() / 3.0);
        let clipped = |threads| {
            let mut gradient = numbers;
            let norm = with_threads(threads, || clip_norm(&mut gradient, 1.5));
            (norm, gradient)
        };
        let one = clipped(1);
        assert!(one == clipped(2) && one == clipped(7));
        let norm = numbers.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        assert!((one.0 - norm).abs() < 1e-9 * norm, "{} {norm}", one.0);
        let after = sum_of_squares(&one.1).sqrt();
        assert!((after - 1.5).abs() < 1e-5, "{after}");
    }
}
