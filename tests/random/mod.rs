//! What must hold for every network, whatever it is made of. The networks are drawn by
//! `random-networks` in `tests/generator`.

use std::sync::Mutex;
use unrolled::loss::{Loss, MeanSquaredError};
use unrolled::{
    FilesExt, InferenceExt, Inputs, LayerInfo, Network, RngKey, Shape, TrainingExt, Values,
    check_gradients, loss_and_all_gradients, parallel,
};

/// Constants that networks are written with.
#[allow(dead_code, reason = "chance decides which of them are used")]
pub(crate) mod constants {
    pub(crate) const N1: usize = 1;
    pub(crate) const N2: usize = 2;
    pub(crate) const N3: usize = 3;
    pub(crate) const N4: usize = 4;
    pub(crate) const N5: usize = 5;
    pub(crate) const N6: usize = 6;
}

/// A network, and what the rules of nn-shape say of it.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) source: &'static str,
    pub(crate) nodes: &'static [Line],
}

/// A line of `LAYERS`, with the numbers that the rules gave.
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) output: &'static [usize],
    pub(crate) params: usize,
    pub(crate) buffers: usize,
    pub(crate) macs: usize,
    pub(crate) inner: &'static [Line],
}

/// Says which network it was when a check fails.
struct Witness<'a>(&'a Case);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}:\n{}", self.0.seed, self.0.source);
        }
    }
}

/// Checks everything that is said in the names of the functions that it calls.
pub(crate) fn check<N: Network>(case: &Case) {
    let _witness = Witness(case);
    let mut subject = Subject::<N>::new(case.seed, 5);
    // The pool serves one thread at a time; all but one check do without.
    parallel::with_threads(1, || {
        layers_are_those_of_the_rules(N::LAYERS, case.nodes);
        counts_are_sums::<N>(case.nodes);
        batches_give_what_single_samples_give(&subject);
        files_give_the_same_bits_back(&subject, case.seed);
        gradients_agree_with_differences::<N>(case.seed);
        training_computes_what_inference_computes(&mut subject, case);
    });
    threads_do_not_matter::<N>(case.seed);
}

/// A network with weights, samples and targets from a seed.
struct Subject<N: Network> {
    net: Box<N>,
    inputs: Vec<N::Input>,
    targets: Vec<N::Output>,
}

impl<N: Network> Subject<N> {
    fn new(seed: u64, samples: usize) -> Self {
        let streams = RngKey::new(seed);
        let mut net = N::new(seed);
        for (_, range) in N::trained() {
            // Zeros and ones, as PyTorch initialises them, would hide mistakes.
            for i in range {
                net.params_mut()[i] += streams.fold_in(0).uniform(i as u64) * 0.4 - 0.2;
            }
        }
        let mut inputs = vec![N::Input::zero(); samples];
        let mut targets = vec![N::Output::zeroed(); samples];
        for (sample, input) in inputs.iter_mut().enumerate() {
            // Vocabularies have 1 to 4 tokens.
            let fits = (1..=4).rev().any(|tokens| {
                fill_input(input, tokens, streams.fold_in(1 + sample as u64));
                N::check_inputs(std::slice::from_ref(input)).is_ok()
            });
            assert!(fits, "no token is in all vocabularies");
        }
        // Not far from what comes out: next to a large loss its differences are rounding.
        net.forward_batch(&inputs, &mut targets);
        for (sample, target) in targets.iter_mut().enumerate() {
            let streams = streams.fold_in(1 + sample as u64).fold_in(99);
            for (i, number) in target.as_floats_mut().iter_mut().enumerate() {
                *number += streams.uniform(i as u64) * 3.0 - 1.5;
            }
        }
        Self { net, inputs, targets }
    }

    /// One training step: the bits of its loss and of all gradients.
    fn step(&mut self) -> Vec<u32> {
        let mut d_net = N::zeros();
        let mut d_inputs = vec![N::Input::zero(); self.inputs.len()];
        let loss = loss_and_all_gradients(
            &mut *self.net,
            &MeanSquaredError,
            &self.inputs,
            &self.targets,
            &mut d_net,
            &mut d_inputs,
            RngKey::new(5),
        );
        let mut all = bits(d_net.params());
        for input in &d_inputs {
            (0..N::Input::LENS.len()).for_each(|index| all.extend(bits(input.input(index))));
        }
        all.extend(bits(self.net.params()));
        all.push(loss.expect("a batch that is large enough").to_bits());
        all
    }

    fn outputs(&self) -> Vec<N::Output> {
        let mut outputs = vec![N::Output::zeroed(); self.inputs.len()];
        self.net.forward_batch(&self.inputs, &mut outputs);
        outputs
    }
}

/// Numbers, and `tokens` different tokens.
fn fill_input<I: Inputs>(input: &mut I, tokens: u32, streams: RngKey) {
    for index in 0..I::LENS.len() {
        let streams = streams.fold_in(index as u64);
        match I::REAL[index] {
            true => fill(input.input_mut(index), streams),
            false => {
                for (i, token) in input.input_mut(index).iter_mut().enumerate() {
                    *token = f32::from_bits((streams.uniform(i as u64) * tokens as f32) as u32);
                }
            }
        }
    }
}

