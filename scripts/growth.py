#!/usr/bin/env python3
"""Plots the speed of training by batch size and by layer width, ours and PyTorch's.

    cargo build --release --example workloads
    python scripts/growth.py THREADS PLOT.svg           # needs PyTorch and matplotlib

The networks are those of `examples/workloads.rs`: the digits' convolutional network with batches of 1 to 1,024, and
three dense layers of width 16 to 4,096 with batches of 64, both with Adam. PyTorch runs eagerly, with its fused Adam,
and channels last in the convolutional network. Each figure is from its own process, pinned to as many cores as it has
threads; ours and PyTorch's alternate; medians of seven blocks.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples" / "workloads"
SIZES = {"batch": [2**n for n in range(11)], "width": [2**n for n in range(4, 13)]}
BLOCK = float(os.environ.get("BENCH_SECONDS", 0.3))


def figure(command, threads):
    pinned = ["taskset", "-c", ",".join(map(str, range(threads))), *map(str, command)]
    env = os.environ | {"OMP_NUM_THREADS": str(threads), "BENCH_SECONDS": str(BLOCK)}
    out = subprocess.run(pinned, capture_output=True, text=True, check=True, env=env).stdout
    return float(out.split("\t")[-2])


def pytorchs(axis, size, threads):
    """Prints PyTorch's figure as `workloads` prints ours."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    if axis == "batch":
        net = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
        ).to(memory_format=torch.channels_last)
        x = torch.rand(size, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    else:
        dense = [nn.Linear(size, size) for _ in range(3)]
        net = nn.Sequential(dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])
        x = torch.rand(64, size)
    targets = torch.randint(10, (len(x),))
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

    def step():
        adam.zero_grad()
        nn.functional.cross_entropy(net(x), targets).backward()
        adam.step()

    print(f"{axis}={size}\tpytorch\t{threads}\t{len(x) / seconds_per_call(step)}\tsamples/s")


def seconds_per_call(call):
    begin, calls = time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - begin < 2 * BLOCK:
        call()
        calls += 1
    per_block = max(1, int(BLOCK * calls / (time.perf_counter() - begin)))
    blocks = []
    for _ in range(7):
        begin = time.perf_counter()
        for _ in range(per_block):
            call()
        blocks.append((time.perf_counter() - begin) / per_block)
    return statistics.median(blocks)


def plot(figures, threads, path):
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    plots = pyplot.subplots(1, len(figures), figsize=(10, 4))
    titles = {"batch": "convolutional network, images/s", "width": "three dense layers, samples/s"}
    for axes, (axis, rows) in zip(plots[1], figures.items()):
        sizes, ours, others = zip(*rows)
        axes.plot(sizes, ours, "o-", label="unrolled")
        axes.plot(sizes, others, "s--", label="PyTorch")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set(xlabel=axis, title=titles[axis])
        axes.grid(alpha=0.3)
        axes.legend()
    plots[0].suptitle(f"Training on {threads} thread{'s' * (threads > 1)}")
    plots[0].tight_layout()
    pyplot.rcParams["svg.hashsalt"] = "unrolled"  # the same bytes for the same figures
    plots[0].savefig(path, metadata={"Date": None})


def main():
    if sys.argv[1] == "--pytorch":
        pytorchs(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    threads, path = int(sys.argv[1]), sys.argv[2]
    figures = {}
    for axis, sizes in SIZES.items():
        figures[axis] = []
        for size in sizes:
            ours = figure([WORKLOADS, f"{axis}={size}", threads], threads)
            others = figure([sys.executable, __file__, "--pytorch", axis, size, threads], threads)
            figures[axis].append((size, ours, others))
            print(f"{axis} {size:>5} {ours:12,.1f} {others:12,.1f} {ours / others:6.2f}", flush=True)
    plot(figures, threads, path)


main()
