#!/usr/bin/env python3
"""Kills random ranks of the example digits of nn-mpi at random times, and continues each run on another number of ranks.

    scripts/check_mpi.sh                                      # builds the examples
    python3 scripts/mpi_kills.py --kills 50 target/mpi/release/examples

Every killed run must end within 10 s, with a message that names the rank; every continued one must write the same bytes as a
run that was not interrupted, and leave no temporary file. Needs Linux.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RANKS = [1, 2, 3, 4]
EPOCHS = 4
LIMIT = 10.0
# As root mpirun asks for these.
ENVIRONMENT = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "UNROLLED_THREADS": "1",
}


class Run:
    """The example on `ranks` ranks, with checkpoints in `folder`."""

    def __init__(self, program, ranks, folder):
        self.log = open(folder / "log", "w+")
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), program]
        command += ["--epochs", str(EPOCHS), "--checkpoint", folder / "checkpoints", "--save", folder / "weights"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, env=ENVIRONMENT)

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def wait(self, limit):
        """Whether it ends within `limit` seconds."""
        try:
            self.process.wait(limit)
            return True
        except subprocess.TimeoutExpired:
            # mpirun ends its ranks then.
            self.process.terminate()
            self.process.wait()
            return False

    def succeed(self):
        if not self.wait(120) or self.process.returncode != 0:
            raise SystemExit(f"a run failed:\n{self.output()}")

    def process_of(self, rank):
        """The process of a rank, once there is one."""
        wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
        while self.process.poll() is None:
            for process in children(self.process.pid):
                try:
                    if wanted in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                        return process
                except OSError:
                    pass
            time.sleep(0.01)
        return None


def children(process):
    found = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += thread.read_text().split()
        except OSError:
            pass
    return [int(child) for child in found]


def kill_one(program, ranks, folder, delay):
    """Kills a rank after `delay` seconds. Returns which one, the time until all had ended, and how far training was; nothing if
    the run had ended."""
    run = Run(program, ranks, folder)
    victim = random.randrange(ranks)
    process = run.process_of(victim)
    time.sleep(delay)
    if run.process.poll() is not None or process is None:
        return None
    begin = time.monotonic()
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        run.wait(LIMIT)
        return None
    in_time = run.wait(LIMIT)
    taken = time.monotonic() - begin
    output = run.output()
    if run.process.returncode == 0:
        return None  # It had ended.
    if not in_time:
        raise SystemExit(f"rank {victim} of {ranks}, after {delay:.2f} s: not all ranks ended within {LIMIT:.0f} s:\n{output}")
    if not re.search(rf"rank {victim}\b.*(Killed|not answered|has ended)", output):
        raise SystemExit(f"rank {victim} of {ranks}, after {delay:.2f} s: no message names it:\n{output}")
    epochs = len(re.findall(r"^epoch ", output, re.MULTILINE))
    return victim, taken, epochs


def check_continued(program, ranks, folder, expected):
    """Continues the run, and checks its files."""
    Run(program, ranks, folder).succeed()
    if (folder / "weights").read_bytes() != expected:
        raise SystemExit(f"continued on {ranks} ranks: other weights")
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    unexpected = files - {"weights", "log", "last.ckpt", "best.ckpt"}
    if unexpected:
        raise SystemExit(f"files left: {unexpected}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("examples", type=Path, help="the folder with the program `digits`")
    options = parser.parse_args()
    random.seed(options.seed)
    program = options.examples / "digits"
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        Run(program, 2, Path(folder)).succeed()
        duration = time.monotonic() - begin
        expected = (Path(folder) / "weights").read_bytes()
    longest, begun, kills = 0.0, 0, 0
    while kills < options.kills:
        ranks = random.choice(RANKS[1:])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            killed = kill_one(program, ranks, folder, random.uniform(0, duration))
            if killed is None:
                continue
            victim, taken, epochs = killed
            kills += 1
            longest = max(longest, taken)
            begun += (folder / "checkpoints" / "last.ckpt").exists()
            others = random.choice([number for number in RANKS if number != ranks])
            check_continued(program, others, folder, expected)
            print(
                f"{kills}: rank {victim} of {ranks} killed after epoch {epochs}: all ended in {taken:.1f} s;"
                f" the same bytes on {others}",
                flush=True,
            )
    print(f"{kills} kills: {begun} with a checkpoint, all ended in {longest:.1f} s at most, all continued to the same bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
