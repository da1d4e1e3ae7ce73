//! Checkpoints: an interrupted run that is resumed ends with the bits of one that was not.

use super::threads::data;
use crate::common::{bits, temporary};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use std::time::Duration;
use unrolled::data::Augment;
use unrolled::optim::schedule::{Cosine, Plateau};
use unrolled::prelude::*;
use unrolled::train::{CheckpointError, History, TrainError};
use unrolled::{RngKey, parallel};

network! {
    #[allow(bias_before_batch_norm)]
    struct Net(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, ReLU, Flatten, Dense(16), ReLU, Dropout(0.5), Dense(3),
    }

    #[allow(bias_before_batch_norm)]
    struct Other(8x8x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, GELU, Flatten, Dense(16), ReLU, Dropout(0.5), Dense(3),
    }

    struct Chunk(2) -> 2x3 { Embedding(3, 4), LSTM(4), Dense(3) }
}

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = temporary(&format!("checkpoints/{name}"));
    fs::remove_dir_all(&folder).ok();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

/// The losses of all epochs.
fn losses(history: &History) -> Vec<[u64; 2]> {
    let bits = |score: unrolled::train::Score| score.loss.to_bits();
    let epoch = |epoch: &unrolled::train::Epoch| {
        [bits(epoch.training), bits(epoch.validation.expect("validated"))]
    };
    history.epochs.iter().map(epoch).collect()
}

const EPOCHS: usize = 4;
/// The last batch has 3 samples.
const STEPS: usize = 6;

