//! Predicts the next character of sonnets, on any number of processes:
//!
//! ```text
//! cargo build --release --example text
//! mpirun -n 4 target/release/examples/text --epochs 5 --save text.safetensors
//! ```

mod common;

use common::{Options, Times};
use std::process::ExitCode;
use unrolled::data::Vocabulary;
use unrolled::optim::Clip;
use unrolled::prelude::*;
use unrolled_mpi::World;

network! {
    /// Scores of the next character, after each character of a text.
    pub struct Next(text: 32) -> 32x66 {
        tokens: Embedding(66, 32)  -> 32x32,
        block: TransformerEncoder(32, heads = 4, hidden = 64, causal = true, rotary = true),
        norm: LayerNorm,
        next: Dense(66),
    }
}

const SONNETS: &str = include_str!("../../examples/data/shakespeare.txt");

fn main() -> ExitCode {
    common::start("text", 20, run)
}

fn run(world: &World, options: &Options) -> common::Result {
    let tokens = Vocabulary::characters().learn([SONNETS]).encode(SONNETS);
    let (train, valid) = tokens.split_at(tokens.len() * 9 / 10);
    let (train, valid) = (Data::next_steps(train), Data::next_steps(valid));
    let mut net = Next::new(1);
    let mut times = Times::new();
    let mut trainer = Trainer::new(AdamW::new(3e-3))
        .batch(options.batch)
        .reduction_leaves(options.leaves)
        .shard_optimizer(options.shard_optimizer)
        .accumulate(2)
        .epochs(options.epochs)
        .clip(Clip::Norm(1.0))
        .validate(&valid)
        .distributed(world);
    if let Some(folder) = &options.checkpoint {
        trainer = trainer.checkpoint(folder).checkpoint_every(2).resume(true);
    }
    if options.times {
        trainer = trainer.on_step(|step| times.add(step));
    }
    trainer.fit(&mut net, &train, &CrossEntropy::new())?;
    drop(trainer);
    if options.times {
        times.print(world, net.params().len());
    }
    if world.rank() == 0 {
        net.save(&options.save)?;
    }
    Ok(())
}
