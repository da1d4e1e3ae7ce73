#!/usr/bin/env python3
"""Compares layers of sizes far from the workloads', two of the same kind in a row, with PyTorch's (eager, one thread).

    cargo build --release -p unrolled-benches
    taskset -c 0 python scripts/layers.py [WORD ..]     # those whose names contain a word

Each line: microseconds of inference and of a training step (forward, mean squared error, backward), ours and
PyTorch's, and the ratio of speeds. Each figure is the minimum of several blocks. Without PyTorch it prints ours only.
"""

from beside_pytorch import microseconds, ours, table, torch

# The networks of benches/layers.rs: the shape of a sample, and PyTorch's layers.
LAYERS = {
    "dense17": ((17,), lambda: two(torch.nn.Linear, 17, 17)),
    "dense4096": ((4096,), lambda: two(torch.nn.Linear, 4096, 4096)),
    "lstm17": ((32, 17), lambda: recurrent("LSTM", 17)),
    "lstm256": ((32, 256), lambda: recurrent("LSTM", 256)),
    "lstm512": ((32, 512), lambda: recurrent("LSTM", 512)),
    "lstm1024": ((32, 1024), lambda: recurrent("LSTM", 1024)),
    "gru512": ((32, 512), lambda: recurrent("GRU", 512)),
    "rnn512": ((32, 512), lambda: recurrent("RNN", 512)),
    "attention512": ((512, 512), lambda: torch.nn.Sequential(Attention(), Attention())),
}
BATCHES = [1, 7, 64]


def two(layer, *sizes):
    return torch.nn.Sequential(layer(*sizes), layer(*sizes))


def recurrent(kind, units):
    return Sequence(getattr(torch.nn, kind)(units, units, num_layers=2, batch_first=True))


if torch:

    class Sequence(torch.nn.Module):
        """What a recurrent layer returns for all steps."""

        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x)[0]

    class Attention(torch.nn.MultiheadAttention):
        def __init__(self):
            super().__init__(512, 8, batch_first=True)

        def forward(self, x):
            return super().forward(x, x, x, need_weights=False)[0]


def pytorchs(name, batch):
    shape, make = LAYERS[name]
    net, x = make(), torch.rand(batch, *shape) - 0.5

    def inference():
        with torch.inference_mode():
            net.eval()(x)

    def training():
        net.zero_grad()
        net.train()(x).square().mean().backward()

    return [microseconds(inference), microseconds(training)]


table(LAYERS, BATCHES, ["inference", "training"], lambda *it: ours("layers", *it), pytorchs)
