//! What the elementwise joins share. Branches after the first may have its channels alone: they are broadcast over the
//! other axes. [`Join`] describes a join of two branches, and a macro makes a layer of it.

/// A function of two elements, and its gradients. Implementations are `#[inline(always)]`, as those of
/// [`Activation`](super::activation::Activation).
pub(super) trait Join {
    /// The layer's arguments in `network!`.
    type Arguments;

    /// `f(a, b)`.
    fn value(a: f32, b: f32) -> f32;

    /// The gradients of `a` and `b`, given the gradient `d_y` of `f(a, b)`.
    #[cfg(feature = "train")]
    fn gradients(a: f32, b: f32, d_y: f32) -> [f32; 2];
}

/// The gradients of `a` and `b` of a function that returns one of them: `a` if `is_first`. Equal elements share it, as in
/// PyTorch.
#[cfg(feature = "train")]
#[inline(always)]
pub(super) fn gradients_of_choice([a, b]: [f32; 2], is_first: bool, d_y: f32) -> [f32; 2] {
    if a == b {
        [0.5 * d_y; 2]
    } else if is_first {
        [d_y, 0.0]
    } else {
        [0.0, d_y]
    }
}

/// `y = f(f(x[0], x[1]), x[2]), ..` for each element of `n` samples.
#[inline(always)]
pub(super) fn fold(n: usize, x: &[&[f32]], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    // The first two at once, so that `y` is not read and written once more.
    zip(n, [x[0], x[1]], y, &f);
    for x in &x[2..] {
        zip_in_place(n, x, y, &f);
    }
}

/// `y = f(a, b)` for each element of `n` samples.
#[inline(always)]
fn zip(n: usize, [a, b]: [&[f32]; 2], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    let (len, b_len) = (y.len() / n, b.len() / n);
    let samples = y.chunks_exact_mut(len).zip(a.chunks_exact(len)).zip(b.chunks_exact(b_len));
    for ((y, a), b) in samples {
        for (y, a) in y.chunks_exact_mut(b_len).zip(a.chunks_exact(b_len)) {
            for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                *y = f(*a, *b);
            }
        }
    }
}

/// `y = f(y, b)` for each element of `n` samples.
#[inline(always)]
fn zip_in_place(n: usize, b: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    let (len, b_len) = (y.len() / n, b.len() / n);
    for (y, b) in y.chunks_exact_mut(len).zip(b.chunks_exact(b_len)) {
        for y in y.chunks_exact_mut(b_len) {
            for (y, b) in y.iter_mut().zip(b) {
                *y = f(*y, *b);
            }
        }
    }
}

/// Calls `f` with each element of `n` samples of `len` elements, and with the element of a branch that is joined with it.
/// The branch has `branch_len` elements per sample.
#[cfg(feature = "train")]
#[inline(always)]
pub(super) fn for_each_pair(
    n: usize,
    [len, branch_len]: [usize; 2],
    mut f: impl FnMut(usize, usize),
) {
    for sample in 0..n {
        for first in (sample * len..(sample + 1) * len).step_by(branch_len) {
            for i in 0..branch_len {
                f(first + i, sample * branch_len + i);
            }
        }
    }
}

/// The gradient of a branch that is broadcast: `d_x` is the sum of `d(i, b)`, of all elements `i` of the output, over the
/// positions of each sample.
#[cfg(feature = "train")]
#[inline(always)]
pub(super) fn sum_positions(
    n: usize,
    len: usize,
    d_x: &mut [f32],
    mut d: impl FnMut(usize, usize) -> f32,
) {
    d_x.fill(0.0);
    for_each_pair(n, [len, d_x.len() / n], |i, b| d_x[b] += d(i, b));
}

