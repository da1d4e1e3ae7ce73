# Common commands, for https://just.systems; each line is plain cargo or a script and works without just.

# List the commands.
default:
    @just --list

# Train the example classifier on the embedded digits.
digits *arguments:
    cargo run --release --example digits -- {{arguments}}

# Run all tests.
test *arguments:
    cargo test --workspace {{arguments}}

# Run every check, as CI does.
ci:
    .ci/run

# Format the code.
format:
    cargo fmt --all
    cargo run --quiet --package unrolled-fmt -- examples/*.rs

# Lint all targets.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Check the words, the modules and the documents: takes seconds.
structure:
    scripts/check_words.sh
    python3 scripts/check_modules.py
    cargo test --test documents

# Write the snapshots of compile errors and the generated parts of documents anew.
bless:
    TRYBUILD=overwrite cargo test --test ui
    BLESS=1 cargo test --test documents

# Open the documentation of the facade.
doc:
    cargo doc --package unrolled --all-features --no-deps --open

# Time a whole network: just workload W1 2
workload name threads="1":
    cargo run --release --example workloads -- {{name}} {{threads}}

# Time kernels.
bench *arguments:
    cargo bench --package unrolled-benches {{arguments}}

# Fuzz one target: just fuzz weights
fuzz target:
    cargo +nightly fuzz run {{target}}
