//! Classifies sentences about films as positive or negative.
//!
//! ```text
//! cargo run --release --example sentiment -- --data DIR
//! ```
//!
//! Introduces **words as vectors, and texts of different lengths**. A vocabulary maps each word to an index, and
//! `Embedding` maps each index to a trained vector. `GRU` reads the vectors in order, and its last state is classified.
//! A sentence can have up to 64 words (`..64`); steps after its end are not computed. The vocabulary is stored in the
//! file of the weights, so that a program that loads it can encode new sentences.
//!
//! Data: the Stanford Sentiment Treebank with two classes, SST-2 (Socher and others, 2013): phrases of the training
//! part as in GLUE, `sentiment/sst2-phrases.{train,dev}.tsv`, and sentences, `sentiment/sst2-sentences.{dev,test}.txt`.

mod common;
#[path = "common/reviews.rs"]
mod reviews;

use common::{Options, claim_progress};
use reviews::{Samples, claim_right, reviews, samples, try_sentences};
use std::error::Error;
use std::process::ExitCode;
use unrolled::data::Vocabulary;
use unrolled::optim::Clip;
use unrolled::prelude::*;

/// The size of the vocabulary. Rarer words are encoded as unknown.
const WORDS: usize = 10_000;

network! {
    /// Scores of negative and positive.
    pub struct Sentiment(text: ..64) -> 2 {
        words: Embedding(WORDS, 64)    -> 64x64,
        Dropout(0.5),
        reader: GRU(64, output = last) -> 64,
        Dropout(0.5),
        verdict: Dense(2),
    }
}

fn main() -> ExitCode {
    common::start("sentiment", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, valid, test] = reviews(options)?;
    let vocabulary = Vocabulary::words().size(WORDS).learn(&train.inputs);
    println!("{}", Sentiment::summary());
    println!("{} training texts, {} words\n", train.len(), vocabulary.size());
    train_network(
        &samples(&train, &vocabulary)?,
        &samples(&valid, &vocabulary)?,
        &vocabulary,
        options,
    )?;

    // Everything from here on is loaded from the file.
    let (net, vocabulary): (Box<Sentiment>, Vocabulary) = Sentiment::load_with(FILE)?;
    try_sentences(&vocabulary, |words| net.forward(words))?;
    claim_right(&*net, &samples(&test, &vocabulary)?)
}

const FILE: &str = "sentiment.safetensors";

/// Trains a network, and writes the weights of the best epoch on `valid` to the file, with the vocabulary.
fn train_network(
    train: &Samples,
    valid: &Samples,
    vocabulary: &Vocabulary,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    let (epochs, batch, rate) = if options.quick { (12, 16, 5e-3) } else { (6, 64, 1e-3) };
    let mut net = Sentiment::new(options.seed);
    let history = Trainer::new(Adam::new(rate))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .clip(Clip::Norm(1.0))
        .validate(valid)
        .keep_best(true)
        .fit(&mut net, train, &CrossEntropy::new())?;
    net.save_with(FILE, vocabulary)?;
    println!("\nweights and words saved to {FILE}\n");
    claim_progress(&history)
}
