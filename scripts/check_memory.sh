#!/usr/bin/env bash
# Runs the unit tests of unrolled-runtime under AddressSanitizer, and those of kernels under valgrind, because kernels access
# memory through raw pointers.
#
# AddressSanitizer finds accesses outside of allocations, stack frames and statics, and runs the instructions of the
# processor. Valgrind also finds branches on uninitialised memory. It supports AVX2 and not AVX-512; vectors differ in width,
# the code is the same. Valgrind 3.19 clears the upper elements of a vector where a fused multiply-add is for its first
# element only: code that pairs elements after the last whole vector may compute wrong results under valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."

# The path of the runtime's unit tests' program, built with the given options.
unit_tests() {
    cargo test --lib --no-run --locked --message-format=json "$@" |
        sed -n '/"name":"unrolled_runtime"/s/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

# The option is unstable. RUSTC_BOOTSTRAP=1 allows it with the pinned toolchain. A target is named so that build scripts
# are compiled without it.
under_address_sanitizer() {
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address"
    local host tests
    host=$(rustc -vV | sed -n 's/^host: //p')
    case $host in
    x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu) ;;
    *) echo "skipped: AddressSanitizer is not built for $host"; return ;;
    esac
    tests=$(unit_tests --package unrolled-runtime --target "$host" --target-dir target/address-sanitizer)
    (cd nn-runtime && "$tests" --quiet)
}

# All tests of the module `kernels` but those of `long_sums`, which measure rounding errors of sums that other tests compute
# too, with lengths that take minutes here. Two processes, each with every second test.
under_valgrind() {
    command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed; apt-get install valgrind"; return; }
    local tests names
    # Those of `cargo test --workspace`, which are compiled already.
    tests=$(unit_tests --workspace)
    names=$("$tests" --list kernels:: 2>/dev/null | sed -n 's/: test$//p' | grep --invert-match ::long_sums::)
    [ -n "$names" ] || { echo "no test of kernels was found"; return 1; }
    half() {
        # shellcheck disable=SC2046 # a name is one word
        valgrind --quiet --error-exitcode=1 "$tests" --quiet --exact $(awk "NR % 2 == $1" <<<"$names")
    }
    half 0 &
    local first=$!
    half 1 &
    local second=$!
    wait "$first"
    wait "$second"
}

(under_address_sanitizer)
under_valgrind
