#!/usr/bin/env bash
# Runs tests/devices on other targets and compares the outputs with those of x86-64's baseline (tests/devices/expected.txt,
# which `cargo test --test devices` checks): WebAssembly with simd128 in Node, 64-bit ARM with NEON in QEMU. Draws digits in
# examples/browser, and runs examples/microcontroller on a Cortex-M4 in QEMU. A target whose tools are missing is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
target_dir=$PWD/target/devices
expected=tests/devices/expected.txt

# Why a target cannot be run, if so: its standard library or one of the programs after it is missing.
missing() {
    local target=$1 program
    [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] || { echo "rustup target add $target"; return; }
    for program in "${@:2}"; do
        command -v "$program" >/dev/null || { echo "$program is not installed"; return; }
    done
}

build() {
    (cd "$1" && cargo build --quiet --release --locked --target-dir "$target_dir" "${@:2}")
}

check_wasm() {
    local target=wasm32-unknown-unknown why
    why=$(missing $target node python3)
    [ -z "$why" ] || { echo "skipped: $target: $why"; return; }
    build tests/devices --target $target --features train
    node scripts/run_wasm.mjs "$target_dir/$target/release/unrolled-devices.wasm" >"$target_dir/wasm.txt"
    echo "$target, simd128, in Node: inference and training"
    python3 scripts/compare_bits.py $expected "$target_dir/wasm.txt"
    build examples/browser
    local module=$target_dir/$target/release/digits_page.wasm
    echo "examples/browser: a module of $(wc -c <"$module") bytes"
    timeout 600 node scripts/check_browser.mjs "$module"
}

check_aarch64() {
    local target=aarch64-unknown-linux-gnu why
    why=$(missing $target qemu-aarch64 aarch64-linux-gnu-gcc python3)
    [ -z "$why" ] || { echo "skipped: $target: $why"; return; }
    build tests/devices --target $target
    qemu-aarch64 -L /usr/aarch64-linux-gnu "$target_dir/$target/release/unrolled-devices" >"$target_dir/aarch64.txt"
    echo "$target, NEON, in QEMU: inference"
    # NEON rounds a multiply-add once, x86-64's baseline twice. 24 bits, and sums of hundreds of terms through several
    # layers.
    python3 scripts/compare_bits.py $expected "$target_dir/aarch64.txt" 1e-6 losses weights
}

check_cortex_m() {
    local target=thumbv7em-none-eabihf why
    why=$(missing $target qemu-system-arm nm)
    [ -z "$why" ] || { echo "skipped: $target: $why"; return; }
    build examples/microcontroller --target $target --bin digits --bin halves --bin filter
    build examples/microcontroller --bin digits --bin halves --bin filter
    local name firmware found
    for name in digits halves filter; do
        firmware=$target_dir/$target/release/$name
        # As in examples/microcontroller/.cargo/config.toml. The firmware ends QEMU.
        timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native \
            -kernel "$firmware" >"$target_dir/$name.txt"
        cmp <(grep -v '^stack' "$target_dir/$name.txt") <("$target_dir/release/$name" | grep -v '^stack')
        # Inference allocates nothing, and nothing that panics formats a message.
        found=$(nm --demangle "$firmware" | grep -E 'core::fmt|core::num::flt2dec|alloc::|__rust_alloc' || true)
        [ -z "$found" ] || { echo "$name: expected no allocator and no formatting, found $found"; exit 1; }
        echo "$target, scalar, in QEMU: \`$name\` has the same output; no allocator, no formatting;" \
            "$(grep '^stack' "$target_dir/$name.txt") bytes"
    done
}

check_wasm
check_aarch64
check_cortex_m
