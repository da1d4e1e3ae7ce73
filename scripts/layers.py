#!/usr/bin/env python3
"""Sets layers far from the workloads' sizes, two of a kind in a row, beside PyTorch's (eager, one thread).

    cargo build --release -p unrolled-benches
    taskset -c 0 python scripts/layers.py [WORD ..]     # those whose names contain a word

Each line: microseconds of inference and of a training step (forward, mean squared error, backward), ours and
PyTorch's, and how many times as fast ours is. Each figure is the least of several blocks. Without PyTorch ours alone.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
try:
    import torch
except ImportError:
    torch = None

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))

# The networks of benches/layers.rs: the shape of a sample, and PyTorch's layers.
LAYERS = {
    "dense17": ((17,), lambda: two(torch.nn.Linear, 17, 17)),
    "dense4096": ((4096,), lambda: two(torch.nn.Linear, 4096, 4096)),
    "lstm17": ((32, 17), lambda: Lstm(17)),
    "lstm512": ((32, 512), lambda: Lstm(512)),
    "attention512": ((512, 512), lambda: torch.nn.Sequential(Attention(), Attention())),
}
BATCHES = [1, 7, 64]


def two(layer, *sizes):
    return torch.nn.Sequential(layer(*sizes), layer(*sizes))


if torch:

    class Lstm(torch.nn.LSTM):
        def __init__(self, units):
            super().__init__(units, units, num_layers=2, batch_first=True)

        def forward(self, x):
            return super().forward(x)[0]

    class Attention(torch.nn.MultiheadAttention):
        def __init__(self):
            super().__init__(512, 8, batch_first=True)

        def forward(self, x):
            return super().forward(x, x, x, need_weights=False)[0]


def ours(name, batch):
    command = [TARGET / "release" / "layers", name, str(batch)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(figure) for figure in out.split()]


def pytorchs(name, batch):
    shape, make = LAYERS[name]
    net, x = make(), torch.rand(batch, *shape) - 0.5

    def inference():
        with torch.inference_mode():
            net.eval()(x)

    def training():
        net.zero_grad()
        net.train()(x).square().mean().backward()

    return [microseconds(inference), microseconds(training)]


def microseconds(call):
    """The least of nine blocks."""
    begin, calls = time.perf_counter(), 0
    while calls < 2 or time.perf_counter() - begin < 0.015:
        call()
        calls += 1
    least = float("inf")
    for _ in range(9):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        least = min(least, (time.perf_counter() - begin) / calls)
    return 1e6 * least


def main():
    if torch:
        torch.set_num_threads(1)
    print(f"{'':16}{'batch':>5}   {'inference':^30}   {'training':^30}")
    for name in LAYERS:
        if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
            continue
        for batch in BATCHES:
            figures = ours(name, batch)
            others = pytorchs(name, batch) if torch else [float("nan")] * 2
            columns = [f"{a:12,.1f}{b:12,.1f}{b / a:6.2f}" for a, b in zip(figures, others)]
            print(f"{name:16}{batch:>5}   {'   '.join(columns)}", flush=True)


main()
