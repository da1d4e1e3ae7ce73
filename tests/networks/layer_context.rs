//! Hand-written layers that know more than the values of a sample: training, random keys, lengths, and buffers.
#![forbid(unsafe_code)]

use crate::common::{bits, gradient, same_on_all_threads};
use unrolled::prelude::*;
use unrolled::{LayerCtx, Parameters, StepsOf, check_gradients};

/// Multiplies by a trained weight and, in training, by a random factor: `[2] -> [2]`. Then adds a buffer.
#[derive(Weights)]
#[repr(C)]
struct Noisy {
    weight: [f32; 2],
    #[weights(buffer)]
    shift: [f32; 2],
}

impl Noisy {
    fn factors(&self, ctx: &LayerCtx) -> [f32; 2] {
        let noise = |i: usize| if ctx.training { 0.5 + ctx.key.uniform(i as u64) } else { 1.0 };
        [self.weight[0] * noise(0), self.weight[1] * noise(1)]
    }
}

impl Layer for Noisy {
    type Input = [f32; 2];
    type Output = [f32; 2];

    fn initialise(&mut self, _key: RngKey) {
        (self.weight, self.shift) = ([1.5, -0.5], [0.25, 0.75]);
    }

    fn forward(&self, x: &[f32; 2], y: &mut [f32; 2]) {
        self.forward_with(x, y, &LayerCtx::INFERENCE);
    }

    fn forward_with(&self, x: &[f32; 2], y: &mut [f32; 2], ctx: &LayerCtx) {
        let factors = self.factors(ctx);
        *y = [0, 1].map(|i| factors[i] * x[i] + self.shift[i]);
    }

    fn backward(
        &self,
        x: &[f32; 2],
        y: &[f32; 2],
        d_y: &[f32; 2],
        d_x: &mut [f32; 2],
        d_self: &mut Self,
    ) {
        self.backward_with(x, y, d_y, d_x, d_self, &LayerCtx::INFERENCE);
    }

    fn backward_with(
        &self,
        x: &[f32; 2],
        _y: &[f32; 2],
        d_y: &[f32; 2],
        d_x: &mut [f32; 2],
        d_self: &mut Self,
        ctx: &LayerCtx,
    ) {
        let factors = self.factors(ctx);
        for i in 0..2 {
            d_x[i] += factors[i] * d_y[i];
            d_self.weight[i] += factors[i] / self.weight[i] * x[i] * d_y[i];
        }
    }
}

/// Doubles each step: `[T, 2] -> [T, 2]`.
#[derive(Weights)]
struct Double<const T: usize>;

impl<const T: usize> Layer for Double<T> {
    type Input = [[f32; 2]; T];
    type Output = [[f32; 2]; T];

    const OUTPUT_STEPS: Option<StepsOf> = Some(StepsOf::input(0));

    fn forward(&self, x: &[[f32; 2]; T], y: &mut [[f32; 2]; T]) {
        *y = x.map(|x| x.map(|x| 2.0 * x));
    }

    fn backward(
        &self,
        _x: &[[f32; 2]; T],
        _y: &[[f32; 2]; T],
        d_y: &[[f32; 2]; T],
        d_x: &mut [[f32; 2]; T],
        _d_self: &mut Self,
    ) {
        *d_x = d_y.map(|d| d.map(|d| 2.0 * d));
    }
}

/// The mean over the valid steps: `[T, 2] -> [2]`.
#[derive(Weights)]
struct MeanOverSteps<const T: usize>;

impl<const T: usize> Layer for MeanOverSteps<T> {
    type Input = [[f32; 2]; T];
    type Output = [f32; 2];

    fn forward(&self, x: &[[f32; 2]; T], y: &mut [f32; 2]) {
        self.forward_with(x, y, &LayerCtx::INFERENCE);
    }

    fn forward_with(&self, x: &[[f32; 2]; T], y: &mut [f32; 2], ctx: &LayerCtx) {
        let valid = &x[..ctx.valid_steps(0, T)];
        for x in valid {
            *y = [0, 1].map(|i| y[i] + x[i] / valid.len() as f32);
        }
    }

