//! All messages that the library prints at run time, compared with `messages.txt`. `BLESS=1` rewrites that file.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unrolled::data::{
    Augment, Format, Idx, ImageFolder, Sampler, Split, StandardizeError, Standardizer, Table,
    TextError, Vocabulary, VocabularyError, WeightedSamples, Windows, mixup, read_text,
};
use unrolled::io::{Dtype, LoadError, Mismatch, SaveError};
use unrolled::loss::{
    BatchLoss, BinaryCrossEntropyWithLogits, BinaryFocalWithLogits, CTC, Dice, Focal, GaussianNLL,
    Hinge, Huber, InfoNCE, LabelSequence, Loss, MarginRanking, MeanSquaredError, Mixed,
    MixedTarget, MultiMargin, NLL, NTXent, PoissonNLL, Quantile, TargetError, Triplet,
};
use unrolled::optim::schedule::{
    Constant, Cosine, Exponential, MultiStep, OneCycle, Plateau, Sequential, StepDecay,
};
use unrolled::optim::{
    self, Adagrad, AdaptiveClip, Clip, Optimizer, OptimizerState, RMSprop, StateError,
    TrainedRange, clip_norm, clip_value,
};
use unrolled::prelude::*;
use unrolled::train::{TrainError, Warning};
use unrolled::{RngKey, Sequence};

network! {
    struct Tiny(4) -> 2 { fc1: Dense(3), ReLU, fc2: Dense(2) }
    #[allow(bias_before_batch_norm, dense_after_dense)]
    struct Norm(4) -> 2 { fc1: Dense(3), BatchNorm, fc2: Dense(2) }
    struct Words(text: 5) -> 2 { words: Embedding(7, 3), GRU(4, output = last), Dense(2) }
    struct Picked(series: 4x2, places: 3) -> 3x2 { series => Gather(places) }
    struct Series(5x1) -> 5x2 { GRU(4), Dense(2) }
    struct Double(x: 4) -> (class: 2, place: 1) { class: Dense(2), place: x => Dense(1) }
    struct Groups(2x2x2) -> 2 { Flatten, GroupNorm(2), Dense(2) }
}

/// The messages, each below a heading.
#[derive(Default)]
struct Messages {
    text: String,
    /// The path of temporary files, which differs from run to run.
    folder: PathBuf,
}

impl Messages {
    fn add(&mut self, heading: &str, message: &str) {
        let folder = format!("{}/", self.folder.display());
        let message = message.replace(&folder, "");
        self.text += &format!("== {heading}\n{message}\n\n");
    }

    /// An error with its sources.
    fn error(&mut self, heading: &str, error: impl Error + 'static) {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(why) = cause {
            let text = why.to_string();
            if why.is::<io::Error>() || why.is::<Arc<io::Error>>() {
                // The words of the operating system, or of the decompressor.
                message = message.replace(&text, "(reason of the system)");
                message += "\nsource: (reason of the system)";
            } else {
                message += &format!("\nsource: {text}");
            }
            cause = why.source();
        }
        self.add(heading, &message);
    }

    fn panic(&mut self, heading: &str, f: impl FnOnce() + panic::UnwindSafe) {
        let payload = panic::catch_unwind(f).expect_err(heading);
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        self.add(heading, text.expect("a panic with a message"));
    }
}

fn points() -> Data<[f32; 4], u32> {
    let value = |i: usize| 2.0 * RngKey::new(1).uniform(i as u64) - 1.0;
    (0..8).map(|i| (std::array::from_fn(|j| value(4 * i + j)), u32::from(i % 2 == 0))).collect()
}

#[test]
fn messages_are_those_of_the_snapshot() {
    let folder = std::env::temp_dir().join(format!("unrolled-messages-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let mut messages = Messages { folder: folder.clone(), ..Messages::default() };
    targets(&mut messages);
    batches(&mut messages);
    optimizers(&mut messages);
    training(&mut messages);
    warnings(&mut messages);
    files(&mut messages, &folder);
    checkpoints(&mut messages, &folder);
    data(&mut messages, &folder);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    hyper_parameters(&mut messages);
    panics(&mut messages);
    panic::set_hook(hook);
    fs::remove_dir_all(&folder).expect("removed");

    // Lists are indented; two spaces inside of a line are a string literal continued without a backslash.
    let doubled = messages.text.lines().find(|line| line.trim_start().contains("  "));
    assert_eq!(doubled, None, "two spaces");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &messages.text).expect("written");
    }
    let expected = fs::read_to_string(&path).expect("tests/messages.txt");
    for (found, expected) in messages.text.split("\n\n").zip(expected.split("\n\n")) {
        assert_eq!(found, expected, "run with BLESS=1 if the new message is right");
    }
    assert_eq!(messages.text.len(), expected.len(), "messages were added or removed");
}

