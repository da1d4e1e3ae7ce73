//! A small GPT that generates text like Shakespeare's, one character at a time.
//!
//! ```text
//! cargo run --release --example shakespeare -- --data DIR
//! ```
//!
//! Introduces **a transformer, and generation step by step**. Each character attends to itself and to earlier ones only
//! (`causal`), and its output predicts the next one. In training all 64 positions of a window are predicted at once. In
//! generation `step` reads one character and returns the scores of the next. The keys and values of earlier characters
//! are kept in a `State`, so nothing is computed twice. With `rotary` embeddings attention depends on the distance of
//! two characters, not on their positions, so a text can be longer than 64 characters.
//!
//! Data: 40,000 lines of Shakespeare's plays, `tiny-shakespeare/input.txt` in the data folder. The last tenth is the
//! test set. It is split into consecutive windows of 64 characters, which are independent: the first prediction of a
//! window depends on one character, the last on 64, and the loss is the mean over all.

mod common;

use common::{Options, claim, claim_progress};
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use unrolled::RngKey;
use unrolled::data::{Sampler, Vocabulary, read_text};
use unrolled::optim::{Clip, schedule::Cosine};
use unrolled::prelude::*;
use unrolled::train::History;

network! {
    /// Scores of the next character, after each character of a text.
    pub struct Gpt(text: 64) -> 64x66 {
        tokens: Embedding(66, 128) -> 64x128,
        blocks: Repeat(4) {
            TransformerEncoder(128, heads = 4, hidden = 512, dropout = 0.0, causal = true, rotary = true),
        },
        norm: LayerNorm,
        next: Dense(66, bias = false),
    }
}

/// Characters, and the next one after each of them.
type Windows = Data<[u32; 64], [u32; 64]>;

const SOURCE: &str = "https://github.com/karpathy/char-rnn (data/tinyshakespeare/input.txt)";

/// The text for `--quick`.
const SONNETS: &str = include_str!("data/shakespeare.txt");

fn main() -> ExitCode {
    common::start("shakespeare", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let text = if options.quick {
        SONNETS.into()
    } else {
        read_text(options.file("tiny-shakespeare/input.txt", SOURCE)?)?
    };
    let vocabulary = Vocabulary::characters().learn([&text]);
    let tokens = vocabulary.encode(&text);
    let (train, test) = tokens.split_at(tokens.len() * 9 / 10);
    println!("{}", Gpt::summary());
    println!("{} training characters, {} test characters\n", train.len(), test.len());

    let test = Windows::next_steps(test);
    let net = train_network(train, &test, &vocabulary, options)?;

    println!("\ngenerated after training:\n");
    generate(&net, &vocabulary, 1000, options.seed)?;
    let nats = net.evaluate(&test, &CrossEntropy::new())?.loss;
    let most = if options.quick { 2.5 } else { 1.7 };
    println!("on the test text: {nats:.4} nats per character");
    claim(&format!("below {most} nats per character"), nats < most)
}

/// Trains a network, and generates text after each epoch. Nothing is chosen by `test`.
fn train_network(
    train: &[u32],
    test: &Windows,
    vocabulary: &Vocabulary,
    options: &Options,
) -> Result<Box<Gpt>, Box<dyn Error>> {
    const WINDOW: usize = 64;
    let (epochs, batch, warm_up) = if options.quick { (5, 4, 10) } else { (10, 32, 200) };
    let steps = epochs * (train.len() / WINDOW).div_ceil(batch);
    let rate = 2e-3;
    let schedule = Cosine::new(steps).warm_up(warm_up, 0.01).least(0.02 * rate);
    let mut trainer = Trainer::new(AdamW::new(rate).betas(0.9, 0.99).weight_decay(0.1))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(schedule)
        .clip(Clip::Norm(1.0))
        .validate(test);

    let mut net = Gpt::new(options.seed);
    // As in GPT-2: embeddings near zero, so that the outputs of attention are not negligible beside them.
    net.tokens.weight.as_flattened_mut().iter_mut().for_each(|weight| *weight *= 0.02);
    let mut history = History::default();
    for epoch in 0..epochs as u64 {
        // Windows begin at another character in each epoch.
        let begin = RngKey::new(options.seed).bits(epoch) as usize % WINDOW;
        let windows = Windows::next_steps(&train[begin..]);
        history.epochs.push(trainer.fit_epoch(&mut net, &windows, &CrossEntropy::new())?);
        println!();
        generate(&net, vocabulary, 200, options.seed + epoch)?;
    }
    claim_progress(&history)?;
    Ok(net)
}

/// Generates `count` characters, and prints each as soon as it is drawn.
fn generate(net: &Gpt, vocabulary: &Vocabulary, count: usize, seed: u64) -> std::io::Result<()> {
    let mut sampler = Sampler::new(seed).temperature(0.8);
    let (mut state, mut token) = (State::new(), vocabulary.token("\n"));
    for _ in 0..count {
        token = sampler.draw(&net.step(&mut state, &token));
        print!("{}", vocabulary.decode(&[token]));
        std::io::stdout().flush()?;
    }
    println!("\n");
    Ok(())
}
