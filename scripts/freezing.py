#!/usr/bin/env python3
"""Compares a training step of a convolutional network, whole and with a frozen front, with PyTorch's (eager, one thread,
channels last), where the front has `requires_grad=False` and its BatchNorm is in `eval()` mode.

    cargo build --release -p unrolled-benches --bin freezing
    taskset -c 0 python scripts/freezing.py

Each line: microseconds of a step with all layers and with the head alone, ours and PyTorch's, and the ratio of speeds.
"""

from beside_pytorch import microseconds, ours, table, torch

BATCHES = [8, 32]


def convolution(channels, filters):
    conv = torch.nn.Conv2d(channels, filters, 3, padding=1, bias=False)
    return [conv, torch.nn.BatchNorm2d(filters), torch.nn.ReLU()]


def pytorchs(_, batch):
    """The network of benches/freezing.rs."""
    pool = torch.nn.MaxPool2d(2)
    front = torch.nn.Sequential(*convolution(3, 32), *convolution(32, 64), pool, *convolution(64, 64), pool)
    head = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(4096, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    net = torch.nn.Sequential(front, head).to(memory_format=torch.channels_last)
    x = (torch.rand(batch, 3, 32, 32) - 0.5).contiguous(memory_format=torch.channels_last)
    targets, loss = torch.arange(batch) % 10, torch.nn.CrossEntropyLoss()

    def seconds(parameters):
        sgd = torch.optim.SGD(parameters, 0.01, momentum=0.9, fused=True)

        def step():
            sgd.zero_grad()
            loss(net(x), targets).backward()
            sgd.step()

        return microseconds(step)

    whole = seconds(net.parameters())
    front.requires_grad_(False).eval()
    return [whole, seconds(head.parameters())]


table(["freezing"], BATCHES, ["all layers", "head alone"], lambda _, batch: ours("freezing", batch), pytorchs)
