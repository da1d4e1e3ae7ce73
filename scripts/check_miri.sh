#!/usr/bin/env bash
# Runs tests under Miri, which finds undefined behaviour in what it can interpret: shape rules, memory layouts, values
# and data. Kernels take too long; scripts/check_memory.sh runs them under valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo +nightly miri --version >/dev/null 2>&1 ||
    { echo "skipped: Miri is not installed; rustup +nightly component add miri"; exit 0; }
# Tests read files and the clock. Miri supports the instructions of the baseline.
export MIRIFLAGS=-Zmiri-disable-isolation UNROLLED_ISA=baseline UNROLLED_THREADS=2
cargo +nightly miri test --locked --target-dir target/miri -p unrolled-shape --lib
cargo +nightly miri test --locked --target-dir target/miri -p unrolled-runtime --lib -- \
    types:: memory:: system:: contract:: data::
