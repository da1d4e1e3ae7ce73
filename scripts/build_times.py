#!/usr/bin/env python3
"""Measures how long programs of eight kinds take to check and to build, also beside another version of this repository.

    python scripts/build_times.py                             # the table of docs/performance.md
    python scripts/build_times.py --beside ../before          # ours and that checkout's, one after the other
    python scripts/build_times.py --only lenet --runs 5
    python scripts/build_times.py --processor                 # seconds of all threads, which depend less on other work

Each is a program of its own in a temporary package that depends on the checkout. Dependencies are built before and do not
count. A run changes a constant in `main`, as one does between two trainings, and measures the build after that: `check`,
`dev` (with the sections for it in README.md of each checkout), `release`, and `fast`, the profile for fast rebuilds of
README.md. `clean` is the release build of the first program from nothing, with all dependencies. Prints the median of wall
time in seconds; with `--beside`, that of both checkouts and their ratio, each run of ours followed by one of the other.

Wall time depends on what else the machine does: run nothing else meanwhile.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from compile_time import network

ROOT = Path(__file__).resolve().parent.parent

MANIFEST = """
[package]
name = "build_times"
version = "0.0.0"
edition = "2024"

[dependencies]
unrolled = { path = "CHECKOUT" }

DEV

[profile.fast]
inherits = "release"
incremental = true
[profile.fast.package."*"]
incremental = false
"""

# A section for debug builds in README.md. Of each checkout its own: the name of the package has changed once.
DEV = re.compile(r"^\[profile\.dev\.package\.[^\]]+\]\n(?:[^\n]*=[^\n]*\n)+", re.MULTILINE)

# Built before the measurements, so that dependencies exist.
NOTHING = "use unrolled as _;\nfn main() {}\n"

FORWARD = """
fn main() {
    let net = Net::new(SEED);
    println!("{:?}", net.forward(&INPUT));
}
"""

TRAINING = """
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut net = Net::new(SEED);
    let data = Data { inputs: vec![INPUT; 64], targets: vec![TARGET; 64] };
    Trainer::new(Adam::new(1e-3)).batch(16).epochs(1).fit(&mut net, &data, &LOSS)?;
    println!("{:?}", net.forward(&INPUT));
    Ok(())
}
"""

UNET = """
    block Level(channels) {
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
        Conv2d(channels, kernel = 3, padding = same, bias = false), BatchNorm, ReLU,
    }

    block Up(channels, skip) {
        ConvTranspose2d(channels, kernel = 2, stride = 2),
        Concat { {}, skip },
        Level(channels),
    }

    struct Net(48x48x1) -> 48x48x1 {
        fine: Level(8), MaxPool2d(2),
        middle: Level(16), MaxPool2d(2),
        Level(32),
        Up(16, middle),
        Up(8, fine),
        Conv2d(1, kernel = 1),
    }
"""

TRANSFORMER = """
    struct Net(text: 64) -> 64x65 {
        Embedding(65, 128), PositionalEmbedding,
        Repeat(4) { TransformerEncoder(128, heads = 4, hidden = 512, causal = true) },
        LayerNorm,
        Dense(65, bias = false),
    }