/// Makes `$Name`, a [`Join`], a layer of two branches. Its backward pass reads the inputs.
macro_rules! join {
    ($Name:ident) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec, Streaming};
            use $crate::kernels::Instructions;
            use $crate::kernels::dispatch::dispatch;
            use $crate::layers::joins::{self, Join};

            type Arguments = <$Name as Join>::Arguments;

            dispatch! {
                fn forward as forward_inlined<L>(n: usize, x: &[&[f32]], y: &mut [f32]) {
                    joins::fold(n, x, y, <$Name as Join>::value);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Node<S> for $Name {
                fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
                    forward(n, x, y);
                }

                #[inline(always)]
                fn infer_inlined<I: Instructions>(
                    &self,
                    _isa: I,
                    Infer { n, x, y, .. }: Infer<'_>,
                ) {
                    forward_inlined::<I::Lanes>(n, x, y);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Streaming<S> for $Name {}

            #[cfg(feature = "train")]
            dispatch! {
                fn backward_first(n: usize, x: &[&[f32]], d_y: &[f32], d_x: &mut [f32]) {
                    joins::for_each_pair(n, [d_y.len() / n, x[1].len() / n], |i, b| {
                        d_x[i] = <$Name as Join>::gradients(x[0][i], x[1][b], d_y[i])[0];
                    });
                }

                fn backward_second(n: usize, x: &[&[f32]], d_y: &[f32], d_x: &mut [f32]) {
                    joins::sum_positions(n, d_y.len() / n, d_x, |i, b| {
                        <$Name as Join>::gradients(x[0][i], x[1][b], d_y[i])[1]
                    });
                }
            }

            #[cfg(feature = "train")]
            impl<S: Spec<Arguments = Arguments>> $crate::contract::TrainNode<S> for $Name {
                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    forward(call.pass.n, call.x, call.y);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    let (n, x) = (call.pass.n, call.x);
                    let [d_first, d_second] = call.d_x else { unreachable!("two branches") };
                    if let Some(d_x) = d_first {
                        backward_first(n, x, call.d_y, d_x);
                    }
                    if let Some(d_x) = d_second {
                        backward_second(n, x, call.d_y, d_x);
                    }
                }
            }
        };
    };
}

pub(super) use join;

#[cfg(test)]
pub(super) mod testing {
    use super::Join;
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::Trial;

    /// Checks that a layer joins the elements of its first branch with those of the others, or with their channels, by `f`.
    #[track_caller]
    pub(crate) fn check_fold<S: Spec, T: TrainNode<S>>(f: fn(f32, f32) -> f32) {
        let mut trial = Trial::<S, T>::random();
        trial.check_inference();
        for (i, y) in trial.train().y.iter().enumerate() {
            let branches = trial.x.iter().zip(S::INPUTS).map(|(x, shape)| {
                let len = shape.len();
                x[i / S::OUT * len + i % S::OUT % len]
            });
            assert_eq!(Some(*y), branches.reduce(f), "element {i}");
        }
    }

    /// Checks a join that chooses one of two elements.
    #[track_caller]
    pub(crate) fn check_choice<S: Spec, T: Join + TrainNode<S>>() {
        check_fold::<S, T>(T::value);
        let mut trial = Trial::<S, T>::random();
        // Steps that do not change which is chosen.
        for (i, x) in trial.x[0].iter_mut().enumerate() {
            *x += if i % 2 == 0 { 3.0 } else { -3.0 };
        }
        trial.check_gradients();
        trial.x[0][..3].copy_from_slice(&[1.0, f32::NAN, 0.5]);
        trial.x[1][..3].copy_from_slice(&[1.0, 0.5, f32::NAN]);
        let outcome = trial.train();
        assert_eq!(outcome.y[0], 1.0);
        assert!(outcome.y[1].is_nan() && outcome.y[2].is_nan());
        assert_eq!(outcome.d_x[0][0], 0.5 * trial.d_y[0]);
        // The branch that is not chosen gets 0, not infinity times 0.
        trial.d_y[0] = f32::INFINITY;
        let [a, b] = [2.0, 1.0];
        (trial.x[0][0], trial.x[1][0]) = (a, b);
        let d_x = trial.train().d_x;
        let expected =
            if T::value(a, b) == a { [f32::INFINITY, 0.0] } else { [0.0, f32::INFINITY] };
        assert_eq!(d_x[0][0], expected[0]);
        // A branch that is broadcast gets a sum.
        if S::INPUTS[1].len() == S::OUT {
            assert_eq!(d_x[1][0], expected[1]);
        }
    }
}
