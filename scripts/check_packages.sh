#!/usr/bin/env bash
# Packages the six crates as for a registry, without building them, and checks that each is under 1 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
rm -rf "$target/package"
# A package that depends on an unpublished one can only be made together with it, by cargo 1.90 or later.
cargo package --workspace --exclude unrolled-benches --exclude random-networks \
    --no-verify --allow-dirty --locked --offline --quiet 2>&1 | grep -v '^warning: ignoring test\|^warning: manifest has no\|^  |\|^  = note\|^$' || true
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
for name in unrolled-fmt unrolled-shape unrolled-weights unrolled-macros unrolled-runtime unrolled; do
    package=$(find "$target/package" -name "$name-$version.crate" | head -n 1)
    [ -n "$package" ] || { echo "$name was not packaged"; exit 1; }
    bytes=$(wc -c <"$package")
    echo "$name: $((bytes / 1000)) kB"
    [ "$bytes" -lt 1000000 ] || { echo "$name is over 1 MB: see \`include\` in its Cargo.toml"; exit 1; }
done
