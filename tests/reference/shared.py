"""The reference cases of modules that are called several times, which make.py writes with the others."""

import torch
from attention import Attention
from make import Residual, as_is, case, named
from torch import nn


class Siamese(nn.Module):
    """Two images through one encoder."""

    def __init__(self):
        super().__init__()
        self.left = named({
            "conv": nn.Conv2d(2, 3, 3, bias=False), "bn": nn.BatchNorm2d(3), "relu": nn.ReLU(), "flatten": nn.Flatten(),
            "fc": nn.Linear(3 * 4 * 5, 4),
        })
        self.dense = nn.Linear(8, 3)

    def forward(self, a, b):
        left, right = self.left(a), self.left(b)
        return self.dense(torch.cat([left - right, left * right], 1))


class Words(nn.Module):
    """Tokens to the last state of an LSTM."""

    def __init__(self):
        super().__init__()
        self.tokens, self.lstm = nn.Embedding(11, 6), nn.LSTM(6, 4, batch_first=True)

    def forward(self, x):
        _, (last, _) = self.lstm(self.tokens(x))
        return last[-1]


class Texts(nn.Module):
    """Two texts through one encoder."""

    def __init__(self):
        super().__init__()
        self.left = Words()

    def forward(self, a, b):
        return self.left(a) * self.left(b)


class Repeated(nn.Module):
    """A module that is called several times."""

    def __init__(self, count, body):
        super().__init__()
        self.count, self.body = count, body

    def forward(self, x):
        for _ in range(self.count):
            x = self.body(x)
        return x


class Mix(nn.Module):
    """A module of two inputs."""

    def __init__(self):
        super().__init__()
        self.a = named({"left": nn.Linear(4, 5), "tanh": nn.Tanh()})
        self.b = named({"right": nn.Linear(3, 5)})

    def forward(self, a, b):
        return self.a(a) * self.b(b)


class Mixes(nn.Module):
    """Two pairs of inputs through one module."""

    def __init__(self):
        super().__init__()
        self.mix = Mix()

    def forward(self, a, b, c, d):
        return self.mix(a, b) - self.mix(c, d)


class Memories(nn.Module):
    """One attention to two memories, one after the other."""

    def __init__(self):
        super().__init__()
        self.attention = Attention(6, 2).multi_head_attention

    def forward(self, x, *memories):
        for memory in memories:
            x, _ = self.attention(x, memory, memory, need_weights=False)
        return x


def shared():
    case("same_branches", Mixes(), (4,), (3,), (4,), (3,))
    case("same_memory", Memories(), (4, 6), (5, 6), (5, 6), layout=as_is)
    case("same_encoder", Siamese(), (2, 6, 7), (2, 6, 7))
    case("same_texts", Texts(), (5,), (5,), layout=as_is, tokens=11)
    case("repeat_shared", Repeated(3, Residual({
        "fc": nn.Linear(5, 5, bias=False), "bn": nn.BatchNorm1d(5), "tanh": nn.Tanh(),
    })), (5,))
    case("repeat_shared_attention", Repeated(2, named({"transformer_encoder": nn.TransformerEncoderLayer(
        6, 2, 8, 0.0, "gelu", batch_first=True, norm_first=True)})), (5, 6), layout=as_is)
