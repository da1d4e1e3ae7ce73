//! Sequences of different lengths in layers that mix steps: each has the bits of a network whose size is its length,
//! forward and backward, alone and in a batch.

use crate::common::{self, same_on_all_threads};
use unrolled::RngKey;
use unrolled::loss::TargetError;
use unrolled::prelude::*;

/// Half the squared distance from 0.5 of all valid elements, divided by the number of valid steps. It is the same, to
/// the last bit, for a sequence that ends early and for a network of its length.
struct Squares;

impl<O: Values> Loss<O> for Squares {
    type Target = ();

    fn check(&self, _target: &()) -> Result<(), TargetError> {
        Ok(())
    }

    fn sample(&self, y: &[f32], _target: &(), scale: f32, d_y: &mut [f32]) -> f64 {
        d_y.iter_mut().zip(y).for_each(|(d, y)| *d = scale * (y - 0.5));
        y.iter().map(|y| f64::from(y - 0.5).powi(2) / 2.0).sum()
    }

    fn weight(&self, _target: &(), steps: usize) -> f64 {
        steps as f64
    }
}

/// The outputs, loss and gradients of a training step.
#[derive(Debug, PartialEq)]
struct Outcome {
    y: Vec<f32>,
    loss: f32,
    d_net: Vec<f32>,
    d_x: Vec<f32>,
}

fn random(len: usize, seed: u64) -> impl Iterator<Item = f32> {
    (0..len).map(move |i| common::random(seed, i))
}

/// A network without zero weights, which would hide mistakes.
fn network<N: Network>() -> Box<N> {
    let mut net = N::new(0);
    net.params_mut().iter_mut().zip(random(N::LEN, 3)).for_each(|(w, random)| *w += random.abs());
    net
}

fn outputs<N: Network>(net: &N, inputs: &[N::Input]) -> Vec<Vec<f32>> {
    let mut outputs = vec![N::Output::zeroed(); inputs.len()];
    net.forward_batch(inputs, &mut outputs);
    outputs.iter().map(|y| y.as_floats().to_vec()).collect()
}

fn train<N: Network>(inputs: &[N::Input]) -> Outcome {
    let mut net = network::<N>();
    let y = outputs(&*net, inputs).concat();
    let mut d_net = N::zeros();
    let mut d_inputs = inputs.to_vec();
    let loss = unrolled::loss_and_all_gradients(
        &mut *net,
        &Squares,
        inputs,
        &vec![(); inputs.len()],
        &mut *d_net,
        &mut d_inputs,
        RngKey::new(0),
    );
    let d_x = d_inputs.iter().flat_map(|d| d.input(0).to_vec()).collect();
    Outcome { y, loss: loss.unwrap(), d_net: d_net.params().to_vec(), d_x }
}

/// Compares a sequence of `length` steps in a network for longer ones with a network for this length.
fn check_alone<T: Values, const MAX: usize, N, A>(length: usize)
where
    N: Network<Input = Sequence<T, MAX>>,
    A: Network,
{
    let input = sequence::<T, MAX>(length);
    let ragged = train::<N>(&[input]);
    let mut own = A::Input::zero();
    let len = own.input(0).len();
    own.input_mut(0).copy_from_slice(&input.all().as_floats()[..len]);
    let alone = train::<A>(&[own]);
    let (y, y_after) = ragged.y.split_at(alone.y.len());
    let (d_x, d_x_after) = ragged.d_x.split_at(len);
    let at = format!("{length} steps");
    assert_eq!(y, alone.y, "outputs of {at}");
    assert!(y_after.iter().chain(d_x_after).all(|y| *y == 0.0), "after {at}: {ragged:?}");
    assert_eq!(
        (ragged.loss, &*ragged.d_net, d_x),
        (alone.loss, &*alone.d_net, &*alone.d_x),
        "{at}"
    );
    assert!(alone.loss > 0.0 && alone.d_net.iter().all(|d| d.is_finite()));
}

/// A sequence of this length. Calls return the same one.
fn sequence<T: Values, const MAX: usize>(length: usize) -> Sequence<T, MAX> {
    let mut all = [T::zeroed(); MAX];
    let elements = all.as_floats_mut().iter_mut();
    for (element, random) in elements.zip(random(MAX * T::LEN, 5)) {
        *element = if T::REAL { random } else { f32::from_bits((6.0 * random.abs()) as u32) };
    }
    Sequence::new(&all[..length]).unwrap()
}

