//! What expanded code looks like: files beside this one, which a person can read. After a wanted
//! change, `BLESS=1 cargo test -p unrolled-macros expansion` writes them anew.

use crate::expand::expand_networks;
use crate::lint::Warnings;
use crate::network::Features;
use crate::report::Report;
use proc_macro2::TokenStream;
use std::path::Path;

/// The expansion of `text`, pretty-printed, is what stands in the file.
#[track_caller]
fn assert_expansion(file: &str, text: &str) {
    let tokens: TokenStream = format!("unrolled; {text}").parse().expect("text of tokens");
    let mut report = Report::default();
    let mut warnings = Warnings::default();
    let features = Features { std: true, train: true };
    let code = expand_networks(tokens, features, &mut report, &mut warnings);
    assert_eq!(report.messages(), [], "no mistakes");
    assert_eq!(warnings.messages(), [], "no warnings");
    let code = prettyplease::unparse(&syn::parse2(code).expect("code of items"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/expanded").join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &code).expect("a file that can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("a file that can be read");
    let differs = code.lines().zip(expected.lines()).position(|(found, wanted)| found != wanted);
    if let Some(line) = differs {
        let found: Vec<&str> = code.lines().skip(line).take(5).collect();
        panic!("line {} of {} is now:\n{}", line + 1, path.display(), found.join("\n"));
    }
    assert_eq!(code.lines().count(), expected.lines().count(), "lines of {}", path.display());
}

#[test]
fn the_classifier_of_digits() {
    assert_expansion(
        "digits.rs",
        "
        /// Classifies handwritten digits.
        pub struct Digits(28x28x1) -> 10 {
            conv1: Conv2d(32, kernel = 3)    -> 26x26x32,
            ReLU,
            MaxPool2d(2)                     -> 13x13x32,
            conv2: Conv2d(64, kernel = 3)    -> 11x11x64,
            ReLU,
            MaxPool2d(2)                     -> 5x5x64,
            Flatten                          -> 1600,
            fc1: Dense(128),
            ReLU,
            Dropout(0.5),
            fc2: Dense(10),
        }
        ",
    );
}

#[test]
fn phases_and_branches() {
    assert_expansion(
        "phases.rs",
        "
        /// Statistics over the batch, between branches that begin at the network's inputs.
        #[allow(bias_before_batch_norm)]
        struct Phases(x: 4, table: 3) -> 2 {
            Concat { x => { Tanh }, table => { Tanh } },
            Residual { fc: Dense(7), bn: BatchNorm, ReLU },
            inner: Inner,
        }
        ",
    );
}

#[test]
fn weights_that_are_shared() {
    assert_expansion(
        "shared.rs",
        "
        /// An encoder that is applied to two inputs.
        struct Siamese(a: 6, b: 6) -> 1 {
            left: a => [fc: Dense(4, bias = false), bn: BatchNorm],
            right: b => same(left),
            Sub { left, right },
            Dense(1),
        }
        ",
    );
}

#[test]
fn lines_that_are_applied_to_each_step() {
    assert_expansion(
        "per_step.rs",
        "
        /// A network of each frame, then of all.
        struct Video(..4x6x6x1) -> 4x2 {
            PerStep {
                conv: Conv2d(2, kernel = 3, bias = false), bn: BatchNorm, ReLU,
                PerStep { GlobalAvgPool },
                Flatten,
            },
            gru: GRU(2),
        }
        ",
    );
}
