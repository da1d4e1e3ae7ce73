//! Gradient clipping: PyTorch's `clip_grad_norm_` and `clip_grad_value_`.

use super::adaptive::{AdaptiveClip, RATIO};
use crate::hyper::{self, checked};
use crate::kernels::dispatch::dispatch;
use crate::memory::ranges_in;
use crate::order::NetworkInfo;
use crate::system::{parallel, time};
use crate::types::Weights;
use std::array;
use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
pub(super) const LARGEST_NORM: &str = "Clip: largest norm";
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
                checked(LARGEST_NORM, largest, hyper::Range::NonNegativeOrInfinite);
            }
            Self::Value(largest) => {
                checked(LARGEST_VALUE, largest, hyper::Range::NonNegativeOrInfinite);
            }
            Self::Adaptive { ratio, .. } => {
                checked(RATIO, ratio, hyper::Range::NonNegative);
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

    /// Clips a gradient in place, of which only the ranges `touched` can be other than zero.
    pub(crate) fn apply(
        &mut self,
        weights: &[f32],
        gradient: &mut [f32],
        touched: &[Range<usize>],
    ) {
        match self {
            Self::Norm(largest) => {
                clip_norm_of(gradient, touched, *largest);
            }
            Self::Value(largest) => clip_values_of(gradient, touched, *largest),
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
    checked(LARGEST_NORM, largest, hyper::Range::NonNegativeOrInfinite);
    let gradient = d_net.as_floats_mut();
    let all = 0..gradient.len();
    clip_norm_of(gradient, slice::from_ref(&all), largest)
}

pub(super) fn clip_norm_of(gradient: &mut [f32], touched: &[Range<usize>], largest: f64) -> f64 {
    let norm = norm_of(gradient, 0..gradient.len(), touched);
    // PyTorch's 1e-6 against division by zero.
    let factor = largest / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        for_each_task(gradient, touched, &|values| scale(values, factor as f32));
    }
    norm
}

/// The Euclidean norm of some weights or of their gradient.
pub(crate) fn norm(values: &[f32]) -> f64 {
    let all = 0..values.len();
    norm_of(values, all.clone(), slice::from_ref(&all))
}

/// The Euclidean norm of the elements `part` of a gradient, of which only the ranges `touched` can be other than zero: the bits
/// of the norm of all of them.
pub(crate) fn norm_of(gradient: &[f32], part: Range<usize>, touched: &[Range<usize>]) -> f64 {
    sum_of_squares(gradient, part, touched).sqrt()
}

/// Clamps each value of a gradient to `[-largest, largest]`.
///
/// # Panics
/// If `largest` is negative or NaN.
#[track_caller]
pub fn clip_value(d_net: &mut impl Weights, largest: f32) {
    checked(LARGEST_VALUE, largest, hyper::Range::NonNegativeOrInfinite);
    let gradient = d_net.as_floats_mut();
    let all = 0..gradient.len();
    clip_values_of(gradient, slice::from_ref(&all), largest);
}

fn clip_values_of(gradient: &mut [f32], touched: &[Range<usize>], largest: f32) {
    for_each_task(gradient, touched, &|values| clamp(values, largest));
}

/// The number of parts that values are cut into: a constant, so that sums depend neither on the number of threads nor on
/// the target.
const TASKS: usize = 64;

/// The elements of part `task` of `len` values, of which there is a multiple of [`LANES`] in all but the last.
fn part_of(len: usize, task: usize) -> Range<usize> {
    let part = len.div_ceil(TASKS).next_multiple_of(LANES);
    (part * task).min(len)..(part * (task + 1)).min(len)
}

/// Calls `f` with the ranges `touched` of the values, in any order.
fn for_each_task(values: &mut [f32], touched: &[Range<usize>], f: &(dyn Fn(&mut [f32]) + Sync)) {
    let len = values.len();
    let end = |task| part_of(len, task).end;
    let apply = |task, _, part: &mut [f32]| {
        let window = part_of(len, task);
        for range in ranges_in(touched, window.clone()) {
            f(&mut part[range.start - window.start..range.end - window.start]);
        }
    };
    parallel::for_work(time_for(touched), || parallel::for_each_piece(values, TASKS, end, apply));
}

/// About how long a pass over these ranges takes.
fn time_for(touched: &[Range<usize>]) -> Duration {
    time(0, touched.iter().map(|range| range.len() as u64).sum())
}

/// The sum of squares of the elements `part`, which are zero outside of `touched`, added up part by part in the same order on
/// any number of threads.
fn sum_of_squares(values: &[f32], part: Range<usize>, touched: &[Range<usize>]) -> f64 {
    let sums: [AtomicU64; TASKS] = array::from_fn(|_| AtomicU64::new(0));
    let add = |task: usize, _| {
        let window = part_of(part.len(), task);
        let (begin, end) = (part.start + window.start, part.start + window.end);
        let mut lanes = [0.0; LANES];
        let mut done = begin;
        for range in ranges_in(touched, begin..end) {
            // Whole runs of lanes, which zeros do not change: each element is added in the lane that it has among all elements.
            let from = (begin + (range.start - begin) / LANES * LANES).max(done);
            done = (begin + (range.end - begin).next_multiple_of(LANES)).min(end);
            add_squares(&values[from..done], &mut lanes);
        }
        sums[task].store(lanes.iter().sum::<f64>().to_bits(), Ordering::Relaxed);
    };
    parallel::for_work(time_for(touched), || parallel::for_each(TASKS, add));
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
        let after = super::norm(&one.1);
        assert!((after - 1.5).abs() < 1e-5, "{after}");
    }

    #[test]
    fn zeros_that_are_left_out_do_not_change_a_bit() {
        const LEN: usize = 20_003;
        // Rows that begin and end inside of runs of lanes and of parts, some of them in one run.
        let touched = [3..5, 7..9, 60..61, 100..180, 319..2_000, 2_001..2_002, 20_000..LEN];
        let mut whole: [f32; LEN] = [0.0; LEN];
        for i in touched.iter().cloned().flatten() {
            whole[i] = (i as f32).sin();
        }
        for part in [0..LEN, 5..LEN, 61..1_999] {
            let expected = norm(&whole[part.clone()]);
            assert_eq!(norm_of(&whole, part.clone(), &touched).to_bits(), expected.to_bits());
        }
        let mut clipped = whole;
        let norm = clip_norm(&mut whole, 0.5);
        assert_eq!(clip_norm_of(&mut clipped, &touched, 0.5).to_bits(), norm.to_bits());
        assert_eq!(clipped, whole);
        clip_value(&mut whole, 0.01);
        clip_values_of(&mut clipped, &touched, 0.01);
        assert_eq!(clipped, whole);
    }
}
