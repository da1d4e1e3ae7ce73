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


def groups(optimizer, **options):
    """The first weight at a tenth of the learning rate, the second without weight decay."""
    def make(weights):
        first, second, *rest = weights
        lr = options["lr"]
        return optimizer([{"params": [first], "lr": 0.1 * lr}, {"params": [second], "weight_decay": 0.0}, {"params": rest}], **options)
    return make


GROUPS = {
    "SGD": groups(SGD, lr=0.1, momentum=0.9, weight_decay=0.1),
    "Adam": groups(Adam, lr=0.05, weight_decay=0.1),
    "AdamW": groups(AdamW, lr=0.05, weight_decay=0.2, amsgrad=True),
    "RMSprop": groups(RMSprop, lr=0.02, momentum=0.8, weight_decay=0.1),
    "Adagrad": groups(Adagrad, lr=0.2, lr_decay=0.05, weight_decay=0.1),
}

for name, make in GROUPS.items():
    weights = [torch.tensor(w, dtype=torch.float64) for w in (0.5, -1.0, 2.0, 0.0)]
    optimizer = make(weights)
    for step in range(12):
        for i, weight in enumerate(weights):
            weight.grad = math.sin(step + 2 * i) + 0.1 * weight
        optimizer.step()
    print(f"{name} with groups: {', '.join(f'{w:.12f}' for w in weights)}")
