//! Training on several ranks: the bits of one process, on any number of ranks and threads.

#[path = "common/mod.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod common;

use common::{bits, random};
use std::ops::ControlFlow;
use std::thread;
use unrolled::distributed::{LocalWorld, Transport};
use unrolled::prelude::*;
use unrolled::{RngKey, parallel};

network! {
    /// The ranks wait for each other at each `BatchNorm`. All make the same power iterations.
    #[allow(bias_before_batch_norm)]
    struct Convolutional(6x6x2) -> 3 {
        Conv2d(4, kernel = 3), BatchNorm, ReLU, Dropout(0.25),
        Residual { SNConv2d(4, kernel = 3, padding = same), BatchNorm },
        GlobalAvgPool, Dense(3),
    }

    /// Sequences of different lengths.
    struct Recurrent(steps: ..7x3) -> 3 {
        LSTM(5, output = last), Dense(3),
    }

    /// Statistics over the steps of sequences, and deferred gradients of layers that are applied to each step.
    struct Frames(..4x5x5x2) -> 3 {
        PerStep {
            Conv2d(3, kernel = 3, bias = false), BatchNorm, ReLU, Flatten, wide: Dense(200), Tanh, Dropout(0.25), Dense(4),
        },
        GRU(5, output = last), Dense(3),
    }

    /// A state that is carried from chunk to chunk.
    struct Text(6) -> 6x9 { Embedding(9, 4), GRU(5), Dense(9) }

    /// Deferred gradients of attention, embedding and tied weights.
    struct Attention(tokens: 6) -> 6x9 {
        tokens: Embedding(9, 8), PositionalEmbedding, TransformerEncoder(8, heads = 2, hidden = 12, causal = true),
        Dense(9, weight = tokens),
    }
}

/// The bits of the weights, and of the losses of all epochs.
type Bits = (Vec<u32>, Vec<u64>);

/// One training run: on a rank of a world, or alone.
trait Run: Sync {
    fn run(&self, world: Option<&LocalWorld>) -> Bits;
}

impl<F: Fn(Option<&LocalWorld>) -> Bits + Sync> Run for F {
    fn run(&self, world: Option<&LocalWorld>) -> Bits {
        self(world)
    }
}

