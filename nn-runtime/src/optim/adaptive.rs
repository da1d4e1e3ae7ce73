//! [`AdaptiveClip`]: gradients clipped in proportion to their weights.

use crate::contract::Network;
use crate::hyper::{self, checked};
use crate::kernels::dispatch::dispatch;
use crate::order::NetworkInfo;
use crate::types::Tensor;
use std::ops::Range;

/// Adaptive gradient clipping (Brock et al., 2021), which networks without normalisation need for large batches: the
/// norm of each unit's gradient is limited to `ratio` times the norm of the unit's weights.
///
/// A unit is the weights of one output: a row of a `Dense` layer's weight in files, one filter of a convolution. A bias,
/// a gain, the weights of a normalisation are one unit each. Norms of weights are clamped to at least 1e-3, so that
/// weights that are zero initially can grow.
#[derive(Clone, Debug)]
pub struct AdaptiveClip {
    ratio: f64,
    tensors: Vec<Units>,
    /// Squared norms of the weights and of the gradient of each unit of one tensor.
    squares: [Vec<f64>; 2],
}

/// The units of a tensor. They are interleaved: `run` elements of each unit in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Units {
    range: Range<usize>,
    count: usize,
    run: usize,
}

/// The hyper-parameter's name in messages.
pub(super) const RATIO: &str = "AdaptiveClip: ratio";

impl AdaptiveClip {
    /// The least norm of weights that gradients are compared with.
    const LEAST_NORM: f64 = 1e-3;

    /// Clipping for networks of type `N`. Layers named in `except`, and layers inside of them, are not clipped: in the
    /// paper the last layer.
    ///
    /// # Panics
    /// If `ratio` is not a finite number of at least 0, or the network has no layer of such a name.
    #[must_use]
    #[track_caller]
    pub fn new<N: Network>(ratio: f64, except: &[&str]) -> Self {
        Self::for_network(&NetworkInfo::of::<N>(), ratio, except)
    }

    #[track_caller]
    pub(super) fn for_network(net: &NetworkInfo, ratio: f64, except: &[&str]) -> Self {
        let trained: Vec<_> = net.trained_ranges().into_iter().map(|(_, range)| range).collect();
        Self::of(&net.file_tensors().tensors, &trained, ratio, except)
    }

