#!/usr/bin/env python3
"""Writes roundtrip*.safetensors, and prints the output that tests/pytorch/roundtrip.rs expects.

    python tests/reference/roundtrip.py          # needs torch and safetensors

roundtrip.safetensors is `save_file(net.state_dict(), ..)` in float32, roundtrip_f16 the same of `net.half()`, and
roundtrip_bf16 that of `net.bfloat16()`. roundtrip_values has a layer whose weights are rounded in many ways:
values of all magnitudes of float16, and means of neighbouring float16 and bfloat16 values with what is just beside them.
roundtrip_weight_norm has the names of both functions for weight normalisation, roundtrip_spectral_norm those for spectral
normalisation.
"""

from copy import deepcopy
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import spectral_norm as older_spectral_norm
from torch.nn.utils import weight_norm as older
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

torch.manual_seed(0)
net = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(2, 4, 3), batch_norm=nn.BatchNorm2d(4), relu=nn.ReLU(), flatten=nn.Flatten(),
    fc1=nn.Linear(4 * 4 * 3, 8), relu_2=nn.ReLU(), fc2=nn.Linear(8, 3),
))
for _ in range(3):
    net(torch.randn(16, 2, 6, 5))  # updates the running statistics of BatchNorm
FOLDER = Path(__file__).resolve().parent


def write(net, name):
    save_file(net.state_dict(), FOLDER / f"{name}.safetensors")
    save_file(deepcopy(net).half().state_dict(), FOLDER / f"{name}_f16.safetensors")
    save_file(deepcopy(net).bfloat16().state_dict(), FOLDER / f"{name}_bf16.safetensors")


def beside(means):
    """The means of neighbouring values, and the floats just below and above."""
    down, up = (torch.nextafter(means, torch.tensor(end)) for end in (-torch.inf, torch.inf))
    return torch.cat([means, down, up])


write(net, "roundtrip")

values = torch.randn(256) * 2.0 ** torch.randint(-26, 13, (256,))
bits = torch.randint(0, 0x7BFF, (128,), dtype=torch.int16)  # of a float16, which is less than the largest
halves = [(bits + i).view(torch.float16).float() for i in (0, 1)]
bits = torch.randint(0x3000, 0x4700, (128,), dtype=torch.int16)  # of a bfloat16 in the range of float16
brain_floats = [(bits + i).view(torch.bfloat16).float() for i in (0, 1)]
ends = torch.tensor([0.0, -0.0, 65504.0, -65519.99, 2.0 ** -24, 2.0 ** -25, 1e-40, torch.inf, -torch.inf])
values = torch.cat([values, *(beside((low + high) / 2) for low, high in (halves, brain_floats)), ends])
layer = nn.Linear(1, len(values), bias=False)
layer.weight.data = values[:, None]
write(nn.Sequential(OrderedDict(values=layer)), "roundtrip_values")
print("weights of roundtrip_values:", len(values))

image = torch.arange(6 * 5 * 2).reshape(1, 6, 5, 2) % 7 / 7  # channels last, as in unrolled
net = net.double().eval()
print("expected output:", net(image.double().movedim(-1, 1)).tolist())

layers = dict(conv1=weight_norm(nn.Conv1d(2, 3, 3)), conv2=older(nn.Conv1d(3, 4, 3, bias=False)), fc=weight_norm(nn.Linear(4, 5)))
save_file(nn.Sequential(OrderedDict(layers)).state_dict(), FOLDER / "roundtrip_weight_norm.safetensors")

layers = dict(
    conv1=spectral_norm(nn.Conv2d(2, 3, (3, 2))),
    conv2=older_spectral_norm(nn.Conv2d(3, 4, 2, bias=False)),
    flatten=nn.Flatten(),
    fc=spectral_norm(nn.Linear(4 * 3 * 3, 5)),
)
net = nn.Sequential(OrderedDict(layers)).eval()
save_file(net.state_dict(), FOLDER / "roundtrip_spectral_norm.safetensors")
print("expected output:", net.double()(image.double().movedim(-1, 1)).tolist())
