//! Passes whose loss is the caller's: `TrainPass`, and gradients of inputs in inference mode.

use crate::common::{bits, random_values, same_on_all_threads};
use unrolled::loss::TargetError;
use unrolled::prelude::*;
use unrolled::{BatchError, Inputs, loss_and_all_gradients};

network! {
    /// One phase. Dropout twice, a layer that saves values of its own, and in-place layers.
    struct Plain(6x6x2) -> 5 {
        Conv2d(3, kernel = 3), GELU, MaxPool2d(2), Dropout(0.25),
        Flatten, Dense(8), ReLU, Dropout(0.5), LayerNorm, Dense(5),
    }

    /// Several phases.
    #[allow(bias_before_batch_norm)]
    struct Normed(6x6x2) -> 5 {
        Conv2d(3, kernel = 3, bias = false), BatchNorm, ReLU, Dropout(0.25),
        Residual { Conv2d(3, kernel = 3, padding = same, bias = false), BatchNorm },
        GlobalAvgPool, Dense(5),
    }

    /// Sequences of different lengths.
    struct Steps(..5x3) -> 5x5 {
        BatchNorm, LSTM(4), TransformerEncoder(4, heads = 2, hidden = 8, dropout = 0.25), Dense(5),
    }
}

type Image = [[[f32; 2]; 6]; 6];

/// The sum of all outputs, each times a factor: a loss whose gradient does not depend on the outputs.
struct Weighted;

impl<Y: Values> Loss<Y> for Weighted {
    type Target = Y;

    fn check(&self, _target: &Y) -> Result<(), TargetError> {
        Ok(())
    }

    fn sample(&self, y: &[f32], target: &Y, scale: f32, d_y: &mut [f32]) -> f64 {
        let factors = target.as_floats();
        d_y.iter_mut().zip(factors).for_each(|(d, factor)| *d = scale * factor);
        y.iter().zip(factors).map(|(y, factor)| f64::from(y * factor)).sum()
    }

    /// Not the fraction of valid steps.
    fn weight(&self, _target: &Y, _steps: usize) -> f64 {
        1.0
    }
}

/// What a pass leaves behind: the gradients, and the network with its running statistics.
#[derive(Debug, PartialEq)]
struct Outcome {
    d_net: Vec<u32>,
    d_inputs: Vec<u32>,
    net: Vec<u32>,
}

impl Outcome {
    fn of<N: Network>(net: &N, d_net: &N, d_inputs: &[N::Input]) -> Self {
        let d_inputs = d_inputs.iter().flat_map(|d| bits(d.input(0))).collect();
        Self { d_net: bits(d_net.params()), d_inputs, net: bits(net.params()) }
    }
}

fn images(count: usize) -> Vec<Image> {
    (0..count as u64).map(random_values).collect()
}

fn sequences(count: usize) -> Vec<Sequence<[f32; 3], 5>> {
    let steps: [[f32; 3]; 5] = random_values(3);
    (0..count).map(|i| Sequence::new(&steps[..1 + i % 5]).unwrap()).collect()
}

fn factors<Y: Values>(count: usize) -> Vec<Y> {
    (0..count as u64).map(|i| random_values(100 + i)).collect()
}

/// A step with a loss.
fn with_loss<N: Network>(inputs: &[N::Input]) -> Outcome {
    let (mut net, mut d_net, mut d_inputs) = (N::new(1), N::zeros(), inputs.to_vec());
    let (targets, key) = (factors(inputs.len()), RngKey::new(9));
    let loss = Weighted;
    loss_and_all_gradients(&mut *net, &loss, inputs, &targets, &mut *d_net, &mut d_inputs, key)
        .unwrap();
    Outcome::of(&*net, &d_net, &d_inputs)
}

/// The same by a pass, after one over other samples and a backward pass with other gradients.
fn with_pass<N: Network>(inputs: &[N::Input]) -> Outcome {
    let (mut net, mut d_net, mut d_inputs) = (N::new(1), N::zeros(), inputs.to_vec());
    let mut pass = TrainPass::<N>::new(inputs.len());
    let mut other = net.clone_boxed();
    pass.forward(&mut other, &inputs[..inputs.len() - 1], RngKey::new(8)).unwrap();

    let outputs = pass.forward(&mut net, inputs, RngKey::new(9)).unwrap().to_vec();
    pass.backward(&net, &outputs, &mut d_net, None).unwrap();
    let scale = 1.0 / inputs.len() as f32;
    let mut d_outputs: Vec<N::Output> = factors(inputs.len());
    for d_output in &mut d_outputs {
        d_output.as_floats_mut().iter_mut().for_each(|d| *d *= scale);
    }
    pass.backward(&net, &d_outputs, &mut d_net, Some(&mut d_inputs)).unwrap();
    Outcome::of(&*net, &d_net, &d_inputs)
}

