//! Long sequences in chunks, and one step at a time: the bits of the whole sequence, and training with the state
//! passed on.

use crate::common::{random, same_on_all_threads};
use unrolled::loss::TargetError;
use unrolled::prelude::*;
use unrolled::{RngKey, parallel};

network! {
    /// All layers that compute step by step.
    struct Stream(9x3) -> 9x4 {
        Dense(6), Tanh,
        Residual { LSTM(6, layers = 2), Dropout(0.2) },
        BatchNorm,
        Concat { { GRU(4) }, { RNN(3), Softmax }, { LSTM(4, projection = 2) } },
        GELU, PReLU,
        Add { { Dense(4) }, { Dense(4, bias = false), Sigmoid } },
        Dense(4),
    }

    /// Causal convolutions compute step by step, too.
    #[allow(bias_before_batch_norm)]
    struct Causal(9x3) -> 9x4 {
        Conv1d(6, kernel = 3, padding = causal, dilation = 2), ReLU,
        Residual { Conv1d(6, kernel = 2, padding = causal, groups = 2), BatchNorm },
        Concat { { Conv1d(24, kernel = 5, padding = causal) }, { GRU(2) } },
        Conv1d(4, kernel = 1, padding = causal), ReLU,
        WNConv1d(5, kernel = 3, padding = causal), ReLU,
        WNDense(4), ReLU,
        SNConv1d(5, kernel = 3, padding = causal), ReLU,
        SNDense(4),
    }
    struct Tokens(text: 9) -> 9x4 { Embedding(7, 3), Conv1d(4, kernel = 3, padding = causal) }

    /// One convolution over a whole sequence, and over chunks of it.
    struct OneOf9(9x3) -> 9x4 { Conv1d(4, kernel = 3, padding = causal, dilation = 2) }
    struct OneOf5(5x3) -> 5x4 { Conv1d(4, kernel = 3, padding = causal, dilation = 2) }
    struct ManyOf6(6x9) -> 6x30 { Conv1d(30, kernel = 3, padding = causal) }
    struct ManyOf3(3x9) -> 3x30 { Conv1d(30, kernel = 3, padding = causal) }

    /// The output of the last step only.
    struct Last(9x3) -> 2 {
        GRU(5), LSTM(4, output = last), Dense(2),
    }

    /// A nested network, to which the lengths of sequences are passed on.
    struct Inner(6x4) -> 6x3 { GRU(3, bidirectional = false), Dense(3) }
    struct Outer(text: ..6x2, weight: 1) -> 2 {
        Concat {
            text => { Dense(4), Inner, Tanh, LSTM(2, bidirectional = true, output = last) },
            weight => { Dense(1) },
        },
        Dense(2),
    }
}

fn steps<const T: usize, const F: usize>(seed: u64) -> [[f32; F]; T] {
    std::array::from_fn(|t| std::array::from_fn(|f| random(seed, t * F + f)))
}

#[test]
fn steps_have_the_bits_of_the_whole_sequence() {
    let net = Stream::new(1);
    let x: [[f32; 3]; 9] = steps(2);
    let whole = net.forward(&x);
    let mut state = State::<Stream>::new();
    for (t, (x, y)) in x.iter().zip(&whole).enumerate() {
        assert_eq!(net.step(&mut state, x), *y, "step {t}");
    }
    // In memory of the caller, whatever the workspace contains.
    let (mut state, mut workspace) =
        ([0.0; Stream::STATE_LEN], [f32::NAN; Stream::STEP_WORKSPACE_LEN]);
    for (t, (x, y)) in x.iter().zip(&whole).enumerate() {
        assert_eq!(net.step_in(&mut state, &mut workspace, x), *y, "step {t}");
    }
    // A restored state continues where it was saved. A reset one starts again.
    let mut saved = State::<Stream>::new();
    for x in &x[..4] {
        let _ = net.step(&mut saved, x);
    }
    let mut restored = State::<Stream>::new();
    restored.values_mut().copy_from_slice(saved.values());
    assert_eq!(net.step(&mut restored, &x[4]), whole[4]);
    restored.reset();
    assert_eq!(net.step(&mut restored, &x[0]), whole[0]);
}

