//! [`MaxPool2d`]: PyTorch's `nn.MaxPool2d`, channels last.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::max_pool2d;

/// The maximum under a window: `[H, W, C] -> [H', W', C]`.
///
/// The gradient goes to the first of equal maxima. Padding counts as minus infinity, and a NaN is the maximum.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool2d;

max_node!(MaxPool2d, max_pool2d::MaxPool2d, S => Pool::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::{Trial, random, spec};
    use unrolled_shape::Padding;

    spec!(By2: max_pool2d::MaxPool2d {
        kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), dilation: [1; 2], ceil_mode: false,
    },
        [&[5, 7, 3]] -> &[2, 3, 3]);
    // Two vectors of channels and a rest; a last line without a neighbour, and a last column.
    spec!(By2Line: max_pool2d::MaxPool2d {
        kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), dilation: [1; 2], ceil_mode: false,
    },
        [&[5, 4, 37]] -> &[2, 2, 37]);
    spec!(By2Column: max_pool2d::MaxPool2d {
        kernel: [2; 2], stride: None, padding: Padding::Explicit([0; 2]), dilation: [1; 2], ceil_mode: false,
    },
        [&[2, 3, 16]] -> &[1, 1, 16]);
    spec!(Overlapping: max_pool2d::MaxPool2d {
        kernel: [3, 2], stride: Some([1, 2]), padding: Padding::Explicit([1; 2]), dilation: [2, 1], ceil_mode: false,
    },
        [&[6, 5, 21]] -> &[4, 3, 21]);
    spec!(Large: max_pool2d::MaxPool2d {
        kernel: [17; 2], stride: Some([3; 2]), padding: Padding::Explicit([8, 0]), dilation: [1; 2], ceil_mode: false,
    },
        [&[9, 20, 2]] -> &[3, 2, 2]);

    spec!(RoundedUp: max_pool2d::MaxPool2d {
        kernel: [3, 2], stride: Some([2, 3]), padding: Padding::Explicit([1, 0]), dilation: [1; 2], ceil_mode: true,
    },
        [&[6, 7, 3]] -> &[4, 3, 3]);
    spec!(Sides: max_pool2d::MaxPool2d {
        kernel: [2; 2], stride: Some([1; 2]), padding: Padding::Sides([0, 1, 1, 0]), dilation: [1; 2], ceil_mode: false,
    },
        [&[3, 4, 2]] -> &[3, 4, 2]);

    /// The definition: the outputs, and the index of each maximum in the input.
    fn naive<S: Spec<Arguments = max_pool2d::MaxPool2d>>(x: &[f32]) -> (Vec<f32>, Vec<usize>) {
        let window = S::ARGUMENTS.window(S::INPUT);
        let [height, width, channels] = [0, 1, 2].map(|axis| S::INPUT.dim(axis));
        let input = |axis: usize, at: usize, tap: usize| {
            // An image is a volume of depth 1.
            let axis = axis + 1;
            (at * window.stride[axis] + tap * window.dilation[axis])
                .checked_sub(window.padding[axis][0])
        };
        let (mut y, mut winners) = (Vec::new(), Vec::new());
        for out in 0..S::OUT {
            let (pixel, c) = (out / channels, out % channels);
            let (row, column) = (pixel / S::OUTPUT.dim(1), pixel % S::OUTPUT.dim(1));
            let mut best = None::<usize>;
            for i in 0..window.kernel[1] {
                for j in 0..window.kernel[2] {
                    let (Some(h), Some(w)) = (input(0, row, i), input(1, column, j)) else {
                        continue;
                    };
                    let at = (h * width + w) * channels + c;
                    if h < height && w < width && best.is_none_or(|best| x[at] > x[best]) {
                        best = Some(at);
                    }
                }
            }
            winners.push(best.unwrap());
            y.push(x[best.unwrap()]);
        }
        (y, winners)
    }

    fn check<S: Spec<Arguments = max_pool2d::MaxPool2d>>() {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, MaxPool2d>::random();
        // Many equal values, all below 0, with which a padding of zeros would be found.
        for x in &mut trial.x[0] {
            *x = (*x * 4.0).round() - 5.0;
        }
        let outcome = trial.train();
        trial.check_inference();
        for sample in 0..trial.batch {
            let (y, winners) = naive::<S>(&trial.x[0][sample * S::IN..][..S::IN]);
            assert_eq!(outcome.y[sample * S::OUT..][..S::OUT], y);
            let mut d_x = vec![0.0; S::IN];
            for (winner, d_y) in winners.into_iter().zip(&trial.d_y[sample * S::OUT..]) {
                d_x[winner] += d_y;
            }
            for (found, expected) in outcome.d_x[0][sample * S::IN..].iter().zip(&d_x) {
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }

    #[test]
    fn agrees_with_the_definition() {
        check::<By2>();
        check::<By2Line>();
        check::<By2Column>();
        check::<Overlapping>();
        check::<Large>();
        check::<RoundedUp>();
        check::<Sides>();
    }

    #[test]
    fn agrees_with_finite_differences() {
        let mut trial = Trial::<Overlapping, MaxPool2d>::random().with_step(1e-3, 1e-3);
        // Values so far apart that no step changes a maximum.
        let order = random(trial.x[0].len(), 9);
        let mut indices: Vec<usize> = (0..order.len()).collect();
        indices.sort_by(|a, b| order[*a].total_cmp(&order[*b]));
        for (rank, i) in indices.into_iter().enumerate() {
            trial.x[0][i] = rank as f32 / 128.0 - 10.0;
        }
        trial.check_gradients();
    }

    #[test]
    fn the_index_of_a_maximum_is_a_byte_if_the_window_is_small() {
        assert_eq!(<MaxPool2d as TrainNode<By2>>::SAVED, (2 * 3 * 3_usize).div_ceil(4));
        assert_eq!(<MaxPool2d as TrainNode<Large>>::SAVED, 3 * 2 * 2);
    }

    #[test]
    fn nan_is_a_maximum_and_infinities_are_values() {
        let mut trial = Trial::<By2, MaxPool2d>::random();
        trial.x[0].fill(f32::NEG_INFINITY);
        trial.x[0][(7 + 1) * 3] = f32::NAN;
        let outcome = trial.train();
        assert!(outcome.y[0].is_nan());
        assert_eq!(outcome.y[1..], vec![f32::NEG_INFINITY; outcome.y.len() - 1]);
        assert!(trial.infer()[0].is_nan());
        // The gradient goes to NaN, and to the first of equal maxima.
        assert_eq!(outcome.d_x[0][(7 + 1) * 3], trial.d_y[0]);
        assert_eq!(outcome.d_x[0][..3], [0.0, trial.d_y[1], trial.d_y[2]]);
    }
}
