#!/usr/bin/env python3
"""Writes pytorch.safetensors, and prints the numbers that tests/roundtrip.rs expects of it.

    python tests/roundtrip/make.py          # needs torch and safetensors

The file is what anybody's PyTorch writes: `save_file(net.state_dict(), ..)`, in float32.
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
    net(torch.randn(16, 2, 6, 5))  # gives BatchNorm its running statistics
save_file(net.state_dict(), Path(__file__).resolve().parent / "pytorch.safetensors")

picture = torch.arange(6 * 5 * 2).reshape(1, 6, 5, 2) % 7 / 7  # channels last, as unrolled has it
net = net.double().eval()
print("expected output:", net(picture.double().movedim(-1, 1)).tolist())
