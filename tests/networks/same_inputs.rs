//! Lines of several inputs that are applied again: `same(mix) { a, b }`, `same(attention, memory = b)`.

use crate::common::{gradient, random_values, same_on_all_threads, temporary};
use crate::same::{Copies, agrees_with_copies, vectors, with_copies};
use unrolled::optim::Groups;
use unrolled::prelude::*;
use unrolled::{RngKey, check_gradients};

/// `y = (weight * a) * mean(b)`: `[4], [3] -> [4]`.
#[derive(Weights)]
#[repr(C)]
struct Gate {
    weight: [[f32; 4]; 4],
}

impl Layer for Gate {
    type Input = ([f32; 4], [f32; 3]);
    type Output = [f32; 4];

    fn initialise(&mut self, key: RngKey) {
        unrolled::init::uniform(self.weight.as_flattened_mut(), 1.0, key);
    }

    fn forward(&self, (a, b): (&[f32; 4], &[f32; 3]), y: &mut [f32; 4]) {
        let mean = b.iter().sum::<f32>() / 3.0;
        *y = self.weight.map(|row| mean * row.iter().zip(a).map(|(w, a)| w * a).sum::<f32>());
    }

    fn backward(
        &self,
        (a, b): (&[f32; 4], &[f32; 3]),
        _y: &[f32; 4],
        d_y: &[f32; 4],
        (d_a, d_b): (&mut [f32; 4], &mut [f32; 3]),
        d: &mut Self,
    ) {
        let mean = b.iter().sum::<f32>() / 3.0;
        for (o, d_y) in d_y.iter().enumerate() {
            for i in 0..4 {
                d.weight[o][i] += d_y * mean * a[i];
                d_a[i] += d_y * mean * self.weight[o][i];
                d_b.iter_mut().for_each(|d_b| *d_b += d_y * self.weight[o][i] * a[i] / 3.0);
            }
        }
    }
}

network! {
    block Skip(skip, units) {
        Add { { fc: Dense(units), Tanh }, skip => { proj: Dense(units) } }, norm: LayerNorm,
    }

    /// A network of two inputs.
    struct Inner(a: 4, b: 3) -> 4 { Concat { a, b => { Dense(5), Tanh } }, fc: Dense(4, bias = false), bn: BatchNorm }

    /// Lines of several inputs of each kind.
    struct Many(a: 4, b: 3) -> 4 {
        gate: Gate { a => { pre: Dense(4) }, b },
        net: Inner { gate, b },
        join: Add { net => { one: Dense(4) }, gate => { two: Dense(4), Tanh } },
        // Two inputs that are one value.
        skip: net => Skip(net, 4),
        gate2: same(gate) { join, b },
        net2: same(net) { skip, b => { late: Dense(3) } },
        join2: same(join) { gate2, net2 },
        skip2: join2 => same(skip, skip = net2),
        // With the value before alone, all other inputs stay.
        skip3: gate2 => same(skip2),
        Mul { skip2, skip3 },
    }

    /// The same with two sets of weights.
    struct TwinMany(a: 4, b: 3) -> 4 {
        gate: Gate { a => { pre: Dense(4) }, b },
        net: Inner { gate, b },
        join: Add { net => { one: Dense(4) }, gate => { two: Dense(4), Tanh } },
        skip: net => Skip(net, 4),
        gate2: Gate { join => { pre: Dense(4) }, b },
        net2: Inner { skip, b => { late: Dense(3) } },
        join2: Add { gate2 => { one: Dense(4) }, net2 => { two: Dense(4), Tanh } },
        skip2: join2 => Skip(net2, 4),
        skip3: gate2 => Skip(net2, 4),
        Mul { skip2, skip3 },
    }

    /// Layers with named inputs, alone and in a list.
    struct Sequences(a: 5x4, b: ..6x4, c: ..6x4) -> 5x4 {
        state: b => [lstm: LSTM(4, output = last)],
        state2: c => same(state),
        att: a => MultiHeadAttention(2, memory = b),
        att2: att => same(att, memory = c),
        list: att2 => [gru: GRU(4, state = state), att: MultiHeadAttention(2, memory = b)],
        list2: same(list, state = state2, b = c),
        Mul { list, list2 },
    }
    struct TwinSequences(a: 5x4, b: ..6x4, c: ..6x4) -> 5x4 {
        state: b => [lstm: LSTM(4, output = last)],
        state2: c => [lstm: LSTM(4, output = last)],
        att: a => MultiHeadAttention(2, memory = b),
        att2: att => MultiHeadAttention(2, memory = c),
        list: att2 => [gru: GRU(4, state = state), att: MultiHeadAttention(2, memory = b)],
        list2: [gru: GRU(4, state = state2), att: MultiHeadAttention(2, memory = c)],
        Mul { list, list2 },
    }

    /// Tokens as one of two inputs.
    struct Tokens(a: 4, b: 4, x: 4x3, y: 4x3) -> 4x6 {
        mix: Concat { a => { tokens: Embedding(7, 3) }, x => { fc: Dense(3) } },
        other: same(mix) { b, y },
        Sub { mix, other },
    }

    /// Steps of two sequences.
    struct Steps(a: 6x4, b: 6x3) -> 6x4 {
        mix: Add { a => { lstm: LSTM(4) }, b => { conv: Conv1d(4, kernel = 3, padding = causal) } },
        mix2: same(mix) { mix, b => { GRU(3) } },
        skip: mix => Skip(mix2, 4),
        skip2: mix2 => same(skip, skip = mix),
        Mul { skip, skip2 },
    }

    /// A trained layer between the applications of lines that may be frozen.
    struct Frozen(a: 4, b: 3) -> 4 {
        gate: Gate { a, b },
        middle: Dense(4), Tanh,
        gate2: same(gate) { {}, b },
        head: Dense(4),
    }

    /// Sizes that are constants and const generics.
    struct Generic<const N: usize>(a: [N], b: [N]) -> [N] {
        mix: Add { a => { one: Dense(N) }, b => { two: Dense(N), Tanh } },
        same(mix) { b, {} },
    }
}

