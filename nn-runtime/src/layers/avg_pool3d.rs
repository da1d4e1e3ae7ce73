//! [`AvgPool3d`]: PyTorch's `nn.AvgPool3d`, channels last.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::avg_pool3d;

/// The average under a window: `[D, H, W, C] -> [D', H', W', C]`. `count_include_pad`: whether
/// the zeros of the padding count.
#[derive(Clone, Debug, PartialEq)]
pub struct AvgPool3d;

average_node!(
    AvgPool3d,
    avg_pool3d::AvgPool3d,
    S => Pool::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT),
    S::ARGUMENTS.count_include_pad
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::layers::testing::{Trial, spec};
    use unrolled_shape::VolumePadding;

    macro_rules! pool {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $counted:expr, $ceil:expr, $input:expr => $output:expr) => {
            spec!($Name: avg_pool3d::AvgPool3d {
                kernel: $kernel, stride: $stride, padding: $padding, count_include_pad: $counted, ceil_mode: $ceil,
            }, [&$input] -> &$output);
        };
    }

    const NONE: VolumePadding = VolumePadding::Explicit([0; 3]);
    const ONE: VolumePadding = VolumePadding::Explicit([1; 3]);
    pool!(By2: [2; 3], None, NONE, true, false, [4, 5, 7, 3] => [2, 2, 3, 3]);
    pool!(Counted: [3, 2, 3], Some([1, 2, 2]), ONE, true, false, [2, 4, 5, 21] => [2, 3, 3, 21]);
    pool!(NotCounted: [3, 2, 3], Some([1, 2, 2]), ONE, false, false, [2, 4, 5, 2] => [2, 3, 3, 2]);
    pool!(RoundedUp: [2; 3], None, NONE, true, true, [3, 3, 5, 1] => [2, 2, 3, 1]);
    pool!(RoundedUpCounted: [3; 3], Some([2; 3]), ONE, true, true, [4, 6, 3, 2] => [3, 4, 2, 2]);
    // Sums of so many elements are sums of parts.
    pool!(Large: [4, 5, 6], None, NONE, true, false, [4, 5, 6, 3] => [1, 1, 1, 3]);

    /// The elements of the input under each window, and the divisor, all channels of one output after the other.
    fn windows<S: Spec<Arguments = avg_pool3d::AvgPool3d>>() -> Vec<(Vec<usize>, usize)> {
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
        // Padding counts, but what `ceil_mode` adds to it does not.
        let counted = |axis: usize, at: usize| {
            let [before, after] = window.padding[axis];
            let end = before + size(axis) + after - window.uncounted[axis];
            window.kernel[axis].min(end - at * window.stride[axis])
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
            let divisor = if S::ARGUMENTS.count_include_pad {
                counted(0, plane) * counted(1, row) * counted(2, column)
            } else {
                elements.len()
            };
            all.push((elements, divisor));
        }
        all
    }

    fn check<S: Spec<Arguments = avg_pool3d::AvgPool3d>>() {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, AvgPool3d>::random();
        trial.check_inference();
        let y = trial.infer();
        for sample in 0..trial.batch {
            let x = &trial.x[0][sample * S::IN..][..S::IN];
            for (out, (window, divisor)) in windows::<S>().into_iter().enumerate() {
                let sum: f64 = window.into_iter().map(|at| f64::from(x[at])).sum();
                let found = f64::from(y[sample * S::OUT + out]);
                assert!((found - sum / divisor as f64).abs() < 1e-6, "{found} {sum}/{divisor}");
            }
        }
        trial.check_gradients();
    }

    #[test]
    fn agrees_with_the_definition_and_finite_differences() {
        check::<By2>();
        check::<Counted>();
        check::<NotCounted>();
        check::<RoundedUp>();
        check::<RoundedUpCounted>();
        check::<Large>();
    }
}
