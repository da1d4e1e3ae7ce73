#!/usr/bin/env python3
"""Compares inference of ResNet-18 and MobileNetV2 on images of 224x224 with onnxruntime and PyTorch (eager, channels last).

    cargo build --release -p unrolled-benches --bin image_networks
    python scripts/image_networks.py [WORD] [--threads 1 2] [--program PROGRAM]

Each line: milliseconds of a batch of ours, of onnxruntime and of PyTorch, medians over three rounds in which they take
turns, and how many times faster ours is. Needs torch, torchvision, onnx and onnxruntime. Weights are random: they do not change
the time. `--program` adds another build of the same benchmark, of another checkout say.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import onnxruntime
import torch
import torchvision

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "image_networks"
NETWORKS = {"resnet18": torchvision.models.resnet18, "mobilenet_v2": torchvision.models.mobilenet_v2}


def median(call):
    """The median of the milliseconds of a call, over two seconds and at least five calls."""
    call()
    begin, times = time.perf_counter(), []
    while len(times) < 5 or time.perf_counter() - begin < 2:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def ours(program, name, batch, threads):
    command = [program, name, str(batch), str(threads)]
    return lambda: float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def onnxruntimes(path, batch, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {"x": numpy.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=numpy.float32)}
    return lambda: median(lambda: session.run(None, feed))


def pytorchs(net, batch, threads):
    net = net.to(memory_format=torch.channels_last)
    x = torch.randn(batch, 3, 224, 224).contiguous(memory_format=torch.channels_last)

    def measure():
        torch.set_num_threads(threads)
        with torch.inference_mode():
            return median(lambda: net(x))

    return measure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("word", nargs="?", default="", help="networks whose name contains this")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--program", help="another build of the benchmark")
    arguments = parser.parse_args()
    programs = [PROGRAM, *([arguments.program] if arguments.program else [])]
    names = ["ours", *["other build"][: len(programs) - 1], "onnxruntime", "PyTorch"]
    print(f"| network | batch | threads | {' | '.join(f'{name}, ms' for name in names)} | ratios |")
    print("|---" * (len(names) + 4) + "|")
    for name, make in NETWORKS.items():
        if arguments.word not in name:
            continue
        net = make().eval()
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "net.onnx")
            for batch in [1, 16]:
                example = torch.zeros(batch, 3, 224, 224)
                torch.onnx.export(net, (example,), path, input_names=["x"], dynamo=False)
                for threads in arguments.threads:
                    measured = [ours(program, name, batch, threads) for program in programs]
                    measured += [onnxruntimes(path, batch, threads), pytorchs(net, batch, threads)]
                    rounds = [[measure() for measure in measured] for _ in range(3)]
                    times = [statistics.median(times) for times in zip(*rounds)]
                    ratios = ", ".join(f"{time / times[0]:.2f}" for time in times[1:])
                    cells = " | ".join(f"{time:.2f}" for time in times)
                    print(f"| {name} | {batch} | {threads} | {cells} | {ratios} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