#[test]
fn states_of_steps_and_of_the_whole_sequence_agree() {
    let net = Last::new(1);
    let x: [[f32; 3]; 9] = steps(2);
    let mut state = State::<Last>::new();
    let mut y = [0.0; 2];
    x.iter().for_each(|x| y = net.step(&mut state, x));
    assert_eq!(y, net.forward(&x));
    let mut again = State::<Last>::new();
    assert_eq!(net.forward_from(&mut again, &x), y);
    assert_eq!(again.values(), state.values());
}

fn ragged() -> Vec<(Sequence<[f32; 2], 6>, [f32; 1])> {
    let samples = (0..11).map(|i| {
        let whole: [[f32; 2]; 6] = steps(i);
        (Sequence::new(&whole[..1 + i as usize % 6]).unwrap(), [i as f32 / 10.0])
    });
    samples.collect()
}

#[test]
fn lengths_reach_nested_networks() {
    let net = Outer::new(3);
    let inputs = ragged();
    let targets: Vec<[f32; 2]> = (0..11).map(|i| [(i % 3) as f32, (i % 4) as f32]).collect();
    let mut outputs = vec![[0.0; 2]; inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    for ((text, weight), y) in inputs.iter().zip(&outputs) {
        assert_eq!(net.forward((text, weight)), *y);
    }
    let check = unrolled::check_gradients(&*net, &MeanSquaredError, &inputs, &targets).unwrap();
    assert!(check.worst < 1e-3, "{check}");
    same_on_all_threads(|| {
        let (mut net, mut d_net) = (Outer::new(3), Outer::zeros());
        let loss = net.loss_and_gradients(
            &MeanSquaredError,
            &inputs,
            &targets,
            &mut d_net,
            RngKey::new(1),
        );
        (loss.unwrap(), d_net.params().to_vec())
    });
}

#[test]
fn steps_of_causal_convolutions_have_the_bits_of_the_whole_sequence() {
    let net = Causal::new(1);
    let x: [[f32; 3]; 9] = steps(2);
    let whole = net.forward(&x);
    let mut state = State::<Causal>::new();
    for (t, (x, y)) in x.iter().zip(&whole).enumerate() {
        assert_eq!(net.step(&mut state, x), *y, "step {t}");
    }
    let mut again = State::<Causal>::new();
    assert_eq!(net.forward_from(&mut again, &x), whole);
    assert_eq!(again.values(), state.values());

    let net = Tokens::new(1);
    let tokens = [1, 6, 0, 3, 3, 2, 5, 4, 1];
    let whole = net.forward(&tokens);
    let mut state = State::<Tokens>::new();
    assert!(tokens.iter().zip(&whole).all(|(token, y)| net.step(&mut state, token) == *y));
}

/// Half the squared distance from 0 of the elements of the last steps.
struct LastSteps(usize);

impl<O: Values> unrolled::loss::Loss<O> for LastSteps {
    type Target = ();

    fn check(&self, _target: &()) -> Result<(), TargetError> {
        Ok(())
    }

    fn sample(&self, y: &[f32], _target: &(), scale: f32, d_y: &mut [f32]) -> f64 {
        let first = y.len() / O::SHAPE.dim(0) * (O::SHAPE.dim(0) - self.0);
        d_y.fill(0.0);
        d_y[first..].iter_mut().zip(&y[first..]).for_each(|(d, y)| *d = scale * y);
        y[first..].iter().map(|y| f64::from(*y).powi(2) / 2.0).sum()
    }

    fn weight(&self, _target: &(), _steps: usize) -> f64 {
        1.0
    }
}

/// The state of a causal convolution is its last inputs, so the gradient of the second chunk is that of the whole
/// sequence with a loss on its last steps.
fn check_chunks<const F: usize, const T: usize, const S: usize, Whole9, Chunk>()
where
    Whole9: Network<Input = [[f32; F]; T]>,
    Chunk: Network<Input = [[f32; F]; S]>,
{
    let (x, other): ([[f32; F]; T], [[f32; F]; T]) = (steps(3), steps(4));
    let (mut net, mut d_net) = (Whole9::new(1), Whole9::zeros());
    let loss = net
        .loss_and_gradients(&LastSteps(S), &[x, other], &[(); 2], &mut d_net, RngKey::new(1))
        .unwrap();

    let mut chunk = Chunk::new(1);
    chunk.params_mut().copy_from_slice(net.params());
    let mut states = Vec::new();
    for x in [x, other] {
        let mut state = State::<Chunk>::new();
        let first =
            std::array::from_fn(|t| if t + T >= 2 * S { x[t + T - 2 * S] } else { [0.0; F] });
        let _ = chunk.forward_from(&mut state, &first);
        states.extend_from_slice(state.values());
    }
    let ends = [x, other].map(|x| std::array::from_fn(|t| x[t + T - S]));
    let mut d_chunk = Chunk::zeros();
    let found = unrolled::loss_and_gradients_from(
        &mut *chunk,
        &LastSteps(S),
        &ends,
        &[(); 2],
        &mut *d_chunk,
        &mut states,
        RngKey::new(0),
    );
    assert!((found.unwrap() - loss).abs() < 1e-5 * loss);
    let scale = d_net.params().iter().fold(0.0_f32, |max, d| max.max(d.abs()));
    for (found, expected) in d_chunk.params().iter().zip(d_net.params()) {
        assert!((found - expected).abs() < 1e-5 * scale, "{found} {expected}");
    }
}

#[test]
fn causal_convolutions_train_on_chunks() {
    check_chunks::<3, 9, 5, OneOf9, OneOf5>();
    check_chunks::<9, 6, 3, ManyOf6, ManyOf3>();
}

/// Decoders that generate text: steps and chunks have the bits of the whole sequence.
#[test]
fn steps_and_chunks_of_decoders_have_the_bits_of_the_whole_sequence() {
    network! {
        struct Gpt(..9) -> 9x11 {
            Embedding(11, 8), PositionalEmbedding,
            Repeat(2) { TransformerEncoder(8, 2, 32, causal = true) },
            LayerNorm, Dense(11, bias = false),
        }

        struct Llama(9) -> 9x11 {
            Embedding(11, 8),
            Repeat(2) { TransformerEncoder(8, 2, 32, causal = true, rotary = true) },
            RMSNorm, Dense(11, bias = false),
        }

        struct Vaswani(9) -> 9x11 {
            Embedding(11, 8), PositionalEncoding,
            PostNormTransformerEncoder(8, 2, 32, causal = true),
            Dense(11),
        }
    }
    let tokens = [3, 1, 4, 10, 5, 9, 2, 6, 5];
    let text = |tokens: &[u32]| Sequence::new(tokens).unwrap();
    let (gpt, llama, vaswani) = (Gpt::new(1), Llama::new(1), Vaswani::new(1));
    let whole = gpt.forward(&text(&tokens));
    let mut state = State::new();
    let steps = tokens.map(|token| gpt.step(&mut state, &token));
    assert_eq!(steps, whole);
    for cut in 1..9 {
        let mut state = State::new();
        let first = gpt.forward_from(&mut state, &text(&tokens[..cut]));
        let rest = gpt.forward_from(&mut state, &text(&tokens[cut..]));
        assert_eq!([&first[..cut], &rest[..9 - cut]].concat(), whole);
    }
    let mut state = State::new();
    assert_eq!(tokens.map(|token| llama.step(&mut state, &token)), llama.forward(&tokens));
    let mut state = State::new();
    assert_eq!(tokens.map(|token| vaswani.step(&mut state, &token)), vaswani.forward(&tokens));
}

network! {
    /// Reads a text in chunks of three tokens.
    struct Recall(text: 3) -> 3x2 { Embedding(3, 4), GRU(8), Dense(2) }
}

/// Tokens, most of them 0, and the targets: which of the tokens 1 and 2 came last.
fn reminders(count: usize, seed: u64) -> Data<[u32; 3], [u32; 3]> {
    let key = RngKey::new(seed);
    let mut last = 0;
    let steps = (0..3 * count).map(|t| {
        let bits = key.bits(t as u64);
        let token = if bits.is_multiple_of(8) { 1 + (bits >> 8) as u32 % 2 } else { 0 };
        last = if token == 0 { last } else { token - 1 };
        (token, last)
    });
    let (tokens, last): (Vec<u32>, Vec<u32>) = steps.unzip();
    Data { inputs: tokens.as_chunks().0.to_vec(), targets: last.as_chunks().0.to_vec() }
}

/// Only the state passed on holds what came before a chunk.
#[test]
fn a_trainer_that_passes_state_on_learns_across_chunks() {
    let (train, valid) = (reminders(2000, 1), reminders(2000, 2));
    let trainer =
        || Trainer::new(Adam::new(2e-2)).batch(16).epochs(8).seed(3).validate(&valid).quiet();
    let fit = |mut trainer: Trainer<'_, Adam, _, _>, threads| {
        let mut net = Recall::new(1);
        let run = || trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        let history = parallel::with_threads(threads, || parallel::whatever_the_work(run));
        (net, history.epochs.last().unwrap().validation.unwrap().accuracy.unwrap())
    };
    let (_, without) = fit(trainer(), 1);
    let (net, with) = fit(trainer().carry_state(), 1);
    assert!(without < 0.8 && with > 0.97, "without {without}, with {with}");

    let (same, _) = fit(trainer().carry_state(), 3);
    assert_eq!(net.params(), same.params());
}

