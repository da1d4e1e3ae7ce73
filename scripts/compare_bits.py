#!/usr/bin/env python3
"""Compares two files of lines `NAME BITS BITS ..`, bits of f32 in hexadecimal.

    python scripts/compare_bits.py EXPECTED FOUND [BOUND [ABSENT ..]]

Prints for each name of FOUND whether the bits are the same, or the largest difference relative to the largest expected
value. Fails above BOUND (default: 0), when a name differs, and when FOUND lacks a name that begins with none of the words ABSENT.
"""

import math
import struct
import sys


def read(path):
    lines = (line.split() for line in open(path))
    # The name may have spaces; bits have eight digits.
    return {" ".join(words[: -count(words)]): words[-count(words) :] for words in lines}


def count(words):
    """The number of values at the end of a line."""
    return sum(1 for word in words if len(word) == 8 and not set(word) - set("0123456789abcdef"))


def value(bits):
    return struct.unpack(">f", bytes.fromhex(bits))[0]


def difference(expected, found):
    expected, found = [[value(bits) for bits in values] for values in (expected, found)]
    differences = [abs(a - b) for a, b in zip(expected, found)]
    # `max` would drop a NaN that is not the first.
    return math.nan if any(map(math.isnan, differences)) else max(differences) / max(map(abs, expected))


def main():
    expected, found = read(sys.argv[1]), read(sys.argv[2])
    bound = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    absent = tuple(sys.argv[4:])
    missing = [name for name in expected if name not in found and not (absent and name.startswith(absent))]
    if missing:
        sys.exit(f"expected the outputs {', '.join(missing)}, found none of them")
    failed = False
    for name, bits in found.items():
        if len(bits) != len(expected.get(name, ())):
            sys.exit(f"{name}: expected {len(expected.get(name, ()))} values, found {len(bits)}")
        if bits == expected[name]:
            print(f"  {name}: the same {len(bits)} values")
            continue
        far = difference(expected[name], bits)
        failed |= not far <= bound
        print(f"  {name}: {len(bits)} values differ by at most {far:.1e}, allowed: {bound:.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