/// Checks that a batch of all lengths agrees with each sample alone, and does not depend on the number of threads.
fn check_batch<T: Values, const MAX: usize, N>()
where
    N: Network<Input = Sequence<T, MAX>>,
{
    let inputs: Vec<_> = (0..3 * MAX).map(|i| sequence::<T, MAX>(1 + i * 7 % MAX)).collect();
    let net = network::<N>();
    for (input, output) in inputs.iter().zip(outputs(&*net, &inputs)) {
        assert_eq!(outputs(&*net, &[*input]), [output]);
    }
    let trained = same_on_all_threads(|| train::<N>(&inputs));
    assert!(trained.d_net.iter().all(|d| d.is_finite()));
    let targets = vec![(); inputs.len()];
    let check = unrolled::check_gradients(&*net, &Squares, &inputs, &targets).unwrap();
    assert!(check.worst < 1e-2, "{check}");
}

macro_rules! ragged {
    ($($name:ident: $input:tt -> $output:tt { $($length:literal: $own:tt -> $own_output:tt),* } $body:tt)*) => { $(
        #[test]
        fn $name() {
            network! { #[allow(deprecated, reason = "parts of networks")] struct Ragged(..$input) -> $output $body }
            $({
                network! { #[allow(deprecated, reason = "parts of networks")] struct Alone($own) -> $own_output $body }
                check_alone::<_, _, Ragged, Alone>($length);
            })*
            check_batch::<_, _, Ragged>();
        }
    )* };
}

ragged! {
    convolution_with_same_padding: 8x3 -> 8x4 { 8: 8x3 -> 8x4, 5: 5x3 -> 5x4, 1: 1x3 -> 1x4 } {
        Conv1d(4, kernel = 4, padding = same), Tanh
    }
    strided_convolution: 9x3 -> 5x4 { 9: 9x3 -> 5x4, 8: 8x3 -> 5x4, 4: 4x3 -> 3x4, 1: 1x3 -> 1x4 } {
        Conv1d(4, kernel = 4, stride = 2, padding = 2)
    }
    causal_convolution: 8x4 -> 8x6 { 7: 7x4 -> 7x6, 2: 2x4 -> 2x6 } {
        Conv1d(6, kernel = 3, padding = causal, dilation = 2, groups = 2)
    }
    depthwise_convolution: 8x5 -> 3x5 { 8: 8x5 -> 3x5, 7: 7x5 -> 3x5, 3: 3x5 -> 1x5 } {
        Conv1d(5, kernel = 2, stride = 3, groups = 5, padding = 1, dilation = 2)
    }
    convolution_of_many_weights: 5x16 -> 5x20 { 5: 5x16 -> 5x20, 3: 3x16 -> 3x20, 1: 1x16 -> 1x20 } {
        Conv1d(20, kernel = 3, padding = 1)
    }
    max_pool: 9x3 -> 5x3 { 9: 9x3 -> 5x3, 6: 6x3 -> 3x3, 1: 1x3 -> 1x3 } {
        Dense(3), MaxPool1d(3, stride = 2, padding = 1)
    }
    average_pool: 9x3 -> 5x3 { 9: 9x3 -> 5x3, 6: 6x3 -> 3x3, 1: 1x3 -> 1x3 } {
        Dense(3), AvgPool1d(3, stride = 2, padding = 1)
    }
    average_pool_without_padding: 9x3 -> 5x3 { 9: 9x3 -> 5x3, 6: 6x3 -> 3x3, 1: 1x3 -> 1x3 } {
        Dense(3), AvgPool1d(3, stride = 2, padding = 1, count_include_pad = false)
    }
    several_kernels: 16x2 -> 3 { 16: 16x2 -> 3, 9: 9x2 -> 3, 4: 4x2 -> 3 } {
        Conv1d(4, kernel = 3, stride = 2, padding = 1), ReLU,
        MaxPool1d(2),
        Conv1d(5, kernel = 2, padding = same), Tanh,
        GlobalAvgPool, Dense(3)
    }
    global_max_pool: 7x3 -> 4 { 7: 7x3 -> 4, 3: 3x3 -> 4, 1: 1x3 -> 4 } {
        Dense(4), GlobalMaxPool
    }
    normalisations: 7x4 -> 7x4 { 7: 7x4 -> 7x4, 4: 4x4 -> 4x4, 2: 2x4 -> 2x4 } {
        LayerNorm, GroupNorm(2), RMSNorm(eps = 0.1), InstanceNorm(affine = true), Scale(0.5, per_channel = true)
    }
    residual: 8x4 -> 8x4 { 8: 8x4 -> 8x4, 5: 5x4 -> 5x4 } {
        Residual { Conv1d(4, kernel = 3, padding = 1), BatchNorm, Tanh },
        Concat { { Conv1d(2, kernel = 5, padding = 2) }, { Dense(2), Softmax } }
    }
    convolution_and_recurrent_layer: 10x3 -> 8 { 10: 10x3 -> 8, 7: 7x3 -> 8, 3: 3x3 -> 8 } {
        Conv1d(4, kernel = 3, stride = 2, padding = 1),
        GRU(3), Conv1d(3, kernel = 2, padding = causal),
        LSTM(4, bidirectional = true, output = last)
    }
    tokens: 8 -> 3 { 8: 8 -> 3, 5: 5 -> 3, 2: 2 -> 3 } {
        Embedding(7, 4), Conv1d(5, kernel = 3, padding = 1), GELU, GlobalMaxPool, Dense(3)
    }
    images_in_each_step: 6x4x4x2 -> 6x3 { 6: 6x4x4x2 -> 6x3, 4: 4x4x4x2 -> 4x3, 1: 1x4x4x2 -> 1x3 } {
        PerStep { Conv2d(3, kernel = 3), ReLU, Flatten, Dense(3) }
    }
    sentences_of_a_document: 5x4 -> 2 { 5: 5x4 -> 2, 3: 3x4 -> 2, 1: 1x4 -> 2 } {
        PerStep { Embedding(7, 4), GRU(3), GlobalAvgPool, Dense(3) }, LSTM(2, output = last)
    }
    sequences_in_each_step: 5x4x4 -> 3x3 { 5: 5x4x4 -> 3x3, 4: 4x4x4 -> 3x3, 2: 2x4x4 -> 2x3 } {
        PerStep {
            MultiHeadAttention(2), GroupNorm(2), Conv1d(4, kernel = 2, padding = 1, bias = false), InstanceNorm,
            AvgPool1d(2), PerStep { Dense(3), Softmax }, GlobalMaxPool, Dense(3),
        },
        Conv1d(3, kernel = 2, stride = 2, padding = 1)
    }
    statistics_of_steps_after_a_kernel: 8x4 -> 4x3 { 8: 8x4 -> 4x3, 5: 5x4 -> 2x3, 2: 2x4 -> 1x3 } {
        Conv1d(4, kernel = 2, stride = 2), PerStep { Reshape(2x2), BatchNorm, Flatten, Dense(3) }
    }
    embedding_of_tokens: 6 -> 6x4 { 6: 6 -> 6x4, 3: 3 -> 3x4 } {
        Embedding(7, 4), PositionalEncoding, Dropout(0.0)
    }
}

network! {
    struct Halves(6x4) -> 3x4 { MaxPool1d(2), Conv1d(4, kernel = 3, padding = same) }
    struct Nested(..13x2) -> 3x4 { Conv1d(4, kernel = 3, stride = 2), Halves }
    struct Nested9(9x2) -> 2x4 { Conv1d(4, kernel = 3, stride = 2), halves: Halves4 }
    struct Halves4(4x4) -> 2x4 { MaxPool1d(2), Conv1d(4, kernel = 3, padding = same) }

    #[allow(batch_norm_at_output)]
    struct Normed(..6x3) -> 6x3 { BatchNorm }
    #[allow(batch_norm_at_output)]
    struct NormedRows(3) -> 3 { BatchNorm }

    /// Layers after a network, of whose output the macro does not know the axes, and the same lines without it.
    struct Front(6x3) -> 6x4 { Dense(4), Tanh }
    struct AfterNetwork(..6x3) -> 2 { front: Front, LSTM(4, output = last), BatchNorm, Dense(2) }
    struct AfterLines(..6x3) -> 2 { front: { Dense(4), Tanh }, LSTM(4, output = last), BatchNorm, Dense(2) }
    struct PoolOfNetwork(..6x3) -> 2 { PerStep { step: Step }, GlobalAvgPool, BatchNorm, Dense(2) }
    struct PoolOfLines(..6x3) -> 2 { PerStep { step: { Dense(4), Tanh } }, GlobalAvgPool, BatchNorm, Dense(2) }
    struct Step(3) -> 4 { Dense(4), Tanh }

    /// Less than four steps are shorter than the kernel, and have no output.
    #[allow(bias_before_batch_norm)]
    struct Short(..8x2) -> 3 { Conv1d(4, kernel = 4), BatchNorm, GlobalMaxPool, Dense(3) }
}

#[test]
fn a_nested_network_has_steps_of_its_own() {
    check_alone::<_, _, Nested, Nested9>(9);
    check_batch::<_, _, Nested>();
}

/// A layer that joins all steps has features, whatever is before it.
#[test]
fn features_are_no_steps_after_a_network() {
    fn compare<A, B>()
    where
        A: Network<Input = Sequence<[f32; 3], 6>, Output = [f32; 2]>,
        B: Network<Input = Sequence<[f32; 3], 6>, Output = [f32; 2]>,
    {
        fn gradient<N>(net: &mut N) -> Vec<f32>
        where
            N: Network<Input = Sequence<[f32; 3], 6>, Output = [f32; 2]>,
        {
            let (inputs, mut d_net) = ([2, 6, 1, 3].map(sequence), N::zeros());
            let key = RngKey::new(1);
            net.loss_and_gradients(&Squares, &inputs, &[(); 4], &mut d_net, key).unwrap();
            [d_net.params(), net.params()].concat()
        }
        let (mut a, mut b) = (network::<A>(), B::zeros());
        b.params_mut().copy_from_slice(a.params());
        assert_eq!(gradient(&mut *a), gradient(&mut *b));
    }
    compare::<AfterNetwork, AfterLines>();
    compare::<PoolOfNetwork, PoolOfLines>();
}

/// The statistics are those of the valid steps.
#[test]
fn batch_norm_counts_valid_steps() {
    let lengths = [2, 6, 1, 3];
    let inputs = lengths.map(sequence::<[f32; 3], 6>);
    let rows: Vec<[f32; 3]> = inputs.iter().flat_map(|input| input.steps().to_vec()).collect();
    let [mut net, mut d_net] = [Normed::new(1), Normed::zeros()];
    let [mut rows_net, mut d_rows_net] = [NormedRows::new(1), NormedRows::zeros()];
    let loss =
        net.loss_and_gradients(&Squares, &inputs, &[(); 4], &mut d_net, RngKey::new(1)).unwrap();
    let targets = vec![(); rows.len()];
    // `Squares` takes the 3 features of a row for 3 steps.
    let expected =
        rows_net.loss_and_gradients(&Squares, &rows, &targets, &mut d_rows_net, RngKey::new(1));
    let expected = expected.map(|loss| 3.0 * loss);
    d_rows_net.params_mut().iter_mut().for_each(|d| *d *= 3.0);
    let close = |a: f32, b: f32| (a - b).abs() < 1e-5;
    assert!(close(loss, expected.unwrap()));
    let pairs = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| close(*a, *b));
    assert!(pairs(d_net.params(), d_rows_net.params()), "gradients");
    assert!(pairs(net.params(), rows_net.params()), "running statistics");
}

#[test]
fn a_sequence_shorter_than_the_kernel_has_no_output() {
    let net = network::<Short>();
    let bias = net.dense.bias;
    assert_eq!(net.forward(&sequence(3)), bias, "the maximum of no steps is zero");
    assert_ne!(net.forward(&sequence(4)), bias);
    let outcome = train::<Short>(&[sequence(3), sequence(2)]);
    assert!(outcome.loss.is_finite() && outcome.d_x.iter().all(|d| *d == 0.0));
    let mut trained = network::<Short>();
    let before = trained.batch_norm.clone();
    let mut d_net = Short::zeros();
    trained
        .loss_and_gradients(&Squares, &[sequence(1)], &[()], &mut d_net, RngKey::new(1))
        .unwrap();
    assert_eq!(trained.batch_norm.running_var, before.running_var);
    assert!(d_net.conv1d.weight.as_flattened().as_flattened().iter().all(|d| *d == 0.0));
    check_batch::<_, _, Short>();
}