fn targets(messages: &mut Messages) {
    fn refused<O: Values, L: Loss<O>>(loss: &L, target: &L::Target) -> TargetError {
        loss.check(target).expect_err("a bad target")
    }
    let cross_entropy = CrossEntropy::new();
    messages.error("TargetError::Class", refused::<[f32; 2], _>(&cross_entropy, &2));
    let weighted = cross_entropy.clone().class_weights(&[1.0, 2.0, 3.0]);
    messages.error("TargetError::ClassWeights", refused::<[f32; 2], _>(&weighted, &0));
    let target = [0.0, f32::NAN];
    messages.error("TargetError::NotFinite", refused::<[f32; 2], _>(&MeanSquaredError, &target));
    let binary = BinaryCrossEntropyWithLogits::new();
    messages.error("TargetError::OutOfRange", refused::<[f32; 2], _>(&binary, &[0.0, 1.5]));
    let target = MixedTarget { first: 0, second: 1, share: 1.5 };
    messages.error("TargetError::Share", refused::<[f32; 2], _>(&Mixed(cross_entropy), &target));
    let labels = binary.pos_weights(&[1.0, 2.0, 3.0]);
    messages.error("TargetError::PosWeights", refused::<[f32; 2], _>(&labels, &[0.0, 1.0]));
    messages.error("TargetError::NotBinary", refused::<[f32; 2], _>(&Hinge::new(), &[1.0, 0.5]));
    let ctc = |blank: u32, labels: &[u32]| {
        let labels = LabelSequence::<4>::new(labels).expect("up to 4");
        refused::<[[f32; 3]; 5], _>(&CTC::new().blank(blank), &labels)
    };
    messages.error("TargetError::BlankClass", ctc(7, &[1]));
    messages.error("TargetError::Blank", ctc(0, &[1, 0]));
    messages.error("TargetError::TooManyLabels", ctc(0, &[1, 1, 1, 1]));
    let batch_loss = |outputs: usize, gradients: usize| {
        let (outputs, mut d) = (vec![[0.0; 2]; outputs], vec![[0.0; 2]; gradients]);
        Triplet::new().loss_and_gradient(&outputs, &mut d).expect_err("no triplets")
    };
    messages.error("BatchLossError::Groups", batch_loss(4, 4));
    messages.error("BatchLossError::Gradients", batch_loss(6, 4));
    messages.error("TargetError::Other", TargetError::from("expected a price above 0, found -1"));
}

fn batches(messages: &mut Messages) {
    let loss = CrossEntropy::new();
    let (mut net, mut d_net) = (Tiny::new(1), Tiny::zeros());
    let mut batch = |inputs: &[[f32; 4]], targets: &[u32]| {
        net.loss_and_gradients(&loss, inputs, targets, &mut d_net, RngKey::new(1))
            .expect_err("a bad batch")
    };
    messages.error("BatchError::Empty", batch(&[], &[]));
    messages.error("BatchError::Targets", batch(&[[0.0; 4]; 2], &[0]));
    messages.error("BatchError::Target", batch(&[[0.0; 4]; 2], &[0, 7]));
    let (mut norm, mut d_norm) = (Norm::new(1), Norm::zeros());
    let found = norm.loss_and_gradients(&loss, &[[0.0; 4]], &[0], &mut d_norm, RngKey::new(1));
    messages.error("BatchError::TooFew", found.expect_err("one sample"));
    let key = RngKey::new(1);
    let found = unrolled::loss_and_all_gradients(
        &mut *net,
        &loss,
        &[[0.0; 4]; 2],
        &[0, 1],
        &mut *d_net,
        &mut [[0.0; 4]],
        key,
    );
    messages.error("BatchError::InputGradients", found.expect_err("one gradient for two inputs"));
    passes(messages);
    let (mut series, mut d_series) = (Series::new(1), Series::zeros());
    let found = unrolled::loss_and_gradients_from(
        &mut *series,
        &loss,
        &[[[0.0]; 5]],
        &[[0; 5]],
        &mut *d_series,
        &mut [0.0; 3],
        key,
    );
    messages.error("BatchError::State", found.expect_err("a state that is too short"));
    let found = Words::check_inputs(&[[0; 5], [0, 1, 7, 2, 3]]);
    messages.error("BatchError::Input", found.expect_err("an unknown token"));
    let found = Picked::check_inputs(&[([[0.0; 2]; 4], [0, 3, 4])]);
    messages.error("BatchError::Input of a `Gather`", found.expect_err("an index of no step"));
    let data = Data { inputs: vec![[0.0; 4]], targets: vec![(2, [0.0])] };
    let found = Double::new(1).evaluate(&data, &(CrossEntropy::new(), MeanSquaredError));
    messages.error("BatchError::Target of one of several outputs", found.expect_err("a class"));
    let none: [f32; 0] = [];
    messages.error("SequenceError::Empty", Sequence::<f32, 3>::new(&none).expect_err("no steps"));
    let found = Sequence::<f32, 3>::new(&[0.0; 4]);
    messages.error("SequenceError::TooLong", found.expect_err("too many steps"));
}

