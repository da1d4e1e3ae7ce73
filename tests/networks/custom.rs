//! Hand-written layers in networks: in chains, joins and blocks, and with sizes that types compute.
#![forbid(unsafe_code)]

use crate::common::{bits, gradient, same_on_all_threads};
use std::ops::{Add, Mul};
use unrolled::prelude::*;
use unrolled::sizes::{Array, Size};
use unrolled::typenum::{Prod, Sum, U1, U2, U7};
use unrolled::{RngKey, Shape, check_gradients, init};

/// `y = weight * x + bias`, elementwise, with a bias per channel: `[H, W, C] -> [H, W, C]`.
#[derive(Weights)]
#[repr(C)]
struct Affine<const H: usize, const W: usize, const C: usize> {
    weight: [[[f32; C]; W]; H],
    bias: [f32; C],
}

impl<const H: usize, const W: usize, const C: usize> Layer for Affine<H, W, C> {
    type Input = [[[f32; C]; W]; H];
    type Output = [[[f32; C]; W]; H];

    fn initialise(&mut self, key: RngKey) {
        init::uniform(self.weight.as_flattened_mut().as_flattened_mut(), 2.0, key);
    }

    fn forward(&self, x: &Self::Input, y: &mut Self::Output) {
        for h in 0..H {
            for w in 0..W {
                for c in 0..C {
                    y[h][w][c] = self.weight[h][w][c] * x[h][w][c] + self.bias[c];
                }
            }
        }
    }

    fn backward(
        &self,
        x: &Self::Input,
        _y: &Self::Output,
        d_y: &Self::Output,
        d_x: &mut Self::Input,
        d_self: &mut Self,
    ) {
        for h in 0..H {
            for w in 0..W {
                for c in 0..C {
                    d_x[h][w][c] += self.weight[h][w][c] * d_y[h][w][c];
                    d_self.weight[h][w][c] += x[h][w][c] * d_y[h][w][c];
                    d_self.bias[c] += d_y[h][w][c];
                }
            }
        }
    }
}

/// The first input times the mean of the second: `[N], [2, 3] -> [N]`. It has no weights, and backward checks that the
/// output it is passed belongs to the input.
#[derive(Weights)]
struct Scaled<const N: usize>;

impl<const N: usize> Layer for Scaled<N> {
    type Input = ([f32; N], [[f32; 3]; 2]);
    type Output = [f32; N];

    fn forward(&self, (a, b): (&[f32; N], &[[f32; 3]; 2]), y: &mut [f32; N]) {
        let mean = b.as_flattened().iter().sum::<f32>() / 6.0;
        *y = a.map(|a| a * mean);
    }

    fn backward(
        &self,
        (a, b): (&[f32; N], &[[f32; 3]; 2]),
        y: &[f32; N],
        d_y: &[f32; N],
        (d_a, d_b): (&mut [f32; N], &mut [[f32; 3]; 2]),
        _d_self: &mut Self,
    ) {
        let mean = b.as_flattened().iter().sum::<f32>() / 6.0;
        for i in 0..N {
            assert_eq!(y[i], a[i] * mean, "the output of this sample");
            d_a[i] += d_y[i] * mean;
            for d_b in d_b.as_flattened_mut() {
                *d_b += d_y[i] * a[i] / 6.0;
            }
        }
    }
}

/// Upsampling: `[N] -> [2N + 1]`. Odd outputs are the inputs, even ones a weighted sum of their neighbours.
#[derive(Weights)]
#[repr(C)]
struct Refine<N: Size>
where
    N: Add<U1, Output: Size>,
{
    weight: Array<f32, Sum<N, U1>>,
}

impl<N: Size> Layer for Refine<N>
where
    N: Add<U1, Output: Size> + Mul<U2, Output: Add<U1, Output: Size>>,
{
    type Input = Array<f32, N>;
    type Output = Array<f32, Sum<Prod<N, U2>, U1>>;

    fn initialise(&mut self, key: RngKey) {
        init::uniform(&mut self.weight, 1.0, key);
    }

    fn forward(&self, x: &Self::Input, y: &mut Self::Output) {
        for (i, x) in x.iter().enumerate() {
            y[2 * i] += self.weight[i] * x;
            y[2 * i + 1] = *x;
            y[2 * i + 2] += self.weight[i + 1] * x;
        }
    }

    fn backward(
        &self,
        x: &Self::Input,
        _y: &Self::Output,
        d_y: &Self::Output,
        d_x: &mut Self::Input,
        d_self: &mut Self,
    ) {
        for i in 0..N::USIZE {
            d_x[i] += self.weight[i] * d_y[2 * i] + d_y[2 * i + 1];
            d_x[i] += self.weight[i + 1] * d_y[2 * i + 2];
            d_self.weight[i] += x[i] * d_y[2 * i];
            d_self.weight[i + 1] += x[i] * d_y[2 * i + 2];
        }
    }
}

