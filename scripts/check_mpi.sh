#!/usr/bin/env bash
# Checks the workspace of nn-mpi: format, lints, tests, and that the examples write the same files on any number of ranks
# and threads, also after a rank was killed. Needs OpenMPI and libclang; as root on Debian it installs them, where it can.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(libopenmpi-dev openmpi-bin libclang-dev clang)
target_dir=$PWD/target/mpi

# What is not installed, if anything.
missing() {
    local program
    for program in mpirun mpicc; do
        command -v "$program" >/dev/null || { echo "$program is not installed"; return; }
    done
    # Where bindgen, which reads MPI's header, looks for it.
    [ -n "${LIBCLANG_PATH:-}" ] || compgen -G '/usr/lib/llvm*/lib*/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib*/*/libclang*.so*' >/dev/null || compgen -G '/usr/lib*/libclang*.so*' >/dev/null ||
        echo "libclang is not installed"
}

install_packages() {
    echo "as root: apt-get install ${packages[*]}"
    # Two minutes at most: there may be no network.
    DEBIAN_FRONTEND=noninteractive timeout 120 sh -c "
        apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=10 update &&
        apt-get install --yes --no-install-recommends ${packages[*]}" >"$target_dir/apt.log" 2>&1 ||
        echo "that failed: $(tail -n 1 "$target_dir/apt.log")"
}

# Runs an example; its file is $folder/NAME.
run() {
    local name=$1 ranks=$2 threads=$3
    shift 3
    UNROLLED_THREADS=$threads timeout 120 mpirun --oversubscribe --bind-to none -n "$ranks" \
        "$target_dir/release/examples/$name" --epochs 2 --save "$folder/$name" "$@" >"$folder/log" 2>&1 ||
        { cat "$folder/log"; echo "$name on $ranks ranks failed"; exit 1; }
}

same_on_all_ranks() {
    local name=$1 ranks threads
    run "$name" 1 1
    mv "$folder/$name" "$folder/expected"
    for threads in 1 2; do
        for ranks in 1 2 3 4; do
            run "$name" "$ranks" "$threads"
            cmp "$folder/$name" "$folder/expected" ||
                { echo "$name: the file depends on ranks or threads"; exit 1; }
        done
    done
    run "$name" 3 1 --shard-optimizer
    cmp "$folder/$name" "$folder/expected" || { echo "$name: a divided optimiser has other bits"; exit 1; }
    echo "$name: the same file on 1, 2, 3 and 4 ranks, with 1 and 2 threads, and with a divided optimiser"
}

mkdir -p "$target_dir"
if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install_packages
fi
why=$(missing)
[ -z "$why" ] || { echo "skipped: $why"; exit 0; }

# In containers everything runs as root, which mpirun refuses otherwise.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export CARGO_TARGET_DIR=$target_dir
# One profile, so that dependencies are built once; the tests' build includes the examples.
cd nn-mpi
cargo fmt --check
cargo clippy --release --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --locked
cargo test --release --locked
cd ..

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
same_on_all_ranks digits
same_on_all_ranks text
if command -v python3 >/dev/null; then
    python3 scripts/mpi_kills.py --kills 3 "$target_dir/release/examples"
else
    echo "skipped: random kills: python3 is not installed"
fi
