//! Lines that are applied again with their weights: `same(..)` and `Repeat(.., shared = true)`.

use crate::common::{bits, gradient, random_values, same_on_all_threads, temporary};
use std::fs;
use unrolled::optim::Groups;
use unrolled::prelude::*;
use unrolled::{RngKey, check_gradients};

const UNITS: usize = 5;

/// `y = weight * x`
#[derive(Weights)]
#[repr(C)]
struct PerFeature {
    weight: [f32; 5],
}

impl Layer for PerFeature {
    type Input = [f32; 5];
    type Output = [f32; 5];

    fn initialise(&mut self, _key: RngKey) {
        self.weight = [0.5, -1.0, 2.0, 1.5, 0.75];
    }

    fn forward(&self, x: &[f32; 5], y: &mut [f32; 5]) {
        *y = std::array::from_fn(|i| self.weight[i] * x[i]);
    }

    fn backward(
        &self,
        x: &[f32; 5],
        _y: &[f32; 5],
        d_y: &[f32; 5],
        d_x: &mut [f32; 5],
        d: &mut Self,
    ) {
        for i in 0..5 {
            d_x[i] += self.weight[i] * d_y[i];
            d.weight[i] += x[i] * d_y[i];
        }
    }
}

network! {
    block Image() {
        conv1: Conv2d(4, kernel = 3), GroupNorm(2), ReLU, MaxPool2d(2),
        Residual { conv2: Conv2d(4, kernel = 3, padding = same), Tanh },
        Flatten, fc: Dense(5), Dropout(0.25),
    }

    /// Two images through one encoder.
    pub struct Siamese(a: 6x6x2, b: 6x6x2) -> 3 {
        left: a => Image(),
        right: b => same(left),
        difference: Sub { left, right },
        product: Mul { left, right },
        Concat { difference, product },
        Dense(3),
    }

    /// The same with two encoders.
    pub struct Twin(a: 6x6x2, b: 6x6x2) -> 3 {
        left: a => Image(),
        right: b => Image(),
        difference: Sub { left, right },
        product: Mul { left, right },
        Concat { difference, product },
        Dense(3),
    }

    block Text() {
        tokens: Embedding(9, 6),
        TransformerEncoder(6, heads = 2, hidden = 8, dropout = 0.0),
        lstm: LSTM(4, output = last), head: Dense(9),
    }

    /// Two sequences through one encoder.
    #[allow(attention_without_positions)]
    struct Texts(a: ..5, b: ..5) -> 9 {
        left: a => Text(), right: b => same(left), Add { left, right },
    }
    #[allow(attention_without_positions)]
    struct TwinTexts(a: ..5, b: ..5) -> 9 {
        left: a => Text(), right: b => Text(), Add { left, right },
    }

    /// Statistics over the batch inside of a network, applied three times with a hand-written layer.
    struct Inner(5) -> 5 { fc: Dense(5, bias = false), bn: BatchNorm, Tanh }
    struct Nested(a: 5, b: 5) -> 5 {
        left: a => [inner: Inner, scales: PerFeature],
        right: b => same(left),
        both: Add { left, right },
        again: same(left),
        Add { both, again },
    }
    struct TwinNested(a: 5, b: 5) -> 5 {
        left: a => [inner: Inner, scales: PerFeature],
        right: b => [inner: Inner, scales: PerFeature],
        both: Add { left, right },
        again: [inner: Inner, scales: PerFeature],
        Add { both, again },
    }

    /// Networks with applications inside, applied again.
    struct Outer(a: 5, b: 5, c: 5) -> 5 {
        first: Nested { a, b },
        one: Add { first => { inner: Shared }, c },
        two: c => [shared: Shared, fc: Dense(5)],
        three: one => same(two),
        Add { two, three },
    }

    /// One set of weights, three times.
    struct Shared(5) -> 5 {
        first: Dense(5),
        body: Repeat(3, shared = true) { Add { { fc: Dense(5), Tanh }, first }, norm: LayerNorm },
    }
    struct Unshared(5) -> 5 {
        first: Dense(5),
        body: Repeat(3) { Add { { fc: Dense(5), Tanh }, first }, norm: LayerNorm },
    }

    /// Tied weights that are applied again.
    #[allow(attention_without_positions)]
    struct Tied(a: 4, b: 4) -> 4x7 {
        pair: a => [tokens: Embedding(7, 5), Tanh, head: Dense(7, weight = tokens)],
        other: b => same(pair),
        Add { pair, other },
    }

    /// A trained layer between the applications of one that may be frozen.
    struct Frozen(5) -> 5 {
        enc: { one: Dense(5), Tanh, two: Dense(5), Tanh, bn: BatchNorm },
        middle: Dense(5), Tanh,
        again: same(enc),
        head: Dense(5),
    }

    /// Steps of two sequences.
    struct Steps(a: 6x3, b: 6x3) -> 6x4 {
        left: a => [gru: GRU(4), Conv1d(4, kernel = 3, padding = causal), fc: Dense(4)],
        right: b => same(left),
        both: Mul { left, right },
        Repeat(2, shared = true) { rnn: RNN(4) },
    }

    /// The same with layers whose weights have several parts.
    struct Parts(a: 6x4, b: 6x4) -> 6x4 {
        left: a => [LSTM(5, projection = 4), MultiHeadAttention(2, kv_heads = 1), LayerNorm(axes = 2)],
        right: b => same(left),
        Mul { left, right },
    }

    /// Sizes that are constants and const generics.
    struct Constants(a: [UNITS], b: 5) -> [UNITS] {
        left: a => [fc: Dense(UNITS), Tanh], right: b => same(left), Add { left, right },
    }
    struct Generic<const N: usize>(a: [N], b: [N]) -> [N] {
        left: a => [fc: Dense(N), Tanh], right: b => same(left), Add { left, right },
    }

    /// One value through the same dropout twice.
    struct Masks(64) -> 64 {
        enc: { scale: Scale(init = 1.0), Dropout(0.5) },
        two: same(enc),
        three: same(enc),
        Sub { two, three },
    }
}