    #[track_caller]
    fn of(tensors: &[Tensor], trained: &[Range<usize>], ratio: f64, except: &[&str]) -> Self {
        let ratio = checked(RATIO, ratio, hyper::Range::NonNegative);
        let inside = |name: &str, layer: &str| {
            name.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        for layer in except {
            let found = tensors.iter().any(|tensor| inside(&tensor.name, layer));
            assert!(found, "AdaptiveClip: there is no layer `{layer}` to exclude");
        }
        let clipped = |tensor: &&Tensor| {
            !tensor.shared
                && trained.iter().any(|range| range.contains(&tensor.offset))
                && !except.iter().any(|layer| inside(&tensor.name, layer))
        };
        let tensors: Vec<Units> = tensors.iter().filter(clipped).map(Units::of).collect();
        let most = tensors.iter().map(|units| units.count).max().unwrap_or(0);
        Self { ratio, tensors, squares: [vec![0.0; most], vec![0.0; most]] }
    }

    /// Clips `d_net`, a gradient of the weights of `net`, in place.
    ///
    /// # Panics
    /// If `N` is another type than that of [`new`](Self::new).
    pub fn clip<N: Network>(&mut self, net: &N, d_net: &mut N) {
        self.clip_floats(net.as_floats(), d_net.as_floats_mut());
    }

    pub(super) fn clip_floats(&mut self, weights: &[f32], gradient: &mut [f32]) {
        for units in &self.tensors {
            let gradient = &mut gradient[units.range.clone()];
            let [of_weights, of_gradient] =
                self.squares.each_mut().map(|it| &mut it[..units.count]);
            add_squares(units.run, &weights[units.range.clone()], of_weights);
            add_squares(units.run, gradient, of_gradient);
            // Replaces the squared norms of the gradient by the units' factors.
            for (factor, squares) in of_gradient.iter_mut().zip(of_weights) {
                let allowed = self.ratio * squares.sqrt().max(Self::LEAST_NORM);
                let norm = factor.sqrt();
                *factor = if norm > allowed { allowed / norm } else { 1.0 };
            }
            scale_units(units.run, of_gradient, gradient);
        }
    }
}

impl Units {
    /// A tensor with one axis is one unit; otherwise each index of its first axis is one, also where the other axes have
    /// the length 1.
    fn of(tensor: &Tensor) -> Self {
        let range = tensor.range();
        match tensor.axes.as_slice() {
            [first, _, ..] => Self { range, count: first.len, run: first.stride },
            _ => Self { run: range.len(), range, count: 1 },
        }
    }
}

dispatch! {
    /// Writes the sum of squares of each unit to `sums`.
    fn add_squares(run: usize, values: &[f32], sums: &mut [f64]) {
        sums.fill(0.0);
        for values in values.chunks_exact(run * sums.len()) {
            for (sum, run) in sums.iter_mut().zip(values.chunks_exact(run)) {
                for x in run {
                    *sum += f64::from(*x) * f64::from(*x);
                }
            }
        }
    }

    /// Multiplies each unit by its factor.
    fn scale_units(run: usize, factors: &[f64], values: &mut [f32]) {
        for values in values.chunks_exact_mut(run * factors.len()) {
            for (factor, run) in factors.iter().zip(values.chunks_exact_mut(run)) {
                run.iter_mut().for_each(|x| *x *= *factor as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Axis;
    use std::slice;

    fn tensor(name: &str, offset: usize, axes: &[(usize, usize)]) -> Tensor {
        let axes = axes.iter().map(|&(len, stride)| Axis::plain(len, stride)).collect();
        Tensor::new(name, offset, axes)
    }

    /// A dense layer of 2 inputs and 3 outputs, a gain of 2 filters, running statistics, a last layer.
    fn tensors() -> Vec<Tensor> {
        vec![
            tensor("fc.weight", 0, &[(3, 1), (2, 3)]),
            tensor("fc.bias", 6, &[(3, 1)]),
            tensor("conv.gain", 9, &[(2, 1), (1, 1), (1, 1), (1, 1)]),
            tensor("norm.running_mean", 11, &[(2, 1)]),
            tensor("head.weight", 13, &[(1, 2), (2, 1)]),
        ]
    }

    /// The definition, for one unit.
    fn clipped(weights: &[f64], gradient: &[f64], ratio: f64) -> Vec<f64> {
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let allowed = ratio * norm(weights).max(1e-3);
        let factor = (allowed / norm(gradient).max(1e-6)).min(1.0);
        gradient.iter().map(|g| g * factor).collect()
    }

    #[test]
    fn each_unit_is_clipped_by_itself() {
        let weights = [3.0, 1.0, 0.0, 4.0, -1.0, 0.0, 1.0, 2.0, 2.0, 1.0, 1.0, 9.0, 9.0, 5.0, 5.0];
        let gradient = [5.0, 0.1, 1.0, -5.0, 0.1, 2.0, 6.0, 0.0, 8.0, 0.3, 0.4, 7.0, 7.0, 9.0, 9.0];
        let trained = [0..11, 13..15];
        let mut clip = AdaptiveClip::of(&tensors(), &trained, 0.5, &["head"]);
        let mut found = gradient;
        clip.clip_floats(&weights, &mut found);
        let units: [&[usize]; 5] = [&[0, 3], &[1, 4], &[2, 5], &[6, 7, 8], &[9, 10]];
        let mut expected = gradient.map(f64::from);
        for unit in units {
            let of =
                |values: &[f32]| unit.iter().map(|&i| f64::from(values[i])).collect::<Vec<_>>();
            for (&i, value) in unit.iter().zip(clipped(&of(&weights), &of(&gradient), 0.5)) {
                expected[i] = value;
            }
        }
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
        // The first unit by hand: a gradient of length 7.07 for weights of length 5.
        assert!((f64::from(found[0]) - 2.5 / 2.0_f64.sqrt()).abs() < 1e-6);
        assert_eq!(found[11..], gradient[11..]);
    }

    #[test]
    fn units_are_found_in_any_layout() {
        let units = |axes: &[(usize, usize)]| Units::of(&tensor("it", 4, axes));
        assert_eq!(units(&[(5, 7), (7, 1)]), Units { range: 4..39, count: 5, run: 7 });
        assert_eq!(units(&[(4, 1), (3, 4), (2, 12)]), Units { range: 4..28, count: 4, run: 1 });
        // A linear layer with one input: each of its outputs is a unit.
        assert_eq!(units(&[(5, 1), (1, 5)]), Units { range: 4..9, count: 5, run: 1 });
        assert_eq!(units(&[]), Units { range: 4..5, count: 1, run: 1 });
    }

    #[test]
    fn values_that_are_not_finite_stay_visible() {
        let mut clip = AdaptiveClip::of(&tensors()[..1], slice::from_ref(&(0..6)), 0.5, &[]);
        let mut gradient = [f32::NAN, 1e9, 0.0, 0.0, 0.0, 0.0];
        clip.clip_floats(&[1.0; 6], &mut gradient);
        assert!(gradient[0].is_nan() && gradient[1] < 1.0);
    }

    #[test]
    #[should_panic(expected = "there is no layer `heads` to exclude")]
    fn a_misspelt_layer_is_refused() {
        let _ = AdaptiveClip::of(&tensors(), slice::from_ref(&(0..15)), 0.5, &["heads"]);
    }
}
