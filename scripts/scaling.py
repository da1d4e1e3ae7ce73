#!/usr/bin/env python3
"""Measures distributed training on this machine, and projects it to more ranks: the tables of docs/distributed.md.

    scripts/check_mpi.sh                                      # builds the examples
    python3 scripts/scaling.py target/mpi/release/examples

Runs are interleaved, and figures are medians; the model is that of the fastest runs. Nothing else should run; where it does, `--realtime` (as root on Linux) gives the
measured processes the processors first.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

# As root mpirun asks for these.
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

# Of the reduction tree.
LEAVES = 8


@dataclass
class Example:
    """A program, and what a step of it is."""

    epochs: int
    batch: int
    batches: int
    # For the samples' weights; for each batch two for each `BatchNorm`, two for the gradient and one for loss sums; for
    # callbacks.
    exchanges: int


EXAMPLES = {
    "digits": Example(epochs=3, batch=64, batches=1, exchanges=1 + (2 * 2 + 2 + 1) + 1),
    "text": Example(epochs=15, batch=20, batches=2, exchanges=1 + 2 * (2 + 1) + 1),
}

# Assumed, because this machine has no network: the time until a short message arrives.
LATENCY_MS = 0.02
PROJECTED_RANKS = [8, 64, 512]
GIGABITS = [10, 100]


@dataclass
class Steps:
    """The medians of one run; times in milliseconds."""

    step: float
    waited: float
    sent: list[int]
    weights: int


def mpirun(options, ranks, threads, arguments):
    first = ["chrt", "--rr", "1"] if options.realtime else []
    command = [*first, "mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *map(str, arguments)]
    environment = os.environ | ROOT | {"UNROLLED_THREADS": str(threads)}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=600).stdout


def run(options, name, ranks, threads, batch, leaves=LEAVES):
    """Runs an example once."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--epochs", EXAMPLES[name].epochs, "--batch", batch, "--leaves", leaves]
        arguments += ["--times", "--save", Path(folder) / "weights"]
        output = mpirun(options, ranks, threads, [options.examples / name, *arguments])
    pattern = r"^rank (\d+): \d+ steps: ([\d.]+) ms, of which ([\d.]+) ms in exchanges; (\d+) bytes sent; (\d+) weights"
    found = sorted((int(rank), values) for rank, *values in re.findall(pattern, output, re.MULTILINE))
    step, waited = (max(float(values[i]) for _, values in found) for i in (0, 1))
    return Steps(step, waited, [int(values[2]) for _, values in found], int(found[0][1][3]))


def measure(options, runs, middle=statistics.median):
    """The medians of runs with these arguments, interleaved."""
    results = [[] for _ in runs]
    for _ in range(options.rounds):
        for i, arguments in enumerate(runs):
            results[i].append(run(options, *arguments))
    found = []
    for steps in results:
        step, waited = (middle(getattr(s, field) for s in steps) for field in ("step", "waited"))
        found.append(Steps(step, waited, steps[0].sent, steps[0].weights))
    return found


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def measure_exchanges(options):
    """Microseconds of an exchange of one message, and of one message more; GB/s."""
    output = mpirun(options, 2, 1, [options.examples / "exchange"])
    pattern = r"exchange: ([\d.]+) us; one more message: ([\d.]+) us; ([\d.]+) GB/s"
    return [float(value) for value in re.search(pattern, output).groups()]


def ranks_beside_threads(options):
    print("### Two ranks beside two threads\n")
    rows = []
    for name, example in EXAMPLES.items():
        ranks, threads = measure(options, [(name, 2, 1, example.batch), (name, 1, 2, example.batch)])
        ratio = ranks.step / threads.step
        rows.append([f"`{name}`", f"{ranks.step:.2f} ms", f"{threads.step:.2f} ms", f"{ratio:.2f}"])
    table(["example", "2 ranks of 1 thread", "1 rank of 2 threads", "ratio"], rows)


def bytes_of_steps(options):
    print("### Bytes of a step\n")
    rows = []
    for name, example in EXAMPLES.items():
        for ranks in [2, 3, 4]:
            steps = run(options, name, ranks, 1, example.batch)
            least = example.batches * 2 * (ranks - 1) / ranks * 4 * steps.weights
            sent = statistics.mean(steps.sent)
            rows.append([f"`{name}`", str(ranks), f"{sent:,.0f}", f"{least:,.0f}", f"{sent / least:.3f}"])
    table(["example", "ranks", "sent by a rank, mean", "2 (R - 1) / R x 4 n", "ratio"], rows)


