//! Layers that copy blocks of their input: [`Rearrange`] says which, and a macro makes a layer of it.

use crate::contract::Spec;

/// A layer whose output consists of blocks of its input, and of constants.
pub(super) trait Rearrange<S: Spec> {
    /// The elements of a block.
    const BLOCK: usize;
    /// The value of elements that are not in the input.
    const FILL: f32 = 0.0;

    /// The block of a sample's input that is block `at` of its output; `None` for a block of [`Self::FILL`]s.
    fn source(at: usize) -> Option<usize>;
}

/// The output of all samples.
pub(super) fn forward<S: Spec, T: Rearrange<S>>(x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(S::IN).zip(y.chunks_exact_mut(S::OUT)) {
        for (at, y) in y.chunks_exact_mut(T::BLOCK).enumerate() {
            match T::source(at) {
                Some(from) => y.copy_from_slice(&x[from * T::BLOCK..][..T::BLOCK]),
                None => y.fill(T::FILL),
            }
        }
    }
}

/// The gradient of the input of [`forward`].
#[cfg(feature = "train")]
pub(super) fn backward<S: Spec, T: Rearrange<S>>(d_y: &[f32], d_x: &mut [f32]) {
    // Blocks may be copied several times, or never.
    d_x.fill(0.0);
    for (d_x, d_y) in d_x.chunks_exact_mut(S::IN).zip(d_y.chunks_exact(S::OUT)) {
        for (at, d_y) in d_y.chunks_exact(T::BLOCK).enumerate() {
            let Some(from) = T::source(at) else { continue };
            for (d_x, d_y) in d_x[from * T::BLOCK..][..T::BLOCK].iter_mut().zip(d_y) {
                *d_x += d_y;
            }
        }
    }
}

/// Makes `$Name`, which is [`Rearrange`], a layer.
macro_rules! rearrange {
    ($Name:ident, $Arguments:ty) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec};
            use $crate::layers::rearrange;

            impl<S: Spec<Arguments = $Arguments>> Node<S> for $Name {
                fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
                    rearrange::forward::<S, Self>(x[0], y);
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = $Arguments>> $crate::contract::TrainNode<S> for $Name {
                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    rearrange::forward::<S, Self>(call.x[0], call.y);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    if let Some(d_x) = &mut call.d_x[0] {
                        rearrange::backward::<S, Self>(call.d_y, d_x);
                    }
                }
            }
        };
    };
}

pub(super) use rearrange;

#[cfg(test)]
pub(super) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::Trial;

    /// Checks a layer against its definition: `source` is the index of the input element that is copied to the output
    /// element at these indices, one per axis, or `None` for `fill`.
    #[track_caller]
    pub(crate) fn check<S: Spec, T: TrainNode<S>>(
        fill: f32,
        source: impl Fn(&[usize]) -> Option<usize>,
    ) {
        let mut trial = Trial::<S, T>::random();
        trial.check_gradients();
        trial.check_inference();
        let outcome = trial.train();
        for out in 0..S::OUT {
            let mut rest = out;
            let mut at: Vec<usize> = Vec::new();
            for size in S::OUTPUT.dims().iter().rev() {
                at.insert(0, rest % size);
                rest /= size;
            }
            let expected = source(&at).map_or(fill, |from| trial.x[0][S::IN + from]);
            assert_eq!(outcome.y[S::OUT + out], expected, "element {at:?} of the second sample");
        }
    }
}
