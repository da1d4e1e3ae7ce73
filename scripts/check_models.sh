#!/usr/bin/env bash
# Exchanges weights with PyTorch: state dicts of models of other packages load without renaming, outputs are PyTorch's, and
# PyTorch loads what is written here with strict=True. Needs a Python with torch and safetensors, which UNROLLED_PYTHON names,
# and for some models torchvision, timm or transformers.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${UNROLLED_PYTHON:-python3}
imports() { "$python" -c "import $1" 2>/dev/null; }

imports torch,safetensors || { echo "skipped: $python has no torch and safetensors; UNROLLED_PYTHON names another one"; exit; }

# Models of tests/reference/NAME_models.py, which needs a package, and the test of tests/pytorch/NAME.rs.
check() {
    local name=$1 package=$2 folder=$PWD/target/models/$1
    imports "$package" || { echo "skipped: models of $name, since $python has no $package"; return; }
    rm -rf "$folder"
    mkdir -p "$folder"
    "$python" "tests/reference/${name}_models.py" "$folder"
    UNROLLED_MODELS=$folder cargo test --locked --quiet --test pytorch "$name::outputs_are_those_of_pytorch" -- --ignored
    "$python" "tests/reference/${name}_models.py" check "$folder"
}

UNROLLED_PYTHON=$python cargo test --locked --quiet --test pytorch pytorch_loads_what_is_written_here -- --ignored --nocapture
check audio torch
check torchvision torchvision
check timm timm
check transformers transformers