#[test]
fn a_pass_has_the_bits_of_a_step_with_a_loss() {
    let of_loss = same_on_all_threads(|| with_loss::<Plain>(&images(23)));
    assert_eq!(same_on_all_threads(|| with_pass::<Plain>(&images(23))), of_loss);
    let of_loss = with_loss::<Normed>(&images(23));
    assert_eq!(same_on_all_threads(|| with_pass::<Normed>(&images(23))), of_loss);
    let of_loss = with_loss::<Steps>(&sequences(23));
    assert_eq!(same_on_all_threads(|| with_pass::<Steps>(&sequences(23))), of_loss);
}

#[test]
fn gradients_are_linear_and_not_divided_by_the_batch() {
    let (mut net, inputs) = (Normed::new(1), images(6));
    let mut pass = TrainPass::<Normed>::new(10);
    pass.forward(&mut net, &inputs, RngKey::new(2)).unwrap();
    let mut gradient = |d_outputs: &[[f32; 5]]| {
        let mut d_net = Normed::zeros();
        pass.backward(&net, d_outputs, &mut d_net, None).unwrap();
        d_net.params().to_vec()
    };
    let (one, other) = (factors::<[f32; 5]>(6), vec![[0.5; 5]; 6]);
    let sum: Vec<[f32; 5]> = one.iter().map(|d| d.map(|d| d + 0.5)).collect();
    let [one, other, sum] = [one, other, sum].map(|d_outputs| gradient(&d_outputs));
    for ((one, other), sum) in one.iter().zip(&other).zip(&sum) {
        assert!((one + other - sum).abs() < 1e-4 * (1.0 + sum.abs()), "{one} {other} {sum}");
    }
    // The bias of the last layer: a sum over six samples.
    let tensors = Normed::tensors();
    let bias = tensors.iter().find(|tensor| tensor.name == "dense.bias").unwrap().offset;
    assert_eq!(other[bias..bias + 5], [3.0; 5]);
}

#[test]
fn running_statistics_move_once_for_each_forward_pass() {
    let (mut net, inputs) = (Normed::new(1), images(6));
    let mut pass = TrainPass::<Normed>::new(6);
    for count in 1..4 {
        let d_outputs = pass.forward(&mut net, &inputs, RngKey::new(2)).unwrap().to_vec();
        let mut d_net = Normed::zeros();
        pass.backward(&net, &d_outputs, &mut d_net, None).unwrap();
        pass.backward(&net, &d_outputs, &mut d_net, None).unwrap();
        assert_eq!(net.batch_norm.num_batches_tracked, count as f32);
    }
}

#[test]
fn the_key_decides_which_elements_are_dropped() {
    let (mut net, inputs) = (Plain::new(1), images(3));
    let mut pass = TrainPass::<Plain>::new(3);
    let mut outputs = |seed| pass.forward(&mut net, &inputs, RngKey::new(seed)).unwrap().to_vec();
    let [first, second, again] = [1, 2, 1].map(&mut outputs);
    assert_eq!(first, again);
    assert_ne!(first, second);
}

#[test]
fn mistakes_are_errors() {
    let (mut net, mut d_net, inputs) = (Normed::new(1), Normed::zeros(), images(3));
    let before = net.params().to_vec();
    let mut pass = TrainPass::<Normed>::new(2);
    let d_outputs = [[0.0; 5]; 2];
    let without = pass.backward(&net, &d_outputs, &mut d_net, None);
    assert_eq!(without, Err(BatchError::NoForward));
    let mut forward =
        |inputs: &[Image]| pass.forward(&mut net, inputs, RngKey::new(1)).map(drop).unwrap_err();
    assert_eq!(forward(&[]), BatchError::Empty);
    assert_eq!(forward(&inputs), BatchError::TooMany { most: 2, found: 3 });
    assert_eq!(net.params(), before);
    pass.forward(&mut net, &inputs[..2], RngKey::new(1)).unwrap();
    assert_eq!(
        pass.backward(&net, &d_outputs[..1], &mut d_net, None),
        Err(BatchError::OutputGradients { outputs: 2, gradients: 1 })
    );
    assert_eq!(
        pass.backward(&net, &d_outputs, &mut d_net, Some(&mut images(3))),
        Err(BatchError::InputGradients { inputs: 2, gradients: 3 })
    );
    // A forward pass that fails leaves nothing to go back through.
    pass.forward(&mut net, &[], RngKey::new(1)).map(drop).unwrap_err();
    assert_eq!(pass.backward(&net, &d_outputs, &mut d_net, None), Err(BatchError::NoForward));
}

