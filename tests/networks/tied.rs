//! Tied weights: layers that use the weight of an earlier line.

use crate::common::{gradient, same_on_all_threads, temporary};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use unrolled::optim::AdaptiveClip;
use unrolled::prelude::*;
use unrolled::{RngKey, check_gradients};

const TOKENS: usize = 7;
const WIDTH: usize = 6;

network! {
    /// A decoder whose output layer is tied to the embedding.
    #[allow(attention_without_positions)]
    struct Decoder(text: 5) -> 5x7 {
        tokens: Embedding(7, 6),
        TransformerEncoder(6, heads = 2, hidden = 8, dropout = 0.0, causal = true),
        head: Dense(7, weight = tokens),
    }

    /// The same, untied.
    #[allow(attention_without_positions)]
    struct Untied(text: 5) -> 5x7 {
        tokens: Embedding(7, 6),
        TransformerEncoder(6, heads = 2, hidden = 8, dropout = 0.0, causal = true),
        head: Dense(7),
    }

    /// The same with constants as sizes.
    #[allow(attention_without_positions)]
    struct Constants(text: 5) -> [5, TOKENS] {
        tokens: Embedding(TOKENS, WIDTH),
        TransformerEncoder(WIDTH, heads = 2, hidden = 8, dropout = 0.0, causal = true),
        head: Dense(TOKENS, weight = tokens),
    }

    /// A const generic as the size, and no bias.
    struct Generic<const D: usize>(text: 5) -> 5x7 {
        tokens: Embedding(7, D), Tanh,
        head: Dense(7, bias = false, weight = tokens),
    }

    /// A block whose parameter is the owner of the weight.
    block Again(layer) {
        Residual { Dense(4, weight = layer), Tanh },
    }

    /// One weight in five layers, some of them in a block or repeat, and another weight in two.
    struct Often(3x4) -> 3x4 {
        first: Dense(4), Tanh,
        Repeat(2) { Dense(4, weight = first), Tanh },
        Again(first),
        second: Dense(4, weight = first), Tanh,
        other: Dense(4, bias = false),
        Dense(4, weight = other),
    }

    /// A network around one with tied layers.
    struct Outer(3x4) -> 3x4 { before: Dense(4), inner: Often, after: Dense(4, weight = before) }

    /// Weights whose gradients are computed in several blocks.
    struct Large(text: 5) -> 5x700 {
        tokens: Embedding(700, 200), first: Dense(200), Tanh,
        Dense(200, weight = first), Dense(700, weight = tokens),
    }
    #[allow(dense_after_dense)]
    struct LargeUntied(text: 5) -> 5x700 {
        tokens: Embedding(700, 200), first: Dense(200), Tanh, Dense(200), Dense(700),
    }
}

fn texts(count: u32, tokens: u32) -> Vec<[u32; 5]> {
    (0..count).map(|i| std::array::from_fn(|t| (i * 5 + i * i * t as u32 + 1) % tokens)).collect()
}

fn targets(count: u32, tokens: u32) -> Vec<[u32; 5]> {
    (0..count).map(|i| std::array::from_fn(|t| (i * 3 + t as u32) % tokens)).collect()
}

fn images(count: u64) -> Vec<[[f32; 4]; 3]> {
    let number = |i: u64, t: usize, j: usize| RngKey::new(i).uniform((4 * t + j) as u64) - 0.5;
    (0..count).map(|i| std::array::from_fn(|t| std::array::from_fn(|j| number(i, t, j)))).collect()
}

/// The range of each layer's weights.
fn ranges<N: Network>() -> HashMap<String, std::ops::Range<usize>> {
    N::trained().into_iter().collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0_f32, |most, e| most.max(e.abs()));
    assert!(scale > 0.0, "all gradients are zero");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 2e-5 * scale,
            "element {i}: expected {expected}, found {found}"
        );
    }
}

/// `[inputs, units]` as `[units, inputs]`, or back.
fn transposed(weight: &[f32], columns: usize) -> Vec<f32> {
    (0..weight.len())
        .map(|i| weight[i % (weight.len() / columns) * columns + i / (weight.len() / columns)])
        .collect()
}

