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

/// `y = f(a, b)` for each element of `n` samples.
#[inline(always)]
pub(super) fn zip(n: usize, [a, b]: [&[f32]; 2], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
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
pub(super) fn zip_in_place(n: usize, b: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    let (len, b_len) = (y.len() / n, b.len() / n);
    for (y, b) in y.chunks_exact_mut(len).zip(b.chunks_exact(b_len)) {
        for y in y.chunks_exact_mut(b_len) {
            for (y, b) in y.iter_mut().zip(b) {
                *y = f(*y, *b);
            }
        }
    }
}

/// The gradient of a branch that is broadcast: `d_x` is the sum of `d(i)`, of all elements `i` of the output, over the
/// positions of each sample.
#[cfg(feature = "train")]
#[inline(always)]
pub(super) fn sum_positions(
    n: usize,
    len: usize,
    d_x: &mut [f32],
    mut d: impl FnMut(usize, usize) -> f32,
) {
    let branch_len = d_x.len() / n;
    d_x.fill(0.0);
    for (sample, d_x) in d_x.chunks_exact_mut(branch_len).enumerate() {
        for first in (sample * len..(sample + 1) * len).step_by(branch_len) {
            for (i, d_x) in d_x.iter_mut().enumerate() {
                *d_x += d(first + i, sample * branch_len + i);
            }
        }
    }
}

/// Makes `$Name`, a [`Join`], a layer of two branches. Its backward pass reads the inputs.
macro_rules! join {
    ($Name:ident) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec, Streaming};
            use $crate::kernels::dispatch::dispatch;
            use $crate::layers::joins::{self, Join};

            type Arguments = <$Name as Join>::Arguments;

            dispatch! {
                fn forward(n: usize, x: &[&[f32]], y: &mut [f32]) {
                    joins::zip(n, [x[0], x[1]], y, <$Name as Join>::value);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Node<S> for $Name {
                fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
                    forward(n, x, y);
                }
            }

            impl<S: Spec<Arguments = Arguments>> Streaming<S> for $Name {}

            #[cfg(feature = "train")]
            dispatch! {
                fn backward_first(n: usize, x: &[&[f32]], d_y: &[f32], d_x: &mut [f32]) {
                    let (len, b_len) = (d_y.len() / n, x[1].len() / n);
                    for (i, d_x) in d_x.iter_mut().enumerate() {
                        let b = x[1][i / len * b_len + i % len % b_len];
                        *d_x = <$Name as Join>::gradients(x[0][i], b, d_y[i])[0];
                    }
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