/// A network whose running statistics are not those of any batch.
fn trained<N: Network>(inputs: &[N::Input]) -> Box<N> {
    let (mut net, mut d_net) = (N::new(1), N::zeros());
    for step in 0..5 {
        let (half, key) = (&inputs[..inputs.len() / 2], RngKey::new(step));
        net.loss_and_gradients(&Weighted, half, &factors(half.len()), &mut d_net, key).unwrap();
    }
    net
}

/// Compares gradients of inputs with finite differences of `forward`, for the sum of the squares of all outputs.
fn check_input_gradients<N: Network>(inputs: &[N::Input]) {
    let net = trained::<N>(inputs);
    let before = bits(net.params());
    let mut d_inputs = inputs.to_vec();
    let squares = |y: &N::Output, d_y: &mut N::Output| {
        let d = d_y.as_floats_mut().iter_mut().zip(y.as_floats());
        d.for_each(|(d, y)| *d = 2.0 * y);
    };
    net.input_gradients(inputs, squares, &mut d_inputs).unwrap();
    assert_eq!(bits(net.params()), before);

    fn sum_of_squares<N: Network>(net: &N, x: &N::Input) -> f64 {
        net.forward(x).as_floats().iter().map(|y| f64::from(*y).powi(2)).sum()
    }
    const STEP: f32 = 1e-2;
    let mut largest: f64 = 0.0;
    for (x, d_x) in inputs.iter().zip(&d_inputs) {
        for i in 0..x.input(0).len() {
            let [plus, minus] = [STEP, -STEP].map(|step| {
                let mut moved = *x;
                moved.input_mut(0)[i] += step;
                sum_of_squares(&*net, &moved)
            });
            let expected = (plus - minus) / f64::from(2.0 * STEP);
            let found = f64::from(d_x.input(0)[i]);
            assert!((found - expected).abs() < 2e-2 * (1.0 + expected.abs()), "{found} {expected}");
            largest = largest.max(found.abs());
        }
    }
    assert!(largest > 0.05, "the gradients are all small: {largest}");
}

network! {
    /// Without kinks, at which finite differences are wrong.
    #[allow(bias_before_batch_norm)]
    struct Smooth(6x6x2) -> 5 {
        Conv2d(3, kernel = 3, bias = false), BatchNorm, Tanh, Dropout(0.5),
        Residual { Conv2d(3, kernel = 3, padding = same, bias = false), BatchNorm, GELU },
        Flatten, Dense(5),
    }
}

#[test]
fn input_gradients_are_those_of_inference() {
    check_input_gradients::<Smooth>(&images(9));
    check_input_gradients::<Steps>(&sequences(9));
}

#[test]
fn input_gradients_have_the_same_bits_on_any_number_of_threads_and_in_any_batch() {
    let (net, inputs) = (trained::<Normed>(&images(12)), images(70));
    let gradients = |inputs: &[Image]| {
        let mut d_inputs = vec![[[[0.0; 2]; 6]; 6]; inputs.len()];
        net.input_gradients(inputs, |_, d_y| d_y[1] = 1.0, &mut d_inputs).unwrap();
        d_inputs
    };
    let all = same_on_all_threads(|| gradients(&inputs));
    assert_eq!(gradients(&inputs[3..4]), all[3..4]);
}

#[test]
fn outputs_come_sample_after_sample() {
    let (net, inputs) = (Plain::new(1), images(70));
    let (mut outputs, mut d_inputs) = (vec![[0.0; 5]; 70], inputs.clone());
    net.forward_batch(&inputs, &mut outputs);
    let mut seen = Vec::new();
    net.input_gradients(&inputs, |y, _| seen.push(*y), &mut d_inputs).unwrap();
    for (seen, output) in seen.as_flattened().iter().zip(outputs.as_flattened()) {
        assert!((seen - output).abs() < 1e-5, "{seen} {output}");
    }
    // No output gradient is written: all gradients are zero.
    assert!(d_inputs.as_flattened().as_flattened().iter().all(|d| *d == [0.0; 2]));
    assert_eq!(
        net.input_gradients(&inputs, |_, _| {}, &mut d_inputs[1..]),
        Err(BatchError::InputGradients { inputs: 70, gradients: 69 })
    );
    assert_eq!(net.input_gradients(&[], |_, _| {}, &mut []), Err(BatchError::Empty));
}
