#!/usr/bin/env bash
# Runs tests under Miri, which finds undefined behaviour in what it can interpret: values, weights, memory layouts and the
# contract of layers. Kernels take too long: scripts/check_memory.sh runs them under valgrind. unrolled-shape,
# unrolled-weights and unrolled-macros contain no `unsafe`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo +nightly miri --version >/dev/null 2>&1 ||
    { echo "skipped: Miri is not installed; rustup +nightly component add miri rust-src"; exit 0; }
# libm, which nalgebra calls, contains inline assembly that Miri does not support: types::matrix is left out.
# Tests read files and the clock. Miri supports the instructions of the baseline.
export MIRIFLAGS=-Zmiri-disable-isolation UNROLLED_ISA=baseline UNROLLED_THREADS=2
cargo +nightly miri test --locked --target-dir target/miri -p unrolled-runtime --lib -- \
    types:: memory:: contract:: system::rng_key --skip types::matrix
