"""Shared by the scripts that compare layers with PyTorch's: PyTorch on one thread, a timer, and the table."""

import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def ours(program, *arguments):
    """The two figures that a program of the benches prints."""
    command = [TARGET / "release" / program, *map(str, arguments)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(figure) for figure in out.split()]


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


def table(names, batches, passes, ours, pytorchs):
    """A line for each of the `names` with a word of the command line in it, and each batch: two figures of ours and of
    PyTorch's, which the functions give for name and batch."""
    print(f"{'':36}{'batch':>5}   {passes[0]:^32}   {passes[1]:^32}")
    words = sys.argv[1:] or [""]
    for name in names:
        for batch in batches if any(word in name for word in words) else []:
            figures = ours(name, batch)
            others = pytorchs(name, batch) if torch else [float("nan")] * 2
            columns = [f"{a:12,.1f}{b:12,.1f}{b / a:8.2f}" for a, b in zip(figures, others)]
            print(f"{name:36}{batch:>5}   {'   '.join(columns)}", flush=True)