/// Copies the weights of `net` to the layers of `untied` with the same names. `tied` are layers that have their weight
/// from an owner, with its number of elements.
fn copy<N: Network, U: Network>(net: &N, untied: &mut U, tied: &[(&str, &str, usize)]) {
    let (from, to) = (ranges::<N>(), ranges::<U>());
    for (name, range) in &from {
        let weights = &net.params()[range.clone()];
        let end = to[name].end;
        untied.params_mut()[end - weights.len()..end].copy_from_slice(weights);
    }
    for (layer, owner, len) in tied {
        let weight = &net.params()[from[*owner].start..][..*len];
        untied.params_mut()[to[*layer].start..][..*len].copy_from_slice(weight);
    }
}

#[test]
fn agrees_with_an_untied_network_of_equal_weights() {
    let (mut net, mut untied) = (Decoder::new(3), Untied::new(4));
    copy(&*net, &mut *untied, &[]);
    let weight = transposed(net.tokens.weight.as_flattened(), 6);
    untied.head.weight.as_flattened_mut().copy_from_slice(&weight);
    let inputs = texts(33, 7);
    for text in &inputs[..5] {
        assert_close(net.forward(text).as_flattened(), untied.forward(text).as_flattened());
    }
    let (loss, targets) = (CrossEntropy::new(), targets(33, 7));
    let found = gradient(&mut *net, &loss, &inputs, &targets);
    let apart = gradient(&mut *untied, &loss, &inputs, &targets);
    let (ours, theirs) = (ranges::<Decoder>(), ranges::<Untied>());
    // The gradient of a tied weight is the sum over its layers.
    let head = transposed(&apart[theirs["head"].clone()][..42], 7);
    let sum: Vec<f32> =
        apart[theirs["tokens"].clone()].iter().zip(head).map(|(a, b)| a + b).collect();
    assert_close(&found[ours["tokens"].clone()], &sum);
    assert_close(&found[ours["head"].clone()], &apart[theirs["head"].clone()][42..]);
    for name in ours.keys().filter(|name| !["tokens", "head"].contains(&name.as_str())) {
        assert_close(&found[ours[name].clone()], &apart[theirs[name].clone()]);
    }
}

#[test]
fn gradients_in_several_blocks_agree_with_an_untied_network() {
    let (mut net, mut untied) = (Large::new(3), LargeUntied::new(4));
    copy(&*net, &mut *untied, &[("dense", "first", 40_000)]);
    let weight = transposed(net.tokens.weight.as_flattened(), 200);
    untied.dense_2.weight.as_flattened_mut().copy_from_slice(&weight);
    let (loss, inputs, targets) = (CrossEntropy::new(), texts(13, 700), targets(13, 700));
    let found = gradient(&mut *net, &loss, &inputs, &targets);
    let apart = gradient(&mut *untied, &loss, &inputs, &targets);
    let (ours, theirs) = (ranges::<Large>(), ranges::<LargeUntied>());
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f32>>();
    let head = transposed(&apart[theirs["dense_2"].clone()][..140_000], 700);
    assert_close(&found[ours["tokens"].clone()], &sum(&apart[theirs["tokens"].clone()], &head));
    let (first, again) = (&apart[theirs["first"].clone()], &apart[theirs["dense"].clone()]);
    let (weight, bias) = found[ours["first"].clone()].split_at(40_000);
    assert_close(weight, &sum(&first[..40_000], &again[..40_000]));
    assert_close(bias, &first[40_000..]);
    assert_close(&found[ours["dense"].clone()], &again[40_000..]);
}

