#!/usr/bin/env python3
"""Compares single convolutions of many sizes with PyTorch's (eager, channels last, one thread).

    cargo build --release -p unrolled-benches
    taskset -c 0 python scripts/convolutions.py [WORD ..]       # those whose names contain a word

Each line: microseconds forward and of a training step (forward, and the gradients of input and weights), ours and
PyTorch's, and the ratio of speeds. Each figure is the minimum of several blocks. Without PyTorch it prints ours only.
"""

from beside_pytorch import microseconds, ours, table, torch

# Size, channels, filters, kernel, stride, padding, groups.
LAYERS = {
    "7x7x512, kernel 3": (7, 512, 512, 3, 1, 1, 1),
    "14x14x256, kernel 1": (14, 256, 256, 1, 1, 0, 1),
    "14x14x256, kernel 3": (14, 256, 256, 3, 1, 1, 1),
    "56x56x64, kernel 3": (56, 64, 64, 3, 1, 1, 1),
    "56x56x64 to 256, kernel 1": (56, 64, 256, 1, 1, 0, 1),
    "depthwise 56x56x128": (56, 128, 128, 3, 1, 1, 128),
    "depthwise 56x56x128, stride 2": (56, 128, 128, 3, 2, 1, 128),
    "depthwise 14x14x256, kernel 5": (14, 256, 256, 5, 1, 2, 256),
    "groups 28x28x64 by 16": (28, 64, 64, 3, 1, 1, 4),
    "64x64x3, kernel 7, stride 2": (64, 3, 64, 7, 2, 3, 1),
    "32x32x3 to 16, kernel 3": (32, 3, 16, 3, 1, 1, 1),
    "32x32x16, kernel 3": (32, 16, 16, 3, 1, 1, 1),
    "32x32x16 to 32, stride 2": (32, 16, 32, 3, 2, 1, 1),
    "32x32x16 to 32, kernel 1, stride 2": (32, 16, 32, 1, 2, 0, 1),
    "16x16x32, kernel 3": (16, 32, 32, 3, 1, 1, 1),
    "16x16x17, kernel 3": (16, 17, 17, 3, 1, 1, 1),
    "8x8x64, kernel 3": (8, 64, 64, 3, 1, 1, 1),
}
BATCHES = [1, 7, 32]


def pytorchs(layer, batch):
    size, channels, filters, kernel, stride, padding, groups = layer
    conv = torch.nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False)
    conv = conv.to(memory_format=torch.channels_last)
    x = torch.rand(batch, channels, size, size).contiguous(memory_format=torch.channels_last)
    d_y = torch.rand_like(conv(x))

    def forward():
        with torch.no_grad():
            conv(x)

    def training():
        conv.weight.grad = x.grad = None
        conv(x).backward(d_y)

    forward_us = microseconds(forward)
    x.requires_grad_()
    return [forward_us, microseconds(training)]


table(
    LAYERS,
    BATCHES,
    ["forward", "training"],
    lambda name, batch: ours("convolution", *LAYERS[name], batch),
    lambda name, batch: pytorchs(LAYERS[name], batch),
)
