//! Elementwise activations: [`Activation`] describes one function, and a macro makes a layer of it.
//!
//! The macros are needed because a blanket implementation of `Node` for all activations would conflict with the one
//! for user-defined layers ([`Layer`](crate::Layer)).

use crate::kernels::Lanes;

/// A function `y = f(x)` of one element without weights, and its gradient.
///
/// Implementations are `#[inline(always)]`: the loops over them are compiled once for each instruction set, and
/// vectorise there. A step function must be an `if` expression, not an early return.
pub(super) trait Activation {
    /// The layer's arguments in `network!`.
    type Arguments;

    /// `f(x)`.
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32;

    /// The gradient of `x`, given the gradient `d_y` of `y`. `seen` is the value that backward has: `y` in layers that
    /// work in place, `x` in others.
    ///
    /// It is not a slope to be multiplied by `d_y`: where the slope is 0, the gradient is 0 even if `d_y` is infinite.
    #[cfg(feature = "train")]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, seen: f32, d_y: f32) -> f32;

    /// `y = f(y)` for each element. Functions that take many instructions override it with
    /// [`map_in_place`](crate::kernels::elementwise::map_in_place), which also computes the last elements as a vector.
    #[inline(always)]
    fn apply_in_place<L: Lanes>(arguments: &Self::Arguments, y: &mut [f32]) {
        for y in y {
            *y = Self::value::<L>(arguments, *y);
        }
    }
}

/// Makes `$Name`, an [`Activation`], a layer that works in place. Its backward pass reads only the output.
macro_rules! in_place_activation {
    ($Name:ident) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{InPlaceNode, Spec};
            use $crate::kernels::Instructions;
            use $crate::kernels::dispatch::dispatch;
            use $crate::layers::activation::Activation;

            type Arguments = <$Name as Activation>::Arguments;

            dispatch! {
                fn forward<L>(arguments: &Arguments, y: &mut [f32]) {
                    <$Name as Activation>::apply_in_place::<L>(arguments, y);
                }
            }

            impl<S: Spec<Arguments = Arguments>> InPlaceNode<S> for $Name {
                fn infer(&self, _n: usize, y: &mut [f32]) {
                    forward(const { &S::ARGUMENTS }, y);
                }

                #[inline(always)]
                fn infer_inlined<I: Instructions>(&self, _isa: I, _n: usize, y: &mut [f32]) {
                    <$Name as Activation>::apply_in_place::<I::Lanes>(const { &S::ARGUMENTS }, y);
                }
            }

            #[cfg(feature = "train")]
            dispatch! {
                fn backward<L>(arguments: &Arguments, y: &[f32], d: &mut [f32]) {
                    for (d, &y) in d.iter_mut().zip(y) {
                        *d = <$Name as Activation>::d_x::<L>(arguments, y, *d);
                    }
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = Arguments>> $crate::contract::TrainInPlaceNode<S> for $Name {
                fn forward(&self, _pass: &$crate::contract::Pass, y: &mut [f32]) {
                    forward(const { &S::ARGUMENTS }, y);
                }

                fn backward(&self, _pass: &$crate::contract::Pass, y: &[f32], d: &mut [f32]) {
                    backward(const { &S::ARGUMENTS }, y, d);
                }
            }
        };
    };
}