fn passes(messages: &mut Messages) {
    let (mut net, mut d_net) = (Tiny::new(1), Tiny::zeros());
    let mut pass = TrainPass::<Tiny>::new(2);
    let found = pass.backward(&net, &[[0.0; 2]; 2], &mut d_net, None);
    messages.error("BatchError::NoForward", found.expect_err("no forward pass"));
    let found = pass.forward(&mut net, &[[0.0; 4]; 3], RngKey::new(1)).map(drop);
    messages.error("BatchError::TooMany", found.expect_err("three samples"));
    pass.forward(&mut net, &[[0.0; 4]; 2], RngKey::new(1)).expect("two samples");
    let found = pass.backward(&net, &[[0.0; 2]; 1], &mut d_net, None);
    messages.error("BatchError::OutputGradients", found.expect_err("one gradient"));
    let activations = Tiny::new(1).activations(&[0.0; 4]).expect("an input");
    messages.error("UnknownPath", activations.get("fc3").expect_err("no such line"));
}

fn optimizers(messages: &mut Messages) {
    let groups = optim::Groups::new(SGD::new(0.1)).freeze("layers.*");
    messages.error("GroupsError", groups.check::<Tiny>().expect_err("no such layers"));
    let state = Adam::new(0.1).state().with("exp_avg", &[0.0]);
    let mut refused = |name: &str, optimizer: &mut dyn Optimizer, state: &OptimizerState| {
        messages.error(name, optimizer.set_state(state.clone()).expect_err("another state"));
    };
    refused("StateError::Optimizer", &mut SGD::new(0.1), &state);
    refused("StateError::Values", &mut Adam::new(0.1), &state);
    let state = state.with("exp_avg_sq", &[0.0; 2]);
    refused("StateError::Len", &mut Adam::new(0.1), &state);
}

fn training(messages: &mut Messages) {
    fn fit<L: Loss<[f32; 2]>>(
        net: &mut Tiny,
        data: &Data<[f32; 4], L::Target>,
        loss: &L,
        rate: f64,
    ) -> TrainError {
        let mut trainer = Trainer::new(SGD::new(rate)).quiet();
        trainer.fit(net, data, loss).expect_err("training that fails")
    }
    let loss = CrossEntropy::new();
    let mut wrong = points();
    wrong.targets[4] = 2;
    messages.error("TrainError::Data", fit(&mut Tiny::new(1), &wrong, &loss, 0.1));
    let mut trainer = Trainer::new(SGD::new(0.1)).carry_state().quiet();
    let found = trainer.fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("TrainError::NoState", found.expect_err("no recurrent layer"));
    let mut trainer = Trainer::new(Adam::new(0.1).lazy()).accumulate(2).quiet();
    let found = trainer.fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("TrainError::Lazy", found.expect_err("a sum of gradients"));
    let batches = |size| Trainer::new(SGD::new(0.1)).batch(size).quiet();
    let found = batches(7).fit(&mut Norm::new(1), &points(), &loss);
    messages.error("TrainError::LastBatch", found.expect_err("a last batch of one sample"));
    let found = batches(9).drop_last(true).fit(&mut Norm::new(1), &points(), &loss);
    messages.error("TrainError::NoBatch", found.expect_err("too few samples"));
    let mut stopped = batches(4).on_step(|_| ControlFlow::Break(()));
    let found = stopped.fit_epoch(&mut Norm::new(1), &points(), &loss);
    messages.error("TrainError::Stopped", found.expect_err("one of two steps"));
    let found = batches(4).resume(true).fit(&mut Norm::new(1), &points(), &loss);
    messages.error("CheckpointError::NoFolder", found.expect_err("no folder"));
    let rate = |epoch| if epoch < 3 { 0.1 } else { f64::NAN };
    let mut trainer = Trainer::new(SGD::new(0.1)).learning_rate(rate).quiet();
    let found = trainer.fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("TrainError::LearningRate", found.expect_err("a rate of NaN"));
    let mut wrong = points();
    wrong.inputs[7][2] = f32::NAN;
    let found = Trainer::new(SGD::new(0.1)).validate(&wrong).quiet().fit(
        &mut Tiny::new(1),
        &points(),
        &loss,
    );
    messages.error("TrainError::Input", found.expect_err("an input of NaN"));

    let mut net = Tiny::new(1);
    net.fc1.weight[0] = [3e38, 0.0, 0.0];
    net.fc2.weight[0] = [1e3, 0.0];
    let large = |second| Data { inputs: vec![[1.0, second, 0.0, 0.0]; 8], targets: vec![0; 8] };
    messages.error("TrainError::Loss", fit(&mut net, &large(1.0), &loss, 0.1));
    messages.error("TrainError::Loss with large inputs", fit(&mut net, &large(200.0), &loss, 0.1));
    let mut net = Tiny::zeros();
    net.fc1.weight[0] = [1e-20, 0.0, 0.0];
    net.fc2.weight[0] = [1e20, 0.0];
    let data = Data { inputs: vec![[1.0, 0.0, 0.0, 0.0]; 8], targets: vec![[-1e19, 0.0]; 8] };
    messages.error("TrainError::Gradient", fit(&mut net, &data, &MeanSquaredError, 0.1));
    let mut net = Tiny::new(1);
    net.fc1.bias[2] = f32::NEG_INFINITY;
    let before = fit(&mut net, &points(), &loss, 0.1);
    messages.error("TrainError::Weight before training", before);
    let data = Data { inputs: vec![[1e3; 4]; 8], targets: vec![[1e3; 2]; 8] };
    let mut net = Tiny::zeros();
    net.fc1.bias = [1.0; 3];
    let after = fit(&mut net, &data, &MeanSquaredError, 1e38);
    messages.error("TrainError::Weight after an epoch", after);
}

