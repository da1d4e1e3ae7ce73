#!/usr/bin/env bash
# Runs the main job, the example digits without options, and checks what it prints: an accuracy of at least 97%, the same
# accuracy from the saved weights, and the same accuracy and weights on one thread.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

digits() {
    cargo run --quiet --release --example digits -- "$@" | tee "$folder/log" >&2
    tail -n 1 "$folder/log"
}

trained=$(digits --save "$folder/digits.safetensors")
loaded=$(digits --load "$folder/digits.safetensors")
one_thread=$(UNROLLED_THREADS=1 digits --save "$folder/one_thread.safetensors")

percent=$(sed -n 's/^test accuracy: \([0-9.]*\)%$/\1/p' <<<"$trained")
[ -n "$percent" ] || { echo "expected 'test accuracy: NN.NN%' in the last line, found '$trained'"; exit 1; }
awk -v p="$percent" 'BEGIN { exit !(p >= 97) }' || { echo "expected at least 97%, found $percent%"; exit 1; }
[ "$trained" = "$loaded" ] || { echo "expected '$trained' from the saved weights, found '$loaded'"; exit 1; }
[ "$trained" = "$one_thread" ] || { echo "expected '$trained' on one thread, found '$one_thread'"; exit 1; }
cmp "$folder/digits.safetensors" "$folder/one_thread.safetensors" || { echo "weights depend on the number of threads"; exit 1; }
echo "main job: $trained, again from the file, and on one thread"
