#!/usr/bin/env bash
# Kernels reach memory through raw pointers: runs their tests under valgrind, which sees reads and writes beyond
# an allocation. It knows AVX2 and no AVX-512; the widths differ, the code is the same. Takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=$(cargo test -p nn-runtime --lib --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
valgrind --quiet --error-exitcode=1 "$tests" kernels::tests kernels::attention