#[test]
fn a_trainer_refuses_to_pass_on_the_state_of_a_network_without_one() {
    network! { struct Forgetful(text: 3) -> 3x2 { Embedding(3, 4), Dense(2) } }
    let train = reminders(10, 1);
    let mut trainer = Trainer::new(SGD::new(0.1)).carry_state().quiet();
    let error = trainer.fit(&mut Forgetful::new(1), &train, &CrossEntropy::new()).unwrap_err();
    assert!(error.to_string().contains("but the network has none: leave it out"), "{error}");
}

/// Three streams of 3, 2 and 2 chunks, each with a state of its own.
#[test]
fn validation_passes_state_on_within_each_stream() {
    let (train, valid) = (reminders(10, 1), reminders(7, 2));
    let mut net = Recall::new(1);
    let history =
        Trainer::new(SGD::new(0.1)).batch(3).epochs(1).carry_state().validate(&valid).quiet().fit(
            &mut net,
            &train,
            &CrossEntropy::new(),
        );
    let found = history.unwrap().epochs[0].validation.unwrap();
    let (mut loss, mut right) = (0.0, 0);
    for stream in [0..3, 3..5, 5..7] {
        let mut state = State::new();
        for chunk in stream {
            let scores = net.forward_from(&mut state, &valid.inputs[chunk]);
            for ([a, b], target) in scores.into_iter().zip(valid.targets[chunk]) {
                let (this, other) = if target == 0 { (a, b) } else { (b, a) };
                loss += f64::from((other - this).exp()).ln_1p();
                right += u32::from(this > other);
            }
        }
    }
    assert!((found.loss - loss / 21.0).abs() < 1e-6, "{found:?}, {loss}");
    assert_eq!(found.accuracy, Some(f64::from(right) / 21.0));
}
