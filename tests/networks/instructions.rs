//! Layers without matrix products have the same bits on processors with and without wide vectors. Functions such as
//! `exp` fuse multiply-adds, and have the same bits on all processors with such an instruction.

use std::process::Command;
use unrolled::RngKey;
use unrolled::loss::MeanSquaredError;
use unrolled::prelude::*;

network! {
    /// Layers made of plain loops.
    struct Straight(12x12x21) -> 21 {
        MaxPool2d(3, stride = 1, padding = 1), ReLU, AvgPool2d(2), BatchNorm, PReLU, HardSwish, LeakyReLU,
        Residual { Dropout(0.3) },
        Mul { { ReLU }, { GlobalMaxPool } },
        GlobalAvgPool,
    }

    /// Layers with functions such as `exp`.
    #[allow(softmax_at_output)]
    struct Curved(12x12x21) -> 21 {
        GELU, AvgPool2d(2), SiLU, ELU(0.5), Softplus,
        Residual { GELU(approximate = tanh), Tanh },
        Mul { { Sigmoid }, { GlobalMaxPool, Softmax } },
        GlobalAvgPool, LogSoftmax,
    }
}

/// A hash of every bit of the outputs and gradients.
fn digest<N>() -> u64
where
    N: Network<Input = [[[f32; 21]; 12]; 12], Output = [f32; 21]>,
{
    let key = RngKey::new(7);
    let mut next = 0;
    let mut number = || {
        next += 1;
        8.0 * key.uniform(next) - 4.0
    };
    let inputs: Vec<[[[f32; 21]; 12]; 12]> = (0..9)
        .map(|_| {
            let mut image = [[[0.0; 21]; 12]; 12];
            image.as_flattened_mut().as_flattened_mut().fill_with(&mut number);
            image
        })
        .collect();
    let mut net = N::new(1);
    let mut d_net = N::zeros();
    let loss = MeanSquaredError;
    net.loss_and_gradients(&loss, &inputs, &[[0.5; 21]; 9], &mut d_net, RngKey::new(1)).unwrap();
    let mut outputs = vec![[0.0; 21]; inputs.len()];
    net.forward_batch(&inputs, &mut outputs);
    let outputs = outputs.iter().flatten().copied();
    let values = outputs.chain(net.params().iter().copied()).chain(d_net.params().iter().copied());
    // FNV-1a over words.
    values.fold(0xcbf2_9ce4_8422_2325, |hash: u64, value| {
        assert!(value.is_finite());
        (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The environment variable that makes a process of this test print its digests.
const CHILD: &str = "UNROLLED_TEST_DIGEST";

#[test]
fn instructions_give_the_same_bits() {
    if std::env::var_os(CHILD).is_some() {
        println!("digests {} {}", digest::<Straight>(), digest::<Curved>());
        return;
    }
    // A process chooses its instruction set once.
    let digests_with = |isa: &str| {
        let test = std::env::current_exe().unwrap();
        let arguments = ["--exact", "instructions::instructions_give_the_same_bits", "--nocapture"];
        let mut child = Command::new(test);
        child.args(arguments).env(CHILD, "1").env("UNROLLED_ISA", isa);
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        let line = output.lines().find_map(|line| line.split("digests ").nth(1));
        let digests = line.and_then(|line| line.split_once(' '));
        let (straight, curved) = digests.unwrap_or_else(|| panic!("no digests in {output}"));
        (straight.to_owned(), curved.to_owned())
    };
    let [baseline, avx2, avx512] = ["baseline", "avx2", "avx512"].map(digests_with);
    assert_eq!(baseline.0, avx512.0);
    assert_eq!(avx2, avx512);
}

/// The environment variable that makes a process of this test use instructions and threads.
const WRONG: &str = "UNROLLED_TEST_WRONG_VARIABLES";

#[test]
fn wrong_variables_are_reported_once() {
    if std::env::var_os(WRONG).is_some() {
        (0..3).for_each(|_| assert_ne!(digest::<Straight>(), 0));
        return;
    }
    let test = std::env::current_exe().unwrap();
    let mut child = Command::new(test);
    child.args(["--exact", "instructions::wrong_variables_are_reported_once", "--nocapture"]);
    child.env(WRONG, "1").env("UNROLLED_ISA", "nonsense").env("UNROLLED_THREADS", "abc");
    let output = child.output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    for expected in [
        "unrolled: UNROLLED_ISA is \"nonsense\", expected baseline, avx2 or avx512: using ",
        "unrolled: UNROLLED_THREADS is \"abc\", expected a number from 1 to 64: using ",
    ] {
        assert_eq!(messages.matches(expected).count(), 1, "{messages}");
    }
}