fn warnings(messages: &mut Messages) {
    for (heading, warning) in [
        (
            "Warning::Vanishing",
            Warning::Vanishing {
                layer: "first".into(),
                gradient: 1.5e-9,
                later: "last".into(),
                larger: 0.25,
            },
        ),
        (
            "Warning::Exploding",
            Warning::Exploding { layer: "first".into(), gradient: 1.5e9, weights: 0.25 },
        ),
        ("Warning::DeadUnits", Warning::DeadUnits { layer: "first".into(), dead: 5, units: 8 }),
    ] {
        messages.add(heading, &warning.to_string());
    }
    // The opposite classes: what is learnt from the training data is wrong for the validation data.
    let train = points();
    let mut opposite = train.clone();
    opposite.targets.iter_mut().for_each(|class| *class = 1 - *class);
    let history = Trainer::new(SGD::new(0.5))
        .validate(&opposite)
        .epochs(5)
        .on_epoch(|_, _| {})
        .quiet()
        .fit(&mut Tiny::new(1), &train, &CrossEntropy::new())
        .expect("sound data");
    let found = history.overfitting().expect("training that only memorises").to_string();
    // Losses differ in their last bits between processors.
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    messages.add("Overfitting", &found.chars().map(digits).collect::<String>());
}

fn files(messages: &mut Messages, folder: &Path) {
    let path = folder.join("net.safetensors");
    let net = Tiny::new(1);
    let missing = folder.join("missing").join("net.safetensors");
    messages.error("SaveError::Write", net.save(&missing).expect_err("no such folder"));
    let pairs = BTreeMap::from([((1_u8, 2_u8), 3_u8)]);
    messages.error("SaveError::Extra", net.save_with(&path, &pairs).expect_err("keys"));
    messages.error("SaveError::Header", SaveError::Header { why: "too many tensors".into() });
    let mut large = Tiny::new(1);
    large.fc1.bias[1] = 70000.0;
    let found = large.save_as(&path, Dtype::F16);
    messages.error("SaveError::Overflow", found.expect_err("above the largest half"));
    let mut adam = Adam::new(0.1);
    adam.update(&mut Norm::new(1), &Norm::zeros());
    let found = Tiny::save_optimizer(&adam, &path);
    messages.error("SaveError::State", found.expect_err("the state for another network"));
    Norm::save_optimizer(&adam, &path).expect("written");
    let found = Norm::load_optimizer(&mut SGD::new(0.1), &path);
    messages.error("LoadError::State", found.expect_err("the state of another optimiser"));
    net.save(&path).expect("written");
    let found = Tiny::load_optimizer(&mut adam, &path);
    messages.error("LoadError::NoState", found.expect_err("weights"));
    fs::remove_file(&path).expect("removed");

    let load = || Tiny::load(&path).map(drop).expect_err("a bad file");
    messages.error("LoadError::Read", load());
    let mut read = |heading: &str, bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        messages.error(heading, load());
    };
    for (format, bytes) in [
        ("an empty file", &b""[..]),
        ("a zip archive", b"PK\x03\x04"),
        ("a pickle", b"\x80\x02\x8a\x0a"),
        ("HDF5", b"\x89HDF"),
        ("GGUF", b"GGUF"),
        ("NumPy", b"\x93NUMPY"),
        ("gzip", b"\x1f\x8b"),
        ("Git LFS", b"version https://git-lfs"),
        ("text", b"once upon a time"),
    ] {
        read(&format!("LoadError::Foreign, {format}"), bytes);
    }
    read("LoadError::Damaged, no length", &[1, 2, 3]);
    read("LoadError::Damaged, short header", &[100, 0, 0, 0, 0, 0, 0, 0, b'{']);
    read("LoadError::Damaged, bad header", &[2, 0, 0, 0, 0, 0, 0, 0, b'{', b']']);
    damaged_headers(&mut read);
    net.save(&path).expect("saved");
    let whole = fs::read(&path).expect("read");
    read("LoadError::Damaged, short tensors", &whole[..whole.len() - 3]);
    let longer = [&whole[..], b"???"].concat();
    read("LoadError::Damaged, long tensors", &longer);

    Norm::new(1).save(&path).expect("saved");
    messages.error("LoadError::Mismatch, other names", load());
    let mismatches = vec![
        Mismatch::Missing {
            tensor: "fc1.weight".into(),
            shape: vec![3, 4],
            near: Some("dense.weight".into()),
        },
        Mismatch::Unexpected { tensor: "fc3.weight".into(), shape: vec![2] },
        Mismatch::Shape { tensor: "fc2.bias".into(), expected: vec![2], found: vec![1, 2] },
        Mismatch::Differs {
            tensor: "head.weight".into(),
            owner: "tokens.weight".into(),
            index: 5,
            found: 0.5,
            expected: 0.25,
        },
        Mismatch::Element {
            tensor: "fc1.bias".into(),
            expected: "F32 (or F64, F16, BF16)",
            found: "I8".into(),
        },
    ];
    let one = mismatches[..1].to_vec();
    messages.add_mismatch("LoadError::Mismatch, one", &path, one);
    messages.add_mismatch("LoadError::Mismatch, all kinds", &path, mismatches);

    Groups::new(1).save(&path).expect("saved");
    messages.error("LoadError::OwnOrder", load());
    net.save(&path).expect("saved");
    messages.error("LoadError::Order", Groups::load(&path).map(drop).expect_err("another order"));
    let found = Tiny::load_with::<Standardizer>(&path).map(drop);
    messages.error("LoadError::NoExtra", found.expect_err("nothing stored"));
    net.save_with(&path, &["a", "b"]).expect("saved");
    let found = Tiny::load_with::<Vec<f64>>(&path).map(drop);
    messages.error("LoadError::Extra", found.expect_err("strings"));
    let statistics = BTreeMap::from([("mean", vec![1.0]), ("deviation", vec![0.0])]);
    net.save_with(&path, &statistics).expect("saved");
    let found = Tiny::load_with::<Standardizer>(&path).map(drop);
    messages.error("LoadError::Extra, an unsound standardizer", found.expect_err("zero"));
}

