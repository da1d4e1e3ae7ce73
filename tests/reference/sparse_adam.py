#!/usr/bin/env python3
"""Writes sparse_adam.safetensors for tests/pytorch/sparse_adam.rs: `torch.optim.SparseAdam` in float64.

    python tests/reference/sparse_adam.py          # needs torch and safetensors

An embedding of 12 rows, whose mean over 4 tokens a linear layer maps to 2 numbers; `SparseAdam` updates the embedding, `Adam`
the layer. The file has `input.0`, `target`, the initial `weights.*`, and `lazy.*`, the weights after a step for each sample.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(4)
STEPS = 8
tokens = torch.randint(1, 12, (STEPS, 4))
tokens[3] = tokens[2]  # the rows of the step before
tokens[5, 1] = tokens[5, 0]  # one row twice
targets = torch.randn(STEPS, 2).float().double()

embedding = nn.Embedding(12, 3, sparse=True)
layer = nn.Linear(3, 2)
names = {"tokens.weight": embedding.weight, "dense.weight": layer.weight, "dense.bias": layer.bias}
file = {"input.0": tokens, "target": targets}
file |= {f"weights.{name}": weight.detach().double() for name, weight in names.items()}
embedding, layer = embedding.double(), layer.double()
names = {"tokens.weight": embedding.weight, "dense.weight": layer.weight, "dense.bias": layer.bias}
sparse = torch.optim.SparseAdam(embedding.parameters(), lr=0.05, betas=(0.8, 0.95))
dense = torch.optim.Adam(layer.parameters(), lr=0.05, betas=(0.8, 0.95))
for x, y in zip(tokens, targets, strict=True):
    sparse.zero_grad()
    dense.zero_grad()
    nn.functional.mse_loss(layer(embedding(x).mean(0)), y).backward()
    sparse.step()
    dense.step()
file |= {f"lazy.{name}": weight.detach().clone() for name, weight in names.items()}
save_file(file, Path(__file__).resolve().parent / "sparse_adam.safetensors")