const COPIES: &Copies = &[
    ["gate2_join.", "gate_a."],
    ["gate2.", "gate."],
    ["net2.", "net."],
    ["join2.gate2.", "join.net."],
    ["join2.net2.", "join.gate."],
    ["skip2.", "skip."],
    ["skip3.", "skip."],
];

fn pairs(count: u64) -> Vec<([f32; 4], [f32; 3])> {
    vectors(count, 0).into_iter().zip(vectors(count, 900)).collect()
}

type Memories = ([[f32; 4]; 5], Sequence<[f32; 4], 6>, Sequence<[f32; 4], 6>);

fn memories(count: u64) -> Vec<Memories> {
    let memory = |seed: u64| {
        let steps: [[f32; 4]; 6] = random_values(seed);
        Sequence::new(&steps[..1 + seed as usize % 6]).unwrap()
    };
    (0..count).map(|i| (random_values(i), memory(i + 40), memory(3 * i + 81))).collect()
}

type TokensAndValues = ([u32; 4], [u32; 4], [[f32; 3]; 4], [[f32; 3]; 4]);

fn tokens(count: u64) -> Vec<TokensAndValues> {
    let tokens = |i: u64| -> [u32; 4] { std::array::from_fn(|t| (i as u32 * 3 + t as u32) % 7) };
    let one = |i| (tokens(i), tokens(i + 4), random_values(i), random_values(i + 70));
    (0..count).map(one).collect()
}

#[test]
fn agrees_with_a_copy_for_each_application() {
    let targets = vectors::<4>(33, 50);
    agrees_with_copies::<Many, TwinMany, _>(&MeanSquaredError, &pairs(33), &targets, COPIES);
    let copies = &[["state2.", "state."], ["att2.", "att."], ["list2.", "list."]];
    let targets: Vec<_> = (0..33).map(random_values).collect();
    agrees_with_copies::<Sequences, TwinSequences, _>(
        &MeanSquaredError,
        &memories(33),
        &targets,
        copies,
    );
}

/// Also those of each input.
#[test]
fn gradients_agree_with_finite_differences() {
    fn check<N: Network>(inputs: &[N::Input], targets: &[N::Output])
    where
        MeanSquaredError: Loss<N::Output, Target = N::Output>,
    {
        let check = check_gradients(&*N::new(3), &MeanSquaredError, inputs, targets).unwrap();
        assert!(check.worst < 1e-3 && check.unsure * 2 < check.tried, "{check}");
    }
    check::<Many>(&pairs(9), &vectors(9, 50));
    check::<Frozen>(&pairs(9), &vectors(9, 50));
    check::<Sequences>(&memories(7), &(0..7).map(random_values).collect::<Vec<_>>());
    check::<Tokens>(&tokens(7), &(0..7).map(random_values).collect::<Vec<_>>());
    let steps: Vec<_> = (0..5).map(|i| (random_values(i), random_values(i + 70))).collect();
    check::<Steps>(&steps, &(0..5).map(random_values).collect::<Vec<_>>());
    let vectors_of_five: Vec<_> = vectors::<5>(9, 0).into_iter().zip(vectors(9, 900)).collect();
    check::<Generic<5>>(&vectors_of_five, &vectors(9, 50));
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (inputs, targets) = (pairs(67), vectors::<4>(67, 50));
    same_on_all_threads(|| gradient(&mut *Many::new(1), &MeanSquaredError, &inputs, &targets));
}

#[test]
fn weights_are_counted_once() {
    let names: Vec<String> = Many::trained().into_iter().map(|(name, _)| name).collect();
    let expected = [
        "gate_a.pre",
        "gate",
        "net.b.dense",
        "net.fc",
        "net.bn",
        "join.net.one",
        "join.gate.two",
        "skip.add.0.fc",
        "skip.skip.proj",
        "skip.norm",
        "net2_b.late",
    ];
    assert_eq!(names, expected);
    assert_eq!(Many::MACS, TwinMany::MACS);
    let sets = [20 + 16 + Inner::PARAMS + 40, 40 + 8];
    assert_eq!(Many::PARAMS, sets[0] + sets[1] + 12);
    assert_eq!(TwinMany::PARAMS, 2 * sets[0] + 3 * sets[1] + 12);
    let summary = Many::summary();
    assert!(summary.contains("same(join.gate.two)"), "{summary}");
}

