#!/usr/bin/env python3
"""Models of torchvision, whose state dicts load without renaming: tests/pytorch/torchvision.rs.

    python tests/reference/torchvision_models.py          # writes torchvision/NAME.txt: names and shapes
    python tests/reference/torchvision_models.py FOLDER   # writes FOLDER/NAME.safetensors and FOLDER/NAME_case.safetensors
    python tests/reference/torchvision_models.py check FOLDER  # loads FOLDER/NAME_again.safetensors with strict=True

Needs torch, torchvision and safetensors. The weights are random, since the test is about names, layouts and definitions.
NAME_case has `input.0`, images of 64x64 as `[height, width, channels]`, and `inference`, the output in evaluation mode, computed in
float64.
"""

import sys
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file, save_file

NAMES = ["resnet18", "resnet50", "mobilenet_v2", "densenet121"]
HERE = Path(__file__).resolve().parent / "torchvision"


def model(name):
    """A model with random weights and running statistics, in evaluation mode."""
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)()
    for key, value in net.state_dict().items():
        if key.endswith("running_mean"):
            value.normal_(std=0.1)
        elif key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return net.eval()


def write_names():
    HERE.mkdir(exist_ok=True)
    for name in NAMES:
        state = model(name).state_dict()
        lines = [f"{key} {list(value.shape)}\n" for key, value in state.items()]
        (HERE / f"{name}.txt").write_text("".join(lines))


def write_cases(folder):
    for name in NAMES:
        net = model(name)
        save_file(net.state_dict(), folder / f"{name}.safetensors")
        x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
        with torch.no_grad():
            y = net.double()(x)
        case = {"input.0": x.permute(0, 2, 3, 1).contiguous(), "inference": y}
        save_file(case, folder / f"{name}_case.safetensors")


def check(folder):
    for name in NAMES:
        state = load_file(folder / f"{name}_again.safetensors")
        print(name, "strict=True", model(name).load_state_dict(state, strict=True))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            write_names()
        case ["check", folder]:
            check(Path(folder))
        case [folder]:
            write_cases(Path(folder))
