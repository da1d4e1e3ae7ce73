"""Prints the outputs and gradients that tests of activations in nn-runtime/src/layers expect: PyTorch in float64."""

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)

# `POINTS` in nn-runtime/src/layers/activation.rs.
POINTS = torch.tensor([-20.0, -3.5, -3.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0])

# `POSITIVE` there, for functions that have no value below 0.
POSITIVE = torch.tensor([0.0078125, 0.03125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 9.0, 100.0])

ACTIVATIONS = {
    "relu.rs": F.relu,
    "leaky_relu.rs": lambda x: F.leaky_relu(x, 0.125),
    "elu.rs": lambda x: F.elu(x, 1.5),
    "gelu.rs": F.gelu,
    "gelu.rs, tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu.rs": F.silu,
    "sigmoid.rs": F.sigmoid,
    "tanh.rs": F.tanh,
    "softplus.rs": F.softplus,
    "softplus.rs, beta 2, threshold 4": lambda x: F.softplus(x, 2.0, 4.0),
    "hard_swish.rs": F.hardswish,
    "relu6.rs": F.relu6,
    "hard_sigmoid.rs": F.hardsigmoid,
    "hard_tanh.rs": F.hardtanh,
    "hard_tanh.rs, -2 to 0.5": lambda x: F.hardtanh(x, -2.0, 0.5),
    "mish.rs": F.mish,
    "selu.rs": F.selu,
    "celu.rs": lambda x: F.celu(x, 1.5),
    "softsign.rs": F.softsign,
    "log_sigmoid.rs": F.logsigmoid,
    "threshold.rs": lambda x: F.threshold(x, 0.5, -1.5),
    "identity.rs": nn.Identity(),
    "exp.rs": torch.exp,
    "abs.rs": torch.abs,
    "neg.rs": torch.neg,
    "pow.rs, 3": lambda x: torch.pow(x, 3.0),
    "clip.rs": lambda x: torch.clamp(x, -1.0, 2.5),
    "clip.rs, min": lambda x: torch.clamp(x, min=-1.0),
}

OF_POSITIVE = {"log.rs": torch.log, "sqrt.rs": torch.sqrt, "pow.rs, -0.75": lambda x: torch.pow(x, -0.75)}


def rust(numbers):
    return ", ".join(f"{number:.9e}" for number in numbers.tolist())


def at(points, functions):
    return [(name, function, points) for name, function in functions.items()]


for name, function, points in at(POINTS, ACTIVATIONS) + at(POSITIVE, OF_POSITIVE):
    x = points.clone().requires_grad_()
    y = function(x)
    (d_x,) = torch.autograd.grad(y.sum(), x)
    print(f"// {name}\n[{rust(y)}],\n[{rust(d_x)}],")

# Two rows, and the output's gradient 1, 2, 3, .. so that it does not cancel.
for name, function in {"softmax.rs": F.softmax, "log_softmax.rs": F.log_softmax}.items():
    x = POINTS[3:11].reshape(2, 4).clone().requires_grad_()
    y = function(x, dim=-1)
    (d_x,) = torch.autograd.grad((y * torch.arange(1.0, 9.0).reshape(2, 4)).sum(), x)
    print(f"// {name}\n[{rust(y.flatten())}],\n[{rust(d_x.flatten())}],")
