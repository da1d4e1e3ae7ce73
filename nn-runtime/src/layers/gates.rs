//! Gates of two halves of the features: [`Gate`] describes the function, and a macro makes a layer of it.

use crate::kernels::Lanes;

/// A function of an element of the first half and one of the second, and its gradients.
pub(super) trait Gate {
    /// The layer's arguments in `network!`.
    type Arguments;

    /// `f(a, b)`.
    fn value<L: Lanes>(a: f32, b: f32) -> f32;

    /// The gradients of `a` and `b`, given the gradient `d_y` of `f(a, b)`.
    #[cfg(feature = "train")]
    fn gradients<L: Lanes>(a: f32, b: f32, d_y: f32) -> [f32; 2];
}

/// Makes `$Name`, a [`Gate`], a layer `[.., 2*C] -> [.., C]`.
macro_rules! gate {
    ($Name:ident) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec, Streaming};
            use $crate::kernels::dispatch::dispatch;
            use $crate::layers::gates::Gate;

            type Arguments = <$Name as Gate>::Arguments;

            dispatch! {
                fn forward<L>(half: usize, x: &[f32], y: &mut [f32]) {
                    for (x, y) in x.chunks_exact(2 * half).zip(y.chunks_exact_mut(half)) {
                        let (a, b) = x.split_at(half);
                        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                            *y = <$Name as Gate>::value::<L>(*a, *b);
                        }
                    }
                }
            }

            impl<S: Spec<Arguments = Arguments>> Node<S> for $Name {
                fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
                    forward(S::OUTPUT.last(), x[0], y);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Streaming<S> for $Name {}

            #[cfg(feature = "train")]
            dispatch! {
                fn backward<L>(half: usize, x: &[f32], d_y: &[f32], d_x: &mut [f32]) {
                    let rows = x.chunks_exact(2 * half).zip(d_y.chunks_exact(half));
                    for ((x, d_y), d_x) in rows.zip(d_x.chunks_exact_mut(2 * half)) {
                        let ((a, b), (d_a, d_b)) = (x.split_at(half), d_x.split_at_mut(half));
                        for (i, d_y) in d_y.iter().enumerate() {
                            [d_a[i], d_b[i]] = <$Name as Gate>::gradients::<L>(a[i], b[i], *d_y);
                        }
                    }
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = Arguments>> $crate::contract::TrainNode<S> for $Name {
                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    forward(S::OUTPUT.last(), call.x[0], call.y);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    if let Some(d_x) = &mut call.d_x[0] {
                        backward(S::OUTPUT.last(), call.x[0], call.d_y, d_x);
                    }
                }
            }
        };
    };
}

pub(super) use gate;

#[cfg(test)]
pub(super) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::Trial;

    /// Checks a gate against its definition in `f64`, and its gradients.
    #[track_caller]
    pub(crate) fn check<S: Spec, T: TrainNode<S>>(gate: fn(f64, f64) -> f64) {
        let mut trial = Trial::<S, T>::random().with_step(1e-2, 1e-3);
        trial.check_gradients();
        trial.check_inference();
        let (y, half) = (trial.infer(), S::OUTPUT.last());
        for (row, y) in y.chunks_exact(half).enumerate() {
            for (i, y) in y.iter().enumerate() {
                let at = |from| f64::from(trial.x[0][row * 2 * half + from + i]);
                let expected = gate(at(0), at(half));
                assert!((f64::from(*y) - expected).abs() < 1e-6, "{y} {expected}");
            }
        }
    }

    pub(crate) fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }
}
