//! [`NewtonSchulz`]: matrices whose singular values are about 1.

use super::clip::norm;
use crate::kernels::dispatch::dispatch;
use crate::kernels::transpose::transpose;
use crate::kernels::{DenseArgs, Isa, dense, dense_transposed};
use crate::system::{parallel, time};

/// The polynomial `a x + b x^3 + c x^5` that each step applies to the singular values. Its slope at 0 is so large that five
/// steps bring all but the smallest to between 0.7 and 1.2, where it does not converge further (Jordan et al., 2024).
const COEFFICIENTS: [f32; 3] = [3.4445, -4.7750, 2.0315];

const STEPS: usize = 5;

/// The norm below which a matrix is not scaled up to 1.
const LEAST_NORM: f64 = 1e-7;

/// Rows of a product that a thread computes at a time: two tiles of the kernels.
const ROWS: usize = 16;

/// The Newton-Schulz iteration for the nearest matrix with orthonormal rows or columns, `U Vᵀ` for the singular value
/// decomposition `U S Vᵀ`, with its working memory.
#[derive(Clone, Debug, Default)]
pub(super) struct NewtonSchulz {
    /// `[m, n]`: the matrix, or its transpose, so that `m <= n`.
    x: Vec<f32>,
    /// `[m, m]`
    gram: Vec<f32>,
    /// `[m, m]` or `[m, n]`
    product: Vec<f32>,
}

impl NewtonSchulz {
    /// Replaces a matrix of `columns` columns by one with the same singular vectors, and singular values of about 1. The bits
    /// do not depend on the number of threads.
    pub(super) fn orthogonalize(&mut self, columns: usize, matrix: &mut [f32]) {
        let (rows, isa) = (matrix.len() / columns, Isa::best());
        let (m, n) = (rows.min(columns), rows.max(columns));
        self.x.resize(m * n, 0.0);
        self.gram.resize(m * m, 0.0);
        // Products of the smaller side are the cheaper ones.
        if rows > columns {
            transpose(isa, columns, matrix, &mut self.x);
        } else {
            self.x.copy_from_slice(matrix);
        }
        // The Frobenius norm is at least the largest singular value.
        scale((1.0 / norm(matrix).max(LEAST_NORM)) as f32, &mut self.x);
        let macs = STEPS * m * m * (2 * n + m);
        parallel::for_work(time(macs as u64, 0), || (0..STEPS).for_each(|_| self.step(m, n)));
        if rows > columns {
            transpose(isa, rows, &self.x, matrix);
        } else {
            matrix.copy_from_slice(&self.x);
        }
    }

    /// `X = a X + (b X Xᵀ + c (X Xᵀ)^2) X`
    fn step(&mut self, m: usize, n: usize) {
        let (Self { x, gram, product }, [a, b, c]) = (self, COEFFICIENTS);
        multiply([n, m], x, x, gram, dense_transposed);
        product.resize(m * m, 0.0);
        multiply([m, m], gram, gram, product, dense);
        combine([b, c], gram, product);
        product.resize(m * n, 0.0);
        multiply([m, n], gram, x, product, dense);
        combine([a, 1.0], x, product);
    }
}

/// `y = x W`, or `x Wᵀ`, with `kernel`, for rows of `inputs` elements in `x` and of `units` elements in `y`.
fn multiply(
    [inputs, units]: [usize; 2],
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
    kernel: fn(Isa, DenseArgs<'_>),
) {
    parallel::for_each_zipped_piece([y], ROWS * units, |range, [y]| {
        let x = &x[range.start / units * inputs..range.end / units * inputs];
        kernel(Isa::best(), DenseArgs { inputs, units, x, weight, bias: &[], y });
    });
}

dispatch! {
    fn scale(factor: f32, x: &mut [f32]) {
        for x in x {
            *x *= factor;
        }
    }

    /// `x = a x + b y`
    fn combine(factors: [f32; 2], x: &mut [f32], y: &[f32]) {
        let [a, b] = factors;
        for (x, y) in x.iter_mut().zip(y) {
            *x = a * *x + b * y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::parallel::{whatever_the_work, with_threads};

    fn matrix(len: usize) -> Vec<f32> {
        (0..len).map(|i| (0.7 * (i * i) as f32).sin()).collect()
    }

    /// The definition, in `f64`.
    fn naive(rows: usize, matrix: &[f32]) -> Vec<f64> {
        let columns = matrix.len() / rows;
        let norm = matrix.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let mut x: Vec<f64> = matrix.iter().map(|x| f64::from(*x) / norm).collect();
        let [a, b, c] = COEFFICIENTS.map(f64::from);
        for _ in 0..STEPS {
            let gram = |i: usize, j: usize| -> f64 {
                (0..columns).map(|k| x[i * columns + k] * x[j * columns + k]).sum()
            };
            let grams: Vec<f64> = (0..rows * rows).map(|ij| gram(ij / rows, ij % rows)).collect();
            let square = |i: usize, j: usize| -> f64 {
                (0..rows).map(|k| grams[i * rows + k] * grams[k * rows + j]).sum()
            };
            let factors: Vec<f64> = (0..rows * rows)
                .map(|ij| b * grams[ij] + c * square(ij / rows, ij % rows))
                .collect();
            let element = |ij: usize| {
                let (i, j) = (ij / columns, ij % columns);
                let product: f64 =
                    (0..rows).map(|k| factors[i * rows + k] * x[k * columns + j]).sum();
                a * x[ij] + product
            };
            x = (0..x.len()).map(element).collect();
        }
        x
    }

    #[test]
    fn agrees_with_the_definition_wide_and_tall() {
        let mut iteration = NewtonSchulz::default();
        for (rows, columns) in [(5, 8), (8, 5), (1, 7), (40, 33), (6, 6)] {
            let before = matrix(rows * columns);
            let mut found = before.clone();
            iteration.orthogonalize(columns, &mut found);
            for (found, expected) in found.iter().zip(naive(rows, &before)) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-4,
                    "{rows}x{columns}: {found} {expected}"
                );
            }
        }
    }

    /// The rows of a wide matrix become orthogonal, each of a length near 1.
    #[test]
    fn singular_values_are_about_one() {
        let (rows, columns) = (6, 50);
        let mut found = matrix(rows * columns);
        NewtonSchulz::default().orthogonalize(columns, &mut found);
        for i in 0..rows {
            for j in 0..rows {
                let [a, b] = [i, j].map(|row| &found[row * columns..][..columns]);
                let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let expected = if i == j { 0.5..1.5 } else { -0.3..0.3 };
                assert!(expected.contains(&product), "{i} {j}: {product}");
            }
        }
    }

    #[test]
    fn has_the_same_bits_on_any_number_of_threads() {
        let after = |threads| {
            let mut found = matrix(150 * 90);
            let run = || NewtonSchulz::default().orthogonalize(90, &mut found);
            with_threads(threads, || whatever_the_work(run));
            found
        };
        let one = after(1);
        assert!(one == after(2) && one == after(7));
    }

    #[test]
    fn zeros_stay() {
        let mut zeros = [0.0; 12];
        NewtonSchulz::default().orthogonalize(4, &mut zeros);
        assert_eq!(zeros, [0.0; 12]);
    }
}
