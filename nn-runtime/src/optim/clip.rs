//! Gradient clipping: PyTorch's `clip_grad_norm_` and `clip_grad_value_`.

use super::adaptive::{AdaptiveClip, RATIO};
use crate::hyper::{Range, checked};
use crate::kernels::dispatch::dispatch;
use crate::order::NetworkInfo;
use crate::system::{parallel, time};
use crate::types::Weights;
use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gradient clipping before each update of a trainer. Recurrent networks need it, because their gradients grow from
/// step to step; so do networks without normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Clip {
    /// Limits the norm of the whole gradient: [`clip_norm`].
    Norm(f64),
    /// Limits the magnitude of each value: [`clip_value`].
    Value(f32),
    /// Limits the gradient of each unit to `ratio` times the norm of the unit's weights: [`AdaptiveClip`].
    Adaptive {
        /// The largest norm of a gradient as a multiple of the norm of its weights: 0.01 for large batches.
        ratio: f64,
        /// The names of layers that are not clipped, such as the last one.
        except: &'static [&'static str],
    },
}

/// The names of hyper-parameters in messages.
const LARGEST_NORM: &str = "Clip: largest norm";
const LARGEST_VALUE: &str = "Clip: largest value";

impl Clip {
    /// Returns itself if its bound is allowed.
    ///
    /// # Panics
    /// If it is negative or NaN, and if the ratio of adaptive clipping is infinite.
    #[track_caller]
    pub(crate) fn checked(self) -> Self {
        match self {
            Self::Norm(largest) => {
                checked(LARGEST_NORM, largest, Range::NonNegativeOrInfinite);
            }
            Self::Value(largest) => {
                checked(LARGEST_VALUE, largest, Range::NonNegativeOrInfinite);
            }
            Self::Adaptive { ratio, .. } => {
                checked(RATIO, ratio, Range::NonNegative);
            }
        }
        self
    }
}

/// A [`Clip`] with the memory that it needs for one type of network.
#[derive(Debug)]
pub(crate) enum Clipper {
    Norm(f64),
    Value(f32),
    Adaptive(AdaptiveClip),
}

impl Clipper {
    /// Clipping for networks of type `N`.
    pub(crate) fn new(clip: Clip, net: &NetworkInfo) -> Self {
        match clip {
            Clip::Norm(largest) => Self::Norm(largest),
            Clip::Value(largest) => Self::Value(largest),
            Clip::Adaptive { ratio, except } => {
                Self::Adaptive(AdaptiveClip::for_network(net, ratio, except))
            }
        }
    }

    /// Whether the factor of an element depends on other elements.
    pub(crate) const fn needs_all(&self) -> bool {
        !matches!(self, Self::Value(_))
    }

    /// Clips `d_net` in place.
    pub(crate) fn apply(&mut self, weights: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Norm(largest) => {
                clip_norm_of(gradient, *largest);
            }
            Self::Value(largest) => clip_values_of(gradient, *largest),
            Self::Adaptive(clip) => clip.clip_floats(weights, gradient),
        }
    }
}

/// Scales a gradient so that its Euclidean norm is at most `largest`, and returns the norm before. A norm that is not
/// finite makes all values of the gradient NaN.
///
/// ```
/// # use unrolled_runtime::optim::clip_norm;
/// let mut gradient = [3.0, 4.0];
/// assert_eq!(clip_norm(&mut gradient, 1.0), 5.0);
/// assert!((gradient[0] - 0.6).abs() < 1e-6);
/// ```
///
/// # Panics
/// If `largest` is negative or NaN.
#[track_caller]
pub fn clip_norm(d_net: &mut impl Weights, largest: f64) -> f64 {
    checked(LARGEST_NORM, largest, Range::NonNegativeOrInfinite);
    clip_norm_of(d_net.as_floats_mut(), largest)
}

