#!/usr/bin/env python3
"""Whole models, whose weights are exchanged between PyTorch and `unrolled`: tests/pytorch/models.rs.

    python tests/reference/models.py [NAME ..]      # writes models/*.safetensors, or those of these models only
    python tests/reference/models.py check FOLDER   # loads what tests/pytorch/models.rs wrote

Needs torch and safetensors. Each model has two files. NAME_weights is `save_file(net.state_dict(), ..)` in float32,
with a tied weight under both names. NAME has, computed with these weights in float64,
`input.0`, `inference` (the output in evaluation mode), `target`, `loss` (mean squared error) and `gradients.*`
in training mode, sequences as `[steps, features]`, images as `[height, width, channels]`.

`check` loads FOLDER/NAME_weights, written by `unrolled`, with `strict=True`, and compares PyTorch's outputs for
`input.0` in float64 with FOLDER/NAME's `inference`, computed by `unrolled`. NAME_weights_f16 and NAME_weights_bf16 must
have the types and values that `half()` and `bfloat16()` give these weights, and are loaded with `strict=True`, too.
"""

import sys
from collections import OrderedDict
from copy import deepcopy
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
    """A class of a sequence, from the last step."""

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
    """Tokens of a sentence, attention, a class."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.first = nn.TransformerEncoderLayer(6, 2, 10, **TRANSFORMER)
        self.second = nn.TransformerEncoderLayer(6, 3, 10, **TRANSFORMER)
        self.dense = nn.Linear(6, 2)

    def forward(self, x):
        return self.dense(self.second(self.first(self.words(x))).mean(1))


class Stack(nn.Module):
    """PyTorch's stack of transformer layers, a label for each step."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(6, 2, 10, **TRANSFORMER)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(6), enable_nested_tensor=False)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.encoder(x))


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


class TiedDecoder(Decoder):
    """The same with the weight of the embedding in the last layer."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, 11)
        self.head.weight = self.tokens.weight


class TiedDense(nn.Module):
    """The same weight in three layers."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6, bias=False)
        self.third = nn.Linear(6, 6)
        self.second.weight = self.third.weight = self.first.weight

    def forward(self, x):
        return self.third(torch.tanh(self.second(torch.tanh(self.first(x)))))


class Basic(nn.Module):
    """Two convolutions with a skip connection, which has a convolution if `stride` is 2."""

    def __init__(self, inputs, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        if stride > 1:
            self.skip = nn.ModuleDict({
                "conv2d": nn.Conv2d(inputs, channels, 1, stride, bias=False),
                "batch_norm": nn.BatchNorm2d(channels),
            })

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "skip"):
            x = self.skip["batch_norm"](self.skip["conv2d"](x))
        return torch.relu(x + y)


class ResNet20(nn.Module):
    """He et al. 2015, for small images."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = self.blocks(3, 4)
        self.halving2 = Basic(4, 6, stride=2)
        self.layer2 = self.blocks(2, 6)
        self.halving3 = Basic(6, 8, stride=2)
        self.layer3 = self.blocks(2, 8)
        self.fc = nn.Linear(8, 5)

    @staticmethod
    def blocks(times, channels):
        return nn.Sequential(*(nn.Sequential(OrderedDict(basic=Basic(channels, channels))) for _ in range(times)))

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x.movedim(3, 1))))
        x = self.layer2(self.halving2(self.layer1(x)))
        return self.fc(self.layer3(self.halving3(x)).mean((2, 3)))


def twice(inputs, channels):
    """Two convolutions at one resolution."""
    return nn.Sequential(OrderedDict(
        conv2d=nn.Conv2d(inputs, channels, 3, padding=1, bias=False),
        batch_norm=nn.BatchNorm2d(channels),
        relu=nn.ReLU(),
        conv2d_2=nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        batch_norm_2=nn.BatchNorm2d(channels),
        relu_2=nn.ReLU(),
    ))


class UNet(nn.Module):
    """Ronneberger et al. 2015, in two levels."""

    def __init__(self):
        super().__init__()
        self.fine = twice(2, 4)
        self.coarse = twice(4, 6)
        self.bottom = twice(6, 8)
        self.up_coarse = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.join_coarse = twice(12, 6)
        self.up_fine = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.join_fine = twice(8, 4)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        fine = self.fine(x.movedim(3, 1))
        coarse = self.coarse(nn.functional.max_pool2d(fine, 2))
        bottom = self.bottom(nn.functional.max_pool2d(coarse, 2))
        x = self.join_coarse(torch.cat([coarse, self.up_coarse(bottom)], 1))
        x = self.join_fine(torch.cat([fine, self.up_fine(x)], 1))
        return self.head(x).movedim(1, 3)


class LeNet(nn.Module):
    """An image classifier, with a norm of flattened features."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.norm = nn.BatchNorm1d(36)
        self.fc1 = nn.Linear(36, 6)
        self.fc2 = nn.Linear(6, 3)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv(x.movedim(3, 1))), 2)
        return self.fc2(torch.relu(self.fc1(self.norm(x.flatten(1)))))


