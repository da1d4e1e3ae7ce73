"""The reference cases of modules that are applied to each step of a sequence, which make.py writes with the others."""

import torch
from make import Recurrent, Residual, as_is, case, named
from torch import nn


class PerStep(nn.Sequential):
    """Its modules on each step: `[n, T, ..]` as a batch of `n * T` samples."""

    def forward(self, x):
        y = super().forward(x.flatten(0, 1))
        return y.unflatten(0, x.shape[:2])


def per_steps(**layers):
    module = PerStep()
    for name, layer in layers.items():
        module.add_module(name, layer)
    return module


def of_images(x):
    """Channels last, of images in one or two axes of steps."""
    return x.movedim(-3, -1).contiguous() if x.dim() > 4 else x.contiguous()


def per_step():
    frame = per_steps(
        conv=nn.Conv2d(2, 3, 3), relu=nn.ReLU(), pool=nn.MaxPool2d(2), flatten=nn.Flatten(), fc=nn.Linear(3 * 2 * 3, 5),
    )
    case("per_step_lstm", named({
        "frames": frame, "relu": nn.ReLU(), "rest": Recurrent(True, lstm=nn.LSTM(5, 4, batch_first=True)), "dense": nn.Linear(4, 3),
    }), (4, 2, 6, 8), layout=of_images)
    # The steps come first when all of them are flattened.
    case("per_step_batch_norm_flatten_dense", named({
        "frames": per_steps(
            conv=nn.Conv2d(2, 3, 3, bias=False), bn=nn.BatchNorm2d(3), relu=nn.ReLU(),
            residual=Residual({"inner": nn.Conv2d(3, 3, 1, bias=False), "norm": nn.BatchNorm2d(3)}),
        ),
        "tanh": nn.Tanh(), "flatten": nn.Flatten(), "dense": nn.Linear(3 * 3 * 2 * 4, 4),
    }), (3, 2, 4, 6), layout=of_images)
    case("per_step_sentences", named({
        "sentences": per_steps(tokens=nn.Embedding(11, 6), words=Recurrent(True, lstm=nn.LSTM(6, 4, batch_first=True)), norm=nn.BatchNorm1d(4)),
        "rest": Recurrent(True, gru=nn.GRU(4, 3, batch_first=True)),
    }), (3, 4), layout=as_is, tokens=11)
    case("per_step_of_steps", named({
        "clips": per_steps(
            frames=per_steps(conv=nn.Conv2d(2, 3, 2), flatten=nn.Flatten(), fc=nn.Linear(3 * 2 * 3, 5)),
            tanh=nn.Tanh(), flatten=nn.Flatten(), fc=nn.Linear(15, 4),
        ),
        "flatten": nn.Flatten(), "dense": nn.Linear(8, 3),
    }), (2, 3, 2, 3, 4), layout=of_images)
