#!/usr/bin/env bash
# Runs the tests of kernels under valgrind, because kernels access memory through raw pointers: it finds reads and
# writes outside of an allocation. Valgrind supports AVX2 and not AVX-512; vectors differ in width, the code is the
# same. Takes three minutes.
#
# Valgrind 3.19 clears the upper elements of a vector where a fused multiply-add is for its first element only. Code that
# pairs elements after the last whole vector may compute wrong results under valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed; apt-get install valgrind"; exit 0; }
tests=$(cargo test -p unrolled-runtime --lib --no-run --locked --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
check() {
    valgrind --quiet --error-exitcode=1 "$tests" "$@"
}
# Two processes at a time. Elementwise functions, which access no memory beyond their slices, are left out.
check kernels::tests kernels::conv_pool &
first=$!
check kernels::attention kernels::few_rows kernels::recurrent kernels::stream kernels::transpose &
second=$!
wait "$first"
wait "$second"
