#!/usr/bin/env python3
"""Writes roundtrip.safetensors, and prints the output that tests/pytorch/roundtrip.rs expects.

    python tests/reference/roundtrip.py          # needs torch and safetensors

The file is `save_file(net.state_dict(), ..)` in float32.
"""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(OrderedDict(
    conv1=nn.Conv2d(2, 4, 3), batch_norm=nn.BatchNorm2d(4), relu=nn.ReLU(), flatten=nn.Flatten(),
    fc1=nn.Linear(4 * 4 * 3, 8), relu_2=nn.ReLU(), fc2=nn.Linear(8, 3),
))
for _ in range(3):
    net(torch.randn(16, 2, 6, 5))  # updates the running statistics of BatchNorm
save_file(net.state_dict(), Path(__file__).resolve().parent / "roundtrip.safetensors")

image = torch.arange(6 * 5 * 2).reshape(1, 6, 5, 2) % 7 / 7  # channels last, as in unrolled
net = net.double().eval()
print("expected output:", net(image.double().movedim(-1, 1)).tolist())
