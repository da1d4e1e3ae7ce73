"""Rounding errors of PyTorch's long sums in f32, for docs/decisions/0025-long-sums-are-sums-of-parts.md.

Prints a table with one row for each kind of sum and one column for each number of terms: the root mean square of errors
relative to the same computation in float64, over the elements of a result and, if sums are short, over several inputs.
Inputs are uniform in [0, 1), so that all terms are positive. One thread.

`cargo test -p unrolled-runtime --release --lib long_sums -- --ignored --nocapture` prints the table for this library.

    python tests/reference/long_sums.py [LARGEST]
"""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)

LENGTHS = [100, 1024, 10_000, 1_000_000, 10_000_000]
GENERATOR = torch.Generator().manual_seed(1)


def rand(*shape):
    return torch.rand(*shape, generator=GENERATOR)


def gradients(f, *inputs):
    """The gradients of all inputs of `f`, given an output gradient, which is the last input."""
    *inputs, d_y = inputs
    inputs = [x.clone().requires_grad_() for x in inputs]
    return torch.autograd.grad(f(*inputs), inputs, d_y)


def gradient(index, f):
    return lambda *inputs: gradients(f, *inputs)[index]


def side(n, channels=1):
    return max(1, math.isqrt(n // channels))


def rows_above(n):
    """Rows of two elements, the first of which is larger: normalised ones are about 1 and -1."""
    return rand(n, 2) + torch.tensor([1.0, 0.0])


def layer_norm(x, weight, bias):
    return F.layer_norm(x, (2,), weight, bias, 1e-5)


def rms_norm(x, weight):
    return F.rms_norm(x, (2,), weight, 1e-5)


def batch_norm(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True)


def group_norm(x, weight, bias):
    return F.group_norm(x, 2, weight, bias)


def attention(q, k, v):
    return torch.softmax(q @ k.T / math.sqrt(q.shape[1]), -1) @ v


def depthwise(x, weight):
    return F.conv2d(x, weight, groups=weight.shape[0])


def recurrent(kind):
    module = kind(2, 2, batch_first=True)
    names = [name for name, _ in module.named_parameters()]

    def run(x, *weights):
        return torch.func.functional_call(module, dict(zip(names, weights)), (x,))[0]

    def inputs(n):
        # As in the Rust test: many sequences of four steps.
        return [rand(n // 4, 4, 2), *(rand(*p.shape) for p in module.parameters()), rand(n // 4, 4, 2)]

    return inputs, gradient(1, run)


# The name of each sum, the inputs for `n` terms, and the computation.
SUMS = {
    "dense": (lambda n: [rand(2, n), rand(16, n)], F.linear),
    "dense d_x": (lambda n: [rand(2, 16), rand(n, 16), rand(2, n)], gradient(0, F.linear)),
    "dense d_weight": (lambda n: [rand(n, 3), rand(5, 3), rand(n, 5)], gradient(1, F.linear)),
    "dense d_bias": (
        lambda n: [rand(n, 3), rand(5, 3), rand(5), rand(n, 5)],
        gradient(2, F.linear),
    ),
    "conv 1x1": (lambda n: [rand(1, n, 2, 2), rand(4, n, 1, 1)], F.conv2d),
    "conv 3x3": (
        lambda n: [rand(1, n // 9, 3, 3), rand(4, n // 9, 3, 3)],
        lambda x, w: F.conv2d(x, w, padding=1)[:, :, 1, 1],
    ),
    "conv large kernel": (
        lambda n: [rand(1, 1, side(n), side(n) + 1), rand(4, 1, side(n), side(n))],
        F.conv2d,
    ),
    "conv d_x": (
        lambda n: [rand(1, 4, 3, 3), rand(n // 9, 4, 3, 3), rand(1, n // 9, 3, 3)],
        lambda x, w, d: gradients(lambda x, w: F.conv2d(x, w, padding=1), x, w, d)[0][:, :, 1, 1],
    ),
    "conv d_weight": (
        lambda n: [rand(1, 3, side(n) + 2, side(n) + 2), rand(5, 3, 3, 3), rand(1, 5, side(n), side(n))],
        gradient(1, F.conv2d),
    ),
    "conv d_bias": (
        lambda n: [rand(1, 1, side(n), side(n)), rand(5, 1, 1, 1), rand(5), rand(1, 5, side(n), side(n))],
        gradient(2, F.conv2d),
    ),
    "depthwise": (lambda n: [rand(1, 4, side(n), side(n) + 1), rand(4, 1, side(n), side(n))], depthwise),
    "depthwise d_weight": (
        lambda n: [rand(1, 4, side(n) + 2, side(n) + 2), rand(4, 1, 3, 3), rand(1, 4, side(n), side(n))],
        gradient(1, depthwise),
    ),
    "prelu": (lambda n: [-rand(1, n // 4, 4), rand(1), rand(1, n // 4, 4)], gradient(1, F.prelu)),
    "prelu per channel": (lambda n: [-rand(n, 4), rand(4), rand(n, 4)], gradient(1, F.prelu)),
    "scale": (lambda n: [rand(n // 4, 4), rand(1), rand(n // 4, 4)], gradient(1, torch.mul)),
    "scale per channel": (lambda n: [rand(n, 4), rand(4), rand(n, 4)], gradient(1, torch.mul)),
    "layer norm d_weight": (lambda n: [rows_above(n), rand(2), rand(2), rand(n, 2)], gradient(1, layer_norm)),
    "layer norm d_bias": (lambda n: [rows_above(n), rand(2), rand(2), rand(n, 2)], gradient(2, layer_norm)),
    "layer norm": (
        lambda n: [rand(2, n)],
        # Of a value that differs from the mean by more than the standard deviation.
        lambda x: F.layer_norm(torch.cat([x, 4 + 0 * x[:, :1]], 1), (x.shape[1] + 1,))[:, -1:],
    ),
    "rms norm d_weight": (lambda n: [rand(n, 2), rand(2), rand(n, 2)], gradient(1, rms_norm)),
    "rms norm": (lambda n: [rand(2, n)], lambda x: F.rms_norm(x, (x.shape[1],), eps=1e-5)[:, :4]),
    "batch norm": (lambda n: [rand(n, 4)], lambda x: batch_norm(torch.cat([x, 4 + 0 * x[:1]]), None, None)[-1]),
    "batch norm d_bias": (lambda n: [rand(n, 4), rand(4), rand(4), rand(n, 4)], gradient(2, batch_norm)),
    "group norm d_bias": (
        lambda n: [rand(1, 4, n), rand(4), rand(4), rand(1, 4, n)],
        gradient(2, group_norm),
    ),
    "softmax": (lambda n: [rand(2, n)], lambda x: torch.softmax(x, -1)[:, :16]),
    "log softmax": (lambda n: [rand(2, n)], lambda x: torch.log_softmax(x, -1)[:, :16]),
    "softmax d_x": (lambda n: [rand(2, n), rand(2, n)], lambda x, d: gradients(lambda x: torch.log_softmax(x, -1), x, d)[0][:, :16]),
    "attention": (lambda n: [rand(2, 8), rand(n, 8), rand(n, 8)], attention),
    "attention d_q": (
        # Keys and values of the first half are larger, so that the gradient's terms do not cancel.
        lambda n: [
            rand(2, 8),
            torch.cat([rand(n // 2, 8) + 1, rand(n // 2, 8)]),
            torch.cat([rand(n // 2, 8) + 1, rand(n // 2, 8)]),
            rand(2, 8),
        ],
        gradient(0, attention),
    ),
    "attention d_v": (lambda n: [rand(n, 8), rand(2, 8), rand(2, 8), rand(n, 8)], gradient(2, attention)),
    "global average": (lambda n: [rand(1, 4, side(n), side(n))], lambda x: F.adaptive_avg_pool2d(x, 1)),
    "embedding": (
        lambda n: [torch.zeros(n, dtype=torch.long), rand(2, 4), rand(n, 4)],
        lambda tokens, w, d: gradients(lambda w: F.embedding(tokens, w), w, d)[0][:1],
    ),
    "rnn d_weight": recurrent(nn.RNN),
    "lstm d_weight": recurrent(nn.LSTM),
    "gru d_weight": recurrent(nn.GRU),
    "mean squared error": (lambda n: [rand(n, 1), rand(n, 1)], F.mse_loss),
    "norm": (lambda n: [rand(n)], torch.linalg.vector_norm),
}


def squares(inputs, compute):
    """The squares of the errors of all elements of a result."""
    found = compute(*inputs).double()
    expected = compute(*(x.double() if x.is_floating_point() else x for x in inputs))
    return ((found / expected - 1) ** 2).flatten()


def error(n, inputs, compute):
    draws = min(max(100_000 // n, 1), 100)
    return torch.cat([squares(inputs(n), compute) for _ in range(draws)]).mean().sqrt().item()


def main():
    largest = int(float(sys.argv[1])) if len(sys.argv) > 1 else LENGTHS[-1]
    lengths = [n for n in LENGTHS if n <= largest]
    print(f"| {torch.__version__} |", " | ".join(str(n) for n in lengths), "|", flush=True)
    for name, (inputs, compute) in SUMS.items():
        errors = [f"{error(n, inputs, compute):.1e}" for n in lengths]
        print(f"| {name} |", " | ".join(errors), "|", flush=True)


main()