/// Headers that are JSON and refused; `read` takes a heading and a file.
fn damaged_headers(read: &mut impl FnMut(&str, &[u8])) {
    let entry = |name: &str, shape: &[usize]| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[0,0]}}"#)
    };
    let many: Vec<_> = (0..2000).map(|i| entry(&i.to_string(), &[0])).collect();
    for (heading, entries) in [
        ("LoadError::Damaged, two names", [entry("a", &[0]), entry("a", &[0])].join(",")),
        ("LoadError::Damaged, a long name", entry(&"a".repeat(5000), &[0])),
        ("LoadError::Damaged, dimensions", entry("a", &[0; 65])),
        ("LoadError::TooManyTensors", many.join(",")),
    ] {
        let header = format!("{{{entries}}}");
        let len = (header.len() as u64).to_le_bytes();
        read(heading, &[&len, header.as_bytes()].concat());
    }
}

impl Messages {
    /// Differences take a line each, indented.
    fn add_mismatch(&mut self, heading: &str, path: &Path, mismatches: Vec<Mismatch>) {
        self.error(heading, LoadError::Mismatch { path: path.into(), mismatches });
    }
}

/// A user's optimiser, which does not state its settings.
struct WithoutSettings(SGD);

impl Optimizer for WithoutSettings {
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[TrainedRange]) {
        self.0.step(weights, gradient, trained);
    }
    fn learning_rate(&self) -> f64 {
        self.0.learning_rate()
    }
    fn set_learning_rate(&mut self, rate: f64) {
        self.0.set_learning_rate(rate);
    }
    fn state(&self) -> OptimizerState {
        self.0.state()
    }
    fn set_state(&mut self, state: OptimizerState) -> Result<(), StateError> {
        self.0.set_state(state)
    }
}

/// Refused checkpoints. Those of damaged files are errors of `load`.
fn checkpoints(messages: &mut Messages, folder: &Path) {
    let (folder, loss) = (folder.join("run"), CrossEntropy::new());
    let trainer = || Trainer::new(SGD::new(0.1)).checkpoint(&folder).resume(true).quiet();
    trainer().fit(&mut Tiny::new(1), &points(), &loss).expect("sound data");
    let mut other = Trainer::new(SGD::new(0.1)).checkpoint(&folder).resume(true).quiet();
    other = other.batch(4).seed(7);
    let found = other.fit(&mut Norm::new(1), &points(), &loss);
    messages.error("CheckpointError::Differs", found.expect_err("another network"));
    let momentum = || SGD::new(0.1).momentum(0.9);
    let mut other = Trainer::new(momentum()).checkpoint(&folder).quiet();
    other.fit(&mut Tiny::new(1), &points(), &loss).expect("sound data");
    let found = trainer().fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("CheckpointError::Differs, settings", found.expect_err("other settings"));
    let mut other = Trainer::new(WithoutSettings(momentum())).checkpoint(&folder).quiet();
    other.fit(&mut Tiny::new(1), &points(), &loss).expect("sound data");
    let other = Trainer::new(WithoutSettings(SGD::new(0.1))).checkpoint(&folder).quiet();
    let found = other.resume(true).fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("CheckpointError::Optimizer", found.expect_err("other values"));
    Tiny::new(1).save(folder.join("last.ckpt")).expect("saved");
    let found = trainer().fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("CheckpointError::Format", found.expect_err("weights"));
    fs::write(folder.join("last.ckpt"), "").expect("written");
    let found = trainer().fit(&mut Tiny::new(1), &points(), &loss);
    messages.error("CheckpointError::Load", found.expect_err("an empty file"));
    let file = folder.join("last.ckpt");
    let found = Trainer::new(SGD::new(0.1)).checkpoint(&file).quiet().fit(
        &mut Tiny::new(1),
        &points(),
        &loss,
    );
    messages.error("CheckpointError::Folder", found.expect_err("a file"));
}

