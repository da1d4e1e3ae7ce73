#!/usr/bin/env python3
"""A vision transformer of timm, whose state dict loads without renaming: tests/pytorch/timm.rs.

    python tests/reference/timm_models.py          # writes timm/NAME.txt: names and shapes
    python tests/reference/timm_models.py FOLDER   # writes FOLDER/NAME.safetensors and FOLDER/NAME_case.safetensors
    python tests/reference/timm_models.py check FOLDER  # loads FOLDER/NAME_again.safetensors with strict=True

Needs torch, timm and safetensors. The weights are random, since the test is about names, layouts and definitions.
NAME_case has `input.0`, images as `[height, width, channels]`, and `inference`, the output in evaluation mode, computed
in float64.
"""

import sys
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file, save_file

NAME = "vit_tiny_patch16_224"
HERE = Path(__file__).resolve().parent / "timm"


def model():
    """The model with random weights, biases and norms too, in evaluation mode."""
    torch.manual_seed(1)
    net = timm.create_model(NAME)
    for key, value in net.state_dict().items():
        if "norm" in key or key.endswith("bias") or key == "cls_token":
            value.add_(torch.randn_like(value) * 0.1)
    return net.eval()


def write_names():
    HERE.mkdir(exist_ok=True)
    # In the order of names: PyTorch has the parameters of a module before those of its parts.
    state = sorted(model().state_dict().items())
    (HERE / f"{NAME}.txt").write_text("".join(f"{key} {list(value.shape)}\n" for key, value in state))


def write_case(folder):
    net = model()
    save_file(net.state_dict(), folder / f"{NAME}.safetensors")
    x = torch.randn(2, 3, 224, 224, dtype=torch.float64)
    with torch.no_grad():
        y = net.double()(x)
    case = {"input.0": x.permute(0, 2, 3, 1).contiguous(), "inference": y}
    save_file(case, folder / f"{NAME}_case.safetensors")


def check(folder):
    state = load_file(folder / f"{NAME}_again.safetensors")
    print(NAME, "strict=True", model().load_state_dict(state, strict=True))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            write_names()
        case ["check", folder]:
            check(Path(folder))
        case [folder]:
            write_case(Path(folder))