#[test]
fn files_have_one_entry_for_each_weight() {
    let (net, path) = (Many::new(3), temporary("same/inputs.safetensors"));
    net.save(&path).unwrap();
    assert_eq!(Many::load(&path).unwrap().params(), net.params());
    let names: Vec<String> = Many::tensors().into_iter().map(|tensor| tensor.name).collect();
    assert!(names.iter().all(|name| !name.contains("2.") && !name.contains("3.")), "{names:?}");
    let names: Vec<String> = Sequences::tensors().into_iter().map(|tensor| tensor.name).collect();
    assert!(names.iter().all(|name| !name.contains("2.")), "{names:?}");
    // Both names of a weight, as `safetensors` writes a module that is an attribute twice.
    let twin: Box<TwinSequences> = with_copies(
        &*Sequences::new(3),
        &[["state2.", "state."], ["att2.", "att."], ["list2.", "list."]],
    );
    let path = temporary("same/inputs_twice.safetensors");
    twin.save(&path).unwrap();
    assert_eq!(Sequences::load(&path).unwrap().params(), Sequences::new(3).params());
}

#[test]
fn activations_of_each_application() {
    let (net, x) = (Many::new(3), pairs(1)[0]);
    let twin: Box<TwinMany> = with_copies(&*net, COPIES);
    let (found, expected) = (net.activations(&x).unwrap(), twin.activations(&x).unwrap());
    for (path, in_twin) in [
        ("gate2", "gate2"),
        ("net2.fc", "net2.fc"),
        ("join2.gate.two", "join2.net2.two"),
        ("skip2.norm", "skip2.norm"),
        ("skip3.norm", "skip3.norm"),
    ] {
        let [found, expected] =
            [found.get(path), expected.get(in_twin)].map(|it| it.unwrap().values.to_vec());
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn training_passes_have_gradients_of_each_input() {
    let (inputs, targets) = (pairs(33), vectors::<4>(33, 50));
    let (mut net, mut pass) = (Many::new(3), TrainPass::<Many>::new(33));
    let mut twin: Box<TwinMany> = with_copies(&*net, COPIES);
    let mut twin_pass = TrainPass::<TwinMany>::new(33);
    pass.forward(&mut net, &inputs, RngKey::new(1)).unwrap();
    twin_pass.forward(&mut twin, &inputs, RngKey::new(1)).unwrap();
    let (mut d_net, mut d_twin) = (Many::zeros(), TwinMany::zeros());
    let (mut d_x, mut d_twin_x) = (inputs.clone(), inputs.clone());
    pass.backward(&net, &targets, &mut d_net, Some(&mut d_x)).unwrap();
    twin_pass.backward(&twin, &targets, &mut d_twin, Some(&mut d_twin_x)).unwrap();
    assert_eq!(d_x, d_twin_x);
}

#[test]
fn steps_have_the_bits_of_the_whole_sequence() {
    let net = Steps::new(3);
    let x: ([[f32; 4]; 6], [[f32; 3]; 6]) = (random_values(1), random_values(2));
    let (mut state, whole) = (State::<Steps>::new(), net.forward((&x.0, &x.1)));
    for (step, y) in whole.iter().enumerate() {
        assert_eq!(net.step(&mut state, (&x.0[step], &x.1[step])), *y, "step {step}");
    }
}

#[test]
fn frozen_lines() {
    let (inputs, targets) = (pairs(33), vectors::<4>(33, 50));
    let gradients = |frozen: &[&str]| {
        let groups = frozen.iter().fold(Groups::new(SGD::new(0.1)), |it, name| it.freeze(name));
        let mut net = Frozen::new(3);
        let mut pass = TrainPass::<Frozen>::new(33).frozen_by(&mut { groups }).unwrap();
        pass.forward(&mut net, &inputs, RngKey::new(1)).unwrap();
        let (mut d_net, mut d_inputs) = (Frozen::zeros(), inputs.clone());
        pass.backward(&net, &targets, &mut d_net, Some(&mut d_inputs)).unwrap();
        (d_net.params().to_vec(), d_inputs)
    };
    let (all, all_inputs) = gradients(&[]);
    assert!(all.iter().all(|d| *d != 0.0));
    for frozen in [&["gate"][..], &["middle"], &["gate", "middle"], &["head"]] {
        let (found, found_inputs) = gradients(frozen);
        for (name, range) in Frozen::trained() {
            let is_frozen = frozen.contains(&name.as_str());
            let expected =
                if is_frozen { vec![0.0; range.len()] } else { all[range.clone()].to_vec() };
            assert_eq!(found[range], expected, "{name} without {frozen:?}");
        }
        assert_eq!(found_inputs, all_inputs);
    }
}
