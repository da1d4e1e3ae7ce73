#!/usr/bin/env bash
# Builds the firmware of examples/microcontroller, runs it in QEMU, and prints its sizes as a table for docs/devices.md.
set -euo pipefail
cd "$(dirname "$0")/../examples/microcontroller"
target_dir=$PWD/../../target/devices
target=thumbv7em-none-eabihf

cargo build --quiet --release --locked --target $target --target-dir "$target_dir" \
    --bin digits --bin halves --bin filter --bin sine --bin speech --bin person

# The bytes of the constants whose names match.
constants() {
    nm --radix=d --print-size --demangle "$1" | awk -v names="$2" '$3 == "r" && $4 ~ names { sum += $2 } END { print sum + 0 }'
}

echo "| network | weights | code and constants | stack, workspace included |"
echo "|---|---|---|---|"
for name in digits halves filter sine speech person; do
    firmware=$target_dir/$target/release/$name
    flash=$(size "$firmware" | awk 'END { print $1 }')
    weights=$(constants "$firmware" 'WEIGHTS$|FILTER$')
    inputs=$(constants "$firmware" '::(INPUT|IMAGES|LABELS)$')
    stack=$(timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native \
        -kernel "$firmware" | sed -n 's/^stack //p')
    echo "| $name | $weights | $((flash - weights - inputs)) | $stack |"
done
