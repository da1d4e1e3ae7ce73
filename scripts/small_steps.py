#!/usr/bin/env python3
"""Times small steps on one thread: ours, PyTorch's, and a loop written by hand with nalgebra; they take turns.

    cargo build --release -p unrolled-benches --bin small_steps --bin nalgebra_steps
    python scripts/small_steps.py

Prints the table of docs/performance.md: medians of the rounds, in microseconds. Needs PyTorch.
"""

import argparse
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


def run(program, *arguments):
    program = ROOT / "target/release" / program
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def ours():
    """Microseconds on one thread, by name."""
    rows = [line.split("|") for line in run("small_steps").splitlines()[2:]]
    return {name.strip(): float(one) for _, name, one, *_ in rows}


def by_hand():
    batch_1, batch_64 = map(float, run("nalgebra_steps").split())
    return {"2-32-2, step, batch 1": batch_1, "2-32-2, step, batch 64": batch_64}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    pytorch = steps()
    measured = [
        (ours(), {name: microseconds(step) for name, step in pytorch.items()}, by_hand())
        for _ in range(rounds)
    ]
    print("| step, one thread | ours, µs | PyTorch, µs | by hand, µs | ours to PyTorch | to by hand |")
    print("|---|---|---|---|---|---|")
    for name in pytorch:
        cells = [[found[which].get(name) for found in measured] for which in range(3)]
        us, torchs, hands = (statistics.median(cell) if cell[0] else None for cell in cells)
        hand, ratio = (f"{hands:.2f}", f"{hands / us:.1f}") if hands else ("", "")
        print(f"| {name} | {us:.2f} | {torchs:.2f} | {hand} | {torchs / us:.1f} | {ratio} |")


if __name__ == "__main__":
    main()
