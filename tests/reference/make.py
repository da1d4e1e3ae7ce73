#!/usr/bin/env python3
"""Writes the values that tests/pytorch/reference.rs compares with, computed by PyTorch in float64.

    python tests/reference/make.py          # needs torch, numpy and safetensors; writes *.safetensors here

Each file holds one network in training mode: `weights.*` (its state_dict before the step), `input.N`,
`target`, `output`, `loss` (mean squared error against the target), `gradients.*` (of the weights),
`d_input.N`, `after.*` (what the forward pass has changed of the state_dict: running statistics, ..) and
`inference` (the output in evaluation mode, before the step). Images are stored channels last, as in
`unrolled`. The tests need no PyTorch: the files are part of the project.
"""

import math
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent
BATCH = 5
# The ends of the names of what changes in the forward pass.
CHANGED = ("running_mean", "running_var", "num_batches_tracked", "._u", "._v")


class Residual(nn.Module):
    """body(x) + skip(x); the body's names are the network's, as in `unrolled`."""

    def __init__(self, body, skip=None):
        super().__init__()
        for name, layer in body.items():
            self.add_module(name, layer)
        self.order = list(body)
        self.skip = named(skip) if skip else None

    def forward(self, x):
        y = x
        for name in self.order:
            y = getattr(self, name)(y)
        return y + (self.skip(x) if self.skip else x)


class Branches(nn.Module):
    """Several inputs or branches, joined by `join`."""

    def __init__(self, join, **branches):
        super().__init__()
        self.names = list(branches)
        for name, branch in branches.items():
            self.add_module(name, branch)
        self.join = join

    def forward(self, *x):
        xs = x if len(x) == len(self.names) else [x[0]] * len(self.names)
        return self.join([getattr(self, n)(v) for n, v in zip(self.names, xs)])


class Then(nn.Module):
    """A module and the layers after it, with their names on one level."""

    def __init__(self, first, **layers):
        super().__init__()
        self.first = first
        self.rest = named(layers)

    def forward(self, *x):
        return self.rest(self.first(*x))

    def state_dict(self, *args, **kwargs):
        state = super().state_dict(*args, **kwargs)
        return {k.split(".", 1)[1]: v for k, v in state.items()}

    def named_parameters(self, *args, **kwargs):
        for name, parameter in super().named_parameters(*args, **kwargs):
            yield name.split(".", 1)[1], parameter


class GlobalPool(nn.Module):
    def __init__(self, pool):
        super().__init__()
        self.pool = pool

    def forward(self, x):
        return self.pool(x.flatten(2), 2)


class Pointwise(nn.Linear):
    """A `Linear` on the channels of `[N, C, H, W]`."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class OfEachPixel(nn.Module):
    """A layer of features on the channels of `[N, C, H, W]`."""

    def __init__(self, **layer):
        super().__init__()
        (self.name, layer), = layer.items()
        self.add_module(self.name, layer)

    def forward(self, x):
        return getattr(self, self.name)(x.movedim(1, -1)).movedim(-1, 1)


class Standardised(nn.Conv2d):
    """A convolution with scaled weight standardisation (Brock, De and Smith, 2021)."""

    def __init__(self, *args, eps=1e-6, **kwargs):
        super().__init__(*args, **kwargs)
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))
        self.eps = eps

    def forward(self, x):
        axes = (1, 2, 3)
        mean, var = self.weight.mean(axes, keepdim=True), self.weight.var(axes, unbiased=False, keepdim=True)
        count = self.weight[0].numel()
        weight = (self.weight - mean) / torch.sqrt(var + self.eps) * self.gain / math.sqrt(count)
        return self._conv_forward(x, weight, self.bias)


class Scale(nn.Module):
    """A factor for all values, or for each channel."""

    def __init__(self, *shape, fixed=None):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape)) if fixed is None else None
        self.fixed = fixed

    def forward(self, x):
        return x * self.fixed if self.weight is None else (x.movedim(1, -1) * self.weight).movedim(-1, 1)


class Reshaped(nn.Module):
    """The elements of an image, channels last, in another shape."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.movedim(1, -1).reshape(len(x), *self.shape).movedim(-1, 1)


class Causal(nn.Conv1d):
    """A `Conv1d` with all padding before the first step."""

    def forward(self, x):
        zeros = self.dilation[0] * (self.kernel_size[0] - 1)
        return super().forward(nn.functional.pad(x, (zeros, 0)))


class Positions(nn.Embedding):
    """Adds an embedding of the position to each step."""

    def forward(self, x):
        return x + super().forward(torch.arange(x.shape[1]))


