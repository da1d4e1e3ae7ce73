//! [`MaxPool1d`]: PyTorch's `nn.MaxPool1d`, channels last.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::max_pool1d;

/// The maximum under a window: `[T, C] -> [T', C]`.
///
/// The gradient goes to the first of equal maxima. Padding counts as minus infinity, and a NaN is the maximum.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool1d;

max_node!(MaxPool1d, max_pool1d::MaxPool1d, S => Pool::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::layers::testing::{Trial, spec};
    use unrolled_shape::StepPadding;

    spec!(By2: max_pool1d::MaxPool1d {
        kernel: 2, stride: None, padding: StepPadding::Explicit(0), dilation: 1, ceil_mode: false,
    },
        [&[7, 3]] -> &[3, 3]);
    spec!(Overlapping: max_pool1d::MaxPool1d {
        kernel: 3, stride: Some(2), padding: StepPadding::Explicit(1), dilation: 2, ceil_mode: false,
    },
        [&[8, 21]] -> &[3, 21]);

    /// The definition: the index of each output's maximum in the input.
    fn winners<S: Spec<Arguments = max_pool1d::MaxPool1d>>(x: &[f32]) -> Vec<usize> {
        let window = S::ARGUMENTS.window(S::INPUT);
        let (steps, channels) = (S::INPUT.dim(0), S::INPUT.dim(1));
        let winner = |out: usize| {
            let (t, c) = (out / channels, out % channels);
            let under = (0..window.kernel[2]).filter_map(|k| {
                let at = t * window.stride[2] + k * window.dilation[2];
                let at = at.checked_sub(window.padding[2][0])?;
                (at < steps).then_some(at * channels + c)
            });
            under.reduce(|best, at| if x[at] > x[best] { at } else { best }).unwrap()
        };
        (0..S::OUT).map(winner).collect()
    }

    fn check<S: Spec<Arguments = max_pool1d::MaxPool1d>>() {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, MaxPool1d>::random();
        trial.check_inference();
        let outcome = trial.train();
        for sample in 0..trial.batch {
            let x = &trial.x[0][sample * S::IN..][..S::IN];
            let mut d_x = vec![0.0; S::IN];
            for (out, winner) in winners::<S>(x).into_iter().enumerate() {
                assert_eq!(outcome.y[sample * S::OUT + out], x[winner]);
                d_x[winner] += trial.d_y[sample * S::OUT + out];
            }
            assert_eq!(outcome.d_x[0][sample * S::IN..][..S::IN], d_x);
        }
    }

    #[test]
    fn agrees_with_the_definition() {
        check::<By2>();
        check::<Overlapping>();
    }
}
