"""Prints the weights that nn-runtime/src/optim/tests.rs expects: PyTorch in float64.

Four weights, twelve steps, the gradient of weight i at step t: sin(t + 2 i) + 0.1 * weight.
"""

import math

import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop

OPTIMIZERS = {
    "SGD": lambda w: SGD(w, lr=0.1),
    "SGD with weight decay": lambda w: SGD(w, lr=0.1, weight_decay=0.05),
    "momentum": lambda w: SGD(w, lr=0.1, momentum=0.9),
    "all but Nesterov": lambda w: SGD(w, lr=0.1, momentum=0.8, dampening=0.3, weight_decay=0.05),
    "Nesterov": lambda w: SGD(w, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    "Adam": lambda w: Adam(w, lr=0.05),
    "Adam with options": lambda w: Adam(w, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "Adam, amsgrad": lambda w: Adam(w, lr=0.05, betas=(0.8, 0.9), amsgrad=True),
    "AdamW": lambda w: AdamW(w, lr=0.05),
    "AdamW with options": lambda w: AdamW(w, lr=0.05, weight_decay=0.2, amsgrad=True),
    "RMSprop": lambda w: RMSprop(w, lr=0.05),
    "RMSprop with momentum": lambda w: RMSprop(w, 0.02, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.8),
    "RMSprop, centered": lambda w: RMSprop(w, lr=0.02, alpha=0.95, centered=True),
    "RMSprop, all": lambda w: RMSprop(w, 0.02, 0.9, 1e-4, 0.05, 0.7, centered=True),
    "Adagrad": lambda w: Adagrad(w, lr=0.1),
    "Adagrad with options": lambda w: Adagrad(w, 0.2, 0.05, 0.1, 0.3, eps=1e-3),
}

for name, make in OPTIMIZERS.items():
    weights = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64)
    optimizer = make([weights])
    for step in range(12):
        slopes = torch.tensor([math.sin(step + 2 * i) for i in range(4)], dtype=torch.float64)
        weights.grad = slopes + 0.1 * weights
        optimizer.step()
    print(f"{name}: {', '.join(f'{w:.12f}' for w in weights.tolist())}")