type Images = ([[[f32; 2]; 6]; 6], [[[f32; 2]; 6]; 6]);

fn images(count: u64) -> Vec<Images> {
    (0..count).map(|i| (random_values(2 * i), random_values(2 * i + 1))).collect()
}

pub(super) fn vectors<const N: usize>(count: u64, seed: u64) -> Vec<[f32; N]> {
    (0..count).map(|i| random_values(seed + i)).collect()
}

fn pairs(count: u64) -> Vec<([f32; 5], [f32; 5])> {
    vectors(count, 0).into_iter().zip(vectors(count, 900)).collect()
}

fn texts(count: u32) -> Vec<(Sequence<u32, 5>, Sequence<u32, 5>)> {
    let text = |i: u32| -> Sequence<u32, 5> {
        let tokens: Vec<u32> = (0..1 + i % 5).map(|t| (i * 7 + t * t + 1) % 9).collect();
        Sequence::new(&tokens).unwrap()
    };
    (0..count).map(|i| (text(i), text(i + 2))).collect()
}

/// The beginnings of names: of copies, each with that of the weights that it is a copy of.
pub(super) type Copies = [[&'static str; 2]];

/// The name that a weight has where it is shared.
fn shared_name(name: &str, copies: &Copies) -> String {
    let copy = copies.iter().find_map(|[copy, first]| Some((name.strip_prefix(copy)?, first)));
    copy.map_or(name.to_owned(), |(rest, first)| format!("{first}{rest}"))
}

/// For each weight of `U` its range, and the range of the weight of `N` that it is a copy of.
fn copied<N: Network, U: Network>(copies: &Copies) -> Vec<[std::ops::Range<usize>; 2]> {
    let shared = N::tensors();
    let find = |name: String| shared.iter().find(|it| it.name == name).unwrap().range();
    let tensors = U::tensors();
    tensors.iter().map(|it| [it.range(), find(shared_name(&it.name, copies))]).collect()
}

/// The network with a copy of the weights for each application.
pub(super) fn with_copies<N: Network, U: Network>(net: &N, copies: &Copies) -> Box<U> {
    let mut twin = U::zeros();
    for [to, from] in copied::<N, U>(copies) {
        twin.params_mut()[to].copy_from_slice(&net.params()[from]);
    }
    twin
}

/// Asserts that outputs and gradients are those of a network with a copy of the weights for each application.
pub(super) fn agrees_with_copies<N, U, L>(
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    copies: &Copies,
) where
    N: Network,
    U: Network<Input = N::Input, Output = N::Output>,
    L: Loss<N::Output>,
{
    let mut net = N::new(3);
    let mut twin: Box<U> = with_copies(&*net, copies);
    for x in &inputs[..3] {
        let (y, expected) = (net.forward(x), twin.forward(x));
        assert_eq!(bits(y.as_floats()), bits(expected.as_floats()));
    }
    let found = gradient(&mut *net, loss, inputs, targets);
    let apart = gradient(&mut *twin, loss, inputs, targets);
    let mut sum = vec![0.0; found.len()];
    for [copy, shared] in copied::<N, U>(copies) {
        for (sum, d) in sum[shared].iter_mut().zip(&apart[copy]) {
            *sum += d;
        }
    }
    let scale = sum.iter().fold(0.0_f32, |most, d| most.max(d.abs()));
    assert!(scale > 0.0, "all gradients are zero");
    for (i, (found, sum)) in found.iter().zip(&sum).enumerate() {
        let network = std::any::type_name::<N>();
        assert!((found - sum).abs() <= 2e-6 * scale, "{network}: {i}: {found}, expected {sum}");
    }
}

#[test]
fn agrees_with_a_copy_for_each_application() {
    let (right, targets) = (&[["right.", "left."]][..], vectors::<3>(33, 50));
    agrees_with_copies::<Siamese, Twin, _>(&MeanSquaredError, &images(33), &targets, right);
    let tokens: Vec<u32> = (0..33).map(|i| i % 9).collect();
    let loss = CrossEntropy::new();
    agrees_with_copies::<Texts, TwinTexts, _>(&loss, &texts(33), &tokens, right);
    let (all, targets) = (&[["right.", "left."], ["again.", "left."]][..], vectors::<5>(33, 50));
    agrees_with_copies::<Nested, TwinNested, _>(&MeanSquaredError, &pairs(33), &targets, all);
    let all = &[["body.0.", "body."], ["body.1.", "body."], ["body.2.", "body."]];
    agrees_with_copies::<Shared, Unshared, _>(&MeanSquaredError, &vectors(33, 0), &targets, all);
}

#[test]
fn gradients_agree_with_finite_differences() {
    fn check<N: Network, L: Loss<N::Output>>(loss: &L, inputs: &[N::Input], targets: &[L::Target]) {
        let check = check_gradients(&*N::new(3), loss, inputs, targets).unwrap();
        assert!(check.worst < 1e-3 && check.unsure * 2 < check.tried, "{check}");
    }
    let targets = vectors::<5>(9, 50);
    check::<Siamese, _>(&MeanSquaredError, &images(9), &vectors(9, 50));
    check::<Nested, _>(&MeanSquaredError, &pairs(9), &targets);
    check::<Shared, _>(&MeanSquaredError, &vectors(9, 0), &targets);
    check::<Frozen, _>(&MeanSquaredError, &vectors(9, 0), &targets);
    check::<Constants, _>(&MeanSquaredError, &pairs(9), &targets);
    check::<Generic<5>, _>(&MeanSquaredError, &pairs(9), &targets);
    let triples: Vec<_> =
        pairs(9).into_iter().map(|(a, b)| (a, b, [a[0], 0.3, b[1], 0.1, b[2]])).collect();
    check::<Outer, _>(&MeanSquaredError, &triples, &targets);
    let tokens = |i: u32| -> [u32; 4] { std::array::from_fn(|t| (i * 3 + t as u32) % 7) };
    let inputs: Vec<_> = (0..9).map(|i| (tokens(i), tokens(i + 4))).collect();
    let tokens: Vec<_> = (0..9).map(tokens).collect();
    check::<Tied, _>(&CrossEntropy::new(), &inputs, &tokens);
    let steps: Vec<_> = (0..5).map(|i| (random_values(i), random_values(i + 70))).collect();
    check::<Steps, _>(&MeanSquaredError, &steps, &(0..5).map(random_values).collect::<Vec<_>>());
    let steps: Vec<_> = (0..5).map(|i| (random_values(i), random_values(i + 70))).collect();
    check::<Parts, _>(&MeanSquaredError, &steps, &(0..5).map(random_values).collect::<Vec<_>>());
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (inputs, targets) = (images(67), vectors::<3>(67, 50));
    same_on_all_threads(|| gradient(&mut *Siamese::new(1), &MeanSquaredError, &inputs, &targets));
    let (inputs, targets) = (pairs(67), vectors::<5>(67, 50));
    same_on_all_threads(|| gradient(&mut *Nested::new(1), &MeanSquaredError, &inputs, &targets));
}

/// As a PyTorch module that is called twice: see `same_encoder` among the references.
#[test]
fn running_statistics_move_with_each_application() {
    let (inputs, targets) = (pairs(33), vectors::<5>(33, 50));
    let mut net = Nested::new(3);
    let mut twin: Box<TwinNested> = with_copies(&*net, &[["right.", "left."], ["again.", "left."]]);
    gradient(&mut *net, &MeanSquaredError, &inputs, &targets);
    gradient(&mut *twin, &MeanSquaredError, &inputs, &targets);
    let of = [&twin.left_inner.bn, &twin.right_inner.bn, &twin.again_inner.bn];
    for c in 0..5 {
        // From 0 and 1, one application moves a tenth of the way to its statistics.
        let [mean, variance] = of.iter().fold([0.0, 1.0], |[mean, variance], bn| {
            let batch = [bn.running_mean[c] / 0.1, (bn.running_var[c] - 0.9) / 0.1];
            [0.9 * mean + 0.1 * batch[0], 0.9 * variance + 0.1 * batch[1]]
        });
        let bn = &net.left_inner.bn;
        assert!((bn.running_mean[c] - mean).abs() < 1e-5, "{} {mean}", bn.running_mean[c]);
        assert!((bn.running_var[c] - variance).abs() < 1e-5, "{} {variance}", bn.running_var[c]);
        assert_eq!(bn.num_batches_tracked, 3.0);
    }
}

#[test]
fn each_application_has_a_mask_of_its_own() {
    let (mut net, x) = (Masks::new(1), vec![[1.0; 64]; 2]);
    let mut pass = TrainPass::<Masks>::new(2);
    let y = pass.forward(&mut net, &x, RngKey::new(5)).unwrap();
    let differing = y[0].iter().filter(|y| **y != 0.0).count();
    assert!(differing > 8, "{differing} of 64 elements differ");
}

#[test]
fn weights_are_counted_once() {
    assert_eq!(Twin::PARAMS - Siamese::PARAMS, Siamese::PARAMS - (10 * 3 + 3));
    assert_eq!(Siamese::MACS, Twin::MACS);
    assert_eq!(Siamese::new(3).params().len(), Siamese::PARAMS);
    assert_eq!(Shared::PARAMS, 2 * 30 + 10);
    assert_eq!(Shared::MACS, Unshared::MACS);
    assert_eq!(size_of::<Siamese>(), 4 * Siamese::PARAMS);
    assert_eq!(Nested::PARAMS, Inner::PARAMS + 5);
    let names: Vec<String> = Nested::trained().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["left.inner.fc", "left.inner.bn", "left.scales"]);
    let summary = Siamese::summary();
    assert!(summary.contains("same(left.conv1)"), "{summary}");
    let total = summary.lines().find(|line| line.starts_with("total")).unwrap();
    assert!(total.contains(&Siamese::PARAMS.to_string()), "{total}");
}

#[test]
fn inference_needs_the_memory_of_a_network_with_copies() {
    assert_eq!(Siamese::WORKSPACE_LEN, Twin::WORKSPACE_LEN);
    let (net, x) = (Siamese::new(3), images(1)[0]);
    let mut workspace = [f32::NAN; Siamese::WORKSPACE_LEN];
    assert_eq!(net.forward_in(&mut workspace, &x), net.forward((&x.0, &x.1)));
}

#[test]
fn activations_of_each_application() {
    let (net, x) = (Nested::new(3), pairs(1)[0]);
    let activations = net.activations(&x).unwrap();
    let [left, right, again] = ["left.inner.bn", "right.inner.bn", "again.inner.bn"]
        .map(|path| activations.get(path).unwrap().values.to_vec());
    let alone = |x: &[f32; 5]| {
        let activations = net.left_inner.activations(x).unwrap();
        activations.get("bn").unwrap().values.to_vec()
    };
    assert_eq!((left, right), (alone(&x.0), alone(&x.1)));
    let both: [f32; 5] = activations.get("both").unwrap().values.try_into().unwrap();
    assert_eq!(again, alone(&both));
}

#[test]
fn steps_have_the_bits_of_the_whole_sequence() {
    let net = Steps::new(3);
    let x: ([[f32; 3]; 6], [[f32; 3]; 6]) = (random_values(1), random_values(2));
    let (mut state, whole) = (State::<Steps>::new(), net.forward((&x.0, &x.1)));
    for (step, y) in whole.iter().enumerate() {
        assert_eq!(net.step(&mut state, (&x.0[step], &x.1[step])), *y, "step {step}");
    }
    let mut outputs = [[[0.0; 4]; 6]; 2];
    net.forward_batch(&[x, (x.1, x.0)], &mut outputs);
    assert_eq!(outputs, [whole, net.forward((&x.1, &x.0))]);
}

#[test]
fn frozen_layers_that_are_applied_again() {
    let (inputs, targets) = (vectors::<5>(33, 0), vectors::<5>(33, 50));
    let gradients = |frozen: &[&str], with_d_inputs: bool| {
        let groups = frozen.iter().fold(Groups::new(SGD::new(0.1)), |it, name| it.freeze(name));
        let mut net = Frozen::new(3);
        let mut pass = TrainPass::<Frozen>::new(33).frozen_by(&mut { groups }).unwrap();
        pass.forward(&mut net, &inputs, RngKey::new(1)).unwrap();
        let (mut d_net, mut d_inputs) = (Frozen::zeros(), inputs.clone());
        let d_x = with_d_inputs.then_some(&mut d_inputs[..]);
        pass.backward(&net, &targets, &mut d_net, d_x).unwrap();
        (d_net.params().to_vec(), d_inputs, net.enc_bn.clone())
    };
    for with_d_inputs in [false, true] {
        let (all, all_inputs, _) = gradients(&[], with_d_inputs);
        for frozen in [
            &["enc.one"][..],
            &["enc.one", "enc.two"],
            &["enc.two"],
            &["middle"],
            &["enc.one", "middle"],
            &["middle", "head"],
        ] {
            let (found, found_inputs, _) = gradients(frozen, with_d_inputs);
            for (name, range) in Frozen::trained() {
                let is_frozen = frozen.contains(&name.as_str());
                let expected =
                    if is_frozen { vec![0.0; range.len()] } else { all[range.clone()].to_vec() };
                assert_eq!(found[range], expected, "{name} without {frozen:?}");
            }
            assert_eq!(found_inputs, all_inputs);
        }
        // A frozen `BatchNorm` computes as at inference.
        let (found, _, bn) = gradients(&["enc"], with_d_inputs);
        assert_eq!((bn.running_mean, bn.num_batches_tracked), ([0.0; 5], 0.0));
        let of = |name: &str| {
            let range = Frozen::trained().into_iter().find(|it| it.0 == name).unwrap().1;
            found[range].to_vec()
        };
        assert!(of("enc.one").iter().chain(&of("enc.bn")).all(|d| *d == 0.0));
        assert!(of("middle").iter().all(|d| *d != 0.0) && of("head").iter().all(|d| *d != 0.0));
    }
}

#[test]
fn learns() {
    let inputs = images(40);
    let targets = inputs.iter().map(|(a, b)| [a[0][0][0] - b[0][0][0], 0.0, 0.0]).collect();
    let data = Data { inputs, targets };
    let mut net = Siamese::new(1);
    let before = net.evaluate(&data, &MeanSquaredError).unwrap().loss;
    let mut trainer = Trainer::new(AdamW::new(1e-2)).batch(10).epochs(15).seed(1).quiet();
    trainer.fit(&mut net, &data, &MeanSquaredError).unwrap();
    let after = net.evaluate(&data, &MeanSquaredError).unwrap().loss;
    assert!(after < before / 2.0, "{before} to {after}");
}

/// As a PyTorch model that calls one module several times.
#[test]
fn files_have_one_entry_for_each_weight() {
    let names: Vec<String> = Siamese::tensors().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(
        names,
        [
            "left.conv1.weight",
            "left.conv1.bias",
            "left.group_norm.weight",
            "left.group_norm.bias",
            "left.conv2.weight",
            "left.conv2.bias",
            "left.fc.weight",
            "left.fc.bias",
            "dense.weight",
            "dense.bias",
        ]
    );
    let names: Vec<String> = Shared::tensors().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(
        names[2..],
        ["body.add.0.fc.weight", "body.add.0.fc.bias", "body.norm.weight", "body.norm.bias"]
    );
    let (net, path) = (Outer::new(3), temporary("same/outer.safetensors"));
    net.save(&path).unwrap();
    assert_eq!(Outer::load(&path).unwrap().params(), net.params());
}

/// The file of a PyTorch model that has one module under two attributes, `left` and `right`.
#[test]
fn files_with_two_names_of_a_weight_are_read() {
    let (net, path) = (Siamese::new(3), temporary("same/twice.safetensors"));
    with_copies::<_, Twin>(&*net, &[["right.", "left."]]).save(&path).unwrap();
    assert_eq!(Siamese::load(&path).unwrap().params(), net.params());
    // The second name alone, which `safetensors.torch.save_model` may choose.
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let right = file.tensors().into_iter().filter(|(name, _)| !name.starts_with("left."));
    fs::write(&path, safetensors::serialize(right, None).unwrap()).unwrap();
    assert_eq!(Siamese::load(&path).unwrap().params(), net.params());
    // Two values of one weight.
    let mut twin: Box<Twin> = with_copies(&*net, &[["right.", "left."]]);
    twin.right_fc.bias[2] = 7.0;
    twin.save(&path).unwrap();
    let error = Siamese::load(&path).map(drop).unwrap_err().to_string();
    assert!(error.contains("`right.fc.bias`") && error.contains("`left.fc.bias`"), "{error}");
}
