//! [`MaxPool3d`]: PyTorch's `nn.MaxPool3d`, channels last.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::max_pool3d;

/// The maximum under a window: `[D, H, W, C] -> [D', H', W', C]`.
///
/// The gradient goes to the first of equal maxima. Padding counts as minus infinity, and a NaN is the maximum.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool3d;

max_node!(MaxPool3d, max_pool3d::MaxPool3d, S => Pool::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::layers::testing::{Trial, random, spec};
    use unrolled_shape::VolumePadding;

    macro_rules! pool {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $dilation:expr, $ceil:expr, $input:expr => $output:expr) => {
            spec!($Name: max_pool3d::MaxPool3d {
                kernel: $kernel, stride: $stride, padding: $padding, dilation: $dilation, ceil_mode: $ceil,
            }, [&$input] -> &$output);
        };
    }

    const NONE: VolumePadding = VolumePadding::Explicit([0; 3]);
    pool!(By2: [2; 3], None, NONE, [1; 3], false, [4, 5, 7, 3] => [2, 2, 3, 3]);
    pool!(Frames: [1, 2, 2], None, NONE, [1; 3], false, [3, 4, 6, 2] => [3, 2, 3, 2]);
    pool!(Overlapping: [2, 3, 2], Some([1, 1, 2]), VolumePadding::Explicit([1; 3]), [2, 2, 1], false, [3, 6, 5, 21] => [3, 4, 3, 21]);
    pool!(Large: [9, 6, 5], Some([3; 3]), VolumePadding::Explicit([4, 0, 0]), [1; 3], false, [9, 7, 8, 2] => [3, 1, 2, 2]);
    pool!(RoundedUp: [3, 2, 2], Some([2, 3, 2]), VolumePadding::Explicit([1, 0, 0]), [1; 3], true, [6, 7, 5, 3] => [4, 3, 3, 3]);
    pool!(Sides: [2; 3], Some([1; 3]), VolumePadding::Sides([0, 1, 1, 0, 0, 1]), [1; 3], false, [3, 2, 4, 2] => [3, 2, 4, 2]);

    /// The elements of the input under each window, all channels of one output after the other.
    fn windows<S: Spec<Arguments = max_pool3d::MaxPool3d>>() -> Vec<Vec<usize>> {
        let window = S::ARGUMENTS.window(S::INPUT);
        let channels = S::INPUT.last();
        let size = |axis: usize| S::INPUT.dim(axis);
        let under = |axis: usize, at: usize| {
            let position = move |tap: usize| {
                (at * window.stride[axis] + tap * window.dilation[axis])
                    .checked_sub(window.padding[axis][0])
            };
            (0..window.kernel[axis]).filter_map(position).filter(move |at| *at < size(axis))
        };
        let mut all = Vec::new();
        for out in 0..S::OUT {
            let (pixel, c) = (out / channels, out % channels);
            let (line, column) = (pixel / S::OUTPUT.dim(2), pixel % S::OUTPUT.dim(2));
            let (plane, row) = (line / S::OUTPUT.dim(1), line % S::OUTPUT.dim(1));
            let mut elements = Vec::new();
            for d in under(0, plane) {
                for h in under(1, row) {
                    elements.extend(
                        under(2, column).map(|w| ((d * size(1) + h) * size(2) + w) * channels + c),
                    );
                }
            }
            all.push(elements);
        }
        all
    }

    fn check<S: Spec<Arguments = max_pool3d::MaxPool3d>>() {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, MaxPool3d>::random();
        // Many equal values, all below 0, with which a padding of zeros would be found.
        for x in &mut trial.x[0] {
            *x = (*x * 4.0).round() - 5.0;
        }
        let outcome = trial.train();
        trial.check_inference();
        for sample in 0..trial.batch {
            let x = &trial.x[0][sample * S::IN..][..S::IN];
            let mut d_x = vec![0.0; S::IN];
            for (out, window) in windows::<S>().into_iter().enumerate() {
                // The first of equals: `max_by` returns the last one.
                let winner = window.into_iter().rev().max_by(|a, b| x[*a].total_cmp(&x[*b]));
                let winner = winner.expect("a window covers at least one element");
                assert_eq!(outcome.y[sample * S::OUT + out], x[winner]);
                d_x[winner] += trial.d_y[sample * S::OUT + out];
            }
            for (found, expected) in outcome.d_x[0][sample * S::IN..].iter().zip(&d_x) {
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }

    #[test]
    fn agrees_with_the_definition() {
        check::<By2>();
        check::<Frames>();
        check::<Overlapping>();
        check::<Large>();
        check::<RoundedUp>();
        check::<Sides>();
    }

    #[test]
    fn agrees_with_finite_differences() {
        let mut trial = Trial::<RoundedUp, MaxPool3d>::random().with_step(1e-3, 1e-3);
        // Values so far apart that no step changes a maximum.
        let order = random(trial.x[0].len(), 9);
        let mut indices: Vec<usize> = (0..order.len()).collect();
        indices.sort_by(|a, b| order[*a].total_cmp(&order[*b]));
        for (rank, i) in indices.into_iter().enumerate() {
            trial.x[0][i] = rank as f32 / 128.0 - 10.0;
        }
        trial.check_gradients();
    }
}
