//! Properties of every network. The networks are drawn by `random-networks` in `tests/generator`.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;
mod export;

use common::{bits, same_on_all_threads};
use export::Results;
use std::sync::Mutex;
use unrolled::loss::{Loss, MeanSquaredError, TargetError};
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
    /// The network as JSON, for other programs.
    pub(crate) description: &'static str,
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
        let results = results_of(&mut subject);
        inference_has_the_bits_of_training(&results, case);
        if let Some(folder) = export::folder() {
            export::write(folder, case, &results);
        }
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

    /// One training step: its outputs in the order in which they are computed, its loss, and the gradients of weights and
    /// inputs.
    fn step(&mut self) -> Step<N> {
        let (mut d_net, mut d_inputs) = (N::zeros(), vec![N::Input::zero(); self.inputs.len()]);
        let recorded = Recorded::default();
        let loss = loss_and_all_gradients(
            &mut *self.net,
            &recorded,
            &self.inputs,
            &self.targets,
            &mut d_net,
            &mut d_inputs,
            RngKey::new(5),
        );
        let outputs = recorded.0.into_inner().expect("no panic");
        let loss = loss.expect("a batch that is large enough");
        Step { outputs, loss, d_net, d_inputs }
    }

    fn outputs(&self) -> Vec<N::Output> {
        let mut outputs = vec![N::Output::zeroed(); self.inputs.len()];
        self.net.forward_batch(&self.inputs, &mut outputs);
        outputs
    }
}

/// The results of one training step.
struct Step<N: Network> {
    outputs: Vec<f32>,
    loss: f32,
    d_net: Box<N>,
    d_inputs: Vec<N::Input>,
}

/// The mean squared error, and the outputs that it was computed for.
#[derive(Default)]
struct Recorded(Mutex<Vec<f32>>);

impl<Output: Values> Loss<Output> for Recorded {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        MeanSquaredError.check(target)
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        self.0.lock().expect("no panic").extend(y);
        MeanSquaredError.sample(y, target, scale, d_y)
    }
}

/// The elements of all inputs, one sample after the other; tokens as numbers.
fn flat<I: Inputs>(inputs: &[I]) -> Vec<f32> {
    let mut all = Vec::new();
    for input in inputs {
        for index in 0..I::LENS.len() {
            let number = |x: &f32| if I::REAL[index] { *x } else { x.to_bits() as f32 };
            all.extend(input.input(index).iter().map(number));
        }
    }
    all
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

/// Inference, then a training step.
fn results_of<N: Network>(subject: &mut Subject<N>) -> Results {
    let floats = |values: &[N::Output]| -> Vec<f32> {
        values.iter().flat_map(|values| values.as_floats().to_vec()).collect()
    };
    let weights = subject.net.params().to_vec();
    let (outputs, targets) = (floats(&subject.outputs()), floats(&subject.targets));
    let step = subject.step();
    Results {
        weights,
        inputs: flat(&subject.inputs),
        targets,
        outputs,
        trained: step.outputs,
        d_weights: step.d_net.params().to_vec(),
        d_inputs: flat(&step.d_inputs),
    }
}

/// Inference computes some layers at once and reuses memory as soon as it can; training computes each layer by itself.
/// Without layers that behave differently in training, both have the same bits.
fn inference_has_the_bits_of_training(results: &Results, case: &Case) {
    if ["Dropout", "dropout", "GaussianNoise", "BatchNorm"]
        .iter()
        .any(|layer| case.source.contains(layer))
    {
        return;
    }
    assert_eq!(bits(&results.outputs), bits(&results.trained));
}

/// Compares one step and the network after it, running statistics included.
fn results_do_not_depend_on_threads<N: Network>(seed: u64) {
    same_on_all_threads(|| {
        let mut subject = Subject::<N>::new(seed, 13);
        let Step { loss, d_net, d_inputs, .. } = subject.step();
        let all = [&[loss][..], d_net.params(), subject.net.params(), &flat(&d_inputs)];
        all.concat().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    });
}
