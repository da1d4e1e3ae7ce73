//! A training step of a 2-32-2 perceptron (tanh, mean squared error, Adam) written by hand with nalgebra's matrices: prints a
//! line for batches of 1 and of 64, the step's name and the microseconds, separated by a tab. `scripts/small_steps.py` compares
//! them with ours.

use nalgebra::SMatrix;
use std::hint::black_box;
use std::time::Duration;
use unrolled_benches::random;
use unrolled_benches::timing::Blocks;

/// A matrix with what Adam knows of it.
struct Weight<const R: usize, const C: usize> {
    value: SMatrix<f32, R, C>,
    mean: SMatrix<f32, R, C>,
    square: SMatrix<f32, R, C>,
}

impl<const R: usize, const C: usize> Weight<R, C> {
    fn new(seed: u64) -> Self {
        let value = SMatrix::from_column_slice(&random(R * C, seed));
        Self { value, mean: SMatrix::zeros(), square: SMatrix::zeros() }
    }

    fn update(&mut self, d: &SMatrix<f32, R, C>, step: i32) {
        let (beta1, beta2) = (0.9_f32, 0.999_f32);
        let [fix1, fix2] = [beta1, beta2].map(|beta| 1.0 / (1.0 - beta.powi(step)));
        self.mean = self.mean * beta1 + d * (1.0 - beta1);
        self.square = self.square * beta2 + d.component_mul(d) * (1.0 - beta2);
        let moved = self.mean.zip_map(&self.square, |mean, square| {
            1e-3 * mean * fix1 / ((square * fix2).sqrt() + 1e-8)
        });
        self.value -= moved;
    }
}

/// The time of a step on a batch of `N`.
fn time_step<const N: usize>() {
    let (mut w1, mut b1) = (Weight::<32, 2>::new(1), Weight::<32, 1>::new(2));
    let (mut w2, mut b2) = (Weight::<2, 32>::new(3), Weight::<2, 1>::new(4));
    let x = SMatrix::<f32, 2, N>::from_column_slice(&random(2 * N, 5));
    let target = SMatrix::<f32, 2, N>::from_column_slice(&random(2 * N, 6));
    let mut steps = 0;
    let blocks = Blocks { count: 21, block: Duration::from_millis(15) };
    let seconds = blocks.seconds_per_call(|| {
        steps += 1;
        let x = black_box(&x);
        let mut h = w1.value * x;
        h.column_iter_mut().for_each(|mut column| column += b1.value);
        h.apply(|h| *h = h.tanh());
        let mut y = w2.value * h;
        y.column_iter_mut().for_each(|mut column| column += b2.value);
        let d_y = (y - target) * (1.0 / N as f32);
        let d_h = (w2.value.transpose() * d_y).component_mul(&h.map(|h| 1.0 - h * h));
        w2.update(&(d_y * h.transpose()), steps);
        b2.update(&d_y.column_sum(), steps);
        w1.update(&(d_h * x.transpose()), steps);
        b1.update(&d_h.column_sum(), steps);
        black_box(&w1.value);
    });
    println!("2-32-2, step, batch {N}\t{:.2}", 1e6 * seconds[seconds.len() / 2]);
}

fn main() {
    time_step::<1>();
    time_step::<64>();
}
