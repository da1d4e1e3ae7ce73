//! Layers without products of matrices give the same bits on processors with and without wide vectors.

use std::process::Command;
use unrolled::Streams;
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;

network! {
    /// Every layer that is made of plain loops.
    struct Plain(12x12x21) -> 21 {
        MaxPool2d(3, stride = 1, padding = 1), ReLU, GELU, AvgPool2d(2), SiLU, BatchNorm, ELU(0.5),
        Softplus, PReLU, HardSwish, LeakyReLU,
        Residual { GELU(approximate = tanh), Dropout(0.3), Tanh },
        Mul { { Sigmoid }, { GlobalMaxPool, Softmax } },
        GlobalAvgPool, LogSoftmax,
    }
}

/// A number that outputs and gradients decide, every bit of them.
fn digest() -> u64 {
    let streams = Streams::new(7);
    let mut next = 0;
    let mut number = || {
        next += 1;
        8.0 * streams.uniform(next) - 4.0
    };
    let inputs: Vec<[[[f32; 21]; 12]; 12]> = (0..9)
        .map(|_| {
            let mut picture = [[[0.0; 21]; 12]; 12];
            picture.as_flattened_mut().as_flattened_mut().fill_with(&mut number);
            picture
        })
        .collect();
    let mut net = Plain::new(1);
    let mut d_net = Plain::zeros();
    let loss = MeanSquaredError;
    net.loss_and_gradients(&loss, &inputs, &[[0.5; 21]; 9], &mut d_net).unwrap();
    let outputs = inputs.iter().flat_map(|x| net.forward(x));
    let numbers = outputs.chain(net.params().iter().copied()).chain(d_net.params().iter().copied());
    // FNV-1a over words.
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash: u64, number| {
        assert!(number.is_finite());
        (hash ^ u64::from(number.to_bits())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Which variable makes a process of this test the one that is measured.
const CHILD: &str = "UNROLLED_TEST_DIGEST";

#[test]
fn all_instructions_give_the_same_bits() {
    if std::env::var_os(CHILD).is_some() {
        println!("digest {}", digest());
        return;
    }
    // The choice is made once per process.
    let digest_with = |isa: &str| {
        let test = std::env::current_exe().unwrap();
        let arguments = ["--exact", "all_instructions_give_the_same_bits", "--nocapture"];
        let mut child = Command::new(test);
        child.args(arguments).env(CHILD, "1").env("UNROLLED_ISA", isa);
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        let line = output.lines().find_map(|line| line.split("digest ").nth(1));
        line.unwrap_or_else(|| panic!("no digest in {output}")).to_owned()
    };
    let expected = digest().to_string();
    for isa in ["baseline", "avx2", "avx512"] {
        assert_eq!(digest_with(isa), expected, "{isa}");
    }
}
