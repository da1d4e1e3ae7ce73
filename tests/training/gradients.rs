//! Mistakes that [`check_gradients`] finds, and kinks and rounding errors that it does not report.

use crate::common::random;
use unrolled::prelude::*;
use unrolled::{GradientCheck, RngKey, check_gradients, init};

/// A parabola for each element, `y = w x^2`, with a mistake in one element of each gradient, in percent of it.
#[derive(Weights)]
#[repr(C)]
struct Parabola<const PERCENT_OF_X: i32, const PERCENT_OF_WEIGHT: i32> {
    weight: [f32; 4],
}

impl<const X: i32, const W: i32> Layer for Parabola<X, W> {
    type Input = [f32; 4];
    type Output = [f32; 4];

    fn initialise(&mut self, key: RngKey) {
        init::uniform(&mut self.weight, 1.0, key);
    }

    fn forward(&self, x: &[f32; 4], y: &mut [f32; 4]) {
        for i in 0..4 {
            y[i] = self.weight[i] * x[i] * x[i];
        }
    }

    fn backward(
        &self,
        x: &[f32; 4],
        _y: &[f32; 4],
        d_y: &[f32; 4],
        d_x: &mut [f32; 4],
        d_self: &mut Self,
    ) {
        for i in 0..4 {
            d_x[i] += 2.0 * self.weight[i] * x[i] * d_y[i];
            d_self.weight[i] += x[i] * x[i] * d_y[i];
        }
        // In one element only.
        d_x[2] *= 1.0 + X as f32 / 100.0;
        d_self.weight[1] += W as f32 / 100.0 * x[1] * x[1] * d_y[1];
    }
}

network! {
    struct Right(4) -> 2 { Dense(4), Parabola::<0, 0> -> 4, Dense(2) }
    struct WrongInput(4) -> 2 { Dense(4), Parabola::<5, 0> -> 4, Dense(2) }
    struct WrongWeight(4) -> 2 { Dense(4), Parabola::<0, 5> -> 4, Dense(2) }
    struct Kinked(4) -> 4 { ReLU, scale: Dense(4) }

    /// Normalises a constant: each `BatchNorm` multiplies its rounding errors by 316, `1 / sqrt(eps)`.
    struct Constant(4) -> 2 {
        Dense(1), Softmax, Repeat(6) { BatchNorm }, Dense(2),
    }
}

/// Random samples.
fn samples<const N: usize>(seed: u64) -> [[f32; N]; 7] {
    std::array::from_fn(|i| std::array::from_fn(|j| random(seed, N * i + j)))
}

fn check<N: Network<Input = [f32; 4], Output = [f32; 2]>>() -> GradientCheck {
    check_gradients(&*N::new(3), &MeanSquaredError, &samples(1), &samples(2)).unwrap()
}

#[test]
fn a_mistake_of_5_percent_in_one_element_is_found() {
    let right = check::<Right>();
    assert!(right.worst < 1e-3 && right.unsure == 0, "{right}");
    for wrong in [check::<WrongInput>(), check::<WrongWeight>()] {
        assert!(wrong.worst > 1e-2, "{wrong}");
    }
    assert!(check::<WrongWeight>().place.contains("in parabola"));
}

#[test]
fn a_kink_within_the_step_is_not_reported() {
    let net = Kinked::new(1);
    let mut inputs = samples(1);
    inputs[2] = [-1e-4, 0.5, 1e-4, -0.5];
    let check = check_gradients(&*net, &MeanSquaredError, &inputs, &samples(2)).unwrap();
    assert!(check.worst < 1e-3, "{check}");
    assert!(check.unsure >= 2, "{check}");
}

#[test]
fn amplified_rounding_errors_are_not_reported() {
    let check = check::<Constant>();
    assert!(check.worst < 1e-3, "{check}");
    assert!(check.unsure >= 1, "{check}");
}
