#!/usr/bin/env python3
"""Measures builds of programs with the classifier of `examples/workloads.rs`, in a stock release profile.

    python scripts/build_cost.py

One program trains it without weights files, as the programs of other libraries do; one also saves it; one loads and
runs it. They are in a temporary package that depends on this one and has only `strip = true` in its profile. Prints
the seconds of a build from nothing and of a build after the program was touched, the number of crates, and the sizes of
the stripped programs. Seconds are wall time: run nothing else meanwhile.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MANIFEST = f"""
[package]
name = "build_cost"
version = "0.0.0"
edition = "2024"

[dependencies]
unrolled = {{ path = "{ROOT}", default-features = false, features = FEATURES }}

[profile.release]
strip = true
"""

NETWORK = """
use unrolled::prelude::*;

network! {
    struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3), ReLU, MaxPool2d(2),
        conv2: Conv2d(64, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        fc1: Dense(128), ReLU, Dropout(0.5),
        fc2: Dense(10),
    }
}
"""

TRAINING = """
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut net = Digits::new(1);
    let data = Data { inputs: vec![[[[0.5; 1]; 28]; 28]; 256], targets: vec![1; 256] };
    Trainer::new(Adam::new(1e-3)).batch(64).epochs(1).fit(&mut net, &data, &CrossEntropy::default())?;
    SAVE
}
"""

INFERENCE = """
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let net = Digits::load("digits.safetensors")?;
    println!("{:?}", net.forward(&[[[0.5; 1]; 28]; 28]));
    Ok(())
}
"""

# With the features that each requires.
PROGRAMS = {
    "training": (TRAINING.replace("SAVE", "Ok(())"), ["train"]),
    "training_and_saving": (TRAINING.replace("SAVE", 'Ok(net.save("digits.safetensors")?)'), ["train", "files"]),
    "inference": (INFERENCE, ["files"]),
}


def cargo(folder, *arguments):
    """What cargo prints."""
    command = ["cargo", *arguments, "--offline"]
    # In this folder, because its toolchain is pinned; with another target directory, to build from nothing.
    environment = os.environ | {"CARGO_TARGET_DIR": str(folder / "target")}
    manifest = ["--manifest-path", str(folder / "Cargo.toml")]
    return subprocess.run(command + manifest, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)


def seconds(folder, program):
    begin = time.monotonic()
    cargo(folder, "build", "--release", "--bin", program)
    return time.monotonic() - begin


def crates(folder):
    """How many packages are compiled, the program's own among them."""
    tree = cargo(folder, "tree", "--edges", "normal,build", "--prefix", "none").stdout
    return len({" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()})


def main():
    print("| program | clean, s | touched, s | crates | stripped, kB |\n|---|---|---|---|---|")
    for program, (source, features) in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            main = folder / "src" / "bin" / f"{program}.rs"
            main.parent.mkdir(parents=True)
            main.write_text(NETWORK + source)
            (folder / "Cargo.toml").write_text(MANIFEST.replace("FEATURES", str(features)))
            (folder / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
            clean = seconds(folder, program)
            main.touch()
            touched = seconds(folder, program)
            size = (folder / "target" / "release" / program).stat().st_size / 1000
            print(f"| {program} | {clean:.1f} | {touched:.2f} | {crates(folder)} | {size:.0f} |", flush=True)


if __name__ == "__main__":
    main()
