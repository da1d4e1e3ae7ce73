#!/usr/bin/env python3
"""Measures how long residual networks of several depths take to compile in release.

    python scripts/compile_time.py [DEPTH ..]       # 8 20 32 56; each is 6 n + 2 layers

Each is a program of its own in a temporary package that depends on this one: He et al. 2015 for CIFAR-10, with one
training step and one inference, so that all of its code is generated. Dependencies are built first and do not
count. Prints processor seconds (user) of all threads, which depend little on what else the machine does, and wall time,
which does.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPTHS = [8, 20, 32, 56]

MANIFEST = f"""
[package]
name = "compile_time"
version = "0.0.0"
edition = "2024"

[dependencies]
unrolled = {{ path = "{ROOT}" }}
"""

# Built before the measurement, so that dependencies exist.
NOTHING = "use unrolled as _;\nfn main() {}\n"

NETWORK = """
    block Basic(channels) {
        Residual {
            Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm,
        },
        ReLU,
    }

    block Halving(channels) {
        Residual {
            Conv2d(channels, kernel = 3, stride = 2, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(channels, kernel = 3, padding = 1, bias = false), BatchNorm,
        } skip {
            Conv2d(channels, kernel = 1, stride = 2, bias = false), BatchNorm,
        },
        ReLU,
    }

    struct Net(32x32x3) -> 10 {
        Conv2d(16, kernel = 3, padding = 1, bias = false), BatchNorm, ReLU,
        Repeat(BLOCKS) { Basic(16) },
        Halving(32), MORE_32
        Halving(64), MORE_64
        GlobalAvgPool,
        Dense(10),
    }
"""

MAIN = """
fn main() {
    let mut net = Net::new(1);
    let mut d_net = Net::zeros();
    let (inputs, targets) = ([[[[0.5; 3]; 32]; 32]; 2], [1, 2]);
    let loss = net.loss_and_gradients(&CrossEntropy::default(), &inputs, &targets, &mut d_net, RngKey::new(1));
    println!("{loss:?} {:?}", net.forward(&inputs[0]));
}
"""


def network(depth):
    """A residual network of so many layers (He et al., 2016)."""
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        sys.exit(f"{depth} layers: expected 6 n + 2 of them, such as 8, 14 or 20")
    text = NETWORK.replace("BLOCKS", str(blocks))
    for channels in (32, 64):
        more = f"Repeat({blocks - 1}) {{ Basic({channels}) }}," if blocks > 1 else ""
        text = text.replace(f"MORE_{channels}", more)
    return text


def program(depth):
    return f"\nuse unrolled::prelude::*;\n\nnetwork! {{{network(depth)}}}\n{MAIN}"


def build(folder, source):
    """Seconds that passed, and processor seconds of cargo and its compilers."""
    main = folder / "src" / "main.rs"
    main.parent.mkdir(exist_ok=True)
    main.write_text(source)
    begin, before = time.monotonic(), os.times().children_user
    command = ["cargo", "build", "--quiet", "--release", "--offline", "--manifest-path", folder / "Cargo.toml"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"CARGO_INCREMENTAL": "0"}, check=True)
    return time.monotonic() - begin, os.times().children_user - before


def main():
    depths = [int(depth) for depth in sys.argv[1:]] or DEPTHS
    programs = {depth: program(depth) for depth in depths}
    os.environ.setdefault("CARGO_TARGET_DIR", str(ROOT / "target"))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "Cargo.toml").write_text(MANIFEST)
        (folder / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
        build(folder, NOTHING)
        print("| layers | processor seconds | for each layer more | seconds passed |\n|---|---|---|---|")
        last = None
        for depth, source in programs.items():
            passed, user = build(folder, source)
            more = f"{(user - last[1]) / (depth - last[0]):.2f}" if last else ""
            print(f"| {depth} | {user:.1f} | {more} | {passed:.1f} |", flush=True)
            last = depth, user


if __name__ == "__main__":
    main()
