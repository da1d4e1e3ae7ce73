//! [`Dropout`]: PyTorch's `nn.Dropout`.

use crate::contract::{InPlaceNode, Spec};
#[cfg(feature = "train")]
use crate::contract::{Pass, TrainInPlaceNode};
use crate::kernels::Instructions;
#[cfg(feature = "train")]
use crate::kernels::dispatch::dispatch;
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::Weights;
use unrolled_shape::rules::dropout;

/// In training, sets each element to 0 with probability `p` and divides it by `1 - p` otherwise; the identity at
/// inference: `[..] -> [..]` (Srivastava et al., 2014).
///
/// Which elements become 0 depends only on the step, the layer, the index of the sample in the batch and the index of
/// the element in the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Dropout {}

impl<S: Spec<Arguments = dropout::Dropout>> InPlaceNode<S> for Dropout {
    fn infer(&self, _n: usize, _y: &mut [f32]) {}

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, _n: usize, _y: &mut [f32]) {}
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = dropout::Dropout>> TrainInPlaceNode<S> for Dropout {
    fn forward(&self, pass: &Pass, y: &mut [f32]) {
        apply(S::ARGUMENTS.p, pass, S::IN, y);
    }

    fn backward(&self, pass: &Pass, _y: &[f32], d: &mut [f32]) {
        apply(S::ARGUMENTS.p, pass, S::IN, d);
    }
}

/// Multiplies each element by 0 or by `1 / (1 - p)` in training.
#[cfg(feature = "train")]
pub(super) fn apply(p: f64, pass: &Pass, sample_len: usize, values: &mut [f32]) {
    if p == 0.0 || !pass.training {
        return;
    }
    // Of 2^32 equally likely values of 32 bits, this many keep an element.
    let threshold = ((1.0 - p) * (1_u64 << u32::BITS) as f64).round() as u64;
    // Infinite if all elements become 0, and then not used.
    let scale = (1.0 / (1.0 - p)) as f32;
    for (i, sample) in values.chunks_exact_mut(sample_len).enumerate() {
        let key = pass.key.fold_in((pass.first + i) as u64);
        scale_or_clear(key, threshold, scale, sample);
    }
}

#[cfg(feature = "train")]
dispatch! {
    /// Multiplies each element by `scale` if its 32 random bits are below `threshold`, by 0 otherwise. As in PyTorch,
    /// NaN stays.
    fn scale_or_clear(key: RngKey, threshold: u64, scale: f32, sample: &mut [f32]) {
        let factor = |bits: u64| if bits < threshold { scale } else { 0.0 };
        // A key yields 64 bits at a time: enough for two elements.
        let (pairs, last) = sample.as_chunks_mut::<2>();
        let count = pairs.len();
        for (i, [a, b]) in pairs.iter_mut().enumerate() {
            let bits = key.bits(i as u64);
            *a *= factor(bits >> u32::BITS);
            *b *= factor(bits & u64::from(u32::MAX));
        }
        for a in last {
            *a *= factor(key.bits(count as u64) >> u32::BITS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{OutOfPlace, Trial, spec};

    spec!(Quarter: dropout::Dropout { p: 0.25 }, [&[9, 111]] -> &[9, 111]);
    spec!(Half: dropout::Dropout { p: 0.5 }, [&[7]] -> &[7]);
    spec!(Never: dropout::Dropout { p: 0.0 }, [&[7]] -> &[7]);
    spec!(Always: dropout::Dropout { p: 1.0 }, [&[7]] -> &[7]);

    /// All ones through the layer, in shards of `capacity`.
    fn ones<S: Spec<Arguments = dropout::Dropout>>(capacity: usize) -> Vec<f32> {
        let mut trial = Trial::<S, OutOfPlace<Dropout>>::random();
        trial.capacity = capacity;
        trial.x[0].fill(1.0);
        trial.d_y.fill(1.0);
        let outcome = trial.train();
        assert_eq!(outcome.d_x[0], outcome.y, "the backward pass drops the same elements");
        outcome.y
    }

    #[test]
    fn drops_a_quarter_and_scales_the_rest() {
        let y = ones::<Quarter>(2);
        assert!(y.iter().all(|y| *y == 0.0 || *y == (1.0 / 0.75)));
        let dropped = y.iter().filter(|y| **y == 0.0).count() as f64 / y.len() as f64;
        // Four standard deviations: sqrt(0.25 * 0.75 / 4995) * 4.
        assert!((dropped - 0.25).abs() < 0.0246, "{dropped}");
    }

    #[test]
    fn shards_do_not_change_the_result_and_samples_differ() {
        let y = ones::<Quarter>(1);
        for capacity in 2..=5 {
            assert_eq!(ones::<Quarter>(capacity), y);
        }
        let len = Quarter::IN;
        assert_ne!(y[..len], y[len..2 * len]);
        // The two halves of one draw differ too.
        assert_ne!(y[..len - 1], y[1..len]);
    }

    #[test]
    fn steps_and_layers_differ() {
        let dropped = |key| {
            let mut y = vec![1.0; Quarter::IN];
            let pass = Pass {
                n: 1,
                first: 0,
                batch: 1,
                key,
                training: true,
                frozen: false,
                observer: None,
            };
            TrainInPlaceNode::<Quarter>::forward(&Dropout, &pass, &mut y);
            y
        };
        let step = RngKey::new(1);
        assert_eq!(dropped(step.fold_in(1)), dropped(step.fold_in(1)));
        assert_ne!(dropped(step.fold_in(1)), dropped(step.fold_in(2)));
    }

    #[test]
    fn never_and_always() {
        assert_eq!(ones::<Never>(2), [1.0; 35]);
        assert_eq!(ones::<Always>(2), [0.0; 35]);
    }

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Half, OutOfPlace<Dropout>>::random().check_gradients();
        Trial::<Never, OutOfPlace<Dropout>>::random().check_gradients();
        Trial::<Always, OutOfPlace<Dropout>>::random().check_gradients();
    }

    #[test]
    fn inference_is_the_identity() {
        let trial = Trial::<Quarter, OutOfPlace<Dropout>>::random();
        assert_eq!(trial.infer(), trial.x[0]);
    }
}
