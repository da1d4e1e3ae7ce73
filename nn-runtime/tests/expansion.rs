//! The hand-written expansion in `common` fulfils the contract of expanded code.

mod common;

use common::Tiny;
use unrolled_runtime::loss::{Loss, TargetError};
use unrolled_runtime::*;

struct HalfSquare;

impl Loss<[f32; 2]> for HalfSquare {
    type Target = [f32; 2];

    fn check(&self, _target: &[f32; 2]) -> Result<(), TargetError> {
        Ok(())
    }

    fn sample(&self, y: &[f32], target: &[f32; 2], scale: f32, d_y: &mut [f32]) -> f64 {
        let mut sum = 0.0;
        for ((y, t), d) in y.iter().zip(target).zip(d_y) {
            *d = (y - t) * scale;
            sum += f64::from(0.5 * (y - t) * (y - t));
        }
        sum
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let mut net = Tiny::new(3);
    let inputs: Vec<[f32; 4]> = (0..37)
        .map(|i| std::array::from_fn(|j| ((i * 7 + j * 3) % 11) as f32 / 5.0 - 1.0))
        .collect();
    let targets: Vec<[f32; 2]> = (0..37).map(|i| [(i % 3) as f32, (i % 5) as f32]).collect();
    let mut d_net = <Tiny as Weights>::zeros();
    let key = RngKey::new(1);
    let loss = loss_and_gradients(&mut *net, &HalfSquare, &inputs, &targets, &mut *d_net, key);
    let mean = |net: &Tiny| {
        let mut d = [0.0; 2];
        let losses = inputs
            .iter()
            .zip(&targets)
            .map(|(x, t)| HalfSquare.sample(&net.forward(x), t, 1.0, &mut d));
        losses.sum::<f64>() / 37.0
    };
    assert!((f64::from(loss.unwrap()) - mean(&net)).abs() < 1e-6);
    let check = check_gradients(&*net, &HalfSquare, &inputs, &targets).unwrap();
    assert_eq!(check.tried, 23 + 24);
    assert!(check.worst < 1e-3, "{check}");
}

#[test]
fn input_gradients_agree_with_finite_differences() {
    let mut net = Tiny::new(3);
    let inputs = [[0.3, -0.2, 0.9, 0.5], [1.0, 0.4, -0.7, 0.1]];
    let targets = [[0.5, -1.0], [0.0, 2.0]];
    let mut d_net = <Tiny as Weights>::zeros();
    let mut d_inputs = [[0.0; 4]; 2];
    let key = RngKey::new(1);
    let mut loss_at = |inputs: &[[f32; 4]]| {
        let loss = loss_and_all_gradients(
            &mut *net,
            &HalfSquare,
            inputs,
            &targets,
            &mut *d_net,
            &mut d_inputs,
            key,
        );
        (f64::from(loss.unwrap()), d_inputs)
    };
    let (_, analytic) = loss_at(&inputs);
    for sample in 0..2 {
        for i in 0..4 {
            let mut above = inputs;
            above[sample][i] += 1e-2;
            let mut below = inputs;
            below[sample][i] -= 1e-2;
            let numeric = (loss_at(&above).0 - loss_at(&below).0) / 2e-2;
            assert!((numeric - f64::from(analytic[sample][i])).abs() < 1e-4);
        }
    }
}

#[test]
fn batches_have_the_outputs_of_single_samples() {
    let net = Tiny::new(3);
    let inputs: Vec<[f32; 4]> = (0..100).map(|i| [i as f32 / 50.0, 0.5, -1.0, 0.25]).collect();
    let mut outputs = vec![[0.0; 2]; 100];
    infer_batch(&*net, &inputs, &mut outputs);
    for (x, y) in inputs.iter().zip(&outputs) {
        assert_eq!(net.forward(x), *y);
    }
}

#[test]
fn trained_ranges_are_those_of_the_layers() {
    assert_eq!(Tiny::trained(), [("fc1".to_string(), 0..15), ("fc2".to_string(), 15..23)]);
    assert_eq!(Tiny::PARAM_BYTES, 4 * 23);
}