fn data(messages: &mut Messages, folder: &Path) {
    let text = |result: Result<(), TextError>| result.expect_err("bad text");
    let path = folder.join("text.txt");
    messages.error("TextError::Unreadable", text(read_text(&path).map(drop)));
    fs::write(&path, b"fine\nnot \xff fine\n").expect("written");
    messages.error("TextError::Malformed, UTF-8", text(read_text(&path).map(drop)));
    let table = |bytes: &[u8]| Table::parse("days.csv", bytes, Format::CSV);
    let days = table(b"day,low,sky\nMon,2.5,fair\nTue,,rain\n").expect("a table");
    let low = days.column("low").expect("a column");
    let sky = days.column("sky").expect("a column");
    for (what, result) in [
        ("no header", table(b"").map(drop)),
        ("fields", table(b"a,b\n1\n").map(drop)),
        ("UTF-8 in a table", table(b"a,b\n1,\xff\n").map(drop)),
        ("equal names", table(b"a,b,a\n1,2,3\n").map(drop)),
        ("no names", table(b",b,\n").and_then(|table| table.column("").map(drop))),
        ("name of a column", days.column("high").map(drop)),
        ("index of a column", days.column(3).map(drop)),
        ("number", low.numbers().map(drop)),
        ("number or nothing", sky.numbers_with_gaps().map(drop)),
        ("class", sky.classes(&["sun", "rain"]).map(drop)),
        ("parsed", sky.parse::<u32>("a year").map(drop)),
    ] {
        messages.error(&format!("TextError::Malformed, {what}"), text(result));
    }
    let plain = Table::parse("days.csv", b"1\n", Format::CSV.without_header()).expect("a table");
    let found = text(plain.column("a").map(drop));
    messages.error("TextError::Malformed, columns without names", found);

    let idx = |bytes: &[u8]| Idx::parse("digits", bytes);
    messages.error("IdxError::Unreadable", Idx::read(folder.join("idx")).expect_err("missing"));
    for (what, bytes) in [
        ("magic number", &b"PNG!"[..]),
        ("short magic number", &[0, 0]),
        ("type", &[0, 0, 13, 1, 0, 0, 0, 0]),
        ("no dimensions", &[0, 0, 8, 0]),
        ("short dimensions", &[0, 0, 8, 1, 0]),
        ("huge dimensions", &[[0, 0, 8, 4].as_slice(), &[255; 16]].concat()),
        ("short values", &[0, 0, 8, 1, 0, 0, 0, 2, 5]),
        ("long values", &[0, 0, 8, 1, 0, 0, 0, 1, 5, 6]),
    ] {
        messages.error(&format!("IdxError::Malformed, {what}"), idx(bytes).expect_err(what));
    }
    let images = idx(&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 7, 8]).expect("an image");
    let labels = idx(&[0, 0, 8, 1, 0, 0, 0, 2, 5, 6]).expect("labels");
    for (what, found) in [
        ("rows", images.images::<3, 1>().map(drop)),
        ("columns", images.images::<2, 2>().map(drop)),
        ("images", labels.images::<2, 1>().map(drop)),
        ("labels", images.labels().map(drop)),
        ("number of labels", images.labelled::<2, 1>(&labels).map(drop)),
    ] {
        messages.error(&format!("IdxError::Malformed, {what}"), found.expect_err(what));
    }

    let found = Standardizer::over_all::<[f32; 2]>(&[]).expect_err("no samples");
    messages.error("StandardizeError::Empty", found);
    let found = Standardizer::over_all(&[[0.0, 1.0], [2.0, f32::INFINITY]]);
    messages.error("StandardizeError::NotFinite", found.expect_err("infinity"));
    let weights =
        |weights: &[f32]| WeightedSamples::new(points(), weights).expect_err("bad weights");
    messages.error("WeightsError::Len", weights(&[1.0]));
    messages.error("WeightsError::Weight", weights(&[1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0]));
    messages.error("WeightsError::Zero", weights(&[0.0; 8]));
    messages.error("SplitError::Folds", Split::folds(8, 9, 1).expect_err("more than samples"));
    messages.error("SplitError::Fraction", Split::random(8, 1.5, 1).expect_err("more than all"));
    image_folders(messages, &folder.join("photos"));
    messages.error("StandardizeError::Unsound", StandardizeError::Unsound);
    let entry = || String::from("a b");
    messages.error("VocabularyError::Entry", VocabularyError::Entry { entry: entry() });
    messages.error("VocabularyError::Duplicate", VocabularyError::Duplicate { entry: entry() });
}