network! {
    /// A hand-written layer first, last, in the middle, and without a name.
    #[allow(bias_before_batch_norm)]
    struct Chain(3x2x2) -> 3x2x4 {
        first: Affine::<3, 2, 2>,
        Conv2d(4, kernel = 3, padding = same),
        BatchNorm,
        Affine::<3, 2, 4>  -> 3x2x4,
        Sigmoid,
        last: Affine::<3, 2, 4>,
    }

    /// A layer with two inputs, each with a branch of its own.
    struct Join(text: 4, table: 2x3) -> 2 {
        scaled: Scaled::<5> {
            text => { Dense(5), Tanh },
            table => { Dense(3) },
        },
        Dense(2),
    }

    /// A layer whose output size is computed by a type.
    struct Finer(5) -> 15 {
        Dense(7),
        refine: Refine::<U7>  -> 15,
    }

    /// A nested network with a hand-written layer.
    struct Outer<const N: usize>(5) -> 4 {
        Repeat(2) { Finer, Dense(N) },
        Finer,
        Residual { Dense(15), Affine1::<15> },
        Dense(4),
    }
}

/// `Affine` for a single pixel.
#[derive(Weights)]
#[repr(C)]
struct Affine1<const C: usize> {
    inner: Affine<1, 1, C>,
}

impl<const C: usize> Layer for Affine1<C> {
    type Input = [f32; C];
    type Output = [f32; C];

    fn initialise(&mut self, key: RngKey) {
        Layer::initialise(&mut self.inner, key);
    }

    fn forward(&self, x: &[f32; C], y: &mut [f32; C]) {
        let mut out = [[[0.0; C]]];
        Layer::forward(&self.inner, &[[*x]], &mut out);
        [[*y]] = out;
    }

    fn backward(
        &self,
        x: &[f32; C],
        y: &[f32; C],
        d_y: &[f32; C],
        d_x: &mut [f32; C],
        d_self: &mut Self,
    ) {
        let mut out = [[[0.0; C]]];
        Layer::backward(&self.inner, &[[*x]], &[[*y]], &[[*d_y]], &mut out, &mut d_self.inner);
        [[*d_x]] = out;
    }
}

/// Random samples with elements in `[-1, 1)`.
fn samples<T: Values>(count: usize, seed: u64) -> Vec<T> {
    let sample = |i| {
        let mut values = T::zeroed();
        init::uniform(values.as_floats_mut(), 1.0, RngKey::new(seed).fold_in(i));
        values
    };
    (0..count as u64).map(sample).collect()
}

/// Checks that the gradients of weights and inputs agree with finite differences, and that their bits do not depend on
/// the number of threads.
#[track_caller]
fn check<N: Network<Output: Values>>(inputs: &[N::Input])
where
    MeanSquaredError: unrolled::loss::Loss<N::Output, Target = N::Output>,
{
    let net = N::new(3);
    let targets: Vec<N::Output> = samples(inputs.len(), 8);
    let check = check_gradients(&*net, &MeanSquaredError, inputs, &targets).unwrap();
    assert!(check.worst < 2e-3, "{check}");
    same_on_all_threads(|| bits(&gradient(&mut *N::new(3), &MeanSquaredError, inputs, &targets)));
}

#[test]
fn in_a_chain() {
    check::<Chain>(&samples(19, 1));
    let outputs: Vec<[[[f32; 4]; 2]; 3]> =
        samples(4, 1).iter().map(|x| Chain::new(3).forward(x)).collect();
    assert!(outputs.as_flattened().as_flattened().as_flattened().iter().all(|y| y.is_finite()));
}

#[test]
fn with_two_inputs() {
    let inputs: Vec<_> = samples::<[f32; 4]>(11, 1).into_iter().zip(samples(11, 2)).collect();
    check::<Join>(&inputs);
}

#[test]
fn with_sizes_that_types_compute() {
    check::<Finer>(&samples(13, 1));
    assert_eq!(<Finer as Shaped>::OUTPUT, Shape::new(&[15]));
    assert_eq!(Finer::PARAMS, 5 * 7 + 7 + 8);
}

#[test]
fn in_networks_in_networks() {
    check::<Outer<5>>(&samples(9, 1));
}

#[test]
fn alone() {
    check::<Affine<2, 3, 2>>(&samples(9, 1));
}

#[test]
fn weights_are_stored_as_declared_and_have_paths_in_files() {
    let mut net = Chain::new(3);
    net.first.weight[2][1][0] = 7.5;
    let tensors = Chain::tensors();
    let named = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let weight = named("first.weight");
    let lens: Vec<usize> = weight.axes.iter().map(|axis| axis.len).collect();
    assert_eq!(lens, [3, 2, 2]);
    assert_eq!(net.params()[weight.offset + 2 * 4 + 2], 7.5);
    assert_eq!(named("affine.bias").axes[0].len, 4);
    let deep = Outer::<5>::tensors();
    assert!(deep.iter().any(|tensor| tensor.name == "repeat.1.finer.refine.weight"));
    assert!(deep.iter().any(|tensor| tensor.name == "affine1.inner.bias"));
}

#[test]
fn each_use_is_initialised_with_a_key_of_its_own() {
    let net = Chain::new(3);
    assert_ne!(net.affine.weight, net.last.weight);
    assert_eq!(net.last.weight, Chain::new(3).last.weight);
    assert_eq!(net.last.bias, [0.0; 4]);
}