#[test]
fn gradients_agree_with_finite_differences() {
    fn check<N: Network, L: Loss<N::Output>>(
        net: &N,
        loss: &L,
        inputs: &[N::Input],
        targets: &[L::Target],
    ) {
        let check = check_gradients(net, loss, inputs, targets).unwrap();
        assert!(check.worst < 1e-3 && check.unsure * 2 < check.tried, "{check}");
    }
    let loss = CrossEntropy::new();
    check(&*Decoder::new(3), &loss, &texts(9, 7), &targets(9, 7));
    check(&*Generic::<3>::new(3), &loss, &texts(9, 7), &targets(9, 7));
    let far: Vec<[[f32; 4]; 3]> = images(9).into_iter().rev().collect();
    check(&*Often::new(3), &MeanSquaredError, &images(9), &far);
    check(&*Outer::new(3), &MeanSquaredError, &images(9), &far);
}

#[test]
fn sizes_may_be_constants() {
    let (net, same) = (Decoder::new(3), Constants::new(3));
    assert_eq!(net.params(), same.params());
    assert_eq!(net.forward(&[1, 2, 3, 4, 5]), same.forward(&[1, 2, 3, 4, 5]));
}

#[test]
fn a_tied_weight_is_stored_once() {
    assert_eq!(Untied::PARAMS - Decoder::PARAMS, 42);
    assert_eq!(Decoder::MACS, Untied::MACS);
    assert_eq!(Decoder::new(3).params().len(), Decoder::PARAMS);
    // A weight with five biases, and a weight with one bias.
    assert_eq!(Often::PARAMS, 16 + 5 * 4 + 16 + 4);
    assert_eq!(Generic::<3>::PARAMS, 21);
    let summary = Decoder::summary();
    assert!(summary.contains("Dense(7, weight = tokens)"), "{summary}");
    assert!(summary.contains("shared: `head.weight` is `tokens.weight`"), "{summary}");
    assert!(!Untied::summary().contains("shared"));
}

#[test]
fn the_owner_initialises_the_weight() {
    #[rustfmt::skip]
    network! { struct Alone(text: 5) -> 5x6 { tokens: Embedding(7, 6) } }
    let net = Decoder::new(11);
    assert_eq!(net.tokens.weight, Alone::new(11).tokens.weight);
    assert_eq!(net.head.bias, Untied::new(11).head.bias);
}

#[test]
fn steps_have_the_bits_of_the_whole_sequence() {
    let (net, text) = (Decoder::new(3), [1, 6, 2, 0, 3]);
    let mut state = State::<Decoder>::new();
    for (step, (token, y)) in text.iter().zip(&net.forward(&text)).enumerate() {
        assert_eq!(net.step(&mut state, token), *y, "step {step}");
    }
    let mut outputs = [[[0.0; 7]; 5]; 2];
    net.forward_batch(&[text, [0; 5]], &mut outputs);
    assert_eq!(outputs, [net.forward(&text), net.forward(&[0; 5])]);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (inputs, targets) = (texts(67, 700), targets(67, 700));
    same_on_all_threads(|| gradient(&mut *Large::new(1), &CrossEntropy::new(), &inputs, &targets));
    let (inputs, targets) = (images(67), images(67).into_iter().rev().collect::<Vec<_>>());
    same_on_all_threads(|| gradient(&mut *Outer::new(1), &MeanSquaredError, &inputs, &targets));
}

#[test]
fn learns() {
    let (inputs, targets) = (texts(40, 7), texts(40, 7));
    let data = Data { inputs, targets };
    let mut net = Decoder::new(1);
    let before = net.evaluate(&data, &CrossEntropy::new()).unwrap().loss;
    let mut trainer = Trainer::new(AdamW::new(1e-2)).batch(10).epochs(5).seed(1).quiet();
    let history = trainer.fit(&mut net, &data, &CrossEntropy::new()).unwrap();
    let after = net.evaluate(&data, &CrossEntropy::new()).unwrap().loss;
    assert!(after < before / 2.0, "{before} to {after}, {history:?}");
}

