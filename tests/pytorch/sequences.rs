//! Sequences of different lengths, and long ones in chunks with the state passed on, against PyTorch.

use crate::case::{Case, Offsets, copy, floats};
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;
use unrolled::{Node, RngKey, Root};

/// Samples with the lengths of the case.
fn sequences(case: &Case) -> Vec<Sequence<[f32; 6], 7>> {
    let whole: Vec<[[f32; 6]; 7]> = case.samples("input");
    let lengths = case.values("lengths").into_iter().map(|length| length as usize);
    whole.iter().zip(lengths).map(|(x, length)| Sequence::new(&x[..length]).unwrap()).collect()
}

/// A ragged batch against `pack_padded_sequence`: outputs, last states, gradients.
fn check_packed<N>(name: &'static str)
where
    N: Network<Input = Sequence<[f32; 6], 7>, Output = [[f32; 10]; 7]>,
{
    let case = Case::read(name);
    let offsets = Offsets::of::<N>(&case);
    let mut net = case.network::<N>(&offsets);
    let inputs = sequences(&case);
    let mut outputs = vec![[[0.0; 10]; 7]; inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    case.compare("output", floats(&outputs));

    let mut states = Vec::new();
    for (input, output) in inputs.iter().zip(&outputs) {
        let mut state = State::<N>::new();
        assert_eq!(net.forward_from(&mut state, input), *output, "a sample alone");
        states.push(state);
    }
    let mut begin = 0;
    for name in case.names("state.") {
        let name = format!("state.{name}");
        let each = case.values(&name).len() / states.len();
        let values = states.iter().flat_map(|state| &state.values()[begin..begin + each]);
        case.compare(&name, values.copied());
        begin += each;
    }

    check_training(&case, &offsets, &mut *net, &inputs);
}

/// Loss and gradients of a batch.
fn check_training<N: Network>(case: &Case, offsets: &Offsets, net: &mut N, inputs: &[N::Input]) {
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
    case.compare_weights("gradients", offsets, &*d_net);
}

/// Attention to the valid steps only, against a `key_padding_mask`.
fn check_masked<N: Network>(name: &'static str, inputs: impl Fn(&Case) -> Vec<N::Input>) {
    let case = Case::read(name);
    let offsets = Offsets::of::<N>(&case);
    let mut net = case.network::<N>(&offsets);
    let inputs = inputs(&case);
    let mut outputs = vec![N::Output::zeroed(); inputs.len()];
    unrolled::infer_batch(&*net, &inputs, &mut outputs);
    case.compare("output", floats(&outputs));
    for (input, output) in inputs.iter().zip(&outputs) {
        let mut alone = [N::Output::zeroed()];
        unrolled::infer_batch(&*net, std::slice::from_ref(input), &mut alone);
        assert_eq!(alone[0].as_floats(), output.as_floats(), "a sample alone");
    }
    check_training(&case, &offsets, &mut *net, &inputs);
}

#[test]
fn attention_ignores_invalid_steps() {
    network! {
        #[allow(attention_without_positions)]
        struct Own(..7x6) -> 7x6 { MultiHeadAttention(2) }
        #[allow(attention_without_positions)]
        struct Causal(..7x6) -> 7x6 { MultiHeadAttention(2, causal = true) }
        struct Grouped(..7x6) -> 7x6 { MultiHeadAttention(3, kv_heads = 1, alibi = true) }
        struct Memory(text: 4x6, encoded: ..7x6) -> 4x6 {
            text => MultiHeadAttention(2, memory = encoded),
        }
    }
    check_masked::<Own>("attention_ragged", sequences);
    check_masked::<Causal>("attention_ragged_causal", sequences);
    check_masked::<Grouped>("attention_ragged_grouped", sequences);
    check_masked::<Memory>("attention_ragged_memory", |case| {
        let texts: Vec<[[f32; 6]; 4]> = case.samples("input");
        let encoded: Vec<[[f32; 6]; 7]> = case.outputs("input.1");
        let lengths = case.values("lengths").into_iter().map(|length| length as usize);
        let encoded = encoded.iter().zip(lengths);
        let encoded = encoded.map(|(x, length)| Sequence::new(&x[..length]).unwrap());
        texts.into_iter().zip(encoded).collect()
    });
}

/// A long sequence in chunks, with the state passed on and the gradient truncated, against PyTorch with a detached
/// state.
fn check_truncated<N>(name: &'static str)
where
    N: Network<Input = [[f32; 6]; 4], Output = [[f32; 5]; 4]>,
{
    let case = Case::read(name);
    let offsets = Offsets::of::<N>(&case);
    let mut net = case.network::<N>(&offsets);
    let mut states_after = vec![0.0; 5 * <N as Node<Root>>::STATE];
    for chunk in 0..3 {
        let mut inputs = [[[0.0; 6]; 4]; 5];
        copy(&case.values(&format!("input.{chunk}")), Values::as_floats_mut(&mut inputs));
        let targets: Vec<[[f32; 5]; 4]> = case.outputs(&format!("target.{chunk}"));
        let mut d_net = N::zeros();
        let states_before = states_after.clone();
        let loss = unrolled::loss_and_gradients_from(
            &mut *net,
            &MeanSquaredError,
            &inputs,
            &targets,
            &mut *d_net,
            &mut states_after,
            RngKey::new(0),
        );
        case.compare(&format!("loss.{chunk}"), [loss.unwrap()]);
        case.compare_weights(&format!("gradients.{chunk}"), &offsets, &*d_net);
        let len = <N as Node<Root>>::STATE;
        let mut begin = 0;
        for name in case.names(&format!("state.{chunk}.")) {
            let name = format!("state.{chunk}.{name}");
            let each = case.values(&name).len() / inputs.len();
            let values = states_after.chunks(len).flat_map(|state| &state[begin..begin + each]);
            case.compare(&name, values.copied());
            begin += each;
        }
        // Inference passes the same states on.
        let mut outputs = Vec::new();
        for (sample, input) in inputs.iter().enumerate() {
            let mut state = State::<N>::new();
            state.values_mut().copy_from_slice(&states_before[sample * len..][..len]);
            outputs.push(net.forward_from(&mut state, input));
            assert_eq!(state.values(), &states_after[sample * len..][..len], "sample {sample}");
        }
        case.compare(&format!("output.{chunk}"), floats(&outputs));
    }
}

macro_rules! recurrent {
    ($($packed:ident, $truncated:ident: $Layer:ident($($arguments:tt)*);)*) => { $(
        #[test]
        fn $packed() {
            network! {
                struct Packed(..7x6) -> 7x10 { $Layer($($arguments)*, layers = 2, bidirectional = true) }
            }
            check_packed::<Packed>(stringify!($packed));
        }

        #[test]
        fn $truncated() {
            network! { struct Truncated(4x6) -> 4x5 { $Layer($($arguments)*, layers = 2) } }
            check_truncated::<Truncated>(stringify!($truncated));
        }
    )* };
}

recurrent! {
    rnn_packed, rnn_truncated: RNN(5);
    lstm_packed, lstm_truncated: LSTM(5);
    lstm_projection_packed, lstm_projection_truncated: LSTM(8, projection = 5);
    gru_packed, gru_truncated: GRU(5);
}