    fn backward(
        &self,
        x: &[[f32; 2]; T],
        y: &[f32; 2],
        d_y: &[f32; 2],
        d_x: &mut [[f32; 2]; T],
        d_self: &mut Self,
    ) {
        self.backward_with(x, y, d_y, d_x, d_self, &LayerCtx::INFERENCE);
    }

    fn backward_with(
        &self,
        _x: &[[f32; 2]; T],
        _y: &[f32; 2],
        d_y: &[f32; 2],
        d_x: &mut [[f32; 2]; T],
        _d_self: &mut Self,
        ctx: &LayerCtx,
    ) {
        let valid = ctx.valid_steps(0, T);
        d_x[..valid].fill(d_y.map(|d| d / valid as f32));
    }
}

network! {
    /// Layers that treat steps one by one, and one that reads all of them.
    struct Steps(..4x2) -> 2 {
        Dense(2),
        double: Double::<4>,
        mean: MeanOverSteps::<4>,
        noisy: Noisy,
    }
}

type Text = Sequence<[f32; 2], 4>;

/// Sequences of all lengths but 0.
fn texts() -> Vec<Text> {
    let value = |i| RngKey::new(1).uniform(i as u64) - 0.5;
    let step = |i: usize| [value(2 * i), value(2 * i + 1)];
    let text = |n: usize| (0..1 + n % 4).map(|i| step(4 * n + i)).collect::<Vec<_>>();
    (0..9).map(|n| Sequence::new(&text(n)).unwrap()).collect()
}

#[test]
fn gradients_agree_with_finite_differences_on_any_number_of_threads() {
    let (net, targets) = (Steps::new(2), vec![[0.5, -1.0]; 9]);
    let check = check_gradients(&*net, &MeanSquaredError, &texts(), &targets).unwrap();
    assert!(check.worst < 2e-3, "{check}");
    same_on_all_threads(|| {
        bits(&gradient(&mut *Steps::new(2), &MeanSquaredError, &texts(), &targets))
    });
}

#[test]
fn steps_after_the_end_of_a_sequence_do_not_count() {
    let net = Steps::new(2);
    for text in texts() {
        let [a, b] = net.forward(&text);
        let steps = text.steps();
        let mean = |i: usize| {
            let dense = |x: &[f32; 2]| {
                net.dense.bias[i] + (0..2).map(|k| net.dense.weight[k][i] * x[k]).sum::<f32>()
            };
            2.0 * steps.iter().map(dense).sum::<f32>() / steps.len() as f32
        };
        let expected = [0, 1].map(|i| net.noisy.weight[i] * mean(i) + net.noisy.shift[i]);
        assert!((a - expected[0]).abs() < 1e-5 && (b - expected[1]).abs() < 1e-5);
    }
}

#[test]
fn random_numbers_are_those_of_layer_step_and_sample() {
    let mut net = Steps::new(2);
    let inputs = vec![texts()[3]; 3];
    let mut pass = TrainPass::<Steps>::new(3);
    let mut outputs = |key| pass.forward(&mut net, &inputs, RngKey::new(key)).unwrap().to_vec();
    let (first, again, second) = (outputs(1), outputs(1), outputs(2));
    assert_eq!(first, again);
    assert!(first[0] != first[1] && first != second);
    assert_eq!(net.forward(&inputs[0]), net.forward(&inputs[1]));
}

#[test]
fn buffers_are_saved_but_not_trained() {
    let mut net = Steps::new(2);
    assert_eq!((Noisy::TRAINED, Steps::PARAMS, Steps::LEN), (2, 8, 10));
    assert!(Steps::tensors().iter().any(|tensor| tensor.name == "noisy.shift"));
    let trained: usize = Steps::trained().iter().map(|(_, range)| range.len()).sum();
    assert_eq!(trained, Steps::PARAMS);
    let before = net.clone_boxed();
    let data = Data { inputs: texts(), targets: vec![[0.5, -1.0]; 9] };
    let mut trainer = Trainer::new(AdamW::new(0.01).weight_decay(0.5)).epochs(2).quiet();
    trainer.fit(&mut net, &data, &MeanSquaredError).unwrap();
    assert_eq!(net.noisy.shift, before.noisy.shift);
    assert_ne!(net.noisy.weight, before.noisy.weight);
    let file = Steps::load_bytes(&net.to_bytes()).unwrap();
    assert_eq!(file.params(), net.params());
}
