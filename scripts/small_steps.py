#!/usr/bin/env python3
"""Times small steps on one thread: ours, PyTorch's, burn's, and a loop written by hand with nalgebra; they take turns.

    cargo build --release -p unrolled-benches --bin small_steps --bin nalgebra_steps
    cargo build --release --locked --manifest-path benches/burn/Cargo.toml
    python scripts/small_steps.py

Prints the table of docs/performance.md: medians of the rounds, in microseconds. Needs PyTorch. Leaves burn out if its program
is not built.
"""

import argparse
import os
import statistics
import subprocess
import time
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent


def perceptron(*sizes, activation):
    layers = []
    for inputs, units in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, units), activation()]
    return nn.Sequential(*layers[:-1])


def training_step(net, batch, inputs, outputs):
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    x, target = torch.rand(batch, inputs), torch.rand(batch, outputs)

    def step():
        adam.zero_grad()
        nn.functional.mse_loss(net(x), target).backward()
        adam.step()

    return step


def q_learning(batch):
    net, target = (perceptron(4, 64, 64, 2, activation=nn.ReLU) for _ in range(2))
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    states, following = torch.rand(batch, 4), torch.rand(batch, 4)

    def step():
        with torch.no_grad():
            value = 0.5 + 0.99 * target(following).max(1).values
        adam.zero_grad()
        nn.functional.mse_loss(net(states)[:, 0], value).backward()
        adam.step()

    return step


def inference(batch):
    net, x = perceptron(4, 64, 64, 2, activation=nn.ReLU), torch.rand(batch, 4)

    def step():
        with torch.inference_mode():
            net(x)

    return step


def steps():
    """The names are those of benches/small_steps.rs."""
    tiny = lambda: perceptron(2, 32, 2, activation=nn.Tanh)
    actions = lambda: perceptron(4, 64, 64, 2, activation=nn.ReLU)
    large = lambda: perceptron(784, 256, 128, 10, activation=nn.ReLU)
    return {
        "2-32-2, step, batch 1": training_step(tiny(), 1, 2, 2),
        "2-32-2, step, batch 64": training_step(tiny(), 64, 2, 2),
        "4-64-64-2, step, batch 1": training_step(actions(), 1, 4, 2),
        "4-64-64-2, Q-learning, batch 64": q_learning(64),
        "4-64-64-2, forward_batch of 64": inference(64),
        "784-256-128-10, step, batch 64": training_step(large(), 64, 784, 10),
    }


def microseconds(step):
    """The median of blocks of about 10 ms."""
    for _ in range(20):
        step()
    begin = time.perf_counter()
    step()
    calls = max(1, int(0.01 / (time.perf_counter() - begin)))
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        for _ in range(calls):
            step()
        times.append((time.perf_counter() - begin) / calls)
    return 1e6 * statistics.median(times)


def built(package):
    """Where cargo puts the programs of a workspace."""
    return Path(os.environ.get("CARGO_TARGET_DIR", package / "target")) / "release"


TARGET = built(ROOT)
BURN = built(ROOT / "benches/burn") / "burn_steps"


def run(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def ours(name):
    """Microseconds of one step on one thread."""
    _, found, one, *_ = run(TARGET / "small_steps", name).splitlines()[2].split("|")
    assert found.strip() == name, f"expected the step {name}, found {found}"
    return float(one)


def by_name(program):
    """Microseconds by name, from lines of both."""
    rows = [line.rsplit("\t", 1) for line in run(program).splitlines()]
    return {name: float(time) for name, time in rows}


def cells(name, measured):
    """The medians of one step, ours first, and how many times as fast ours is as each of the others."""
    us, *others = [
        statistics.median(turn[name] for turn in turns) if name in turns[0] else None
        for turns in measured
    ]
    shown = lambda figure, digits: "" if figure is None else f"{figure:,.{digits}f}"
    ratios = [other and other / us for other in others]
    return [shown(figure, 2) for figure in [us, *others]] + [shown(ratio, 1) for ratio in ratios]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--burn", type=Path, default=BURN, help="the program of benches/burn")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pytorch = steps()
    programs = {
        "ours": lambda: {name: ours(name) for name in pytorch},
        "PyTorch": lambda: {name: microseconds(step) for name, step in pytorch.items()},
        "burn": lambda: by_name(arguments.burn),
        "by hand": lambda: by_name(TARGET / "nalgebra_steps"),
    }
    if not arguments.burn.exists():
        print(f"burn is left out: {arguments.burn} does not exist")
        del programs["burn"]
    turns = [[program() for program in programs.values()] for _ in range(arguments.rounds)]
    measured = list(zip(*turns))
    _, *others = programs
    print("| step, one thread, µs | " + " | ".join([*programs, *(f"{name} / ours" for name in others)]) + " |")
    print("|---" * (1 + len(programs) + len(others)) + "|")
    for name in pytorch:
        print("| " + " | ".join([name, *cells(name, measured)]) + " |")


if __name__ == "__main__":
    main()