fn image_folders(messages: &mut Messages, folder: &Path) {
    let read = || ImageFolder::<2, 2, 3>::read(folder).expect_err("no images");
    messages.error("ImageFolderError::Folder", read());
    fs::create_dir(folder).expect("created");
    messages.error("ImageFolderError::NoClasses", read());
    fs::create_dir(folder.join("cat")).expect("created");
    messages.error("ImageFolderError::NoImages", read());
    fs::write(folder.join("cat/1.png"), "no image").expect("written");
    messages.error("ImageFolderError::Image", read());
    fs::write(folder.join("cat/1.png"), BLACK_PIXEL).expect("written");
    messages.error("ImageFolderError::Size", read());
}

/// A PNG file of one black pixel.
const BLACK_PIXEL: [u8; 67] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0,
    0, 0, 58, 126, 155, 85, 0, 0, 0, 10, 73, 68, 65, 84, 120, 218, 99, 96, 0, 0, 0, 2, 0, 1, 229,
    39, 222, 252, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// Each hyper-parameter with a value outside its range.
fn hyper_parameters(messages: &mut Messages) {
    macro_rules! refuse {
        ($($value:expr),* $(,)?) => {
            $(messages.panic(stringify!($value), || {
                let _ = $value;
            });)*
        };
    }
    refuse!(
        SGD::new(-0.1),
        SGD::new(f64::NAN),
        SGD::new(f64::INFINITY),
        SGD::new(0.1).momentum(1.0),
        SGD::new(0.1).dampening(1.5),
        SGD::new(0.1).weight_decay(-0.1),
        SGD::new(0.1).set_learning_rate(-1.0),
        Adam::new(-0.1),
        AdamW::new(-0.1),
        Adam::new(0.1).betas(1.0, 0.9),
        Adam::new(0.1).betas(0.9, -0.1),
        Adam::new(0.1).eps(-1e-8),
        Adam::new(0.1).weight_decay(f64::NAN),
        Adam::new(0.1).set_learning_rate(f64::NAN),
        RMSprop::new(-0.1),
        RMSprop::new(0.1).alpha(1.0),
        RMSprop::new(0.1).eps(-1.0),
        RMSprop::new(0.1).weight_decay(-1.0),
        RMSprop::new(0.1).momentum(-0.5),
        RMSprop::new(0.1).set_learning_rate(-1.0),
        Adagrad::new(-0.1),
        Adagrad::new(0.1).lr_decay(-1.0),
        Adagrad::new(0.1).weight_decay(-1.0),
        Adagrad::new(0.1).initial_accumulator_value(-1.0),
        Adagrad::new(0.1).eps(-1.0),
        Adagrad::new(0.1).set_learning_rate(-1.0),
        NAdam::new(-0.1),
        NAdam::new(0.1).betas(1.0, 0.9),
        NAdam::new(0.1).betas(0.9, 1.0),
        NAdam::new(0.1).eps(-1.0),
        NAdam::new(0.1).weight_decay(-1.0),
        NAdam::new(0.1).momentum_decay(-1.0),
        NAdam::new(0.1).set_learning_rate(-1.0),
        RAdam::new(-0.1),
        RAdam::new(0.1).betas(1.0, 0.9),
        RAdam::new(0.1).betas(0.9, 1.0),
        RAdam::new(0.1).eps(-1.0),
        RAdam::new(0.1).weight_decay(-1.0),
        RAdam::new(0.1).set_learning_rate(-1.0),
        LAMB::new(-0.1),
        LAMB::new(0.1).betas(1.0, 0.9),
        LAMB::new(0.1).betas(0.9, 1.0),
        LAMB::new(0.1).eps(-1.0),
        LAMB::new(0.1).weight_decay(-1.0),
        LAMB::new(0.1).set_learning_rate(-1.0),
        Lion::new(-0.1),
        Lion::new(0.1).betas(1.0, 0.9),
        Lion::new(0.1).betas(0.9, 1.0),
        Lion::new(0.1).weight_decay(-1.0),
        Lion::new(0.1).set_learning_rate(-1.0),
        Muon::new(-0.1),
        Muon::new(0.1).momentum(1.0),
        Muon::new(0.1).adamw_rate(-1.0),
        Muon::new(0.1).betas(1.0, 0.9),
        Muon::new(0.1).eps(-1.0),
        Muon::new(0.1).weight_decay(-1.0),
        Muon::new(0.1).set_learning_rate(-1.0),
        LBFGS::new(-0.1),
        LBFGS::new(0.1).max_iter(0),
        LBFGS::new(0.1).max_eval(0),
        LBFGS::new(0.1).tolerance_grad(-1.0),
        LBFGS::new(0.1).tolerance_change(-1.0),
        LBFGS::new(0.1).history_size(0),
        LBFGS::new(0.1).set_learning_rate(-1.0),
        LBFGS::new(0.1).strong_wolfe().update(&mut Tiny::new(1), &Tiny::zeros()),
        Adam::new(0.1).lazy().update(&mut Tiny::new(1), &Tiny::zeros()),
        optim::Groups::new(SGD::new(0.1)).rate("fc1", -0.1),
        Ema::new(&Tiny::new(1), 1.0),
        Constant::new(1.5, 3),
        StepDecay::new(0, 0.5),
        StepDecay::new(3, -0.5),
        Exponential::new(f64::NAN),
        MultiStep::new(&[2, 2], 0.5),
        MultiStep::new(&[2], -0.5),
        Sequential::new(Exponential::new(0.9)).then(0, Exponential::new(0.9)),
        Cosine::new(0),
        Cosine::new(9).least(-0.1),
        Cosine::new(9).warm_up(3, 1.5),
        OneCycle::new(-0.1, 9),
        OneCycle::new(0.1, 0),
        OneCycle::new(0.1, 9).rising(1.5),
        OneCycle::new(0.1, 9).div_factors(0.0, 1.0),
        OneCycle::new(0.1, 9).div_factors(1.0, -1.0),
        Plateau::new().factor(1.0),
        Plateau::new().threshold(-0.1),
        Plateau::new().least(-0.1),
        clip_norm(&mut [1.0_f32], -1.0),
        clip_value(&mut [1.0_f32], f32::NAN),
        AdaptiveClip::new::<Tiny>(-0.1, &[]),
        AdaptiveClip::new::<Tiny>(0.1, &["head"]),
        Trainer::<_, Tiny, u32>::new(SGD::new(0.1)).clip(Clip::Norm(-1.0)),
        Trainer::<_, Tiny, u32>::new(SGD::new(0.1)).clip(Clip::Value(-1.0)),
        Trainer::<_, Tiny, u32>::new(SGD::new(0.1))
            .clip(Clip::Adaptive { ratio: -1.0, except: &[] }),
        Trainer::<_, Tiny, u32>::new(SGD::new(0.1)).batch(0),
        Trainer::<_, Tiny, u32>::new(SGD::new(0.1)).prefetch_threads(0),
        Windows::<f32, 3, 1>::new(&[]).stride(0),
        CrossEntropy::new().label_smoothing(1.5),
        CrossEntropy::new().class_weights(&[]),
        CrossEntropy::new().class_weights(&[1.0, -1.0]),
        BinaryCrossEntropyWithLogits::new().pos_weight(-1.0),
        Huber::new().delta(0.0),
        BinaryCrossEntropyWithLogits::new().pos_weights(&[]),
        BinaryFocalWithLogits::new().alpha(1.5),
        BinaryFocalWithLogits::new().gamma(-1.0),
        Dice::new().smooth(0.0),
        Focal::new().gamma(-1.0),
        GaussianNLL::new().eps(0.0),
        Hinge::new().margin(-1.0),
        InfoNCE::new(0.0),
        MarginRanking::new().margin(-1.0),
        MultiMargin::new().margin(-1.0),
        NLL::new().class_weights(&[-1.0]),
        NTXent::new(0.0),
        PoissonNLL::new().eps(0.0),
        Quantile::new(1.5),
        Triplet::new().margin(0.0),
        MeanSquaredError.weighted(-0.3),
        mixup(&points(), 0.0, 1),
        Augment::new().rotate(-1.0),
        Sampler::new(1).temperature(-1.0),
        Vocabulary::words().size(0),
    );
}

