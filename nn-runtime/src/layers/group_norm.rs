//! [`GroupNorm`]: PyTorch's `nn.GroupNorm`, channels last.

use super::grouped::grouped_node;
use unrolled_shape::rules::group_norm;

/// `(x - mean) / sqrt(variance + eps) * weight + bias`, with the mean and the variance of one group of a sample's
/// channels over all other axes: `[.., C] -> [.., C]` (Wu and He, 2018).
///
/// Steps after the end of a sequence are ignored.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct GroupNorm<const AFFINE: usize> {
    /// One for each channel, or none.
    pub weight: [f32; AFFINE],
    /// One for each channel, or none.
    pub bias: [f32; AFFINE],
}

// The rule refuses 0 groups. They count as 1 here, so that the compiler does not report a division by zero as well.
grouped_node!(GroupNorm, group_norm::GroupNorm, S => match S::ARGUMENTS.groups {
    0 => 1,
    groups => groups,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Node;
    use crate::contract::TrainNode;
    use crate::kernels::reference::Groups;
    use crate::layers::testing::{Trial, check_lengths, check_normalisation, spec};
    use crate::system::RngKey;
    use crate::types::{LayerOrder, Weights};

    spec!(Image: group_norm::GroupNorm { groups: 3, eps: 1e-3, affine: true }, [&[2, 3, 6]] -> &[2, 3, 6]);
    spec!(Wide: group_norm::GroupNorm { groups: 2, eps: 1e-5, affine: true }, [&[3, 38]] -> &[3, 38]);
    spec!(Features: group_norm::GroupNorm { groups: 2, eps: 1e-5, affine: false }, [&[8]] -> &[8]);
    spec!(Steps: group_norm::GroupNorm { groups: 2, eps: 1e-5, affine: true }, [&[5, 4]] -> &[5, 4]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Image, GroupNorm<6>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Wide, GroupNorm<38>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Features, GroupNorm<0>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Image, GroupNorm<6>>::random().check_inference();
        Trial::<Features, GroupNorm<0>>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        check_normalisation::<Image, GroupNorm<6>>(
            [6, 6],
            Groups { positions: 6, channels: 6, groups: 3, centred: true, eps: 1e-3 },
        );
        check_normalisation::<Wide, GroupNorm<38>>(
            [38, 38],
            Groups { positions: 3, channels: 38, groups: 2, centred: true, eps: 1e-5 },
        );
        check_normalisation::<Features, GroupNorm<0>>(
            [0, 0],
            Groups { positions: 1, channels: 8, groups: 2, centred: true, eps: 1e-5 },
        );
    }

    #[test]
    fn steps_after_the_end_are_ignored() {
        spec!(Short: group_norm::GroupNorm { groups: 2, eps: 1e-5, affine: true }, [&[2, 4]] -> &[2, 4]);
        check_lengths::<Steps, Short, GroupNorm<4>>(2, 0);
        let mut trial = Trial::<Steps, GroupNorm<4>>::random().with_step(1e-2, 1e-3);
        trial.lengths = vec![3, 5, 1, 4, 2];
        trial.check_gradients();
    }

    #[test]
    fn is_initialised_as_in_pytorch_and_has_its_tensors() {
        let mut layer = <GroupNorm<4> as Weights>::zeros();
        TrainNode::<Steps>::initialise(&mut *layer, RngKey::new(0));
        assert_eq!((layer.weight, layer.bias), ([1.0; 4], [0.0; 4]));
        let tensors = <GroupNorm<4> as Node<Steps>>::file_tensors(&LayerOrder::default());
        let names: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), t.offset)).collect();
        assert_eq!(names, [("weight", 0), ("bias", 4)]);
        assert_eq!(<GroupNorm<0> as Node<Features>>::file_tensors(&LayerOrder::default()), []);
    }
}
