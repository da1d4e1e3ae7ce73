#!/usr/bin/env bash
# Kernels reach memory through raw pointers: runs their tests under valgrind, which sees reads and writes beyond
# an allocation. It knows AVX2 and no AVX-512; the widths differ, the code is the same. Takes three minutes.
#
# Valgrind 3.19 clears the upper numbers of a vector where a fused multiply-add is for its first one alone: code that
# pairs numbers behind the last whole vector may give wrong results here, and here only.
#
# Where there is no valgrind it installs it, on systems with apt; where that is not possible, it says so and ends.
set -euo pipefail
cd "$(dirname "$0")/.."
install='apt-get update && apt-get install --yes valgrind'
if ! command -v valgrind >/dev/null && ! timeout 180 sh -c "$install" >/dev/null 2>&1; then
    echo "skipped: valgrind is not installed, and apt-get cannot do it here"
    exit 0
fi
tests=$(cargo test -p unrolled-runtime --lib --no-run --locked --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
check() {
    valgrind --quiet --error-exitcode=1 "$tests" "$@"
}
# Two at a time. Functions of one number, which read no memory, are left out.
check kernels::tests kernels::conv_pool &
first=$!
check kernels::attention kernels::few_rows kernels::recurrent kernels::stream kernels::transpose &
second=$!
wait "$first"
wait "$second"
