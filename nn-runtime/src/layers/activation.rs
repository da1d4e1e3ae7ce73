//! What the activations share: from two functions over slices to a node.

/// Makes `$Name` an in-place node of the file's `forward(&arguments, y)`, `forward_inlined` of the same
/// arguments and `backward(&arguments, y, d)`.
macro_rules! in_place_activation {
    ($Name:ident, $Arguments:ty) => {
        // SAFETY: of size zero.
        unsafe impl $crate::types::Weights for $Name {}

        impl<S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::InPlaceNode<S>
            for $Name
        {
            fn infer(&self, _n: usize, y: &mut [f32]) {
                forward(const { &S::ARGUMENTS }, y);
            }

            #[inline(always)]
            fn infer_inlined<I: $crate::kernels::Instructions>(
                &self,
                _isa: I,
                _n: usize,
                y: &mut [f32],
            ) {
                forward_inlined::<I::Lanes>(const { &S::ARGUMENTS }, y);
            }
        }

        #[cfg(feature = "train")]
        impl<S: $crate::contract::Spec<Arguments = $Arguments>>
            $crate::contract::TrainInPlaceNode<S> for $Name
        {
            fn forward(&self, _pass: &$crate::contract::Pass, y: &mut [f32]) {
                forward(const { &S::ARGUMENTS }, y);
            }

            fn backward(&self, _pass: &$crate::contract::Pass, y: &[f32], d: &mut [f32]) {
                backward(const { &S::ARGUMENTS }, y, d);
            }
        }
    };
}

/// Makes `$Name` a node of the file's `forward(given, x, y)`, `forward_inlined` and
/// `backward(given, values, d_y, d_x)`,
/// where `given` is an expression of the spec `$S`, and `values` are the input `x` or the output `y`.
macro_rules! separate_activation {
    ($Name:ident, $Arguments:ty, $S:ident => $given:expr, $values:tt) => {
        // SAFETY: of size zero.
        unsafe impl $crate::types::Weights for $Name {}

        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::Streaming<$S> for $Name {}

        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::Node<$S> for $Name {
            fn infer(&self, $crate::contract::Infer { x, y, .. }: $crate::contract::Infer<'_>) {
                forward($given, x[0], y);
            }

            #[inline(always)]
            fn infer_inlined<I: $crate::kernels::Instructions>(&self, _isa: I, $crate::contract::Infer { x, y, .. }: $crate::contract::Infer<'_>) {
                forward_inlined::<I::Lanes>($given, x[0], y);
            }
        }

        #[cfg(feature = "train")]
        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S> for $Name {

            fn forward(&self, $crate::contract::Forward { x, y, .. }: $crate::contract::Forward<'_>) {
                forward($given, x[0], y);
            }

            fn backward(&self, $crate::contract::Backward { x, y, d_y, d_x, .. }: $crate::contract::Backward<'_, '_>) {
                if let Some(d_x) = &mut d_x[0] {
                    let _ = (x, y);
                    backward($given, separate_activation!(@$values x y), d_y, d_x);
                }
            }
        }
    };
    (@x $x:ident $y:ident) => {
        $x[0]
    };
    (@y $x:ident $y:ident) => {
        $y
    };
}

pub(super) use {in_place_activation, separate_activation};

#[cfg(test)]
pub(super) mod testing {
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::Trial;

    /// `POINTS` in scripts/activations.py.
    const POINTS: [f32; 12] =
        [-20.0, -3.5, -3.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0];

    /// Defines the spec of an activation: `spec_of_points!(It: elu::ELU { alpha: 1.5 });`
    macro_rules! spec_of_points {
        ($Name:ident : $($Arguments:ident)::+ { $($field:ident : $value:expr),* }) => {
            $crate::layers::testing::spec!(
                $Name: $($Arguments)::+ { $($field: $value),* }, [&[3, 4]] -> &[3, 4]
            );
        };
    }
    pub(crate) use spec_of_points;

    /// Checks an activation at `POINTS` against the outputs and slopes of PyTorch in float64, checks
    /// its gradient against finite differences, and that NaN stays.
    #[track_caller]
    pub(crate) fn check<S: Spec, T: TrainNode<S>>(y: [f64; 12], slopes: [f64; 12]) {
        let mut trial = Trial::<S, T>::random().with_step(1e-3, 1e-3);
        for x in &mut trial.x[0] {
            *x *= 3.5;
        }
        trial.check_gradients();
        trial.check_inference();

        trial.x[0] = POINTS.repeat(trial.batch);
        trial.d_y.fill(1.0);
        let outcome = trial.train();
        check_close(&outcome.y[..12], &y);
        check_close(&outcome.d_x[0][..12], &slopes);

        trial.x[0].fill(f32::NAN);
        assert!(trial.train().y.iter().all(|y| y.is_nan()));
    }

    /// Checks numbers against those of PyTorch in float64.
    #[track_caller]
    pub(crate) fn check_close(found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let distance = (f64::from(*found) - expected).abs();
            assert!(
                distance <= 1e-7 + 1e-6 * expected.abs(),
                "number {i}: expected {expected}, found {found}"
            );
        }
    }
}
