#!/usr/bin/env bash
# Builds five networks without `std` and without an allocator (tests/no_std) for a microcontroller and for
# WebAssembly, and looks at the linker's map: no allocator, no formatting of floats, no threads or files.
# A target whose standard library is not installed is skipped: `rustup target add TARGET` installs it.
set -euo pipefail
cd "$(dirname "$0")/../tests/no_std"
target_dir=../../target/no_std
libraries=$(rustc --print sysroot)/lib/rustlib

check() {
    local target=$1
    if [ ! -d "$libraries/$target" ]; then
        echo "skipped: $target is not installed (rustup target add $target)"
        return
    fi
    local map=$PWD/$target_dir/$target.map
    mkdir -p "$target_dir"
    cargo rustc --quiet --locked --release --target "$target" --target-dir "$target_dir" -- -C link-arg="-Map=$map"
    [ -s "$map" ] || { echo "$target: the linker wrote no map"; exit 1; }
    for name in digits series text lenet filter; do
        grep -qw "$name" "$map" || { echo "$target: \`$name\` is not linked"; exit 1; }
    done
    # Mangled names: crates alloc and std, the allocator's entry points, Display of floats.
    if grep -oE '(_ZN|Cs[0-9A-Za-z]+_)(5alloc|3std)[0-9a-zA-Z_$.]*|__rust_alloc|__rg_alloc|malloc|[0-9a-zA-Z_$.]*(core3fmt5float|flt2dec)[0-9a-zA-Z_$.]*' "$map" | sort -u | head -20 | grep .; then
        echo "$target: expected no allocator, no std and no formatting of floats in the program, found the above"
        exit 1
    fi
    echo "$target: five networks, no allocator, no std, no formatting of floats"
}

check thumbv7em-none-eabihf
check wasm32-unknown-unknown