fn clip_norm_of(gradient: &mut [f32], largest: f64) -> f64 {
    let norm = norm(gradient);
    // PyTorch's 1e-6 against division by zero.
    let factor = largest / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        for_each_task(gradient, &|values| scale(values, factor as f32));
    }
    norm
}

/// The Euclidean norm of a gradient.
pub(crate) fn norm(gradient: &[f32]) -> f64 {
    sum_of_squares(gradient).sqrt()
}

/// Clamps each value of a gradient to `[-largest, largest]`.
///
/// # Panics
/// If `largest` is negative or NaN.
#[track_caller]
pub fn clip_value(d_net: &mut impl Weights, largest: f32) {
    checked(LARGEST_VALUE, largest, Range::NonNegativeOrInfinite);
    clip_values_of(d_net.as_floats_mut(), largest);
}

fn clip_values_of(gradient: &mut [f32], largest: f32) {
    for_each_task(gradient, &|values| clamp(values, largest));
}

/// The number of parts that values are cut into: a constant, so that sums depend neither on the number of threads nor on
/// the target.
const TASKS: usize = 64;

/// The end of part `task` of `len` values, a multiple of [`LANES`].
fn end(len: usize, task: usize) -> usize {
    (len.div_ceil(TASKS).next_multiple_of(LANES) * (task + 1)).min(len)
}

fn for_each_task(values: &mut [f32], f: &(dyn Fn(&mut [f32]) + Sync)) {
    let len = values.len();
    parallel::for_work(time(0, len as u64), || {
        parallel::for_each_piece(values, TASKS, |task| end(len, task), |_, _, part| f(part));
    });
}

/// The sum of squares, added up part by part in the same order on any number of threads.
fn sum_of_squares(values: &[f32]) -> f64 {
    let sums: [AtomicU64; TASKS] = array::from_fn(|_| AtomicU64::new(0));
    let add = |task: usize, _| {
        let begin = if task == 0 { 0 } else { end(values.len(), task - 1) };
        let mut lanes = [0.0; LANES];
        add_squares(&values[begin..end(values.len(), task)], &mut lanes);
        sums[task].store(lanes.iter().sum::<f64>().to_bits(), Ordering::Relaxed);
    };
    parallel::for_work(time(0, values.len() as u64), || parallel::for_each(TASKS, add));
    sums.into_iter().map(|sum| f64::from_bits(sum.into_inner())).sum()
}

/// Partial sums: as many as the widest vectors have lanes, since the compiler may not reorder a single sum.
const LANES: usize = 16;

dispatch! {
    fn add_squares(values: &[f32], lanes: &mut [f64; LANES]) {
        let (runs, rest) = values.as_chunks::<LANES>();
        for run in runs {
            for (lane, x) in lanes.iter_mut().zip(run) {
                *lane += f64::from(*x) * f64::from(*x);
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }

    fn scale(values: &mut [f32], factor: f32) {
        for x in values {
            *x *= factor;
        }
    }

    fn clamp(values: &mut [f32], largest: f32) {
        for x in values {
            *x = x.clamp(-largest, largest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::parallel::{whatever_the_work, with_threads};

    // Expected values: PyTorch's definitions, `g * largest / (norm + 1e-6)` where that is smaller.
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
    fn values_that_are_not_finite_stay_visible() {
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
        let values: [f32; LEN] = array::from_fn(|i| (i as f32).sin() / 3.0);
        let clipped = |threads| {
            let mut gradient = values;
            let clip = || clip_norm(&mut gradient, 1.5);
            let norm = with_threads(threads, || whatever_the_work(clip));
            (norm, gradient)
        };
        let one = clipped(1);
        assert!(one == clipped(2) && one == clipped(7));
        let norm = values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        assert!((one.0 - norm).abs() < 1e-9 * norm, "{} {norm}", one.0);
        let after = sum_of_squares(&one.1).sqrt();
        assert!((after - 1.5).abs() < 1e-5, "{after}");
    }
}