/// The results of `f` on all ranks of a world.
fn on_worlds<R: Send>(ranks: usize, f: impl Fn(LocalWorld) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let f = &f;
        let start = |world| scope.spawn(move || f(world));
        let ranks: Vec<_> = LocalWorld::ranks(ranks).into_iter().map(start).collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

/// The results of `f` with so many threads, although such small networks would run on one.
fn on_threads<R>(threads: usize, f: impl FnOnce() -> R) -> R {
    parallel::with_threads(threads, || parallel::whatever_the_work(f))
}

/// The results of all ranks, each with so many threads.
fn on_ranks(ranks: usize, threads: usize, run: &impl Run) -> Vec<Bits> {
    on_worlds(ranks, |world| on_threads(threads, || run.run(Some(&world))))
}

/// Checks that all ranks of each world have the bits of a single process.
fn check(run: &impl Run) {
    let expected = run.run(None);
    assert!(on_threads(2, || run.run(None)) == expected, "a process with 2 threads");
    for ranks in 1..=4 {
        for threads in [1, 2] {
            for found in on_ranks(ranks, threads, run) {
                assert!(found == expected, "{ranks} ranks with {threads} threads");
            }
        }
    }
}

fn result<N: Network>(net: &N, history: &unrolled::train::History) -> Bits {
    let losses = history.epochs.iter().flat_map(|epoch| {
        let accuracy = epoch.training.accuracy.unwrap_or_default();
        let validation = epoch.validation.map_or(0.0, |score| score.loss);
        [epoch.training.loss, accuracy, validation].map(f64::to_bits)
    });
    (bits(net.params()), losses.collect())
}

fn images(count: usize) -> Data<[[[f32; 2]; 6]; 6], u32> {
    let mut data = Data::default();
    for i in 0..count {
        let mut image = [[[0.0; 2]; 6]; 6];
        let pixels = image.as_flattened_mut().as_flattened_mut().iter_mut();
        pixels.enumerate().for_each(|(j, x)| *x = random(i as u64, j));
        data.inputs.push(image);
        data.targets.push(i as u32 % 3);
    }
    data
}

#[test]
fn a_convolutional_network_with_batch_norm() {
    let (train, valid) = (images(53), images(20));
    check(&|world: Option<&LocalWorld>| {
        let mut net = Convolutional::new(5);
        let trainer = Trainer::new(AdamW::new(1e-2)).batch(20).epochs(2).seed(3).quiet();
        let mut trainer = trainer.validate(&valid).clip(Clip::Norm(0.5)).reduction_leaves(8);
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    });
}

#[test]
fn accumulated_gradients_and_averaged_weights() {
    // Steps of 14 + 14 and of 14 + 3 samples: one of the last four leaves has none.
    let train = images(45);
    check(&|world: Option<&LocalWorld>| {
        let mut net = Convolutional::new(5);
        let mut average = Ema::new(&net, 0.9);
        let optimizer = SGD::new(0.1).momentum(0.9);
        let trainer = Trainer::new(optimizer).batch(14).accumulate(2).epochs(2).quiet();
        let mut trainer = trainer.reduction_leaves(4).on_epoch(|_, net| average.update(net));
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        drop(trainer);
        let (mut weights, losses) = result(&*net, &history);
        weights.extend(bits(average.net().params()));
        (weights, losses)
    });
}

#[test]
fn a_network_for_each_step() {
    let mut train: Data<Sequence<[[[f32; 2]; 5]; 5], 4>, u32> = Data::default();
    for i in 0..43 {
        let steps: Vec<[[[f32; 2]; 5]; 5]> =
            (0..1 + i % 4).map(|step| common::random_values((10 * i + step) as u64)).collect();
        train.inputs.push(Sequence::new(&steps).unwrap());
        train.targets.push(i as u32 % 3);
    }
    check(&|world: Option<&LocalWorld>| {
        let mut net = Frames::new(2);
        let trainer = Trainer::new(AdamW::new(1e-2)).batch(11).accumulate(2).epochs(2).seed(3);
        let mut trainer = trainer.reduction_leaves(8).quiet();
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    });
}

#[test]
fn sequences_of_different_lengths() {
    let mut train: Data<Sequence<[f32; 3], 7>, u32> = Data::default();
    for i in 0..41 {
        let step = |step: usize| [0, 1, 2].map(|j| random(i as u64, 3 * step + j));
        let steps: Vec<[f32; 3]> = (0..1 + i % 7).map(step).collect();
        train.inputs.push(Sequence::new(&steps).unwrap());
        train.targets.push(i as u32 % 3);
    }
    check(&|world: Option<&LocalWorld>| {
        let mut net = Recurrent::new(1);
        let trainer = Trainer::new(RMSprop::new(1e-2)).batch(12).epochs(2).quiet();
        let mut trainer = trainer.reduction_leaves(8);
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        // Weights of classes: the total weight of a batch is a sum over ranks, too.
        let loss = CrossEntropy::new().class_weights(&[0.3, 1.7, 0.9]);
        let history = trainer.fit(&mut net, &train, &loss).unwrap();
        result(&*net, &history)
    });
}

#[test]
fn attention_with_tied_weights_and_samples_that_are_loaded() {
    /// Text that each rank loads for itself.
    struct Windows;
    impl Dataset for Windows {
        type Input = [u32; 6];
        type Target = [u32; 6];

        fn len(&self) -> usize {
            31
        }

        fn get(&self, i: usize, key: RngKey) -> ([u32; 6], [u32; 6]) {
            let token = |j: usize| ((key.uniform(j as u64) * 3.0) as u32 + (i + j) as u32) % 9;
            (std::array::from_fn(token), std::array::from_fn(|j| token(j + 1)))
        }
    }
    check(&|world: Option<&LocalWorld>| {
        let mut net = Attention::new(2);
        let trainer = Trainer::new(Adam::new(1e-2)).batch(9).epochs(2).drop_last(true).quiet();
        let mut trainer = trainer.reduction_leaves(8);
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &Windows, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    });
}

#[test]
fn recurrent_states_that_are_carried() {
    let text: Vec<u32> = (0..193).map(|i| (i * i + 3 * i) % 9).collect();
    let (train, valid) = (Data::next_steps(&text), Data::next_steps(&text[..50]));
    check(&|world: Option<&LocalWorld>| {
        let mut net = Text::new(2);
        // 32 chunks in 7 parallel sequences, the last step of which has 4.
        let trainer = Trainer::new(Adam::new(1e-2)).batch(7).epochs(2).carry_state().quiet();
        let mut trainer = trainer.validate(&valid).reduction_leaves(4);
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    });
}

#[test]
fn metrics_have_the_values_of_one_process() {
    // Fewer validation samples than ranks.
    let (train, valid) = (images(20), images(3));
    check(&|world: Option<&LocalWorld>| {
        let mut net = Convolutional::new(5);
        let trainer = Trainer::new(SGD::new(0.1)).batch(10).epochs(1).quiet();
        let trainer = trainer.validate(&valid).metric(F1::macro_average());
        let mut trainer = trainer.reduction_leaves(8).metric(Accuracy::top(2));
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        let (weights, mut values) = result(&*net, &history);
        values.extend(history.epochs[0].metrics.iter().map(|metric| metric.value.to_bits()));
        (weights, values)
    });
}

/// Trains with a divided state on several ranks, and with a whole one on a single process, which must have the same bits
/// and warnings.
fn check_divided<O: Optimizer + Sync>(optimizer: impl Fn() -> O + Sync, clip: Option<Clip>) {
    let (train, valid) = (images(53), images(20));
    check(&|world: Option<&LocalWorld>| {
        let mut net = Convolutional::new(5);
        let trainer = Trainer::new(optimizer()).batch(14).accumulate(2).epochs(2).seed(3).quiet();
        let mut trainer = trainer.validate(&valid).reduction_leaves(4).shard_optimizer(true);
        if let Some(clip) = clip {
            trainer = trainer.clip(clip);
        }
        if let Some(world) = world {
            trainer = trainer.distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        let (weights, mut values) = result(&*net, &history);
        let norms = history.gradient_norms.iter().flat_map(|norms| &norms.layers);
        values.extend(norms.map(|(_, norm)| norm.to_bits()));
        (weights, values)
    });
}

#[test]
fn a_divided_optimiser_makes_the_same_steps() {
    check_divided(|| AdamW::new(1e-2).amsgrad(), None);
    check_divided(|| SGD::new(0.1).momentum(0.9), Some(Clip::Value(0.01)));
    check_divided(|| RAdam::new(1e-2), Some(Clip::Norm(0.5)));
    check_divided(|| LAMB::new(1e-2), Some(Clip::Adaptive { ratio: 0.01, except: &[] }));
    let groups = || Groups::new(NAdam::new(1e-2)).rate("dense", 0.5).no_decay(["*.bias"]);
    check_divided(move || groups().freeze("conv2d"), None);
    check_divided(|| Groups::new(LAMB::new(1e-2)).rate("dense", 0.5), None);
    check_divided(|| Groups::new(Muon::new(1e-2)).rate("dense", 0.5), None);
}

#[test]
fn each_rank_has_its_part_of_a_divided_state() {
    let train = images(20);
    let lens = on_worlds(3, |world| {
        let (mut net, mut optimizer) = (Convolutional::new(5), AdamW::new(1e-2));
        for _ in 0..2 {
            let trainer = Trainer::new(&mut optimizer).epochs(1).quiet().distributed(&world);
            let mut trainer = trainer.shard_optimizer(true);
            trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        }
        optimizer.state().values.iter().map(|(_, values)| values.len()).collect::<Vec<_>>()
    });
    let len = Convolutional::zeros().params().len();
    let end = |rank: usize| (rank * len).div_ceil(3);
    let expected = |rank: usize| end(rank + 1) - end(rank);
    assert_eq!(lens, [0, 1, 2].map(|rank| vec![expected(rank); 2]));
}

#[test]
fn a_divided_optimiser_resumes_on_another_number_of_ranks() {
    let (train, folder) = (images(53), std::env::temp_dir().join("unrolled-divided-resume"));
    let run = |world: &LocalWorld, name: &str, divided: bool, steps: u64| {
        let mut net = Convolutional::new(5);
        let trainer = Trainer::new(AdamW::new(1e-2)).batch(20).epochs(3).quiet().distributed(world);
        let trainer = trainer.shard_optimizer(divided).log_dir(folder.join("log"));
        let trainer = trainer.checkpoint(folder.join(name)).checkpoint_every(1).resume(true);
        let mut trainer = trainer.on_step(|step| match step.total_steps == steps {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    };
    let _ = std::fs::remove_dir_all(&folder);
    let expected = on_worlds(1, |world| run(&world, "whole", false, 0));
    on_worlds(3, |world| run(&world, "parts", true, 2));
    on_worlds(2, |world| run(&world, "parts", false, 4));
    on_worlds(4, |world| run(&world, "parts", true, 7));
    let found = on_worlds(2, |world| run(&world, "parts", true, 0));
    assert!(found.iter().all(|found| *found == expected[0]));
    let read = |name| std::fs::read(folder.join(name).join("last.ckpt")).unwrap();
    assert!(read("whole") == read("parts"));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Three ranks share one tensor, which is not cut, and two weights.
#[test]
fn ranks_without_a_share_take_part_in_checkpoints() {
    network! {
        struct OneTensor(2) -> 1 { Dense(1, bias = false) }
    }
    let data = Data { inputs: vec![[1.0, -0.5]; 24], targets: vec![[2.0_f32]; 24] };
    let folder = std::env::temp_dir().join("unrolled-ranks-without-share");
    fn train<O: Optimizer>(
        world: &LocalWorld,
        optimizer: O,
        folder: &std::path::Path,
        data: &Data<[f32; 2], [f32; 1]>,
    ) {
        let mut net = OneTensor::new(1);
        let trainer = Trainer::new(optimizer).batch(8).epochs(2).quiet().distributed(world);
        let mut trainer = trainer.shard_optimizer(true).checkpoint(folder).checkpoint_every(1);
        trainer.fit(&mut net, data, &MeanSquaredError).unwrap();
    }
    let _ = std::fs::remove_dir_all(&folder);
    let file = |ranks: usize, name: &str| {
        let own = folder.join(format!("{name}-{ranks}"));
        on_worlds(ranks, |world| match name {
            "LAMB" => train(&world, LAMB::new(1e-2), &own, &data),
            _ => train(&world, Adam::new(1e-2), &own, &data),
        });
        std::fs::read(own.join("last.ckpt")).unwrap()
    };
    for name in ["LAMB", "Adam"] {
        assert!(file(3, name) == file(1, name), "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_gradient_that_is_not_finite_is_the_same_error_on_all_ranks() {
    network! {
        struct Tiny(4) -> 2 { fc1: Dense(3), ReLU, fc2: Dense(2) }
    }
    // One of 40 samples has such a gradient.
    let mut data = Data { inputs: vec![[0.0; 4]; 40], targets: vec![[0.0_f32; 2]; 40] };
    (data.inputs[11][0], data.targets[11][0]) = (1.0, -1e19);
    let errors = on_worlds(3, |world| {
        let mut net = Tiny::zeros();
        net.fc1.weight[0] = [1e-20, 0.0, 0.0];
        net.fc2.weight[0] = [1e20, 0.0];
        let trainer = Trainer::new(SGD::new(0.1)).batch(1).seed(1).quiet().distributed(&world);
        let result = trainer.shard_optimizer(true).fit(&mut net, &data, &MeanSquaredError);
        result.unwrap_err().to_string()
    });
    // Step 1 and every third one after it are monitored, for which all ranks have the whole gradient.
    let expected = "epoch 1, step 9: the gradient of layer `fc1` is not finite (inf at index 0 of its weights)";
    assert!(errors.iter().all(|error| error.starts_with(expected)), "{errors:?}");
}

#[test]
fn an_optimiser_that_cannot_be_divided_is_refused() {
    /// A rule that says nothing about its state.
    struct Unknown;
    impl Optimizer for Unknown {
        fn step(
            &mut self,
            _weights: &mut [f32],
            _gradient: &[f32],
            _trained: &[unrolled::optim::TrainedRange],
        ) {
        }
        fn learning_rate(&self) -> f64 {
            0.1
        }
        fn set_learning_rate(&mut self, _rate: f64) {}
    }
    let errors = on_worlds(2, |world| {
        let mut trainer = Trainer::new(Unknown).quiet().distributed(&world).shard_optimizer(true);
        let result = trainer.fit(&mut Convolutional::new(5), &images(20), &CrossEntropy::new());
        result.unwrap_err().to_string()
    });
    assert!(errors.iter().all(|error| error.contains("`Optimizer::divisible`")), "{errors:?}");
}

#[test]
fn one_leaf_on_one_rank_is_a_run_without_ranks() {
    let train = images(53);
    let run = |world: Option<&LocalWorld>| {
        let mut net = Convolutional::new(5);
        let mut trainer = Trainer::new(AdamW::new(1e-2)).batch(20).epochs(1).quiet();
        if let Some(world) = world {
            trainer = trainer.reduction_leaves(1).distributed(world);
        }
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    };
    assert!(on_ranks(1, 1, &run) == [run(None)]);
}

#[test]
fn bytes_of_a_step_are_the_least_possible() {
    let train = images(32);
    let traffic = on_worlds(4, |world| {
        let (mut net, mut bytes) = (Convolutional::new(5), Vec::new());
        let trainer = Trainer::new(SGD::new(0.1)).batch(32).epochs(1).quiet().distributed(&world);
        let mut trainer =
            trainer.on_step(|step| bytes.push((step.traffic.sent, step.traffic.received)));
        trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        drop(trainer);
        bytes[0]
    });
    let gradient = size_of::<Convolutional>() as u64;
    // 3 other ranks receive the weights of samples and the loss sums; and, for each direction of two layers with 4 channels,
    // the sums of `BatchNorm`.
    let sums = 3 * 8 * (8 + 8 * 5 + 4 * (1 + 2 * 4));
    for (rank, (sent, received)) in traffic.into_iter().enumerate() {
        let least = 2 * 3 * gradient / 4;
        assert!(
            sent.abs_diff(least + sums) <= 24,
            "rank {rank}: {sent}, expected {least} + {sums}"
        );
        assert!(received.abs_diff(least + sums) <= 24, "rank {rank}: {received}");
    }
}

#[test]
fn own_loops_add_up_their_gradients() {
    let sums = on_worlds(3, |world| {
        let mut d_net = Recurrent::zeros();
        d_net
            .params_mut()
            .iter_mut()
            .enumerate()
            .for_each(|(i, d)| *d = random(world.rank() as u64, i));
        world.sum_gradients(&mut *d_net).unwrap();
        bits(d_net.params())
    });
    let expected = |i| (random(0, i) + random(1, i)) + random(2, i);
    let expected: Vec<u32> = (0..sums[0].len()).map(|i| expected(i).to_bits()).collect();
    assert!(sums.iter().all(|sum| *sum == expected));
}

#[test]
fn a_checkpoint_continues_on_another_number_of_ranks() {
    let (train, folder) = (images(53), std::env::temp_dir().join("unrolled-distributed-resume"));
    // Of rank 0 alone; others have no such folder.
    let folder_of = |world: &LocalWorld, name: &str| match world.rank() {
        0 => folder.join(name),
        rank => folder.join(format!("missing-{name}-{rank}")),
    };
    let run = |world: &LocalWorld, name: &str, steps: u64| {
        let mut net = Convolutional::new(5);
        let trainer = Trainer::new(AdamW::new(1e-2)).batch(20).epochs(3).quiet().distributed(world);
        let trainer = trainer.checkpoint(folder_of(world, name)).checkpoint_every(1).resume(true);
        let mut trainer = trainer.on_step(|step| match step.total_steps == steps {
            // One rank that stops ends all.
            true if world.rank() == world.size() - 1 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let history = trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap();
        result(&*net, &history)
    };
    let _ = std::fs::remove_dir_all(&folder);
    let expected = on_worlds(1, |world| run(&world, "whole", 0));
    on_worlds(3, |world| run(&world, "parts", 2));
    on_worlds(2, |world| run(&world, "parts", 7));
    let found = on_worlds(4, |world| run(&world, "parts", 0));
    assert!(found.iter().all(|found| *found == expected[0]));
    let read = |name| std::fs::read(folder.join(name).join("last.ckpt")).unwrap();
    assert!(read("whole") == read("parts"));
    let folders = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(folders, 2, "rank 0 alone writes");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn differences_between_ranks_are_named() {
    let errors = on_worlds(3, |world| {
        let (mut net, train) = (Convolutional::new(5), images(20 + world.rank() / 2));
        let trainer = Trainer::new(AdamW::new(1e-2)).seed(world.rank() as u64 / 2).quiet();
        let result = trainer.distributed(&world).fit(&mut net, &train, &CrossEntropy::new());
        result.unwrap_err().to_string()
    });
    let expected = "rank 2 trains something else than rank 0:\n  number of training samples: expected 20, found 21\n  \
                    seed: expected 0, found 1";
    assert_eq!(errors, [expected; 3]);
    let errors = on_worlds(4, |world| {
        let mut net = Convolutional::new(5);
        let trainer = Trainer::new(AdamW::new(1e-2)).reduction_leaves(2).quiet();
        let result = trainer.distributed(&world).fit(&mut net, &images(20), &CrossEntropy::new());
        result.unwrap_err().to_string()
    });
    let expected = "4 ranks, but the gradient of a batch is the sum of 2 leaves, of which each rank needs one: start at \
                    most 2 ranks, or set `reduction_leaves(4)`";
    assert_eq!(errors, [expected; 4]);
}

#[test]
fn an_optimiser_with_another_state_is_a_difference() {
    let errors = on_worlds(2, |world| {
        let (mut net, train) = (Convolutional::new(5), images(20));
        let mut optimizer = SGD::new(0.1).momentum(0.9);
        if world.rank() == 1 {
            let d_net = Convolutional::new(6);
            optimizer.update(&mut net, &d_net);
        }
        let mut trainer = Trainer::new(optimizer).quiet().distributed(&world);
        trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap_err().to_string()
    });
    let expected =
        "rank 1 trains something else than rank 0:\n  hash of the optimiser's values: expected ";
    assert!(errors.iter().all(|error| error.starts_with(expected)), "{errors:?}");
}

#[test]
fn a_network_without_weights_has_no_gradient_to_add() {
    network! {
        struct Pooled(4x4x3) -> 3 { GlobalAvgPool }
    }
    let images = Data { inputs: vec![[[[0.5_f32; 3]; 4]; 4]; 16], targets: vec![0_u32; 16] };
    let losses = on_worlds(2, |world| {
        let mut net = Pooled::new(1);
        world.sum_gradients(&mut *net).unwrap();
        let mut trainer = Trainer::new(SGD::new(0.1)).epochs(1).quiet().distributed(&world);
        trainer.fit(&mut net, &images, &CrossEntropy::new()).unwrap().epochs[0].training.loss
    });
    assert!(losses.iter().all(|loss| (loss - 3_f64.ln()).abs() < 1e-6), "{losses:?}");
}

#[test]
fn an_error_on_one_rank_ends_the_others() {
    let errors = on_worlds(3, |world| {
        let (mut net, mut train) = (Convolutional::new(5), images(20));
        if world.rank() == 1 {
            train.inputs[7][0][0][0] = f32::NAN;
        }
        let mut trainer = Trainer::new(AdamW::new(1e-2)).quiet().distributed(&world);
        trainer.fit(&mut net, &train, &CrossEntropy::new()).unwrap_err().to_string()
    });
    let error = "training data: sample 7 has the value NaN at index 0 of its input 0: expected finite values; correct or \
                 remove the sample";
    let ended = format!("rank 1 ended with an error: {error}");
    assert_eq!(errors, [ended.as_str(), error, ended.as_str()]);
}