/// The gradient of a tied weight is reported once and clipped once, with its owner.
#[test]
fn gradients_are_reported_and_clipped_once() {
    let mut net = Decoder::new(1);
    let mut d_net = Decoder::zeros();
    net.loss_and_gradients(
        &CrossEntropy::new(),
        &texts(9, 7),
        &targets(9, 7),
        &mut d_net,
        RngKey::new(1),
    )
    .unwrap();
    let norms = d_net.gradient_norms();
    let names: Vec<&str> = norms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("tokens", "head"));
    let all: f64 = norms.iter().map(|(_, norm)| norm * norm).sum();
    let expected: f64 = d_net.params().iter().map(|d| f64::from(*d) * f64::from(*d)).sum();
    assert!((all - expected).abs() < 1e-9 * expected);

    let mut clip = AdaptiveClip::new::<Decoder>(1e-3, &[]);
    let norm = |row: &[f32; 6]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
    clip.clip(&*net, &mut d_net);
    for (row, d_row) in net.tokens.weight.iter().zip(&d_net.tokens.weight) {
        let ratio = norm(d_row) / norm(row);
        assert!((ratio - 1e-3).abs() < 1e-6, "the ratio after clipping: {ratio}");
    }
}

/// A path for the file of one test.
fn path(name: &str) -> PathBuf {
    temporary(&format!("tied/{name}.safetensors"))
}

/// Writes the file at `path` again without the tensors for which `keep` returns false. `keep` can also change their
/// data.
fn rewrite(path: &PathBuf, keep: impl Fn(&str, &mut [u8]) -> bool) {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = file
        .tensors()
        .into_iter()
        .filter_map(|(name, tensor)| {
            let mut data = tensor.data().to_vec();
            keep(&name, &mut data).then(|| (name, tensor.shape().to_vec(), data))
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, data)| {
        let dtype = safetensors::Dtype::F32;
        (name, safetensors::tensor::TensorView::new(dtype, shape.clone(), data).unwrap())
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn files_store_a_tied_weight_under_both_names() {
    let (net, path) = (Decoder::new(3), path("both"));
    net.save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let [tokens, head] =
        ["tokens.weight", "head.weight"].map(|name| file.tensor(name).expect("both names"));
    assert_eq!((tokens.shape(), tokens.data()), (head.shape(), head.data()));
    assert_eq!(Decoder::load(&path).unwrap().params(), net.params());
}

#[test]
fn one_of_the_names_is_enough_in_a_file() {
    for lost in ["tokens.weight", "head.weight"] {
        let (net, path) = (Decoder::new(3), path(lost));
        net.save(&path).unwrap();
        rewrite(&path, |name, _| name != lost);
        assert_eq!(Decoder::load(&path).unwrap().params(), net.params(), "without {lost}");
    }
    let (net, path) = (Outer::new(3), path("nested"));
    net.save(&path).unwrap();
    let lost = ["inner.first.weight", "inner.dense.weight", "inner.second.weight"];
    rewrite(&path, |name, _| !lost.contains(&name));
    assert_eq!(Outer::load(&path).unwrap().params(), net.params());
}

#[test]
fn a_file_without_any_of_the_names_is_refused() {
    let path = path("none");
    Decoder::new(3).save(&path).unwrap();
    rewrite(&path, |name, _| !["tokens.weight", "head.weight"].contains(&name));
    let error = Decoder::load(&path).err().unwrap().to_string();
    assert!(error.ends_with("1 difference:\n  missing: `tokens.weight` [7, 6]"), "{error}");
}

#[test]
fn a_file_whose_tied_tensors_differ_is_refused() {
    let path = path("differ");
    Decoder::new(3).save(&path).unwrap();
    rewrite(&path, |name, data| {
        if name == "head.weight" {
            data[5 * 4..][..4].copy_from_slice(&0.5_f32.to_le_bytes());
        }
        if name == "tokens.weight" {
            data[5 * 4..][..4].copy_from_slice(&0.25_f32.to_le_bytes());
        }
        true
    });
    let error = Decoder::load(&path).err().unwrap().to_string();
    let words = "`head.weight` and `tokens.weight` share one weight here, but differ: value 5 is 0.5 and 0.25";
    assert!(error.ends_with(words), "{error}");
}