/// Makes `$Name`, an [`Activation`], a layer with an output of its own. Its backward pass reads the input.
macro_rules! activation {
    ($Name:ident) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec, Streaming};
            use $crate::kernels::dispatch::dispatch;
            use $crate::kernels::{Instructions, Lanes};
            use $crate::layers::activation::Activation;

            type Arguments = <$Name as Activation>::Arguments;

            #[inline(always)]
            fn forward_inlined<L: Lanes>(arguments: &Arguments, x: &[f32], y: &mut [f32]) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = <$Name as Activation>::value::<L>(arguments, x);
                }
            }

            dispatch! {
                fn forward<L>(arguments: &Arguments, x: &[f32], y: &mut [f32]) {
                    forward_inlined::<L>(arguments, x, y);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Node<S> for $Name {
                fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
                    forward(const { &S::ARGUMENTS }, x[0], y);
                }

                #[inline(always)]
                fn infer_inlined<I: Instructions>(&self, _isa: I, Infer { x, y, .. }: Infer<'_>) {
                    forward_inlined::<I::Lanes>(const { &S::ARGUMENTS }, x[0], y);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Streaming<S> for $Name {}

            #[cfg(feature = "train")]
            dispatch! {
                fn backward<L>(arguments: &Arguments, x: &[f32], d_y: &[f32], d_x: &mut [f32]) {
                    for ((d_x, &x), &d_y) in d_x.iter_mut().zip(x).zip(d_y) {
                        *d_x = <$Name as Activation>::d_x::<L>(arguments, x, d_y);
                    }
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = Arguments>> $crate::contract::TrainNode<S> for $Name {
                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    forward(const { &S::ARGUMENTS }, call.x[0], call.y);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    if let Some(d_x) = &mut call.d_x[0] {
                        backward(const { &S::ARGUMENTS }, call.x[0], call.d_y, d_x);
                    }
                }
            }
        };
    };
}

pub(super) use {activation, in_place_activation};

#[cfg(test)]
pub(super) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::Trial;

    /// `POINTS` in scripts/activations.py.
    const POINTS: [f32; 12] =
        [-20.0, -3.5, -3.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0];

    /// `POSITIVE` in scripts/activations.py.
    const POSITIVE: [f32; 12] =
        [0.0078125, 0.03125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 9.0, 100.0];

    /// Defines a test of `$Layer` with some arguments against PyTorch: see [`check`], and [`check_positive`] for
    /// `at positive, outputs: ..`.
    macro_rules! pytorch_test {
        ($test:ident: $Layer:ty, $($Arguments:ident)::+ { $($field:ident : $value:expr),* },
         $(at $check:ident,)? outputs: $y:expr, slopes: $slopes:expr $(,)?) => {
            #[test]
            fn $test() {
                $crate::layers::testing::spec!(
                    Points: $($Arguments)::+ { $($field: $value),* }, [&[3, 4]] -> &[3, 4]
                );
                pytorch_test!(@check [$($check)?] [Points, $Layer] $y, $slopes);
            }
        };
        (@check [] [$Points:ty, $Layer:ty] $y:expr, $slopes:expr) => {
            $crate::layers::activation::testing::check::<$Points, $Layer>($y, $slopes);
        };
        (@check [positive] [$Points:ty, $Layer:ty] $y:expr, $slopes:expr) => {
            $crate::layers::activation::testing::check_positive::<$Points, $Layer>($y, $slopes);
        };
    }
    pub(crate) use pytorch_test;

    /// Checks an activation at [`POINTS`] against the outputs and slopes of PyTorch in float64, checks
    /// its gradient against finite differences, and that NaN stays.
    #[track_caller]
    pub(crate) fn check<S: Spec, T: TrainNode<S>>(y: [f64; 12], slopes: [f64; 12]) {
        check_at::<S, T>(POINTS, |x| 3.5 * x, y, slopes);
    }

    /// The same for a function of numbers above 0, at [`POSITIVE`].
    #[track_caller]
    pub(crate) fn check_positive<S: Spec, T: TrainNode<S>>(y: [f64; 12], slopes: [f64; 12]) {
        check_at::<S, T>(POSITIVE, |x| 3.0 * x.abs() + 0.5, y, slopes);
    }

    /// The same at any `points`; `argument` makes an argument for finite differences of a number in `[-1, 1)`.
    #[track_caller]
    fn check_at<S: Spec, T: TrainNode<S>>(
        points: [f32; 12],
        argument: fn(f32) -> f32,
        y: [f64; 12],
        slopes: [f64; 12],
    ) {
        let mut trial = Trial::<S, T>::random().with_step(1e-3, 1e-3);
        for x in &mut trial.x[0] {
            *x = argument(*x);
        }
        trial.check_gradients();
        trial.check_inference();

        trial.x[0] = points.repeat(trial.batch);
        trial.d_y.fill(1.0);
        let outcome = trial.train();
        check_close(&outcome.y[..12], &y);
        check_close(&outcome.d_x[0][..12], &slopes);

        trial.x[0].fill(f32::NAN);
        assert!(trial.train().y.iter().all(|y| y.is_nan()));
    }

    /// Checks values against those of PyTorch in float64.
    #[track_caller]
    pub(crate) fn check_close(found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let distance = (f64::from(*found) - expected).abs();
            assert!(
                distance <= 1e-7 + 1e-6 * expected.abs(),
                "element {i}: expected {expected}, found {found}"
            );
        }
    }
}