"""

LENET = """
    struct Net(28x28x1) -> 10 {
        Conv2d(32, kernel = 3), ReLU, MaxPool2d(2),
        Conv2d(64, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        Dense(128), ReLU, Dropout(0.5),
        Dense(10),
    }
"""

GENERIC = """
fn run<const UNITS: usize>() {
    println!("{:?}", Net::<UNITS>::new(SEED).forward(&[0.5; 64]));
}

fn main() {
    run::<8>();
    run::<9>();
    run::<10>();
    run::<11>();
    run::<12>();
    run::<13>();
    run::<14>();
    run::<15>();
}
"""


def trained(network, **constants):
    """A program that trains the network; `constants` have its input, its target and its loss."""
    text = TRAINING
    for name, value in constants.items():
        text = text.replace(name, value)
    return network, text


def perceptron(units):
    network = f"struct Net(64) -> 10 {{ Dense({units}), ReLU, Dense({units}), ReLU, Dense(10) }}"
    return network, FORWARD.replace("INPUT", "[0.5; 64]")


# The lines of `network!`, and the rest of the program.
PROGRAMS = {
    "perceptron 64-8-8-10, `forward`": perceptron(8),
    "perceptron 64-256-256-10, `forward`": perceptron(256),
    "eight instances of a generic perceptron, `forward`": (
        "struct Net<const UNITS: usize>(64) -> 10 { Dense(UNITS), ReLU, Dense(UNITS), ReLU, Dense(10) }",
        GENERIC,
    ),
    "convolutions for digits (lenet), trainer": trained(
        LENET, INPUT="[[[0.5_f32; 1]; 28]; 28]", TARGET="1", LOSS="CrossEntropy::new()"
    ),
    "LSTM of 128, trainer": trained(
        "struct Net(text: 64) -> 64x65 { Embedding(65, 64), LSTM(128), Dense(65) }",
        INPUT="[1; 64]",
        TARGET="[1; 64]",
        LOSS="CrossEntropy::new()",
    ),
    "transformer of 4 layers, trainer": trained(
        TRANSFORMER, INPUT="[1; 64]", TARGET="[1; 64]", LOSS="CrossEntropy::new()"
    ),
    "ResNet-56, trainer": trained(
        network(56), INPUT="[[[0.5_f32; 3]; 32]; 32]", TARGET="1", LOSS="CrossEntropy::new()"
    ),
    "U-Net, trainer": trained(
        UNET,
        INPUT="[[[0.5_f32; 1]; 48]; 48]",
        TARGET="[[[0.5_f32; 1]; 48]; 48]",
        LOSS="BinaryCrossEntropyWithLogits::new()",
    ),
}

MODES = {
    "check": ["check"],
    "dev": ["build"],
    "release": ["build", "--release"],
    "fast": ["build", "--profile", "fast"],
}


def source(program, seed):
    network, rest = PROGRAMS[program]
    begin = "use unrolled::prelude::*;\n\nnetwork! {\n" + network + "\n}\n"
    return f"{begin}\nconst SEED: u64 = {seed};\n{rest}"


class Checkout:
    """A package that depends on a checkout, with a target directory of its own."""

    def __init__(self, path, folder, clock):
        self.folder = folder
        self.clock = clock
        self.main = folder / "src" / "main.rs"
        self.main.parent.mkdir(parents=True)
        dev = "\n".join(DEV.findall((Path(path) / "README.md").read_text()))
        manifest = MANIFEST.replace("CHECKOUT", str(Path(path).resolve())).replace("DEV", dev)
        (folder / "Cargo.toml").write_text(manifest)
        (folder / "Cargo.lock").write_bytes((Path(path) / "Cargo.lock").read_bytes())
        self.seed = 0

    def cargo(self, mode):
        """Seconds that a build takes."""
        environment = os.environ | {"CARGO_TARGET_DIR": str(self.folder / "target")}
        manifest = ["--quiet", "--offline", "--manifest-path", str(self.folder / "Cargo.toml")]
        begin = self.clock()
        # In this folder, because its toolchain is pinned.
        subprocess.run(["cargo", *MODES[mode], *manifest], cwd=ROOT, env=environment, check=True)
        return self.clock() - begin

    def build(self, program, mode):
        """Seconds that a build takes after a constant was changed."""
        self.seed += 1
        self.main.write_text(source(program, self.seed))
        return self.cargo(mode)

    def prepare(self, mode):
        self.main.write_text(NOTHING)
        self.cargo(mode)

    def clean(self, program):
        """Seconds of a release build from nothing."""
        shutil.rmtree(self.folder / "target", ignore_errors=True)
        return self.build(program, "release")


def processor_seconds():
    """Those of all child processes that have ended; `os.times` counts in steps of 0.01 s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cell(seconds):
    """The medians of ours and of the other checkout: `1.5`, or `1.5 / 1.6 = 0.94`."""
    ours, *other = [statistics.median(each) for each in seconds]
    return "".join([f"{ours:.2f}", *(f" / {it:.2f} = {ours / it:.2f}" for it in other)])


def measure(checkouts, runs, build):
    """Seconds of each checkout, interleaved, so that both see the same machine."""
    seconds = [[] for _ in checkouts]
    for _ in range(runs):
        for checkout, each in zip(checkouts, seconds):
            each.append(build(checkout))
    return cell(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", help="another checkout of this repository")
    parser.add_argument("--only", default="", help="programs whose name contains this")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--processor", action="store_true", help="processor seconds instead of wall time")
    parser.add_argument("--clean", action="store_true", help="also build the first program from nothing")
    arguments = parser.parse_args()
    programs = [program for program in PROGRAMS if arguments.only in program]
    with tempfile.TemporaryDirectory() as folder:
        paths = [ROOT, *([arguments.beside] if arguments.beside else [])]
        clock = processor_seconds if arguments.processor else time.monotonic
        checkouts = [Checkout(path, Path(folder) / str(nth), clock) for nth, path in enumerate(paths)]
        if arguments.clean:
            seconds = measure(checkouts, arguments.runs, lambda it: it.clean(programs[0]))
            print(f"clean build of {programs[0]}: {seconds} s\n", flush=True)
        for mode in arguments.modes:
            for checkout in checkouts:
                checkout.prepare(mode)
        print(f"| program | {' | '.join(f'{mode}, s' for mode in arguments.modes)} |")
        print("|---" * (len(arguments.modes) + 1) + "|", flush=True)
        for program in programs:
            cells = []
            for mode in arguments.modes:
                # The first build of a program is not one after a change.
                for checkout in checkouts:
                    checkout.build(program, mode)
                cells.append(measure(checkouts, arguments.runs, lambda it: it.build(program, mode)))
            print(f"| {program} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
