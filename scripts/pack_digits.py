#!/usr/bin/env python3
"""Writes examples/data/digits-*-ubyte from the digits that scikit-learn ships.

    python scripts/pack_digits.py PATH/TO/sklearn/datasets/data/digits.csv.gz

Needs only Python. Writes two IDX files, like MNIST's, the same bytes on every machine. They are not compressed, because
compressed bytes depend on the version of zlib.
"""

import gzip
import hashlib
import struct
import sys
from pathlib import Path

SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
FOLDER = Path(__file__).resolve().parent.parent / "examples" / "data"


def idx(values, *dims):
    """An IDX file of bytes."""
    return struct.pack(f">BBBB{len(dims)}I", 0, 0, 8, len(dims), *dims) + bytes(values)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    text = gzip.open(sys.argv[1]).read()
    found = hashlib.sha256(text).hexdigest()
    if found != SHA256:
        sys.exit(f"{sys.argv[1]}: expected the SHA-256 {SHA256} after decompression, found {found}")
    lines = [[int(number) for number in line.split(b",")] for line in text.split()]
    images = [pixel for line in lines for pixel in line[:64]]
    (FOLDER / "digits-images-idx3-ubyte").write_bytes(idx(images, len(lines), 8, 8))
    (FOLDER / "digits-labels-idx1-ubyte").write_bytes(idx([line[64] for line in lines], len(lines)))


if __name__ == "__main__":
    main()
