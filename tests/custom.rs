//! Layers written by hand inside of networks: chains, joins, blocks, sizes that types compute.
#![forbid(unsafe_code)]

use std::ops::{Add, Mul};
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;
use unrolled::sizes::{Array, Size};
use unrolled::typenum::{Prod, Sum, U1, U2, U7};
use unrolled::{Node, RngKey, Root, Shape, check_gradients, init, parallel};

/// Each value times a weight of its own, plus one: `[H, W, C] -> [H, W, C]`.
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

/// The first input times the mean of the second: `[N], [2, 3] -> [N]`. No weights; reads its output.
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

/// Puts a weighted sum of its neighbours between each two values and at both ends: `[N] -> [2N + 1]`.
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
    /// First and last, between layers of the library, and unnamed.
    struct Chain(3x2x2) -> 3x2x4 {
        first: Affine::<3, 2, 2>,
        Conv2d(4, kernel = 3, padding = same),
        BatchNorm,
        Affine::<3, 2, 4>  -> 3x2x4,
        Sigmoid,
        last: Affine::<3, 2, 4>,
    }

    /// A layer of two inputs, each with a way of its own.
    struct Join(text: 4, table: 2x3) -> 2 {
        scaled: Scaled::<5> {
            text => { Dense(5), Tanh },
            table => { Dense(3) },
        },
        Dense(2),
    }

    /// A layer whose output's size a type computes.
    struct Finer(5) -> 15 {
        Dense(7),
        refine: Refine::<U7>  -> 15,
    }

    /// A network with a hand-written layer, in another network.
    struct Outer<const N: usize>(5) -> 4 {
        Repeat(2) { Finer, Dense(N) },
        Finer,
        Residual { Dense(15), Affine1::<15> },
        Dense(4),
    }
}

/// `Affine` for a single row.
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

/// Samples of random numbers in `[-1, 1)`.
fn numbers<T: Values>(count: usize, seed: u64) -> Vec<T> {
    let sample = |i| {
        let mut values = T::zeroed();
        init::uniform(values.as_floats_mut(), 1.0, RngKey::new(seed).fold_in(i));
        values
    };
    (0..count as u64).map(sample).collect()
}

/// The gradients of weights and inputs are those of finite differences, and the same bits on any
/// number of threads.
#[track_caller]
fn trains<N: Network<Output: Values>>(inputs: &[N::Input])
where
    MeanSquaredError: unrolled::loss::Loss<N::Output, Target = N::Output>,
{
    let net = N::new(3);
    let targets: Vec<N::Output> = numbers(inputs.len(), 8);
    let check = check_gradients(&*net, &MeanSquaredError, inputs, &targets).unwrap();
    assert!(check.worst < 2e-3, "{check}");
    let gradients = [1, 2, 7].map(|threads| {
        parallel::with_threads(threads, || {
            let (mut net, mut d_net) = (N::new(3), N::zeros());
            net.loss_and_gradients(&MeanSquaredError, inputs, &targets, &mut d_net).unwrap();
            d_net.as_floats().iter().map(|d| d.to_bits()).collect::<Vec<_>>()
        })
    });
    assert_eq!(gradients[0], gradients[1]);
    assert_eq!(gradients[0], gradients[2]);
}

#[test]
fn in_a_chain() {
    trains::<Chain>(&numbers(19, 1));
    let outputs: Vec<[[[f32; 4]; 2]; 3]> =
        numbers(4, 1).iter().map(|x| Chain::new(3).forward(x)).collect();
    assert!(outputs.as_flattened().as_flattened().as_flattened().iter().all(|y| y.is_finite()));
}

#[test]
fn with_two_inputs() {
    let inputs: Vec<_> = numbers::<[f32; 4]>(11, 1).into_iter().zip(numbers(11, 2)).collect();
    trains::<Join>(&inputs);
}

#[test]
fn with_sizes_that_types_compute() {
    trains::<Finer>(&numbers(13, 1));
    assert_eq!(<Finer as Shaped>::OUTPUT, Shape::new(&[15]));
    assert_eq!(Finer::PARAMS, 5 * 7 + 7 + 8);
}

#[test]
fn in_networks_in_networks() {
    trains::<Outer<5>>(&numbers(9, 1));
}

#[test]
fn alone() {
    trains::<Affine<2, 3, 2>>(&numbers(9, 1));
}

#[test]
fn weights_are_where_the_struct_says_and_have_paths_in_files() {
    let mut net = Chain::new(3);
    net.first.weight[2][1][0] = 7.5;
    let tensors = <Chain as Node<Root>>::tensors();
    let named = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let weight = named("first.weight");
    let lens: Vec<usize> = weight.axes.iter().map(|axis| axis.len).collect();
    assert_eq!(lens, [3, 2, 2]);
    assert_eq!(net.params()[weight.offset + 2 * 4 + 2], 7.5);
    assert_eq!(named("affine.bias").axes[0].len, 4);
    let deep = <Outer<5> as Node<Root>>::tensors();
    assert!(deep.iter().any(|tensor| tensor.name == "repeat.1.finer.refine.weight"));
    assert!(deep.iter().any(|tensor| tensor.name == "affine1.inner.bias"));
}

#[test]
fn each_use_begins_with_weights_of_its_own() {
    let net = Chain::new(3);
    assert_ne!(net.affine.weight, net.last.weight);
    assert_eq!(net.last.weight, Chain::new(3).last.weight);
    assert_eq!(net.last.bias, [0.0; 4]);
}
