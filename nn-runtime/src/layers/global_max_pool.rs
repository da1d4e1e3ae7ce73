//! [`GlobalMaxPool`]: PyTorch's `nn.AdaptiveMaxPool2d(1)` followed by `flatten`.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::global_max_pool;

/// The maximum of each channel over all other axes: `[.., C] -> [C]`.
///
/// The gradient goes to the first of equal maxima, and a NaN is the maximum.
#[derive(Clone, Debug, PartialEq)]
pub struct GlobalMaxPool;

max_node!(GlobalMaxPool, global_max_pool::GlobalMaxPool, S => Pool::global(S::INPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TrainNode;
    use crate::layers::testing::{Trial, spec};

    spec!(Image: global_max_pool::GlobalMaxPool {}, [&[3, 4, 21]] -> &[21]);
    spec!(Wide: global_max_pool::GlobalMaxPool {}, [&[15, 20, 2]] -> &[2]);

    #[test]
    fn agrees_with_the_definition() {
        check::<Image>();
        check::<Wide>();
        // More pixels than a byte can index.
        assert_eq!(<GlobalMaxPool as TrainNode<Wide>>::SAVED, 2);
    }

    fn check<S: crate::contract::Spec<Arguments = global_max_pool::GlobalMaxPool>>() {
        let mut trial = Trial::<S, GlobalMaxPool>::random();
        let outcome = trial.train();
        trial.check_inference();
        for sample in 0..trial.batch {
            let x = &trial.x[0][sample * S::IN..][..S::IN];
            let d_x = &outcome.d_x[0][sample * S::IN..][..S::IN];
            for c in 0..S::OUT {
                let channel = || x.iter().skip(c).step_by(S::OUT);
                let largest = channel().copied().fold(f32::NEG_INFINITY, f32::max);
                assert_eq!(outcome.y[sample * S::OUT + c], largest);
                let at_largest = c + S::OUT * channel().position(|x| *x == largest).unwrap();
                for at in (c..S::IN).step_by(S::OUT) {
                    let expected =
                        if at == at_largest { trial.d_y[sample * S::OUT + c] } else { 0.0 };
                    assert_eq!(d_x[at], expected);
                }
            }
        }
    }
}
