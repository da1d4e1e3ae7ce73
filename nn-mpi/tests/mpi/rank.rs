//! [`run`]: what a rank runs.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};
use unrolled::distributed::{Incoming, Outgoing, Transport};
use unrolled::prelude::*;
use unrolled::train::Step;
use unrolled_mpi::World;

type Result = std::result::Result<(), Box<dyn Error>>;

network! {
    struct Small(4) -> 3 { Dense(8), ReLU, Dense(3) }
}

/// The step after which a fault happens.
const FAULT_STEP: u64 = 20;

/// Runs the program and the fault that the environment names.
pub(crate) fn run() {
    let Ok(program) = env::var("TEST_PROGRAM") else { return };
    let world = World::init().expect("MPI");
    let result = match program.as_str() {
        "messages" => messages(&world),
        "long messages" => exchange_all(&world, &[(1 << 26) + 3, 1 << 26]),
        "rank ahead" => rank_ahead(&world),
        "sum of gradients" => sum_of_gradients(&world),
        "longer message" => longer_message(&world),
        "train" => train(&world),
        other => Err(format!("no program `{other}`").into()),
    };
    if let Err(error) = result {
        // As one piece, and not by the test harness: other ranks print at the same time.
        let line = format!("rank {}: {error}\n", world.rank());
        eprint!("{line}");
        drop(world);
        std::process::exit(1);
    }
}

fn messages(world: &World) -> Result {
    for _ in 0..3 {
        exchange_all(world, &[0, 1, 4000, 4096, 4097, 70_000, 0, 5_000_000, 3])?;
        exchange_all(world, &[17; 300])?;
    }
    Ok(())
}

/// Every rank sends messages of these lengths to every other one.
fn exchange_all(world: &World, lens: &[usize]) -> Result {
    let (rank, size) = (world.rank(), world.size());
    let others = || (0..size).filter(|other| *other != rank);
    let messages = |from: usize, to: usize| -> Vec<_> {
        lens.iter().enumerate().map(|(index, len)| content(from, to, index, *len)).collect()
    };
    let sent: Vec<_> = others().map(|to| (to, messages(rank, to))).collect();
    let mut received: Vec<_> = others()
        .map(|from| (from, lens.iter().map(|len| vec![0; *len]).collect::<Vec<_>>()))
        .collect();
    let sends: Vec<_> = sent
        .iter()
        .flat_map(|(to, list)| list.iter().map(|bytes| Outgoing { to: *to, bytes }))
        .collect();
    let mut receives: Vec<_> = received
        .iter_mut()
        .flat_map(|(from, list)| list.iter_mut().map(|bytes| Incoming { from: *from, bytes }))
        .collect();
    world.exchange(&sends, &mut receives)?;
    for (from, list) in received {
        assert!(list == messages(from, rank), "messages of rank {from} on rank {rank}");
    }
    Ok(())
}

fn content(from: usize, to: usize, index: usize, len: usize) -> Vec<u8> {
    let seed = from * 31 + to * 7 + index;
    (0..len).map(|i| ((seed + i) % 251) as u8).collect()
}

/// Rank 0 sends many messages, and ends, before the others receive the first one.
fn rank_ahead(world: &World) -> Result {
    if world.rank() > 0 {
        thread::sleep(Duration::from_millis(300));
    }
    for index in 0..100_u8 {
        let sent = [index; 64];
        if world.rank() == 0 {
            let sends: Vec<_> = (1..world.size()).map(|to| Outgoing { to, bytes: &sent }).collect();
            world.exchange(&sends, &mut [])?;
        } else {
            let mut bytes = [0; 64];
            world.exchange(&[], &mut [Incoming { from: 0, bytes: &mut bytes }])?;
            assert_eq!(bytes, sent);
        }
    }
    Ok(())
}

fn sum_of_gradients(world: &World) -> Result {
    let gradient = |rank: usize| {
        let mut net = Small::new(rank as u64);
        net.dense.bias = [0.1 + rank as f32 / 3.0; 8];
        net.dense_2.bias = [1e-5 / (rank as f32 + 3.0); 3];
        net
    };
    let mut sum = gradient(world.rank());
    world.sum_gradients(&mut *sum)?;
    let [a, b, c] = [0, 1, 2].map(gradient);
    for i in 0..8 {
        let [a, b, c, sum] =
            [&a, &b, &c, &sum].map(|net| [net.dense.bias[i], net.dense_2.bias[i % 3]]);
        assert_eq!(sum, [0, 1].map(|layer| (a[layer] + b[layer]) + c[layer]));
    }
    Ok(())
}

fn longer_message(world: &World) -> Result {
    let other = 1 - world.rank();
    let sent = vec![1; 8 + world.rank()];
    let mut received = [0; 8];
    mark(&folder())?;
    let receives = &mut [Incoming { from: other, bytes: &mut received }];
    Ok(world.exchange(&[Outgoing { to: other, bytes: &sent }], receives)?)
}

fn folder() -> PathBuf {
    env::var_os("TEST_FOLDER").expect("a folder").into()
}

/// Records when the fault happens.
fn mark(folder: &Path) -> std::io::Result<()> {
    fs::write(folder.join("fault"), "")
}

/// Trains with checkpoints, of which rank 0 has a fault or rank 1.
fn train(world: &World) -> Result {
    let (folder, fault) = (folder(), env::var("TEST_FAULT")?);
    let at_rank = |rank, name: &str| world.rank() == rank && fault == name;
    if fault == "early error" || fault == "target" || fault.starts_with("other") {
        mark(&folder)?;
    }
    if at_rank(1, "early error") {
        return Err("no such data".into());
    }
    let samples = if at_rank(1, "other samples") { 59 } else { 60 };
    let mut data = data(samples);
    if at_rank(1, "target") {
        data.targets[7] = 3;
    }
    let on_step = |step: &Step| {
        if step.total_steps == FAULT_STEP {
            let rank = if fault == "no checkpoint" { 0 } else { 1 };
            if world.rank() == rank && !fault.is_empty() {
                mark(&folder).expect("a file");
                happen(&fault, &folder);
            }
        }
    };
    let mut net = Small::new(1);
    Trainer::new(Adam::new(0.01))
        .batch(if at_rank(1, "other batch") { 13 } else { 12 })
        .epochs(8)
        .quiet()
        .checkpoint(folder.join("checkpoints"))
        .checkpoint_every(3)
        .resume(true)
        .on_step(on_step)
        .distributed(world)
        .fit(&mut net, &data, &CrossEntropy::new())?;
    if world.rank() == 0 {
        net.save(folder.join("weights"))?;
    }
    Ok(())
}

fn data(samples: usize) -> Data<[f32; 4], u32> {
    let inputs = (0..samples).map(|i| [1, 3, 7, 11].map(|k| (k * i % 17) as f32 / 8.0 - 1.0));
    Data { inputs: inputs.collect(), targets: (0..samples).map(|i| (i % 3) as u32).collect() }
}

/// The faults that happen while a rank trains.
fn happen(fault: &str, folder: &Path) {
    let signal = |name: &str| {
        let own = std::process::id().to_string();
        Command::new("kill").args([name, &own]).status().expect("kill");
        // Until the signal arrives.
        thread::sleep(Duration::from_secs(1));
    };
    match fault {
        "kill" => signal("-KILL"),
        "stop" => signal("-STOP"),
        "panic" => panic!("a panic on purpose"),
        "no checkpoint" => {
            let checkpoints = folder.join("checkpoints");
            fs::remove_dir_all(&checkpoints).expect("a folder");
            fs::write(checkpoints, "no folder").expect("a file");
        }
        _ => {}
    }
}
