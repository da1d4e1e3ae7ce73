#!/usr/bin/env python3
"""Whole PyTorch models whose weights run in `unrolled`, and the other way round: tests/models.rs.

    python tests/reference/models.py                # writes models/*.safetensors
    python tests/reference/models.py check FOLDER   # loads what tests/models.rs wrote

Needs torch and safetensors. Of each model there are two files: NAME_weights holds what anybody's PyTorch
writes, `save_file(net.state_dict(), ..)` in float32; NAME holds, computed with these weights in float64,
`input.0`, `inference` (the output in evaluation mode), `target`, `loss` (mean squared error) and `gradients.*`
in training mode, sequences as `[steps, features]`.

`check` loads FOLDER/NAME_weights, written by `unrolled`, with `strict=True`, and compares what PyTorch gives
for `input.0` in float64 with FOLDER/NAME's `inference`, computed by `unrolled`.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

MODELS = Path(__file__).resolve().parent / "models"
BATCH = 5
TOLERANCE = 1e-5


class Tagger(nn.Module):
    """A label for each step, from both directions."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.dense = nn.Linear(8, 3)

    def forward(self, x):
        return self.dense(self.lstm(x)[0])


class Classifier(nn.Module):
    """One answer for a sequence, from the last step."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(5, 6, batch_first=True)
        self.dense = nn.Linear(6, 2)

    def forward(self, x):
        return self.dense(self.gru(x)[0][:, -1])


class Forecaster(nn.Module):
    """A number for each step."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(5, 6, batch_first=True)
        self.dense = nn.Linear(6, 1)

    def forward(self, x):
        return self.dense(self.rnn(x)[0])


class Convolutions(nn.Module):
    """A stack of convolutions over time."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(4, 6, 3, padding="same", bias=False)
        self.batch_norm = nn.BatchNorm1d(6)
        self.conv2 = nn.Conv1d(6, 8, 4, stride=2, padding=1, groups=2)
        self.dense = nn.Linear(8, 3)

    def forward(self, x):
        x = torch.tanh(self.batch_norm(self.conv1(x.movedim(2, 1))))
        x = nn.functional.avg_pool1d(nn.functional.silu(self.conv2(x)), 2)
        return self.dense(x.mean(2))


class Words(nn.Module):
    """Tokens of a sentence, their mean, a class."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 6, padding_idx=0)
        self.dense = nn.Linear(6, 5)
        self.dense_2 = nn.Linear(5, 2)

    def forward(self, x):
        return self.dense_2(torch.tanh(self.dense(self.words(x)).mean(1)))


TRANSFORMER = {"dropout": 0.0, "activation": "gelu", "batch_first": True}


class Encoder(nn.Module):
    """Tokens of a sentence, which look at each other, a class."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.first = nn.TransformerEncoderLayer(6, 2, 10, **TRANSFORMER)
        self.second = nn.TransformerEncoderLayer(6, 3, 10, **TRANSFORMER)
        self.dense = nn.Linear(6, 2)

    def forward(self, x):
        return self.dense(self.second(self.first(self.words(x))).mean(1))


class Decoder(nn.Module):
    """The next token at each step."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(11, 6)
        self.places = nn.Embedding(7, 6)
        self.first = nn.TransformerEncoderLayer(6, 2, 10, norm_first=True, **TRANSFORMER)
        self.second = nn.TransformerEncoderLayer(6, 3, 10, norm_first=True, **TRANSFORMER)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 11, bias=False)

    def forward(self, x):
        x = self.tokens(x) + self.places.weight
        mask = nn.Transformer.generate_square_subsequent_mask(7, dtype=x.dtype)
        return self.head(self.norm(self.second(self.first(x, mask), mask)))


def sequences(*shape):
    return torch.randn(BATCH, *shape).float().double()


def tokens():
    return torch.randint(11, (BATCH, 7))


ALL = {
    "lstm": (Tagger, lambda: sequences(7, 5)),
    "gru": (Classifier, lambda: sequences(7, 5)),
    "rnn": (Forecaster, lambda: sequences(7, 5)),
    "conv1d": (Convolutions, lambda: sequences(12, 4)),
    "embedding": (Words, tokens),
    "encoder": (Encoder, tokens),
    "decoder": (Decoder, tokens),
}


def make():
    for name, (model, inputs) in ALL.items():
        torch.manual_seed(sum(map(ord, name)))
        net, x = model(), inputs()
        for _ in range(3):
            net(x if x.dtype == torch.int64 else torch.randn(x.shape))  # gives BatchNorm its running statistics
        save_file(net.state_dict(), MODELS / f"{name}_weights.safetensors")
        net = net.double()
        file = {"input.0": x, "inference": net.eval()(x).detach()}
        output = net.train()(x)
        target = torch.randn_like(output).float().double()
        loss = nn.functional.mse_loss(output, target)
        loss.backward()
        file |= {"target": target, "loss": loss.detach().reshape(1)}
        file |= {f"gradients.{key}": parameter.grad for key, parameter in net.named_parameters()}
        save_file({key: tensor.contiguous() for key, tensor in file.items()}, MODELS / f"{name}.safetensors")


def check(folder):
    for name, (model, _) in ALL.items():
        net = model()
        net.load_state_dict(load_file(folder / f"{name}_weights.safetensors"), strict=True)
        x = load_file(MODELS / f"{name}.safetensors")["input.0"]
        expected = net.double().eval()(x).detach()
        found = load_file(folder / f"{name}.safetensors")["inference"].double().reshape(expected.shape)
        error = ((found - expected).abs().max() / expected.abs().max()).item()
        print(f"{name}: loaded with strict=True, {error:.1e} is the largest relative difference")
        if not error <= TOLERANCE:
            sys.exit(f"{name}: more than {TOLERANCE}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            make()
        case ["check", folder]:
            check(Path(folder))
        case _:
            sys.exit(__doc__)
