"""Trains the network of lib.rs in PyTorch and writes digits.safetensors: python train.py

Needs torch, numpy and safetensors. The images are those in examples/data.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc = nn.Linear(3 * 3 * 8, 10)

    def forward(self, x):
        return self.fc(nn.functional.max_pool2d(torch.relu(self.conv(x)), 2).flatten(1))


torch.manual_seed(1)
images = np.fromfile(HERE.parent / "data/digits-images-idx3-ubyte", np.uint8)[16:]
labels = np.fromfile(HERE.parent / "data/digits-labels-idx1-ubyte", np.uint8)[8:]
x = torch.tensor(images.reshape(-1, 1, 8, 8), dtype=torch.float32) / 16
y = torch.tensor(labels, dtype=torch.int64)
train, test = slice(0, 1500), slice(1500, None)
net = Digits()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(30):
    for batch in torch.randperm(1500).split(32):
        loss = nn.functional.cross_entropy(net(x[train][batch]), y[train][batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
right = (net(x[test]).argmax(1) == y[test]).sum().item()
print(f"{right} of {len(y[test])} test images")
save_file(net.state_dict(), HERE / "digits.safetensors")
