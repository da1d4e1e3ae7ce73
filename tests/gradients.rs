//! What [`check_gradients`] finds, and what it does not take for a mistake.

use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;
use unrolled::{GradientCheck, RngKey, check_gradients, init};

/// A parabola for each number, `y = w x²`, with mistakes in its gradients: these parts are added to them.
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
        // In one place alone.
        d_x[2] *= 1.0 + X as f32 / 100.0;
        d_self.weight[1] += W as f32 / 100.0 * x[1] * x[1] * d_y[1];
    }
}

network! {
    struct Right(4) -> 2 { Dense(4), Parabola::<0, 0> -> 4, Dense(2) }
    struct WrongInput(4) -> 2 { Dense(4), Parabola::<5, 0> -> 4, Dense(2) }
    struct WrongWeight(4) -> 2 { Dense(4), Parabola::<0, 5> -> 4, Dense(2) }
    struct Kinked(4) -> 4 { ReLU, scale: Dense(4) }

    /// Normalises what never differs: each `BatchNorm` makes rounding 316 times larger.
    struct Constant(4) -> 2 {
        Dense(1), Softmax, Repeat(6) { BatchNorm }, Dense(2),
    }
}

/// Samples from a seed.
fn samples<const N: usize>(seed: u64) -> [[f32; N]; 7] {
    let key = RngKey::new(seed);
    std::array::from_fn(|i| std::array::from_fn(|j| 2.0 * key.uniform((N * i + j) as u64) - 1.0))
}

fn check<N: Network<Input = [f32; 4], Output = [f32; 2]>>() -> GradientCheck {
    check_gradients(&*N::new(3), &MeanSquaredError, &samples(1), &samples(2)).unwrap()
}

#[test]
fn a_mistake_of_a_twentieth_in_one_number_is_found() {
    let right = check::<Right>();
    assert!(right.worst < 1e-3 && right.unsure == 0, "{right}");
    for wrong in [check::<WrongInput>(), check::<WrongWeight>()] {
        assert!(wrong.worst > 1e-2, "{wrong}");
    }
    assert!(check::<WrongWeight>().place.contains("in parabola"));
}

#[test]
fn a_kink_within_the_steps_is_no_mistake() {
    let net = Kinked::new(1);
    let mut inputs = samples(1);
    inputs[2] = [-1e-4, 0.5, 1e-4, -0.5];
    let check = check_gradients(&*net, &MeanSquaredError, &inputs, &samples(2)).unwrap();
    assert!(check.worst < 1e-3, "{check}");
    assert!(check.unsure >= 2, "{check}");
}

#[test]
fn rounding_that_normalising_makes_large_is_no_mistake() {
    let check = check::<Constant>();
    assert!(check.worst < 1e-3, "{check}");
    assert!(check.unsure >= 1, "{check}");
}
