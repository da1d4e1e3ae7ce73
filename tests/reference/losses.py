#!/usr/bin/env python3
"""Writes tests/reference/losses.safetensors: losses of a batch and their gradients, by PyTorch in float64.

    python tests/reference/losses.py          # needs torch, torchvision and safetensors

For each loss `NAME.y` (outputs), `NAME.target`, `NAME.loss` and `NAME.d_y`. tests/pytorch/losses.rs compares with them.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)
BATCH, STEPS, CLASSES, WIDTH = 6, 12, 5, 16
file = {}


def case(name, y, loss, target=None):
    """Records the loss of `y` against `target`, both rounded to float32, and its gradient."""
    y = y.detach().float().double().requires_grad_()
    if target is not None and target.is_floating_point():
        target = target.float().double()
    value = loss(y) if target is None else loss(y, target)
    value.backward()
    file[f"{name}.y"], file[f"{name}.d_y"] = y.detach(), y.grad
    file[f"{name}.loss"] = value.detach().reshape(1)
    if target is not None:
        file[f"{name}.target"] = target


def rows(loss):
    """A loss of rows of classes, of sequences."""
    return lambda y, t: loss(y.flatten(0, 1), t.flatten())


def focal(y, t, gamma=2.0):
    log_p = F.log_softmax(y, 1).gather(1, t[:, None])[:, 0]
    return (-((1 - log_p.exp()) ** gamma) * log_p).mean()


def dice(p, t):
    """Sums over the steps; a mean over samples and channels."""
    return (1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)).mean()


def ctc(y, t):
    """Labels are padded with -1, which is no class. Gradients are those of scores: `ctc_loss` returns only these."""
    lengths = (t >= 0).sum(1)
    log_p = y.log_softmax(2).transpose(0, 1)
    return F.ctc_loss(log_p, t.clamp(min=0), torch.full((BATCH,), STEPS), lengths)


def info_nce(y):
    unit = F.normalize(y)
    scores = unit[: BATCH // 2] @ unit[BATCH // 2 :].T / 0.1
    pairs = torch.arange(BATCH // 2)
    return (F.cross_entropy(scores, pairs) + F.cross_entropy(scores.T, pairs)) / 2


def nt_xent(y):
    unit = F.normalize(y)
    scores = (unit @ unit.T / 0.5).fill_diagonal_(-torch.inf)
    return F.cross_entropy(scores, torch.arange(BATCH).roll(BATCH // 2))


vectors, sequences = torch.randn(BATCH, WIDTH) * 2, torch.randn(BATCH, STEPS, CLASSES) * 2
targets = torch.randn(BATCH, WIDTH)
classes = torch.randint(CLASSES, (BATCH, STEPS))
binary = torch.randint(2, (BATCH, WIDTH)).double()
weights = torch.arange(CLASSES) * 0.5 + 0.25
pos_weights = torch.arange(WIDTH) * 0.25 + 0.25

case("bce", vectors, lambda y, t: F.binary_cross_entropy_with_logits(y, t, pos_weight=pos_weights), binary)
case("nll", sequences.log_softmax(2), rows(lambda y, t: F.nll_loss(y, t, weights, ignore_index=1)), classes)
case("kl", sequences.log_softmax(2), lambda y, t: F.kl_div(y.flatten(0, 1), t.flatten(0, 1), reduction="batchmean"),
     torch.randn(BATCH, STEPS, CLASSES).softmax(2))
case("poisson", vectors, F.poisson_nll_loss, torch.randint(9, (BATCH, WIDTH)).double())
case("hinge", vectors, lambda y, t: (1 - t * y).relu().mean(), 2 * binary - 1)
case("multi_margin", sequences, rows(lambda y, t: F.multi_margin_loss(y, t, weight=weights)), classes)
case("quantile", vectors, lambda y, t: torch.maximum(0.9 * (t - y), -0.1 * (t - y)).mean(), targets)
case("focal", sequences, rows(focal), classes)
case("binary_focal", vectors, lambda y, t: sigmoid_focal_loss(y, t, reduction="mean"), binary)
case("dice", sequences, lambda y, t: dice(y.sigmoid(), t), torch.randint(2, sequences.shape).double())
# The mean, and then the variance.
case("gaussian", torch.cat([vectors[:, :8], vectors[:, 8:].exp()], 1),
     lambda y, t: F.gaussian_nll_loss(y[:, :8], t, y[:, 8:]), targets[:, :8])
labels = torch.full((BATCH, 5), -1)
for sample, length in enumerate([5, 0, 3, 1, 4, 5]):
    labels[sample, :length] = torch.randint(1, CLASSES, (length,))
labels[0] = torch.tensor([2, 2, 3, 3, 3])
case("ctc", sequences, ctc, labels)
case("triplet", vectors, lambda y: F.triplet_margin_loss(*y.split(BATCH // 3), margin=8.0))
case("margin_ranking", vectors,
     lambda y: F.margin_ranking_loss(*y.split(BATCH // 2), torch.ones(BATCH // 2, WIDTH), margin=0.5))
case("info_nce", vectors, info_nce)
case("nt_xent", vectors, nt_xent)
save_file({k: v.clone().contiguous() for k, v in file.items()}, Path(__file__).resolve().parent / "losses.safetensors")