def floats(*shape):
    return torch.randn(BATCH, *shape).float().double()


def tokens():
    return torch.randint(11, (BATCH, 7))


ALL = {
    "lstm": (Tagger, lambda: floats(7, 5)),
    "gru": (Classifier, lambda: floats(7, 5)),
    "rnn": (Forecaster, lambda: floats(7, 5)),
    "conv1d": (Convolutions, lambda: floats(12, 4)),
    "embedding": (Words, tokens),
    "encoder": (Encoder, tokens),
    "stack": (Stack, lambda: floats(5, 6)),
    "decoder": (Decoder, tokens),
    "tied_decoder": (TiedDecoder, tokens),
    "tied_dense": (TiedDense, lambda: floats(7, 6)),
    "resnet20": (ResNet20, lambda: floats(8, 8, 3)),
    "unet": (UNet, lambda: floats(8, 8, 2)),
    "lenet": (LeNet, lambda: floats(8, 8, 2)),
}


def train(net, inputs):
    """A few steps towards random targets, so that weights and running statistics are not the initial ones."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(8):
        x = inputs()
        output = net(x if x.dtype == torch.int64 else x.float())
        nn.functional.mse_loss(output, torch.randn_like(output)).backward()
        optimizer.step()
        optimizer.zero_grad()


def make(names):
    for name in names:
        model, inputs = ALL[name]
        torch.manual_seed(sum(map(ord, name)))
        net, x = model(), inputs()
        train(net, inputs)
        weights = {key: tensor.clone() for key, tensor in net.state_dict().items()}
        save_file(weights, MODELS / f"{name}_weights.safetensors")
        net = net.double()
        file = {"input.0": x, "inference": net.eval()(x).detach()}
        output = net.train()(x)
        target = torch.randn_like(output).float().double()
        loss = nn.functional.mse_loss(output, target)
        loss.backward()
        file |= {"target": target, "loss": loss.detach().reshape(1)}
        file |= {f"gradients.{key}": parameter.grad for key, parameter in net.named_parameters()}
        save_file({key: tensor.contiguous() for key, tensor in file.items()}, MODELS / f"{name}.safetensors")


def check_rounded(model, net, weights):
    for suffix, convert in {"f16": model.half, "bf16": model.bfloat16}.items():
        rounded = load_file(f"{weights}_{suffix}.safetensors")
        for key, expected in convert(deepcopy(net)).state_dict().items():
            if rounded[key].dtype != expected.dtype or not torch.equal(rounded[key], expected):
                sys.exit(f"{weights.name}_{suffix}: {key} is not that of {convert.__name__}()")
        convert(model()).load_state_dict(rounded, strict=True)


def check(folder):
    for name, (model, _) in ALL.items():
        net = model()
        net.load_state_dict(load_file(folder / f"{name}_weights.safetensors"), strict=True)
        check_rounded(model, net, folder / f"{name}_weights")
        x = load_file(MODELS / f"{name}.safetensors")["input.0"]
        expected = net.double().eval()(x).detach()
        found = load_file(folder / f"{name}.safetensors")["inference"].double().reshape(expected.shape)
        error = ((found - expected).abs().max() / expected.abs().max()).item()
        print(f"{name}: loaded with strict=True, {error:.1e} is the largest relative difference")
        if not error <= TOLERANCE:
            sys.exit(f"{name}: more than {TOLERANCE}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["check", folder]:
            check(Path(folder))
        case names if set(names) <= set(ALL):
            make(names or ALL)
        case _:
            sys.exit(__doc__)
