//! Properties of every network. The networks are drawn by `random-networks` in `tests/generator`.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;

use common::{bits, same_on_all_threads};
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

/// A network, and what the rules of nn-shape compute for it.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) source: &'static str,
    pub(crate) layers: &'static [ExpectedLayer],
}

/// The expected entry of `LAYERS`.
pub(crate) struct ExpectedLayer {
    pub(crate) kind: &'static str,
    pub(crate) output: &'static [usize],
    pub(crate) params: usize,
    pub(crate) buffers: usize,
    pub(crate) macs: usize,
    pub(crate) inner: &'static [ExpectedLayer],
}

/// Prints the seed and the source of the network when a check fails.
struct PrintOnPanic<'a>(&'a Case);

impl Drop for PrintOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}:\n{}", self.0.seed, self.0.source);
        }
    }
}

/// Checks all properties, each in a function of its name.
pub(crate) fn check<N: Network>(case: &Case) {
    let _print = PrintOnPanic(case);
    let mut subject = Subject::<N>::new(case.seed, 5);
    // The pool serves one caller at a time, and tests run in parallel: all checks but the last do without it.
    parallel::with_threads(1, || {
        layers_agree_with_the_rules(N::LAYERS, case.layers);
        counts_are_sums_over_layers::<N>(case.layers);
        batches_agree_with_single_samples(&subject);
        files_restore_every_bit(&subject, case.seed);
        gradients_agree_with_finite_differences::<N>(case.seed);
        training_agrees_with_inference(&mut subject, case);
    });
    results_do_not_depend_on_threads::<N>(case.seed);
}

/// A network with weights, samples and targets from a seed.
struct Subject<N: Network> {
    net: Box<N>,
    inputs: Vec<N::Input>,
    targets: Vec<N::Output>,
}

impl<N: Network> Subject<N> {
    fn new(seed: u64, samples: usize) -> Self {
        let key = RngKey::new(seed);
        let mut net = N::new(seed);
        for (_, range) in N::trained() {
            // The zeros and ones that PyTorch initialises some weights with would hide mistakes.
            for i in range {
                net.params_mut()[i] += key.fold_in(0).uniform(i as u64) * 0.4 - 0.2;
            }
        }
        let mut inputs = vec![N::Input::zero(); samples];
        let mut targets = vec![N::Output::zeroed(); samples];
        for (sample, input) in inputs.iter_mut().enumerate() {
            // The size of the vocabulary is not known here, but between 1 and 4.
            let fits = (1..=4).rev().any(|tokens| {
                fill_input(input, tokens, key.fold_in(1 + sample as u64));
                N::check_inputs(std::slice::from_ref(input)).is_ok()
            });
            assert!(fits, "no token is in all vocabularies");
        }
        // Targets near the outputs: the finite differences of a large loss would be rounding errors.
        net.forward_batch(&inputs, &mut targets);
        for (sample, target) in targets.iter_mut().enumerate() {
            let key = key.fold_in(1 + sample as u64).fold_in(99);
            for (i, value) in target.as_floats_mut().iter_mut().enumerate() {
                *value += key.uniform(i as u64) * 3.0 - 1.5;
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

/// Fills inputs with real values, or with indices below `tokens`.
fn fill_input<I: Inputs>(input: &mut I, tokens: u32, key: RngKey) {
    for index in 0..I::LENS.len() {
        let key = key.fold_in(index as u64);
        match I::REAL[index] {
            true => fill(input.input_mut(index), key),
            false => {
                for (i, token) in input.input_mut(index).iter_mut().enumerate() {
                    *token = f32::from_bits((key.uniform(i as u64) * tokens as f32) as u32);
                }
            }
        }
    }
}

/// Overwrites values with random ones in `[-1.5, 1.5)`.
fn fill(values: &mut [f32], key: RngKey) {
    for (i, value) in values.iter_mut().enumerate() {
        *value = key.uniform(i as u64) * 3.0 - 1.5;
    }
}

fn layers_agree_with_the_rules(layers: &[LayerInfo], expected: &[ExpectedLayer]) {
    assert_eq!(layers.len(), expected.len());
    for (layer, expected) in layers.iter().zip(expected) {
        let name = layer.name;
        assert!(layer.kind.starts_with(expected.kind), "{name}: {} {}", layer.kind, expected.kind);
        assert_eq!(layer.output, Shape::new(expected.output), "{name}");
        assert_eq!((layer.params, layer.macs), (expected.params, expected.macs), "{name}");
        layers_agree_with_the_rules(layer.inner, expected.inner);
    }
}

fn counts_are_sums_over_layers<N: Network>(expected: &[ExpectedLayer]) {
    let sum = |count: fn(&ExpectedLayer) -> usize| expected.iter().map(count).sum::<usize>();
    assert_eq!(N::PARAMS, sum(|layer| layer.params));
    assert_eq!(N::MACS, sum(|layer| layer.macs));
    assert_eq!(N::LEN, N::PARAMS + sum(|layer| layer.buffers));
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

fn batches_agree_with_single_samples<N: Network>(subject: &Subject<N>) {
    let outputs = subject.outputs();
    for (input, output) in subject.inputs.iter().zip(&outputs) {
        let mut alone = [N::Output::zeroed()];
        subject.net.forward_batch(std::slice::from_ref(input), &mut alone);
        assert_eq!(bits(alone[0].as_floats()), bits(output.as_floats()));
        assert!(output.as_floats().iter().all(|y| y.is_finite()));
    }
}

fn files_restore_every_bit<N: Network>(subject: &Subject<N>, seed: u64) {
    let path = std::env::temp_dir().join(format!("unrolled_{}_{seed}", std::process::id()));
    subject.net.save(&path).expect("a file");
    let loaded = N::load(&path);
    std::fs::remove_file(&path).expect("a file");
    assert_eq!(bits(loaded.expect("a network").params()), bits(subject.net.params()));
}

/// Compares the gradients of weights and inputs with finite differences.
///
/// Kinks, jumps and rounding make some differences meaningless. If that is true of most of them, the others can agree
/// by chance, and other weights are tried. Where gradients vanish, it is true for all weights: then all attempts must
/// agree, and together compare as many gradients as one good attempt.
fn gradients_agree_with_finite_differences<N: Network>(seed: u64) {
    const TOLERANCE: f64 = 5e-3;
    let mut found = Vec::new();
    for attempt in 0..6 {
        let Subject { net, inputs, targets } = Subject::<N>::new(seed + (attempt << 32), 5);
        let check = check_gradients(&*net, &MeanSquaredError, &inputs, &targets).expect("a batch");
        if check.unsure * 2 < check.tried {
            assert!(check.worst < TOLERANCE, "{check}");
            return;
        }
        found.push(check);
    }
    let compared: usize = found.iter().map(|check| check.tried - check.unsure).sum();
    let report = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(compared >= found[0].tried, "too few gradients could be compared:\n{report}");
    assert!(found.iter().all(|check| check.worst < TOLERANCE), "gradients differ:\n{report}");
}

/// Without layers that behave differently in training, training and inference compute the same loss.
fn training_agrees_with_inference<N: Network>(subject: &mut Subject<N>, case: &Case) {
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

/// Compares one step and the network after it, running statistics included.
fn results_do_not_depend_on_threads<N: Network>(seed: u64) {
    same_on_all_threads(|| Subject::<N>::new(seed, 13).step());
}
