//! Sequences of different lengths, long ones in stretches, and one step at a time: against PyTorch where it
//! has them, and against the whole sequence.

#[path = "reference/case.rs"]
mod case;

use case::{Case, Places, copy, floats};
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;
use unrolled::{Node, RngKey, Root, parallel};

/// Samples of the lengths that the case says.
fn sequences(case: &Case) -> Vec<Sequence<[f32; 6], 7>> {
    let whole: Vec<[[f32; 6]; 7]> = case.samples("input");
    let lengths = case.numbers("lengths").into_iter().map(|length| length as usize);
    whole.iter().zip(lengths).map(|(x, length)| Sequence::new(&x[..length]).unwrap()).collect()
}

/// A ragged batch against `pack_padded_sequence`: outputs, last states, gradients.
fn check_packed<N>(name: &'static str)
where
    N: Network<Input = Sequence<[f32; 6], 7>, Output = [[f32; 10]; 7]>,
{
    let case = Case::read(name);
    let places = Places::of::<N>(&case);
    let mut net = case.network::<N>(&places);
    let inputs = sequences(&case);
    let mut outputs = vec![[[0.0; 10]; 7]; inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    case.compare("output", floats(&outputs));

    let mut states = Vec::new();
    for (input, output) in inputs.iter().zip(&outputs) {
        let mut state = State::<N>::new();
        assert_eq!(net.forward_from(&mut state, input), *output, "a sample by itself");
        states.push(state);
    }
    let each = states[0].values().len() / case.names("state.").len();
    for (nth, which) in case.names("state.").iter().enumerate() {
        let numbers = states.iter().flat_map(|state| &state.values()[nth * each..][..each]);
        case.compare(&format!("state.{which}"), numbers.copied());
    }

    check_training(&case, &places, &mut *net, &inputs);
}

/// Loss and gradients of a batch.
fn check_training<N: Network>(case: &Case, places: &Places, net: &mut N, inputs: &[N::Input]) {
    let targets: Vec<N::Output> = case.outputs("target");
    let mut d_net = N::zeros();
    let mut d_inputs = inputs.to_vec();
    let loss = unrolled::loss_and_all_gradients(
        net,
        &MeanSquaredError,
        inputs,
        &targets,
        &mut *d_net,
        &mut d_inputs,
        RngKey::new(0),
    );
    case.compare("loss", [loss.unwrap()]);
    for index in 0..N::Input::LENS.len() {
        let d = d_inputs.iter().flat_map(|d| d.input(index).iter().copied());
        case.compare(&format!("d_input.{index}"), d);
    }
    case.compare_weights("gradients", places, &*d_net);
}

/// Attention that sees the valid steps alone, against a `key_padding_mask`.
fn check_masked<N: Network>(name: &'static str, inputs: impl Fn(&Case) -> Vec<N::Input>) {
    let case = Case::read(name);
    let places = Places::of::<N>(&case);
    let mut net = case.network::<N>(&places);
    let inputs = inputs(&case);
    let mut outputs = vec![N::Output::zeroed(); inputs.len()];
    unrolled::infer_batch(&*net, &inputs, &mut outputs);
    case.compare("output", floats(&outputs));
    for (input, output) in inputs.iter().zip(&outputs) {
        let mut alone = [N::Output::zeroed()];
        unrolled::infer_batch(&*net, std::slice::from_ref(input), &mut alone);
        assert_eq!(alone[0].as_floats(), output.as_floats(), "a sample by itself");
    }
    check_training(&case, &places, &mut *net, &inputs);
}

#[test]
fn attention_sees_the_valid_steps_alone() {
    network! {
        struct Own(..7x6) -> 7x6 { MultiHeadAttention(2) }
        struct Causal(..7x6) -> 7x6 { MultiHeadAttention(2, causal = true) }
        struct Memory(text: 4x6, encoded: ..7x6) -> 4x6 {
            text => MultiHeadAttention(2, memory = encoded),
        }
    }
    check_masked::<Own>("attention_ragged", sequences);
    check_masked::<Causal>("attention_ragged_causal", sequences);
    check_masked::<Memory>("attention_ragged_memory", |case| {
        let texts: Vec<[[f32; 6]; 4]> = case.samples("input");
        let encoded: Vec<[[f32; 6]; 7]> = case.outputs("input.1");
        let lengths = case.numbers("lengths").into_iter().map(|length| length as usize);
        let encoded = encoded.iter().zip(lengths);
        let encoded = encoded.map(|(x, length)| Sequence::new(&x[..length]).unwrap());
        texts.into_iter().zip(encoded).collect()
    });
}

/// A long sequence in stretches, with the state carried on and the gradient cut, against PyTorch with a
/// detached state.
fn check_truncated<N>(name: &'static str)
where
    N: Network<Input = [[f32; 6]; 4], Output = [[f32; 5]; 4]>,
{
    let case = Case::read(name);
    let places = Places::of::<N>(&case);
    let mut net = case.network::<N>(&places);
    let mut carried = vec![0.0; 5 * <N as Node<Root>>::STATE];
    for stretch in 0..3 {
        let mut inputs = [[[0.0; 6]; 4]; 5];
        copy(&case.numbers(&format!("input.{stretch}")), Values::as_floats_mut(&mut inputs));
        let targets: Vec<[[f32; 5]; 4]> = case.outputs(&format!("target.{stretch}"));
        let mut d_net = N::zeros();
        let before = carried.clone();
        let loss = unrolled::loss_and_gradients_from(
            &mut *net,
            &MeanSquaredError,
            &inputs,
            &targets,
            &mut *d_net,
            &mut carried,
            RngKey::new(0),
        );
        case.compare(&format!("loss.{stretch}"), [loss.unwrap()]);
        case.compare_weights(&format!("gradients.{stretch}"), &places, &*d_net);
        let len = <N as Node<Root>>::STATE;
        let states = case.names(&format!("state.{stretch}."));
        let each = len / states.len();
        for (nth, which) in states.iter().enumerate() {
            let numbers = carried.chunks(len).flat_map(|state| &state[nth * each..][..each]);
            case.compare(&format!("state.{stretch}.{which}"), numbers.copied());
        }
        // Inference goes the same way.
        let mut outputs = Vec::new();
        for (sample, input) in inputs.iter().enumerate() {
            let mut state = State::<N>::new();
            state.values_mut().copy_from_slice(&before[sample * len..][..len]);
            outputs.push(net.forward_from(&mut state, input));
            assert_eq!(state.values(), &carried[sample * len..][..len], "sample {sample}");
        }
        case.compare(&format!("output.{stretch}"), floats(&outputs));
    }
}

macro_rules! recurrent {
    ($($packed:ident, $truncated:ident: $Layer:ident;)*) => { $(
        #[test]
        fn $packed() {
            network! {
                struct Packed(..7x6) -> 7x10 { $Layer(5, layers = 2, bidirectional = true) }
            }
            check_packed::<Packed>(stringify!($packed));
        }

        #[test]
        fn $truncated() {
            network! { struct Truncated(4x6) -> 4x5 { $Layer(5, layers = 2) } }
            check_truncated::<Truncated>(stringify!($truncated));
        }
    )* };
}

recurrent! {
    rnn_packed, rnn_truncated: RNN;
    lstm_packed, lstm_truncated: LSTM;
    gru_packed, gru_truncated: GRU;
}

network! {
    /// All that key.
    struct Stream(9x3) -> 9x4 {
        Dense(6), Tanh,
        Residual { LSTM(6, layers = 2), Dropout(0.2) },
        BatchNorm,
        Concat { { GRU(4) }, { RNN(3), Softmax } },
        GELU, PReLU,
        Add { { Dense(4) }, { Dense(4, bias = false), Sigmoid } },
        Dense(4),
    }

    /// Causal convolutions stream, too.
    struct Causal(9x3) -> 9x4 {
        Conv1d(6, kernel = 3, padding = causal, dilation = 2), ReLU,
        Residual { Conv1d(6, kernel = 2, padding = causal, groups = 2), BatchNorm },
        Concat { { Conv1d(24, kernel = 5, padding = causal) }, { GRU(2) } },
        Conv1d(4, kernel = 1, padding = causal),
    }
    struct Tokens(text: 9) -> 9x4 { Embedding(7, 3), Conv1d(4, kernel = 3, padding = causal) }

    /// One convolution over a whole sequence, and over stretches of it.
    struct OneOf9(9x3) -> 9x4 { Conv1d(4, kernel = 3, padding = causal, dilation = 2) }
    struct OneOf5(5x3) -> 5x4 { Conv1d(4, kernel = 3, padding = causal, dilation = 2) }
    struct ManyOf6(6x9) -> 6x30 { Conv1d(30, kernel = 3, padding = causal) }
    struct ManyOf3(3x9) -> 3x30 { Conv1d(30, kernel = 3, padding = causal) }

    /// The state of the last step as the output.
    struct Last(9x3) -> 2 {
        GRU(5), LSTM(4, output = last), Dense(2),
    }

    /// A network inside of another, whose sequences keep their lengths.
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
    let key = RngKey::new(seed);
    std::array::from_fn(|t| std::array::from_fn(|f| 2.0 * key.uniform((t * F + f) as u64) - 1.0))
}

#[test]
fn steps_give_the_bits_of_the_whole_sequence() {
    let net = Stream::new(1);
    let x: [[f32; 3]; 9] = steps(2);
    let whole = net.forward(&x);
    let mut state = State::<Stream>::new();
    for (t, (x, y)) in x.iter().zip(&whole).enumerate() {
        assert_eq!(net.step(&mut state, x), *y, "step {t}");
    }
    // A state that was kept goes on where it was; one that was reset begins anew.
    let mut kept = State::<Stream>::new();
    for x in &x[..4] {
        let _ = net.step(&mut kept, x);
    }
    let mut restored = State::<Stream>::new();
    restored.values_mut().copy_from_slice(kept.values());
    assert_eq!(net.step(&mut restored, &x[4]), whole[4]);
    restored.reset();
    assert_eq!(net.step(&mut restored, &x[0]), whole[0]);
}

#[test]
fn stretches_give_the_bits_of_the_whole_sequence() {
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
fn a_nested_network_knows_how_long_its_sequences_are() {
    let mut net = Outer::new(3);
    let inputs = ragged();
    let targets: Vec<[f32; 2]> = (0..11).map(|i| [(i % 3) as f32, (i % 4) as f32]).collect();
    let mut outputs = vec![[0.0; 2]; inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    for ((text, weight), y) in inputs.iter().zip(&outputs) {
        assert_eq!(net.forward((text, weight)), *y);
    }
    let check = unrolled::check_gradients(&*net, &MeanSquaredError, &inputs, &targets).unwrap();
    assert!(check.worst < 1e-3, "{check}");
    let mut gradients = |threads| {
        let mut d_net = Outer::zeros();
        let loss = parallel::with_threads(threads, || {
            net.loss_and_gradients(&MeanSquaredError, &inputs, &targets, &mut d_net).unwrap()
        });
        (loss, d_net.params().to_vec())
    };
    let one = gradients(1);
    assert!([2, 7].into_iter().all(|threads| gradients(threads) == one));
}

#[test]
fn steps_of_causal_convolutions_give_the_bits_of_the_whole_sequence() {
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

/// Half the squared distance from 0 of all numbers but those of the first steps.
struct LastSteps(usize);

impl<O: Values> unrolled::loss::Loss<O> for LastSteps {
    type Target = ();

    fn check(&self, _target: &()) -> Result<(), unrolled::loss::TargetError> {
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

/// What the first stretch leaves to the second are its inputs: the gradient of the second is that of the
/// whole sequence with a loss on its last steps.
fn check_stretches<const F: usize, const T: usize, const S: usize, Whole9, Stretch>()
where
    Whole9: Network<Input = [[f32; F]; T]>,
    Stretch: Network<Input = [[f32; F]; S]>,
{
    let (x, other): ([[f32; F]; T], [[f32; F]; T]) = (steps(3), steps(4));
    let (mut net, mut d_net) = (Whole9::new(1), Whole9::zeros());
    let loss = net.loss_and_gradients(&LastSteps(S), &[x, other], &[(); 2], &mut d_net).unwrap();

    let mut stretch = Stretch::new(1);
    stretch.params_mut().copy_from_slice(net.params());
    let mut carried = Vec::new();
    for x in [x, other] {
        let mut state = State::<Stretch>::new();
        let first =
            std::array::from_fn(|t| if t + T >= 2 * S { x[t + T - 2 * S] } else { [0.0; F] });
        let _ = stretch.forward_from(&mut state, &first);
        carried.extend_from_slice(state.values());
    }
    let ends = [x, other].map(|x| std::array::from_fn(|t| x[t + T - S]));
    let mut d_stretch = Stretch::zeros();
    let found = unrolled::loss_and_gradients_from(
        &mut *stretch,
        &LastSteps(S),
        &ends,
        &[(); 2],
        &mut *d_stretch,
        &mut carried,
        RngKey::new(0),
    );
    assert!((found.unwrap() - loss).abs() < 1e-5 * loss);
    let scale = d_net.params().iter().fold(0.0_f32, |max, d| max.max(d.abs()));
    for (found, expected) in d_stretch.params().iter().zip(d_net.params()) {
        assert!((found - expected).abs() < 1e-5 * scale, "{found} {expected}");
    }
}

#[test]
fn causal_convolutions_train_on_stretches() {
    check_stretches::<3, 9, 5, OneOf9, OneOf5>();
    check_stretches::<9, 6, 3, ManyOf6, ManyOf3>();
}

/// Decoders that generate: a step gives the bits that it has in the whole sequence, and stretches too.
#[test]
fn a_decoder_steps_as_it_runs() {
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
    /// Reads a text of which it sees three tokens at a time.
    struct Recall(text: 3) -> 3x2 { Embedding(3, 4), GRU(8), Dense(2) }
}

/// Tokens, and at each step which of the tokens 1 and 2 came last; most are 0.
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

/// What came before a stretch is known by what is carried alone.
#[test]
fn a_trainer_that_carries_state_learns_what_reaches_beyond_a_stretch() {
    let (train, valid) = (reminders(2000, 1), reminders(2000, 2));
    let trainer =
        || Trainer::new(Adam::new(2e-2)).batch(16).epochs(8).seed(3).validate(&valid).quiet();
    let fit = |mut trainer: Trainer<'_, Adam, _, _>, threads| {
        let mut net = Recall::new(1);
        let history = parallel::with_threads(threads, || {
            trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap()
        });
        (net, history.epochs.last().unwrap().validation.unwrap().accuracy.unwrap())
    };
    let (_, without) = fit(trainer(), 1);
    let (net, with) = fit(trainer().carry_state(), 1);
    assert!(without < 0.8 && with > 0.97, "without {without}, with {with}");

    let (same, _) = fit(trainer().carry_state(), 3);
    assert_eq!(net.params(), same.params());
}

#[test]
fn a_trainer_refuses_to_carry_the_state_of_a_network_that_has_none() {
    network! { struct Forgetful(text: 3) -> 3x2 { Embedding(3, 4), Dense(2) } }
    let train = reminders(10, 1);
    let mut trainer = Trainer::new(SGD::new(0.1)).carry_state().quiet();
    let error = trainer.fit(&mut Forgetful::new(1), &train, &CrossEntropy::new()).unwrap_err();
    assert!(error.to_string().contains("no layer of this one does: leave it out"), "{error}");
}

/// RngKey of 3, 2 and 2 stretches, each led through the network by itself.
#[test]
fn validation_carries_state_through_each_stream() {
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
        for stretch in stream {
            let scores = net.forward_from(&mut state, &valid.inputs[stretch]);
            for ([a, b], target) in scores.into_iter().zip(valid.targets[stretch]) {
                let (this, other) = if target == 0 { (a, b) } else { (b, a) };
                loss += f64::from((other - this).exp()).ln_1p();
                right += u32::from(this > other);
            }
        }
    }
    assert!((found.loss - loss / 21.0).abs() < 1e-6, "{found:?}, {loss}");
    assert_eq!(found.accuracy, Some(f64::from(right) / 21.0));
}