fn panics(messages: &mut Messages) {
    messages.panic("Data::split_off", || drop(points().split_off(9)));
    messages.panic("Data::shuffle", || {
        let mut data = points();
        data.targets.pop();
        data.shuffle(1);
    });
    let tokens = Data { inputs: vec![[1_u32, 2]], targets: vec![0_u32] };
    messages.panic("mixup of tokens", move || drop(mixup(&tokens, 0.4, 1)));
    messages.panic("Augment::images", || {
        Augment::new().images(&[[[[0.0]]]; 2], 1, &mut [[[[0.0]]]; 1]);
    });
    messages.panic("Sampler::draw", || {
        Sampler::new(1).draw(&[0.0, f32::NAN]);
    });
    messages.panic("Standardizer::per_channel", || {
        drop(Standardizer::per_channel(&[[0.0; 3]], 2));
    });
    messages.panic("Optimizer::step for another network", || {
        let mut adam = Adam::new(0.1);
        adam.step(&mut [0.0; 3], &[1.0; 3], &[]);
        adam.step(&mut [0.0; 4], &[1.0; 4], &[]);
    });
    messages.panic("forward_batch with too few outputs", || {
        Tiny::new(1).forward_batch(&[[0.0; 4]; 2], &mut [[0.0; 2]]);
    });
    messages.panic("forward_batch with an unknown token", || {
        Words::new(1).forward_batch(&[[7; 5]], &mut [[0.0; 2]]);
    });
}
