#!/usr/bin/env python3
"""Reads the event files of a run with the `tensorboard` package and compares them with its metrics.csv.

    pip install tensorboard
    cargo test --test training logs
    python scripts/check_tensorboard.py [FOLDER]

FOLDER is a `log_dir`; the default is the one of tests/training/logs.rs. Also prints the bytes that the tests in
nn-runtime/src/train/log expect.
"""

import csv
import io
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

HERE = Path(__file__).resolve().parent
COLUMNS = {
    "learning_rate": "learning_rate",
    "training_loss": "loss/training",
    "training_accuracy": "accuracy/training",
    "validation_loss": "loss/validation",
    "validation_accuracy": "accuracy/validation",
    "seconds": None,
    "epoch": None,
}


def expected_bytes():
    file = io.BytesIO()
    RecordWriter(file).write(b"abc")
    print("RECORD", list(file.getvalue()))
    event = Event(wall_time=1.5, step=300, summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.25)]))
    print("EVENT", list(event.SerializeToString()))


def check(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    with open(folder / "metrics.csv") as file:
        rows = list(csv.DictReader(file))
    compared = 0
    for column in rows[0]:
        tag = COLUMNS.get(column, column if column.startswith("gradient_norm/") else f"metrics/{column}")
        if tag is None:
            continue
        # A cell is empty where an epoch has no such value, and where it was before the run was resumed.
        filled = [row for row in rows if row[column]]
        found = {event.step: event.value for event in events.Scalars(tag)} if filled else {}
        for row in filled:
            expected = struct.unpack("f", struct.pack("f", float(row[column])))[0]
            assert found[int(row["epoch"])] == expected, (column, row, found)
            compared += 1
    histograms = events.Tags()["histograms"]
    for tag in histograms:
        for event in events.Histograms(tag):
            values = event.histogram_value
            assert sum(values.bucket) == values.num > 0, tag
            assert values.min <= values.sum / values.num <= values.max == values.bucket_limit[-1], tag
        assert [event.step for event in events.Histograms(tag)] == [int(row["epoch"]) for row in rows], tag
    layers = {tag.split("/", 1)[1] for tag in histograms}
    assert {f"{kind}/{layer}" for kind in ("weights", "gradients") for layer in layers} == set(histograms)
    print(f"{folder}: {compared} scalars equal metrics.csv; {len(histograms)} histograms of {len(rows)} epochs are sound")


if __name__ == "__main__":
    expected_bytes()
    check(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "target/tmp/logs/run")