/// Trains from the checkpoint in the folder, and stops after `stop` steps.
fn train(folder: &Path, stop: Option<usize>) -> (Box<Net>, History) {
    let mut steps = 0;
    fit(folder, |trainer| {
        trainer.on_step(move |_| {
            steps += 1;
            if stop == Some(steps) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    })
}

/// Trains from the checkpoint in the folder, with further settings.
fn fit(
    folder: &Path,
    with: impl FnOnce(Trainer<'_, Adam, Net, u32>) -> Trainer<'_, Adam, Net, u32>,
) -> (Box<Net>, History) {
    let (train, valid, loss) = (data(53, 1), data(20, 2), CrossEntropy::new());
    let mut net = Net::new(5);
    let trainer = Trainer::new(Adam::new(1e-2))
        .batch(10)
        .epochs(EPOCHS)
        .seed(3)
        .schedule_steps(Cosine::new(EPOCHS * STEPS).warm_up(3, 0.1))
        .validate(&valid)
        .keep_best(true)
        .checkpoint(folder)
        .checkpoint_every(4)
        .resume(true)
        .quiet();
    let history = with(trainer).fit(&mut net, &train, &loss).expect("sound data");
    (net, history)
}

#[test]
fn a_resumed_run_has_the_bits_of_an_uninterrupted_one() {
    let whole = folder("whole");
    let (net, history) = train(&whole, None);
    let last = fs::read(whole.join("last.ckpt")).expect("written");
    let best = fs::read(whole.join("best.ckpt")).expect("written");
    for seed in 0..6 {
        let parts = folder(&format!("parts {seed}"));
        let mut left = EPOCHS * STEPS;
        for part in 0.. {
            let stop = 1 + RngKey::new(seed).bits(part) as usize % 11;
            let threads = [1, 3, 2][part as usize % 3];
            let run = || train(&parts, Some(stop));
            let (found, record) =
                parallel::with_threads(threads, || parallel::whatever_the_work(run));
            left = left.saturating_sub(stop);
            if left == 0 {
                assert_eq!(losses(&record), losses(&history), "seed {seed}");
                assert_eq!(record.kept, history.kept);
                assert_eq!(bits(found.params()), bits(net.params()), "seed {seed}");
                break;
            }
        }
        assert!(fs::read(parts.join("last.ckpt")).expect("written") == last, "seed {seed}");
        assert!(fs::read(parts.join("best.ckpt")).expect("written") == best, "seed {seed}");
        assert_eq!(names(&parts), ["best.ckpt", "last.ckpt"]);
        // A run that has ended is only loaded.
        let (again, record) = train(&parts, None);
        assert_eq!((bits(again.params()), record.epochs.len()), (bits(net.params()), EPOCHS));
    }
}

#[test]
fn checkpoints_are_weights() {
    let folder = folder("weights");
    let (_, history) = train(&folder, None);
    let valid = data(20, 2);
    let best = Net::load(folder.join("best.ckpt")).expect("weights");
    let lowest = history.epochs[history.kept.expect("the best epoch") - 1];
    assert_eq!(best.evaluate(&valid, &CrossEntropy::new()).ok(), lowest.validation);
    let last = Net::load(folder.join("last.ckpt")).expect("weights");
    let found = last.evaluate(&valid, &CrossEntropy::new()).ok();
    assert_eq!(found, history.epochs[EPOCHS - 1].validation);
}

/// Schedules with a memory, accumulated gradients, early stopping, and another optimiser.
#[test]
fn schedules_and_early_stopping_are_resumed() {
    fn train(folder: &Path, stop: Option<usize>) -> (Box<Net>, History) {
        let (train, valid, loss) = (data(33, 1), data(20, 2), CrossEntropy::new());
        let (mut net, mut steps) = (Net::new(5), 0);
        let history = Trainer::new(SGD::new(0.2).momentum(0.9))
            .batch(5)
            .accumulate(2)
            .drop_last(true)
            .epochs(30)
            .schedule_epochs(Plateau::new().patience(1).factor(0.5))
            .early_stopping(EarlyStopping::patience(6))
            .validate(&valid)
            .checkpoint(folder)
            .resume(true)
            .on_step(|_| {
                steps += 1;
                if stop == Some(steps) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .quiet()
            .fit(&mut net, &train, &loss)
            .expect("sound data");
        (net, history)
    }
    let (net, history) = train(&folder("plateau"), None);
    let epochs = history.epochs.len();
    assert!(epochs < 30, "early stopping: {history}");
    let rates: Vec<f64> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert!(rates[epochs - 1] < 0.1, "{rates:?}");
    let parts = folder("plateau in parts");
    let mut found = train(&parts, Some(7));
    while found.1.epochs.len() < epochs {
        found = train(&parts, Some(7));
    }
    // The last part may have ended with the last step of the last epoch.
    found = train(&parts, None);
    assert_eq!(losses(&found.1), losses(&history));
    assert_eq!(bits(found.0.params()), bits(net.params()));
}

#[test]
fn recurrent_states_are_resumed() {
    let text: Vec<u32> = (0..81).map(|i| i * i % 3).collect();
    let (chunks, loss) = (Data::next_steps(&text), CrossEntropy::new());
    let fit = |folder: &Path, stop: Option<u64>| {
        let mut net = Chunk::new(3);
        let mut trainer = Trainer::new(SGD::new(0.1))
            .batch(4)
            .epochs(2)
            .carry_state()
            .checkpoint(folder)
            .resume(true)
            .on_step(|step| match stop {
                Some(stop) if step.total_steps == stop => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .quiet();
        trainer.fit(&mut net, &chunks, &loss).expect("sound data");
        bits(net.params())
    };
    let (whole, parts) = (folder("states"), folder("states in parts"));
    fit(&parts, Some(4));
    assert_eq!(fit(&parts, None), fit(&whole, None));
}

/// The error of resuming the run of `train` with other settings.
fn refused<N>(change: impl Fn(Trainer<'_, Adam, N, u32>) -> Trainer<'_, Adam, N, u32>) -> TrainError
where
    N: Network<Input = super::threads::Image, Output = [f32; 3]>,
{
    let path = folder(std::any::type_name_of_val(&change).rsplit("::").nth(1).unwrap_or_default());
    train(&path, Some(3));
    let trainer = Trainer::new(Adam::new(1e-2)).batch(10).seed(3).checkpoint(&path).resume(true);
    let mut net = N::new(1);
    let before = bits(net.params());
    let error = change(trainer).quiet().fit(&mut net, &data(53, 1), &CrossEntropy::new());
    assert_eq!(bits(net.params()), before, "the network is unchanged");
    error.expect_err("another run")
}

/// What a refused checkpoint has of another run.
fn differences(error: TrainError) -> Vec<String> {
    match error {
        TrainError::Checkpoint(CheckpointError::Differs { differences, .. }) => {
            differences.iter().map(ToString::to_string).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_all_differences() {
    let message = refused::<Net>(|trainer| trainer.batch(11).seed(4).drop_last(true)).to_string();
    for part in [
        "batch size: expected 11, found 10",
        "seed: expected 4, found 3",
        "`drop_last`: expected true, found false",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_checkpoint_of_another_network_is_refused() {
    let message = refused::<Other>(|trainer| trainer).to_string();
    let part =
        "layer 2 of the network: expected `gelu`: GELU -> 6x6x4, found `relu`: ReLU -> 6x6x4";
    assert!(message.contains(part), "{message}");
}

#[test]
fn checkpoints_of_other_data_and_optimisers_are_refused() {
    let path = folder("data");
    train(&path, Some(3));
    let trainer = |rate| Trainer::new(AdamW::new(rate)).batch(10).seed(3).quiet();
    let mut resumed = trainer(0.5).checkpoint(&path).resume(true);
    let error =
        resumed.fit(&mut Net::new(1), &data(52, 1), &CrossEntropy::new()).expect_err("other");
    let expected = [
        r#"optimiser: expected "AdamW", found "Adam""#,
        "learning rate of the optimiser: expected 0.5, found 0.01",
        "number of training samples: expected 52, found 53",
    ];
    assert_eq!(differences(error), expected);
}

#[test]
fn other_settings_of_an_optimiser_are_refused() {
    let path = folder("settings");
    train(&path, Some(3));
    let optimizer = Groups::new(Adam::new(0.01).betas(0.5, 0.999).amsgrad()).freeze("dense");
    let mut resumed =
        Trainer::new(optimizer).batch(10).seed(3).quiet().checkpoint(&path).resume(true);
    let error =
        resumed.fit(&mut Net::new(1), &data(53, 1), &CrossEntropy::new()).expect_err("other");
    let expected = [
        "first beta of the optimiser: expected 0.5, found 0.9",
        "AMSGrad of the optimiser: expected 1, found 0",
        "rule 1 (freeze of `dense`) of the optimiser: expected 1, found none",
    ];
    assert_eq!(differences(error), expected);
}

#[test]
fn damaged_checkpoints_are_refused() {
    let path = folder("damaged");
    train(&path, Some(3));
    let file = path.join("last.ckpt");
    let whole = fs::read(&file).expect("written");
    let resume = || {
        let trainer = Trainer::new(Adam::new(1e-2)).batch(10).seed(3).quiet();
        let mut trainer = trainer.checkpoint(&path).resume(true);
        trainer.fit(&mut Net::new(1), &data(53, 1), &CrossEntropy::new()).expect_err("damaged")
    };
    for len in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..len]).expect("written");
        let error = resume();
        assert!(matches!(&error, TrainError::Checkpoint(CheckpointError::Load(_))), "{error}");
    }
    Net::new(1).save(&file).expect("written");
    let error = resume();
    assert!(matches!(&error, TrainError::Checkpoint(CheckpointError::Format { .. })), "{error}");
}

/// The environment variable with the folder of a child process.
const FOLDER: &str = "UNROLLED_TEST_CHECKPOINTS";

/// Presses Ctrl-C in the middle of the second epoch, after a step that has no checkpoint without it.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_with_a_checkpoint_of_its_step() {
    const PRESSED: u64 = 9;
    let press = |step: &unrolled::train::Step| {
        if step.total_steps == PRESSED {
            let signal = ["-INT", &std::process::id().to_string()];
            assert!(Command::new("kill").args(signal).status().expect("`kill`").success());
            // Another thread may receive it.
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let interrupted = folder("ctrl_c");
    let (_, history) = fit(&interrupted, |trainer| trainer.on_step(press).stop_on_ctrl_c());
    assert_eq!(history.epochs.len(), 1);
    let first = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&first);
    let note = move |step: &unrolled::train::Step| {
        let _ = noted.compare_exchange(0, step.total_steps, Relaxed, Relaxed);
    };
    let (net, history) = fit(&interrupted, |trainer| trainer.on_step(note));
    assert_eq!(first.load(Relaxed), PRESSED + 1);
    let (whole, whole_history) = train(&folder("ctrl_c_whole"), None);
    assert!(bits(net.params()) == bits(whole.params()));
    assert_eq!(losses(&history), losses(&whole_history));
}

/// The run that `killed` interrupts: all that is random in training, and samples that other threads prepare.
#[test]
#[ignore = "run by the tests of killed processes in a child process"]
fn child() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let (train, valid, loss) = (data(103, 1), data(20, 2), CrossEntropy::new());
    let augment = Augment::new().shift(1).flip().rotate(10.0);
    let changed = train.map(|image, class, key| (augment.image(&image, key), class));
    let mut net = Net::new(5);
    Trainer::new(Adam::new(1e-2))
        .batch(10)
        .epochs(10)
        .schedule_steps(Cosine::new(110))
        .prefetch_threads(2)
        .validate(&valid)
        .keep_best(true)
        .checkpoint(&folder)
        .checkpoint_every(3)
        .resume(true)
        .quiet()
        .fit(&mut net, &changed, &loss)
        .expect("sound data");
    net.save(folder.join("net.safetensors")).expect("saved");
}

fn spawn(folder: &Path) -> std::process::Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program)
        .args(["--exact", "checkpoint::child", "--ignored"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("a child process")
}

/// Interrupts runs `kills` times at random times, each run up to three times, and continues them to their end, where their files
/// must be those of a run that was not killed.
fn killed(name: &str, kills: u64) {
    let whole = folder(&format!("{name} whole"));
    let begin = std::time::Instant::now();
    assert!(spawn(&whole).wait().expect("a child process").success());
    let duration = begin.elapsed().as_secs_f32();
    let (mut interrupted, mut runs, mut attempts) = (0, 0, 0);
    while interrupted < kills {
        let parts = folder(&format!("{name} parts"));
        for _ in 0..=RngKey::new(8).bits(runs) % 3 {
            attempts += 1;
            let mut child = spawn(&parts);
            let share = RngKey::new(9).uniform(attempts);
            std::thread::sleep(Duration::from_secs_f32(share * duration));
            child.kill().expect("a child process");
            // It may have ended before.
            if !child.wait().expect("a child process").success() {
                interrupted += 1;
            }
        }
        assert!(spawn(&parts).wait().expect("a child process").success());
        assert_eq!(names(&parts), ["best.ckpt", "last.ckpt", "net.safetensors"]);
        for file in names(&parts) {
            let read = |folder: &Path| fs::read(folder.join(&file)).expect("written");
            assert!(read(&parts) == read(&whole), "{file} after {interrupted} interruptions");
        }
        runs += 1;
    }
    println!("{interrupted} interruptions of {runs} runs, which all ended in the same files");
}

#[test]
fn a_killed_run_is_resumed() {
    killed("killed", 4);
}

#[test]
#[ignore = "takes minutes; UNROLLED_KILLS is the number of kills"]
fn a_run_that_is_killed_often_is_resumed() {
    let kills = std::env::var("UNROLLED_KILLS").ok().and_then(|count| count.parse().ok());
    killed("killed often", kills.unwrap_or(100));
}
