//! Classifies sentences about films as positive or negative, with a transformer.
//!
//! ```text
//! cargo run --release --example attention -- --data DIR
//! ```
//!
//! Introduces **attention in texts of different lengths**. In a `TransformerEncoder` the query of each word is compared
//! with the keys of all others, and a weighted mean of their values is added to the word: "good" can depend on the
//! "not" before it. All words are computed in parallel, whereas the `GRU` of the example `sentiment`, which is trained on
//! the same texts, reads them in order. A sentence can have up to 64 words (`..64`): attention ignores the steps after
//! its end, and `GlobalAvgPool` averages over its words only.
//!
//! Data: the Stanford Sentiment Treebank with two classes, SST-2 (Socher and others, 2013), as in `sentiment`.

mod common;
#[path = "common/reviews.rs"]
mod reviews;

use common::{Options, claim_progress};
use reviews::{Samples, claim_right, reviews, samples, try_sentences};
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Vocabulary;
use unrolled::optim::{Clip, schedule::Cosine};
use unrolled::prelude::*;

/// The size of the vocabulary. Rarer words are encoded as unknown.
const WORDS: usize = 10_000;

network! {
    /// Scores of negative and positive.
    pub struct Attention(text: ..64) -> 2 {
        words: Embedding(WORDS, 64) -> 64x64,
        Dropout(0.3),
        reader: TransformerEncoder(64, heads = 4, hidden = 128, dropout = 0.1, rotary = true),
        LayerNorm,
        GlobalAvgPool               -> 64,
        Dropout(0.3),
        verdict: Dense(2),
    }
}

fn main() -> ExitCode {
    common::start("attention", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, valid, test] = reviews(options)?;
    let vocabulary = Vocabulary::words().size(WORDS).learn(&train.inputs);
    let samples = |texts| samples(texts, &vocabulary);
    let [train, valid, test] = [samples(&train)?, samples(&valid)?, samples(&test)?];
    println!("{}", Attention::summary());
    println!("{} training texts, {} words\n", train.len(), vocabulary.size());
    let net = train_network(&train, &valid, options)?;

    println!();
    try_sentences(&vocabulary, |words| net.forward(words))?;
    claim_right(&*net, &test)
}

/// Trains a network, and returns it with the weights of the best epoch on `valid`.
fn train_network(
    train: &Samples,
    valid: &Samples,
    options: &Options,
) -> Result<Box<Attention>, Box<dyn Error>> {
    let (epochs, batch, rate) = if options.quick { (12, 16, 3e-3) } else { (3, 64, 1e-3) };
    let steps = epochs * train.len().div_ceil(batch);
    let mut net = Attention::new(options.seed);
    // Near zero, because rare words are trained in few steps and would stay close to random vectors.
    net.words.weight.as_flattened_mut().iter_mut().for_each(|weight| *weight *= 0.1);
    let history = Trainer::new(AdamW::new(rate))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(Cosine::new(steps).warm_up(steps / 20, 0.1))
        .clip(Clip::Norm(1.0))
        .validate(valid)
        .keep_best(true)
        .fit(&mut net, train, &CrossEntropy::new())?;
    claim_progress(&history)?;
    Ok(net)
}