class Encoding(nn.Module):
    """Adds the positional encoding of "Attention is all you need", section 3.5."""

    def forward(self, x):
        steps, features = x.shape[1:]
        waves = [[math.sin(t / 10000 ** (f / features)) if f % 2 == 0 else math.cos(t / 10000 ** ((f - 1) / features))
                  for f in range(features)] for t in range(steps)]
        return x + torch.tensor(waves, dtype=x.dtype)


class Sentences(nn.Module):
    """Tokens to classes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(23, 6, padding_idx=0)
        self.positional_embedding = Positions(9, 6)
        self.gru = nn.GRU(6, 8, batch_first=True)
        self.dense = nn.Linear(8, 3)

    def forward(self, x):
        _, last = self.gru(self.positional_embedding(self.embedding(x)))
        return self.dense(last[-1])


class Recurrent(nn.Module):
    """A recurrent layer with the output of each step, or the last state of each direction."""

    def __init__(self, last=False, **layer):
        super().__init__()
        (self.name, rnn), = layer.items()
        self.add_module(self.name, rnn)
        self.last = last

    def forward(self, x):
        rnn = getattr(self, self.name)
        y, state = rnn(x)
        if not self.last:
            return y
        h = state[0] if isinstance(state, tuple) else state
        return torch.cat(list(h[-2 if rnn.bidirectional else -1:]), 1)


class Begun(nn.Module):
    """A recurrent layer whose states begin with values: `h_0`, or `h_0` and `c_0`, of all cells side by side."""

    def __init__(self, last=False, **layer):
        super().__init__()
        (self.name, rnn), = layer.items()
        self.add_module(self.name, rnn)
        self.last = last

    def forward(self, x, *states):
        rnn = getattr(self, self.name)
        directions = 2 if rnn.bidirectional else 1
        states = [s.reshape(len(x), rnn.num_layers * directions, -1).transpose(0, 1).contiguous() for s in states]
        y, state = rnn(x, tuple(states) if isinstance(rnn, nn.LSTM) else states[0])
        h = state[0] if isinstance(state, tuple) else state
        return torch.cat(list(h[-directions:]), 1) if self.last else y


class Steps(nn.Module):
    """A cell that is called for one step after the other."""

    def __init__(self, **cell):
        super().__init__()
        (self.name, cell), = cell.items()
        self.add_module(self.name, cell)

    def forward(self, x):
        state, outputs = None, []
        for step in x.unbind(1):
            state = getattr(self, self.name)(step, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outputs, 1)


class Decoder(nn.Module):
    """A decoder whose state begins with the last one of an encoder."""

    def __init__(self):
        super().__init__()
        self.encoder, self.gru = nn.GRU(3, 4, batch_first=True), nn.GRU(2, 4, batch_first=True)
        self.dense = nn.Linear(4, 5)

    def forward(self, read, written):
        return self.dense(self.gru(written, self.encoder(read)[1])[0])


def named(layers):
    return nn.Sequential(OrderedDict(layers))


def channels_last(x):
    return x.movedim(1, -1).contiguous() if x.dim() > 2 else x.contiguous()


def tensors(prefix, items):
    return {f"{prefix}.{name}": tensor.detach().clone().contiguous() for name, tensor in items}


def as_is(x):
    return x.contiguous()


def case(name, net, *shapes, spread=1.0, layout=channels_last, tokens=None, seed=None):
    """Runs `net` on random inputs of `shapes` (channels first, without batch) and writes NAME.

    With `tokens`, inputs are indices below this number, or below one for each input, `None` for real ones. The default of
    `seed` is derived from the name.
    """
    torch.manual_seed(seed or sum(map(ord, name)))
    net = net.double()
    for key, parameter in net.named_parameters():
        # Unlike the defaults (1 for BatchNorm, 0.25 for PReLU), so that no mistake is hidden by equal values.
        parameter.data = torch.randn_like(parameter) * (0.5 / math.sqrt(max(1, parameter[0].numel())))
        if parameter.dim() == 1:
            parameter.data += 0.3
    for key, buffer in net.named_buffers():
        if key.endswith("running_var"):
            buffer.data = torch.rand_like(buffer) + 0.5
        elif key.endswith("running_mean"):
            buffer.data = torch.randn_like(buffer) * 0.3
    # Values that are exact in float32, so that both sides start with the same ones.
    for tensor in list(net.parameters()) + [b for b in net.buffers() if b.is_floating_point()]:
        tensor.data = tensor.data.float().double()
    tokens = tokens if isinstance(tokens, tuple) else (tokens,) * len(shapes)
    inputs = [
        torch.randint(most, (BATCH, *s)) if most
        else (torch.randn(BATCH, *s) * spread).float().double().requires_grad_()
        for s, most in zip(shapes, tokens)]
    file = tensors("weights", net.state_dict().items())
    net.eval()
    file["inference"] = layout(net(*inputs).detach())
    net.train()
    output = net(*inputs)
    target = torch.randn_like(output).float().double()
    loss = nn.functional.mse_loss(output, target)
    loss.backward()
    file["output"] = layout(output.detach())
    file["target"] = layout(target)
    file["loss"] = loss.detach().reshape(1)
    for i, x in enumerate(inputs):
        file[f"input.{i}"] = layout(x.detach())
        if x.requires_grad:
            file[f"d_input.{i}"] = layout(x.grad)
    file |= tensors("gradients", ((n, p.grad) for n, p in net.named_parameters()))
    file |= tensors("after", ((n, t) for n, t in net.state_dict().items() if n.endswith(CHANGED)))
    save_file({k: v.contiguous().clone() for k, v in file.items()}, HERE / f"{name}.safetensors")


def conv(*args, **kwargs):
    return named({"conv2d": nn.Conv2d(*args, **kwargs)})


def sequence(name, layer, shape, last=False):
    """A recurrent layer on sequences `[steps, features]`."""
    kind = name.split("_")[0]
    case(name, Recurrent(last, **{kind: layer}), shape, layout=as_is)


LENGTHS = [3, 7, 1, 5, 7]


def packed(name, layer, shape):
    """A recurrent layer on packed sequences of `LENGTHS`; also writes `lengths`, and the last states `h_n` (and
    `c_n`) of each sample."""
    torch.manual_seed(sum(map(ord, name)))
    kind = name.split("_")[0]
    layer = layer.double()
    for parameter in layer.parameters():
        parameter.data = (torch.randn_like(parameter) * 0.4).float().double()
    x = torch.randn(BATCH, *shape).float().double()
    for sample, length in enumerate(LENGTHS):
        x[sample, length:] = 0
    x.requires_grad_()
    rows = nn.utils.rnn.pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    y, state = layer(rows)
    y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=shape[0])
    target = torch.randn_like(y).float().double()
    # The mean over all valid elements.
    squares = [((y[i, :n] - target[i, :n]) ** 2).sum() for i, n in enumerate(LENGTHS)]
    loss = sum(squares) / (sum(LENGTHS) * y.shape[2])
    loss.backward()
    state = state if isinstance(state, tuple) else (state,)
    file = tensors("weights", ((f"{kind}.{n}", t) for n, t in layer.state_dict().items()))
    file |= tensors("gradients", ((f"{kind}.{n}", p.grad) for n, p in layer.named_parameters()))
    file |= {f"state.{i}": s.detach().transpose(0, 1).contiguous() for i, s in enumerate(state)}
    file |= {
        "input.0": x.detach(), "d_input.0": x.grad, "output": y.detach(),
        "target": target, "loss": loss.detach().reshape(1), "lengths": torch.tensor(LENGTHS),
    }
    save_file({k: v.contiguous().clone() for k, v in file.items()}, HERE / f"{name}.safetensors")


def truncated(name, layer, shape, chunks=3):
    """A recurrent layer trained on `chunks` of one long sequence, with the detached state passed on between them.
    `loss.N`, `state.N.*` and `gradients.N.*` belong to chunk N only."""
    torch.manual_seed(sum(map(ord, name)))
    kind = name.split("_")[0]
    layer = layer.double()
    for parameter in layer.parameters():
        parameter.data = (torch.randn_like(parameter) * 0.4).float().double()
    file = tensors("weights", ((f"{kind}.{n}", t) for n, t in layer.state_dict().items()))
    state = None
    for chunk in range(chunks):
        x = torch.randn(BATCH, *shape).float().double()
        layer.zero_grad()
        y, state = layer(x, state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        target = torch.randn_like(y).float().double()
        loss = nn.functional.mse_loss(y, target)
        loss.backward()
        states = state if isinstance(state, tuple) else (state,)
        file |= {f"input.{chunk}": x, f"target.{chunk}": target, f"output.{chunk}": y.detach(),
                 f"loss.{chunk}": loss.detach().reshape(1)}
        file |= {f"state.{chunk}.{i}": s.transpose(0, 1).contiguous() for i, s in enumerate(states)}
        gradients = ((f"{kind}.{n}", p.grad) for n, p in layer.named_parameters())
        file |= tensors(f"gradients.{chunk}", gradients)
    save_file({k: v.clone().contiguous() for k, v in file.items()}, HERE / f"{name}.safetensors")


def one(name, layer):
    return named({name: layer})


class TwoOutputs(nn.Module):
    """An image and a table as inputs; a class and a position as outputs, with layers of their own."""

    def __init__(self):
        super().__init__()
        self.conv2d, self.dense = nn.Conv2d(2, 3, 3), nn.Linear(3 * 3 * 4 + 4, 6)
        setattr(self, "class", nn.Linear(6, 5))
        self.dense_2, self.place = nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, image, table):
        seen = self.conv2d(image).relu().flatten(1)
        shared = self.dense(torch.cat([seen, table], 1)).tanh()
        return getattr(self, "class")(shared), self.place(self.dense_2(shared).tanh())


def begun():
    """States that begin with values, and projections of the state."""
    def both(layer, **more):
        return layer(6, 5, 2, bidirectional=True, batch_first=True, **more)

    case("rnn_state", Begun(rnn=nn.RNN(6, 5, batch_first=True)), (7, 6), (5,), layout=as_is)
    case("gru_state", Begun(gru=nn.GRU(6, 5, batch_first=True)), (7, 6), (5,), layout=as_is)
    case("gru_state_deep", Begun(last=True, gru=both(nn.GRU)), (7, 6), (20,), layout=as_is)
    case("lstm_state", Begun(lstm=nn.LSTM(6, 5, batch_first=True)), (7, 6), (5,), (5,), layout=as_is)
    case("lstm_state_deep", Begun(lstm=both(nn.LSTM, bias=False)), (7, 6), (20,), (20,), layout=as_is)
    case("lstm_state_projection", Begun(True, lstm=both(nn.LSTM, proj_size=3)), (7, 6), (12,), (20,), layout=as_is)
    case("encoder_decoder", Decoder(), (6, 3), (5, 2), layout=as_is)
    sequence("lstm_projection", nn.LSTM(6, 5, proj_size=3, batch_first=True), (7, 6))
    sequence("lstm_projection_deep", both(nn.LSTM, proj_size=3), (7, 6))
    sequence("lstm_projection_deep_last", both(nn.LSTM, proj_size=2, bias=False), (7, 6), last=True)
    sequence("lstm_projection_wide", nn.LSTM(35, 67, 3, proj_size=33, batch_first=True), (9, 35))
    packed("lstm_projection_packed", nn.LSTM(6, 8, 2, bidirectional=True, proj_size=5, batch_first=True), (7, 6))
    truncated("lstm_projection_truncated", nn.LSTM(6, 8, 2, proj_size=5, batch_first=True), (4, 6))


def two_outputs(name):
    """Two outputs: cross entropy with class weights, and mean squared error with the weight 0.3."""
    torch.manual_seed(sum(map(ord, name)))
    net = TwoOutputs().double()
    for parameter in net.parameters():
        parameter.data = (torch.randn_like(parameter) * 0.4).float().double()
    inputs = [torch.randn(BATCH, *s).float().double().requires_grad_() for s in ((2, 5, 6), (4,))]
    scores, places = net(*inputs)
    classes = torch.arange(BATCH) * 2 % 5
    targets = torch.randn_like(places).float().double()
    weights = torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0]).double()
    loss = nn.functional.cross_entropy(scores, classes, weights) + 0.3 * nn.functional.mse_loss(places, targets)
    loss.backward()
    file = tensors("weights", net.state_dict().items())
    file |= tensors("gradients", ((n, p.grad) for n, p in net.named_parameters()))
    file |= {
        "input.0": channels_last(inputs[0].detach()), "d_input.0": channels_last(inputs[0].grad),
        "input.1": inputs[1].detach(), "d_input.1": inputs[1].grad,
        "output.class": scores.detach(), "output.place": places.detach(),
        "target.class": classes, "target.place": targets, "loss": loss.detach().reshape(1),
    }
    save_file({k: v.contiguous().clone() for k, v in file.items()}, HERE / f"{name}.safetensors")


def normalisations():
    case("layer_norm", one("layer_norm", nn.LayerNorm(7)), (7,))
    case("layer_norm_of_each_step", one("layer_norm", nn.LayerNorm(37)), (5, 37), layout=as_is)
    case("layer_norm_of_each_pixel", OfEachPixel(layer_norm=nn.LayerNorm(6)), (6, 3, 4))
    case("layer_norm_of_images", one("layer_norm", nn.LayerNorm((6, 3, 4))), (6, 3, 4))
    case("layer_norm_of_rows", OfEachPixel(layer_norm=nn.LayerNorm((4, 6), eps=1e-2)), (6, 3, 4))
    case("layer_norm_of_sequences", one("layer_norm", nn.LayerNorm((5, 7), bias=False)), (5, 7), layout=as_is)
    case("conv1d_layer_norm_flatten_dense", named({
        "conv1d": nn.Conv1d(3, 4, 3), "layer_norm": nn.LayerNorm((4, 6)), "flatten": nn.Flatten(),
        "dense": nn.Linear(24, 5)}), (3, 8))
    case("layer_norm_without_bias", one("layer_norm", nn.LayerNorm(7, eps=1e-2, bias=False)), (5, 7), layout=as_is)
    case("layer_norm_without_affine", one("layer_norm", nn.LayerNorm(7, elementwise_affine=False)), (5, 7), layout=as_is)
    case("flatten_layer_norm_dense", named({
        "flatten": nn.Flatten(), "layer_norm": nn.LayerNorm(24), "rms_norm": nn.RMSNorm(24, eps=1e-3), "dense": nn.Linear(24, 5),
    }), (2, 3, 4))
    # PyTorch's default for 32-bit floats.
    eps = torch.finfo(torch.float32).eps
    case("rms_norm", one("rms_norm", nn.RMSNorm(7, eps=eps)), (7,))
    case("rms_norm_of_each_step", one("rms_norm", nn.RMSNorm(37, eps=1e-2)), (5, 37), layout=as_is)
    case("rms_norm_without_affine", one("rms_norm", nn.RMSNorm(7, eps=eps, elementwise_affine=False)), (5, 7), layout=as_is)

    case("group_norm", one("group_norm", nn.GroupNorm(3, 6)), (6, 4, 5))
    case("group_norm_of_features", one("group_norm", nn.GroupNorm(2, 8)), (8,))
    case("group_norm_of_steps", one("group_norm", nn.GroupNorm(2, 34)), (34, 5))
    case("group_norm_without_affine", one("group_norm", nn.GroupNorm(1, 3, eps=1e-2, affine=False)), (3, 4, 5))
    case("instance_norm", one("instance_norm", nn.InstanceNorm2d(3)), (3, 4, 5))
    case("instance_norm_affine", one("instance_norm", nn.InstanceNorm2d(3, eps=1e-2, affine=True)), (3, 4, 5))
    case("instance_norm_of_steps", one("instance_norm", nn.InstanceNorm1d(17, affine=True)), (17, 6))


def upwards():
    def up(*args, **kwargs):
        return named({"conv_transpose2d": nn.ConvTranspose2d(*args, **kwargs)})

    case("conv_transpose2d", up(3, 5, 3), (3, 4, 3))
    case("conv_transpose2d_without_bias", up(3, 5, 3, bias=False), (3, 4, 3))
    case("conv_transpose2d_stride", up(3, 5, 2, stride=2), (3, 4, 3))
    case("conv_transpose2d_padding", up(3, 5, 4, stride=2, padding=1), (3, 4, 3))
    case("conv_transpose2d_output_padding", up(3, 5, 3, stride=2, padding=1, output_padding=1), (3, 4, 3))
    case("conv_transpose2d_dilation", up(3, 5, 2, dilation=2, output_padding=1), (3, 4, 3))
    case("conv_transpose2d_groups", up(6, 4, 3, groups=2), (6, 3, 3))
    case("conv_transpose2d_many_weights", up(20, 6, 3, padding=1), (20, 1, 2))
    case("conv_transpose2d_everything", up(4, 6, (3, 2), (2, 3), (1, 0), (1, 2), 2, False, (2, 1)), (4, 2, 2))

    case("upsample", one("x", nn.Upsample(scale_factor=2)), (3, 4, 5))
    case("upsample_per_axis", one("x", nn.Upsample(scale_factor=(3, 2))), (3, 4, 2))
    case("upsample_bilinear", one("x", nn.Upsample(scale_factor=2, mode="bilinear")), (3, 4, 5))
    case("upsample_bilinear_corners", one("x", nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True)), (3, 4, 3))


def without_normalisation():
    case("ws_conv2d", one("ws_conv2d", Standardised(3, 5, 3, padding=1)), (3, 5, 4))
    case("ws_conv2d_everything", one("ws_conv2d", Standardised(
        4, 6, (3, 2), stride=(2, 1), padding=(1, 1), dilation=(1, 2), groups=2, bias=False, eps=1e-2)), (4, 7, 6))
    case("ws_conv2d_same", one("ws_conv2d", Standardised(2, 4, 2, padding="same")), (2, 4, 5))
    case("scale", one("scale", Scale(1)), (3, 4, 5))
    case("scale_per_channel", one("scale", Scale(3)), (3, 4, 5))
    case("scale_fixed", named({"dense": nn.Linear(6, 5), "scale": Scale(fixed=0.2)}), (6,))
    case("residual_that_begins_as_nothing", Residual({
        "ws_conv2d": Standardised(4, 4, 3, padding=1), "relu": nn.ReLU(), "scale": Scale(1)}), (4, 5, 5))


# Files beside those of this script.
OF_OTHER_SCRIPTS = ("lbfgs", "losses", "roundtrip", "sparse_adam")


def main():
    for old in HERE.glob("*.safetensors"):
        if not old.stem.startswith(OF_OTHER_SCRIPTS):
            old.unlink()

    case("dense", one("dense", nn.Linear(7, 5)), (7,))
    case("dense_without_bias", one("dense", nn.Linear(7, 5, bias=False)), (7,))
    case("dense_wide", one("dense", nn.Linear(131, 67)), (131,))
    case("dense_on_each_pixel", one("dense", Pointwise(3, 4)), (3, 5, 4))

    case("conv2d", conv(3, 5, 3), (3, 7, 6))
    case("conv2d_without_bias", conv(3, 5, 3, bias=False), (3, 7, 6))
    case("conv2d_kernel_per_axis", conv(2, 4, (2, 3)), (2, 6, 7))
    case("conv2d_stride", conv(3, 5, 3, stride=2), (3, 9, 8))
    case("conv2d_stride_per_axis", conv(3, 5, 3, stride=(1, 3)), (3, 9, 11))
    case("conv2d_padding", conv(3, 5, 3, padding=1), (3, 6, 5))
    case("conv2d_padding_per_axis", conv(3, 5, 3, padding=(2, 0)), (3, 6, 5))
    case("conv2d_same_even_kernel", conv(3, 5, 4, padding="same"), (3, 6, 5))
    case("conv2d_same_dilation", conv(2, 3, 3, padding="same", dilation=2), (2, 7, 8))
    case("conv2d_dilation", conv(3, 5, 3, dilation=2), (3, 9, 8))
    case("conv2d_groups", conv(6, 4, 3, groups=2, padding=1), (6, 5, 5))
    case("conv2d_depthwise", conv(5, 5, 3, groups=5, padding=1, stride=2), (5, 7, 7))
    case("conv2d_1x1", conv(17, 19, 1), (17, 4, 5))
    case("conv2d_everything", conv(4, 6, (3, 2), stride=(2, 1), padding=(1, 1), dilation=(1, 2), groups=2, bias=False), (4, 9, 8))
    case("conv2d_wide", conv(33, 65, 3, padding=1), (33, 5, 3))
    case("conv2d_many_pixels", conv(1, 32, 3), (1, 11, 13))

    case("max_pool2d", one("x", nn.MaxPool2d(2)), (3, 7, 6))
    case("max_pool2d_stride_padding", one("x", nn.MaxPool2d(3, stride=2, padding=1)), (3, 8, 7))
    case("max_pool2d_dilation", one("x", nn.MaxPool2d(2, stride=1, dilation=2)), (3, 6, 6))
    case("avg_pool2d", one("x", nn.AvgPool2d(2)), (3, 7, 6))
    case("avg_pool2d_padding", one("x", nn.AvgPool2d(3, stride=2, padding=1)), (3, 8, 7))
    case("avg_pool2d_padding_not_counted", one("x", nn.AvgPool2d((3, 2), stride=2, padding=1, count_include_pad=False)), (3, 8, 7))
    case("global_avg_pool", GlobalPool(torch.mean), (5, 4, 3))
    case("global_max_pool", GlobalPool(torch.amax), (5, 4, 3))

    case("batch_norm_images", one("batch_norm", nn.BatchNorm2d(3)), (3, 4, 5), seed=2027)  # the seed of its former name
    case("batch_norm_features", one("batch_norm", nn.BatchNorm1d(6)), (6,))
    case("batch_norm_without_affine", one("batch_norm", nn.BatchNorm2d(3, affine=False)), (3, 4, 5))
    case("batch_norm_momentum_eps", one("batch_norm", nn.BatchNorm2d(3, momentum=0.3, eps=1e-2)), (3, 4, 5))

    normalisations()
    upwards()
    without_normalisation()

    for name, layer, shape in [
        ("conv1d", nn.Conv1d(3, 5, 3), (3, 9)),
        ("conv1d_without_bias", nn.Conv1d(3, 5, 4, bias=False), (3, 9)),
        ("conv1d_stride_padding", nn.Conv1d(3, 5, 3, stride=2, padding=2), (3, 10)),
        ("conv1d_same_even_kernel", nn.Conv1d(3, 5, 4, padding="same"), (3, 9)),
        ("conv1d_same_dilation", nn.Conv1d(2, 3, 3, padding="same", dilation=3), (2, 11)),
        ("conv1d_dilation", nn.Conv1d(3, 4, 3, dilation=4), (3, 12)),
        ("conv1d_groups", nn.Conv1d(6, 4, 3, groups=2, padding=1), (6, 8)),
        ("conv1d_depthwise", nn.Conv1d(5, 5, 3, groups=5, stride=2), (5, 9)),
        ("conv1d_wide", nn.Conv1d(35, 67, 5, padding=2), (35, 6)),
    ]:
        case(name, one("conv1d", layer), shape)
    case("conv1d_causal", one("conv1d", Causal(3, 5, 4)), (3, 9))
    case("conv1d_causal_stride_dilation", one("conv1d", Causal(3, 5, 3, stride=2, dilation=3)), (3, 11))
    case("max_pool1d", one("x", nn.MaxPool1d(2)), (3, 9))
    case("max_pool1d_everything", one("x", nn.MaxPool1d(3, stride=2, padding=1, dilation=2)), (3, 10))
    case("avg_pool1d", one("x", nn.AvgPool1d(2)), (3, 9))
    case("avg_pool1d_padding", one("x", nn.AvgPool1d(3, stride=2, padding=1)), (3, 10))
    case("avg_pool1d_padding_not_counted", one("x", nn.AvgPool1d(4, stride=3, padding=2, count_include_pad=False)), (3, 10))
    case("global_avg_pool_of_steps", GlobalPool(torch.mean), (5, 7))
    case("global_max_pool_of_steps", GlobalPool(torch.amax), (5, 7))
    case("conv1d_stack", named({
        "c1": nn.Conv1d(3, 8, 3, padding="same"), "r1": nn.ReLU(), "p1": nn.MaxPool1d(2),
        "c2": Causal(8, 6, 3), "r2": nn.ReLU(), "pool": GlobalPool(torch.mean), "fc": nn.Linear(6, 4),
    }), (3, 12))

    for name, layer in {
        "relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(), "leaky_relu_slope": nn.LeakyReLU(0.2),
        "elu": nn.ELU(), "elu_alpha": nn.ELU(0.5), "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh"),
        "silu": nn.SiLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "softplus": nn.Softplus(),
        "softplus_beta": nn.Softplus(2.0, 3.0), "hard_swish": nn.Hardswish(),
        "relu6": nn.ReLU6(), "hard_sigmoid": nn.Hardsigmoid(), "hard_tanh": nn.Hardtanh(),
        "hard_tanh_of_half": nn.Hardtanh(-2.0, 0.5), "mish": nn.Mish(), "selu": nn.SELU(), "celu": nn.CELU(),
        "celu_alpha": nn.CELU(0.5), "softsign": nn.Softsign(), "log_sigmoid": nn.LogSigmoid(),
        "threshold": nn.Threshold(0.5, -1.5), "identity": nn.Identity(),
    }.items():
        case(name, one(name, layer), (37,), spread=3.0)
    case("prelu", one("prelu", nn.PReLU()), (3, 4, 5))
    case("prelu_per_channel", one("prelu", nn.PReLU(3)), (3, 4, 5))
    case("softmax", one("x", nn.Softmax(1)), (11,), spread=3.0)
    case("softmax_of_each_pixel", one("x", nn.Softmax(1)), (4, 3, 5), spread=3.0)
    case("log_softmax", one("x", nn.LogSoftmax(1)), (11,), spread=3.0)

    case("conv1d_flatten_dense", named({
        "conv1d": nn.Conv1d(3, 4, 3), "relu": nn.ReLU(), "batch_norm": nn.BatchNorm1d(4), "pool": nn.MaxPool1d(2),
        "flatten": nn.Flatten(), "prelu": nn.PReLU(12), "dense": nn.Linear(12, 5),
    }), (3, 8))
    case("residual_conv1d_flatten_dense", Then(
        Residual({"conv1d": nn.Conv1d(3, 3, 3, padding=1)}), flatten=nn.Flatten(), dense=nn.Linear(15, 4),
    ), (3, 5))
    case("lstm_flatten_dense", Then(
        Recurrent(lstm=nn.LSTM(3, 4, batch_first=True)), flatten=nn.Flatten(), dense=nn.Linear(20, 3),
    ), (5, 3), layout=as_is)
    case("flatten_dense", named({"conv2d": nn.Conv2d(2, 3, 3), "flatten": nn.Flatten(), "dense": nn.Linear(3 * 3 * 4, 5)}), (2, 5, 6))
    case("flatten_batch_norm_prelu_dense", named({
        "flatten": nn.Flatten(), "batch_norm": nn.BatchNorm1d(24), "prelu": nn.PReLU(24), "dense": nn.Linear(24, 5),
    }), (2, 3, 4))
    case("residual", Residual({"conv2d": nn.Conv2d(4, 4, 3, padding=1), "relu": nn.ReLU(), "conv2d_2": nn.Conv2d(4, 4, 3, padding=1)}), (4, 5, 5))
    case("residual_skip", Residual(
        {"conv2d": nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), "batch_norm": nn.BatchNorm2d(6), "relu": nn.ReLU(),
         "conv2d_2": nn.Conv2d(6, 6, 3, padding=1, bias=False), "batch_norm_2": nn.BatchNorm2d(6)},
        {"conv2d": nn.Conv2d(4, 6, 1, stride=2, bias=False), "batch_norm": nn.BatchNorm2d(6)}), (4, 7, 7))
    case("reshape", named({"reshape": Reshaped(4, 6), "dense": Pointwise(6, 5)}), (4, 3, 2))
    case("add", named({"add": Branches(lambda v: v[0] + v[1], **{
        "0": one("dense", nn.Linear(6, 5)), "1": named({"dense": nn.Linear(6, 5), "tanh": nn.Tanh()})})}), (6,))
    case("mul", named({"mul": Branches(lambda v: v[0] * v[1], **{
        "0": one("dense", nn.Linear(6, 5)), "1": named({"dense": nn.Linear(6, 5), "tanh": nn.Tanh()})})}), (6,))
    case("mul_scales_channels", named({"mul": Branches(lambda v: v[0] * v[1][:, :, None, None], **{
        "0": one("conv2d", nn.Conv2d(3, 4, 3, padding=1)),
        "1": named({"pool": GlobalPool(torch.mean), "dense": nn.Linear(3, 4), "sigmoid": nn.Sigmoid()})})}), (3, 5, 4))
    # Random numbers differ between PyTorch and `unrolled`, so only these probabilities can be compared.
    case("dropout_of_none", named({"dense": nn.Linear(6, 5), "dropout": nn.Dropout(0.0)}), (6,))
    case("dropout_of_all", named({"dense": nn.Linear(6, 5), "dropout": nn.Dropout(1.0)}), (6,))
    case("concat_of_inputs", Then(
        Branches(lambda v: torch.cat(v, 1),
                 image=named({"conv2d": nn.Conv2d(1, 3, 3), "relu": nn.ReLU(), "flatten": nn.Flatten()}),
                 table=named({"dense": nn.Linear(4, 6), "relu": nn.ReLU()})),
        dense=nn.Linear(3 * 4 * 5 + 6, 7)), (1, 6, 7), (4,))
    case("digits_classifier", named({
        "conv1": nn.Conv2d(1, 8, 3), "r1": nn.ReLU(), "p1": nn.MaxPool2d(2),
        "conv2": nn.Conv2d(8, 16, 3), "r2": nn.ReLU(), "p2": nn.MaxPool2d(2),
        "flatten": nn.Flatten(), "fc1": nn.Linear(16 * 3 * 3, 24), "r3": nn.ReLU(), "fc2": nn.Linear(24, 10),
    }), (1, 20, 20))

    for kind, layer in {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}.items():
        def deep(**more):
            return layer(6, 5, 2, bidirectional=True, batch_first=True, **more)

        sequence(kind, layer(6, 5, batch_first=True), (7, 6))
        sequence(f"{kind}_last", layer(6, 5, batch_first=True), (7, 6), last=True)
        sequence(f"{kind}_without_bias", layer(6, 5, bias=False, batch_first=True), (7, 6))
        sequence(f"{kind}_bidirectional", layer(6, 5, bidirectional=True, batch_first=True), (7, 6))
        sequence(f"{kind}_deep", deep(), (7, 6))
        sequence(f"{kind}_deep_last", deep(bias=False), (7, 6), last=True)
        sequence(f"{kind}_wide", layer(35, 67, 3, batch_first=True), (9, 35))
        packed(f"{kind}_packed", deep(), (7, 6))
        truncated(f"{kind}_truncated", layer(6, 5, 2, batch_first=True), (4, 6))
    begun()
    case("rnn_cell", Steps(rnn=nn.RNNCell(6, 5)), (7, 6), layout=as_is)
    case("lstm_cell", Steps(lstm=nn.LSTMCell(6, 5)), (7, 6), layout=as_is)
    case("gru_cell", Steps(gru=nn.GRUCell(6, 5, bias=False)), (7, 6), layout=as_is)
    case("embedding", one("embedding", nn.Embedding(11, 5)), (7,), layout=as_is, tokens=11)
    case("embedding_padding_index", one("embedding", nn.Embedding(11, 5, padding_idx=3)), (7,), layout=as_is, tokens=11)
    case("embedding_of_many_tokens", one("embedding", nn.Embedding(2000, 67)), (9,), layout=as_is, tokens=2000)
    case("embedding_of_rows", one("embedding", nn.Embedding(11, 5)), (3, 4), layout=as_is, tokens=11)
    case("positional_embedding", one("positional_embedding", Positions(7, 5)), (7, 5), layout=as_is)
    case("positional_encoding", one("x", Encoding()), (70, 9), layout=as_is)
    case("sentences", Sentences(), (9,), layout=as_is, tokens=23)
    two_outputs("two_outputs")
    sequence("rnn_relu", nn.RNN(6, 5, 2, nonlinearity="relu", batch_first=True), (7, 6))

    from attention import attention  # all of them build on this file
    from features import features
    from operators import operators
    from per_step import per_step
    from shared import shared
    from spectral_norm import spectral_norms
    from volumes import volumes
    from weight_norm import weight_norms

    attention()
    features()
    operators()
    per_step()
    shared()
    spectral_norms()
    volumes()
    weight_norms()


if __name__ == "__main__":
    main()