@dataclass
class Model:
    """How long a step of an example takes; times in milliseconds."""

    example: Example
    weights: int
    fixed: float  # what each rank computes, such as the optimiser's update
    per_leaf: float
    per_sample: float
    message: float  # what one more message costs a rank

    def compute(self, leaves, samples):
        return self.fixed + self.per_leaf * leaves + self.per_sample * samples

    def gradient(self, ranks, bytes_per_ms):
        return self.example.batches * 2 * (ranks - 1) / ranks * 4 * self.weights / bytes_per_ms

    def latency(self, ranks, latency):
        return self.example.exchanges * (latency + (ranks - 1) * self.message)


def fit(options, name, message):
    """The model by steps of one rank, with two sizes of batches and two numbers of leaves; the step of the example on one rank
    and on two."""
    example = EXAMPLES[name]
    alone = (name, 1, 1)
    batch = example.batch
    runs = [(*alone, batch), (*alone, 2 * batch), (*alone, batch, 2 * LEAVES), (name, 2, 1, batch)]
    # Other work only adds time, and the model has differences of times.
    one, samples, leaves, two = measure(options, runs, min)
    per_sample = (samples.step - one.step) / (batch * example.batches)
    per_leaf = max((leaves.step - one.step) / LEAVES, 0.0)
    fixed = max(one.step - per_leaf * LEAVES - per_sample * batch * example.batches, 0.0)
    return Model(example, one.weights, fixed, per_leaf, per_sample, message), one, two


def check_model(models, exchange, gigabytes):
    print("### The model on this machine\n")
    rows = []
    for name, (model, alone, two) in models.items():
        samples = model.example.batch * model.example.batches
        gradient = model.gradient(2, 1e6 * gigabytes)
        latency = model.latency(2, 1e-3 * exchange)
        predicted = model.compute(LEAVES / 2, samples / 2) + gradient + latency
        rows.append(
            [
                f"`{name}`",
                f"{alone.step:.2f} ms",
                f"{model.fixed:.2f} ms, {1e3 * model.per_leaf:.0f} us per leaf, {1e3 * model.per_sample:.0f} us per sample",
                f"{gradient:.2f} + {latency:.2f} ms",
                f"{predicted:.2f} ms",
                f"{two.step:.2f} ms, {two.waited:.2f} ms in exchanges",
            ]
        )
    header = ["example", "step, 1 rank", "compute", "gradient + other exchanges, 2 ranks", "predicted, 2 ranks", "measured"]
    table(header, rows)


def project(models, batches):
    """Projects steps in which each rank has the samples of so many steps of the example."""
    print(f"### Projection, {batches} x the samples of the example's step on each rank\n")
    rows = []
    for name, (model, *_) in models.items():
        samples = batches * model.example.batch * model.example.batches
        for ranks in PROJECTED_RANKS:
            compute, latency = model.compute(1, samples), model.latency(ranks, LATENCY_MS)
            row = [f"`{name}`", str(ranks), f"{compute:.1f} ms", f"{latency:.2f} ms"]
            for gigabits in GIGABITS:
                gradient = model.gradient(ranks, 1e6 * gigabits / 8)
                row += [f"{gradient:.2f} ms", f"{compute / (compute + latency + gradient):.0%}"]
            rows.append(row)
    header = ["example", "ranks", "compute", "other exchanges"]
    for gigabits in GIGABITS:
        header += [f"gradient, {gigabits} Gbit/s", "efficiency"]
    table(header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("examples", type=Path, help="the folder with the programs")
    options = parser.parse_args()
    ranks_beside_threads(options)
    bytes_of_steps(options)
    exchange, message, gigabytes = measure_exchanges(options)
    print(
        f"Between two ranks on this machine, an exchange of one short message takes {exchange:.1f} us, of one more"
        f" {message:.2f} us more; messages of 1 MB pass at {gigabytes:.1f} GB/s in each direction.\n"
    )
    models = {name: fit(options, name, 1e-3 * message) for name in EXAMPLES}
    check_model(models, exchange, gigabytes)
    for batches in [1, 8]:
        project(models, batches)


if __name__ == "__main__":
    main()