/// Numbers from -1.5 to 1.5.
fn fill(numbers: &mut [f32], streams: RngKey) {
    for (i, number) in numbers.iter_mut().enumerate() {
        *number = streams.uniform(i as u64) * 3.0 - 1.5;
    }
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn layers_are_those_of_the_rules(layers: &[LayerInfo], expected: &[Line]) {
    assert_eq!(layers.len(), expected.len());
    for (layer, expected) in layers.iter().zip(expected) {
        let name = layer.name;
        assert!(layer.kind.starts_with(expected.kind), "{name}: {} {}", layer.kind, expected.kind);
        assert_eq!(layer.output, Shape::new(expected.output), "{name}");
        assert_eq!((layer.params, layer.macs), (expected.params, expected.macs), "{name}");
        layers_are_those_of_the_rules(layer.inner, expected.inner);
    }
}

fn counts_are_sums<N: Network>(expected: &[Line]) {
    let sum = |count: fn(&Line) -> usize| expected.iter().map(count).sum::<usize>();
    assert_eq!(N::PARAMS, sum(|line| line.params));
    assert_eq!(N::MACS, sum(|line| line.macs));
    assert_eq!(N::LEN, N::PARAMS + sum(|line| line.buffers));
    assert_eq!(N::PARAM_BYTES, 4 * N::LEN);
    let mut trained = vec![false; N::LEN];
    for (name, range) in N::trained() {
        assert!(!trained[range.clone()].contains(&true), "{name} overlaps another layer");
        trained[range].fill(true);
    }
    assert_eq!(trained.iter().filter(|trained| **trained).count(), N::PARAMS);
    let last = N::LAYERS.last().expect("a layer").output;
    assert_eq!(last, N::OUTPUT);
    assert_eq!(last, <N::Output as Values>::SHAPE);
    assert_eq!(N::INPUTS, N::Input::SHAPES);
}

fn batches_give_what_single_samples_give<N: Network>(subject: &Subject<N>) {
    let outputs = subject.outputs();
    for (input, output) in subject.inputs.iter().zip(&outputs) {
        let mut alone = [N::Output::zeroed()];
        subject.net.forward_batch(std::slice::from_ref(input), &mut alone);
        assert_eq!(bits(alone[0].as_floats()), bits(output.as_floats()));
        assert!(output.as_floats().iter().all(|y| y.is_finite()));
    }
}

fn files_give_the_same_bits_back<N: Network>(subject: &Subject<N>, seed: u64) {
    let path = std::env::temp_dir().join(format!("unrolled_{}_{seed}", std::process::id()));
    subject.net.save(&path).expect("a file");
    let loaded = N::load(&path);
    std::fs::remove_file(&path).expect("a file");
    assert_eq!(bits(loaded.expect("a network").params()), bits(subject.net.params()));
}

/// Gradients of weights and inputs. Kinks, jumps and rounding make some differences meaningless;
/// where most of them are, the rest agree with each other by chance, and other weights are tried. A network
/// in which gradients vanish is such for all weights: then what could be compared must have agreed each
/// time, and be as much as one good attempt compares.
fn gradients_agree_with_differences<N: Network>(seed: u64) {
    const WITHIN: f64 = 5e-3;
    let mut found = Vec::new();
    for attempt in 0..6 {
        let Subject { net, inputs, targets } = Subject::<N>::new(seed + (attempt << 32), 5);
        let check = check_gradients(&*net, &MeanSquaredError, &inputs, &targets).expect("a batch");
        if check.unsure * 2 < check.tried {
            assert!(check.worst < WITHIN, "{check}");
            return;
        }
        found.push(check);
    }
    let compared: usize = found.iter().map(|check| check.tried - check.unsure).sum();
    let told = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(compared >= found[0].tried, "too few gradients could be compared:\n{told}");
    assert!(found.iter().all(|check| check.worst < WITHIN), "gradients differ:\n{told}");
}

/// Where no layer knows training from inference, both give the same loss.
fn training_computes_what_inference_computes<N: Network>(subject: &mut Subject<N>, case: &Case) {
    if ["Dropout", "dropout", "BatchNorm"].iter().any(|layer| case.source.contains(layer)) {
        return;
    }
    let outputs = subject.outputs();
    let losses = outputs.iter().zip(&subject.targets).map(|(y, target)| {
        let mut unused = vec![0.0; N::Output::LEN];
        Loss::<N::Output>::sample(&MeanSquaredError, y.as_floats(), target, 1.0, &mut unused)
    });
    let expected = losses.sum::<f64>() / outputs.len() as f64;
    let bits = subject.step();
    let found = f64::from(f32::from_bits(*bits.last().expect("the loss")));
    assert!(
        (found - expected).abs() <= 1e-6 * expected,
        "{found} in training, {expected} at inference"
    );
}

/// One step and the network after it, running statistics included, on 1, 2 and 7 threads.
fn threads_do_not_matter<N: Network>(seed: u64) {
    /// The right to use the pool: whoever comes second would work alone.
    static POOL: Mutex<()> = Mutex::new(());
    let _pool = POOL.lock();
    let step = |threads| parallel::with_threads(threads, || Subject::<N>::new(seed, 13).step());
    let alone = step(1);
    for threads in [2, 7] {
        assert!(alone == step(threads), "{threads} threads give other bits");
    }
}
