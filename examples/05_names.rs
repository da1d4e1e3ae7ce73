//! A network that generates first names, one character at a time.
//!
//! ```text
//! cargo run --release --example names -- --data DIR
//! ```
//!
//! Introduces **recurrent layers with an output at each step, and streaming**. The state of `GRU` encodes the
//! characters read so far, and after each of them `Dense` computes scores for the next one. In training a name is one
//! sample of up to 16 steps, and the loss ignores the steps after its end. In generation `step` reads one character and
//! returns the scores of the next. The recurrent state is kept in a `State`, so nothing is computed twice.
//!
//! Data: 32,033 names of the US Social Security Administration, `names/names.txt` in the data folder.

mod common;

use common::{Options, claim, claim_progress};
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use unrolled::SequenceError;
use unrolled::data::{Sampler, Vocabulary, read_text};
use unrolled::optim::{Clip, schedule::Cosine};
use unrolled::prelude::*;

network! {
    /// Scores of the next character, after each character of a name.
    pub struct Names(name: ..16) -> 16x28 {
        letters: Embedding(28, 32) -> 16x32,
        memory: GRU(128)           -> 16x128,
        Dropout(0.3),
        next: Dense(28),
    }
}

/// Characters, and the next one after each of them. Targets after the end of a name are ignored.
type Texts = Data<Sequence<u32, 16>, [u32; 16]>;

const SOURCE: &str = "https://github.com/karpathy/makemore (names.txt)";

/// The token before the first character and after the last character of a name.
const END: &str = "\n";

/// The number of names to generate.
const GENERATED: usize = 20;

fn main() -> ExitCode {
    common::start("names", run)
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let text = if options.quick {
        FEW_NAMES.replace(' ', "\n")
    } else {
        read_text(options.file("names/names.txt", SOURCE)?)?
    };
    // Names that are given to both girls and boys are listed twice. No name may be in both the training and the test set.
    let mut names: Vec<&str> = text.lines().collect();
    names.sort_unstable();
    names.dedup();
    let vocabulary = Vocabulary::characters().learn([text.as_str(), END]);
    let samples = names.iter().map(|name| sample(name, &vocabulary));
    let mut train: Texts = samples.collect::<Result<_, _>>()?;
    train.shuffle(options.seed);
    let test = train.split_off(names.len() / 10);
    println!("{}", Names::summary());
    println!("{} training names, {} test names\n", train.len(), test.len());

    let (epochs, batch) = if options.quick { (12, 8) } else { (8, 64) };
    let steps = epochs * train.len().div_ceil(batch);
    let mut net = Names::new(options.seed);
    let history = Trainer::new(AdamW::new(4e-3))
        .batch(batch)
        .epochs(epochs)
        .seed(options.seed)
        .schedule_steps(Cosine::new(steps).warm_up(steps / 20, 0.1))
        .clip(Clip::Norm(1.0))
        .validate(&test)
        .fit(&mut net, &train, &CrossEntropy::new())?;

    claim_progress(&history)?;

    println!("\ngenerated:\n");
    let mut sampler = Sampler::new(options.seed).temperature(0.8);
    let mut new = 0;
    for _ in 0..GENERATED {
        let name = generate(&net, &vocabulary, &mut sampler)?;
        new += usize::from(!names.contains(&name.as_str()));
    }
    println!("\n{new} of these {GENERATED} are new");
    let nats = net.evaluate(&test, &CrossEntropy::new())?.loss;
    let most = if options.quick { 2.8 } else { 2.05 };
    println!("{nats:.4} nats per character on the test names");
    claim(&format!("below {most} nats per character"), nats < most)
}

/// A name as a sample: the input begins with [`END`], the target ends with it.
fn sample(
    name: &str,
    vocabulary: &Vocabulary,
) -> Result<(Sequence<u32, 16>, [u32; 16]), SequenceError> {
    let tokens = vocabulary.encode(&format!("{END}{name}{END}"));
    let mut next = [0; 16];
    let input = Sequence::new(&tokens[..tokens.len() - 1])?;
    next[..input.len()].copy_from_slice(&tokens[1..]);
    Ok((input, next))
}

/// Generates a name, and prints each character as soon as it is drawn.
fn generate(
    net: &Names,
    vocabulary: &Vocabulary,
    sampler: &mut Sampler,
) -> std::io::Result<String> {
    let (mut state, mut token) = (State::new(), vocabulary.token(END));
    let mut name = String::new();
    loop {
        token = sampler.draw(&net.step(&mut state, &token));
        let Some(character) = vocabulary.entry(token).filter(|character| *character != END) else {
            break;
        };
        print!("{character}");
        std::io::stdout().flush()?;
        name += character;
    }
    println!();
    Ok(name)
}

/// The names for `--quick`.
const FEW_NAMES: &str = "\
abigail ada adam adrian agnes alan albert alexander alice alma amanda amelia amy andrea andrew angela anita \
ann anna anthony arthur audrey barbara beatrice benjamin bernard bertha betty beverly bonnie brandon brenda \
brian bruce carl carmen carol caroline catherine charles charlotte cheryl christian christina claire clara \
clarence craig crystal cynthia daisy daniel david deborah denise dennis diana donald donna doris dorothy \
douglas dylan earl edith edna edward eileen elaine eleanor elijah elizabeth ella ellen elsie emily emma eric \
ernest esther ethan ethel eugene eva evelyn felix florence frances frank frederick gary george gerald gladys \
gloria grace gregory hannah harold harry hazel heather helen henry herbert howard ida irene iris isaac \
isabella jack jacob james jane janet jason jean jeffrey jennifer jeremy jerry jessica joan joe john jonathan \
jordan jose joseph joshua joyce juan judith julia julie justin karen katherine kathleen keith kelly kenneth \
kevin kyle larry laura lauren lawrence leah leonard leslie lillian linda lisa logan lois louis louise lucas \
lucille lucy madison margaret maria marie marilyn marion mark martha martin mary matthew megan melissa \
michael michelle mildred molly nancy natalie nathan nicholas nicole noah nora norma olivia oscar pamela \
patricia patrick paul paula peter philip phyllis quentin rachel ralph raymond rebecca richard robert rodney \
roger ronald rose roy ruby russell ruth ryan samantha samuel sandra sara sarah scott sean sharon shirley \
sophia stanley stephanie stephen steven susan sylvia tammy teresa theodore theresa thomas timothy tyler \
valerie vera victor victoria vincent viola virginia walter wanda wayne wendy willard william xavier yvonne \
zachary zoe";
