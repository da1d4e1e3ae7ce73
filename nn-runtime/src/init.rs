//! Distributions of initial weights, also for hand-written layers: PyTorch's `nn.init`.

use crate::system::RngKey;

/// Fills `weights` from the uniform distribution on `[-bound, bound)`.
pub fn uniform(weights: &mut [f32], bound: f32, key: RngKey) {
    for (i, w) in weights.iter_mut().enumerate() {
        *w = (2.0 * key.uniform(i as u64) - 1.0) * bound;
    }
}

/// Fills `weights` from the normal distribution with mean 0 and standard deviation 1.
pub fn normal(weights: &mut [f32], key: RngKey) {
    for (i, w) in weights.iter_mut().enumerate() {
        *w = standard_normal(key, i as u64) as f32;
    }
}

/// PyTorch's initialisation of dense and convolutional layers: weights and biases uniform within `1 / sqrt(fan_in)`
/// (`kaiming_uniform_` with `a = sqrt(5)`).
pub fn fan_in_uniform(weight: &mut [f32], bias: &mut [f32], fan_in: usize, key: RngKey) {
    let bound = 1.0 / (fan_in as f32).sqrt();
    uniform(weight, bound, key.fold_in(RngKey::hash("weight")));
    uniform(bias, bound, key.fold_in(RngKey::hash("bias")));
}

/// Fills `weight` with a random orthogonal matrix times `gain`, as PyTorch's `orthogonal_`: its rows are orthogonal if it
/// has at most as many rows as columns, its columns otherwise. All such matrices are equally likely.
///
/// From the QR decomposition of a matrix of normal values (Saxe, McClelland and Ganguli, 2013), computed in `f64`.
#[cfg(feature = "nalgebra")]
pub fn orthogonal<const R: usize, const C: usize>(
    weight: &mut [[f32; C]; R],
    gain: f32,
    key: RngKey,
) {
    use crate::types::AsMatrix;
    let (long, short) = (R.max(C), R.min(C));
    let normal = |i, j| standard_normal(key, (i * short + j) as u64);
    let (q, r) = nalgebra::DMatrix::from_fn(long, short, normal).qr().unpack();
    // A positive diagonal of `r` makes the decomposition unique, and so the distribution uniform (Mezzadri, 2007).
    let entry = |i: usize, j: usize| (q[(i, j)] * r[(j, j)].signum()) as f32 * gain;
    let mut view = weight.view_mut();
    for i in 0..long {
        for j in 0..short {
            view[if R == long { (i, j) } else { (j, i) }] = entry(i, j);
        }
    }
}

/// Value `counter` of a sequence from the normal distribution with mean 0 and standard deviation 1.
pub(crate) fn standard_normal(key: RngKey, counter: u64) -> f64 {
    normal_pair(key, counter)[0]
}

/// Pair `counter` of a sequence of independent values from the normal distribution with mean 0 and standard deviation 1
/// (Box and Muller, 1958).
pub(crate) fn normal_pair(key: RngKey, counter: u64) -> [f64; 2] {
    // In (0, 1], where the logarithm is finite.
    let uniform = 1.0 - f64::from(key.uniform(2 * counter));
    let radius = (-2.0 * uniform.ln()).sqrt();
    let angle = std::f64::consts::TAU * f64::from(key.uniform(2 * counter + 1));
    [radius * angle.cos(), radius * angle.sin()]
}

#[cfg(all(test, feature = "nalgebra"))]
mod tests {
    use super::*;
    use crate::types::AsMatrix;

    /// The largest distance of `W^T W` or `W W^T`, whichever is smaller, from `gain^2 I`.
    fn distance<const R: usize, const C: usize>(weight: &[[f32; C]; R], gain: f32) -> f32 {
        let w = weight.view();
        let w = nalgebra::DMatrix::from_fn(R, C, |i, j| w[(i, j)]);
        let product = if R >= C { w.tr_mul(&w) } else { &w * w.transpose() };
        let identity = nalgebra::DMatrix::identity(product.nrows(), product.ncols());
        (product - identity * (gain * gain)).amax()
    }

    fn random<const R: usize, const C: usize>(gain: f32, seed: u64) -> Box<[[f32; C]; R]> {
        let mut weight = <[[f32; C]; R] as crate::types::Weights>::zeros();
        orthogonal(&mut weight, gain, RngKey::new(seed));
        weight
    }

    #[test]
    fn rows_or_columns_are_orthogonal() {
        assert!(distance(&random::<32, 32>(1.0, 1), 1.0) < 1e-5);
        assert!(distance(&random::<128, 10>(1.0, 2), 1.0) < 1e-5);
        assert!(distance(&random::<10, 128>(1.0, 3), 1.0) < 1e-5);
        assert!(distance(&random::<7, 5>(1.5, 4), 1.5) < 1e-5);
        assert!(distance(&random::<1, 1>(1.0, 5), 1.0) < 1e-5);
    }

    #[test]
    fn the_seed_decides_and_both_signs_occur() {
        assert_eq!(random::<6, 4>(1.0, 1), random::<6, 4>(1.0, 1));
        assert_ne!(random::<6, 4>(1.0, 1), random::<6, 4>(1.0, 2));
        // The diagonal of a Householder decomposition without correction always has the same sign.
        let first = (0..50).map(|seed| random::<4, 4>(1.0, seed)[0][0] > 0.0);
        let positive = first.filter(|positive| *positive).count();
        assert!((10..40).contains(&positive), "{positive} of 50");
    }
}
