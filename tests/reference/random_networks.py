"""Compares random networks with PyTorch modules that are built here, from what the tests write:

    mkdir /tmp/networks
    for i in 1 2 3 4; do UNROLLED_RANDOM_NETWORKS=/tmp/networks cargo test --test random_$i; done
    python tests/reference/random_networks.py /tmp/networks

Prints the errors of outputs and of the gradients of a mean squared error, of this library and of PyTorch in float32 on
one thread, each relative to PyTorch in float64: the Euclidean norm of the differences, divided by that of the values.
Networks with dropout or noise are compared at inference only, since both are random.
"""

import json
import math
import pathlib
import sys

import torch
from torch.nn import functional as F

torch.set_num_threads(1)

# Errors of this size are rounding errors; networks with larger ones are printed.
LARGE = 1e-5

# Gradients of a smaller norm are rounding errors themselves: of the input of a normalisation that subtracts it, say.
SMALLEST_NORM = 1e-6


def channels_first(x):
    """`[N, .., C]` to `[N, C, ..]`."""
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def slopes(heads, dtype):
    """The slopes of attention with linear biases (Press, Smith and Lewis, 2022), as in the authors' code."""

    def of_power(heads):
        return [2 ** (-8 * (head + 1) / heads) for head in range(heads)]

    power = 2 ** math.floor(math.log2(heads))
    return torch.tensor(of_power(power) + of_power(2 * power)[::2][: heads - power], dtype=dtype)


class Weights:
    """The weights of all layers as one leaf, read from its beginning to its end."""

    def __init__(self, flat, dtype):
        self.flat = torch.tensor(flat, dtype=dtype, requires_grad=True)
        self.at = 0

    def next(self, *shape):
        begin = self.at
        self.at += math.prod(shape)
        return self.flat[begin : self.at].reshape(shape)


class Layer:
    """One layer with its arguments; `apply` computes a batch."""

    def __init__(self, description, shapes, weights, training):
        self.kind = description["kind"]
        self.arguments = description["arguments"]
        self.output = description["output"]
        self.shape = shapes[0]
        self.weights = weights
        self.training = training

    def __getattr__(self, name):
        try:
            return self.arguments[name]
        except KeyError:
            raise AttributeError(name) from None

    def apply(self, *inputs):
        return getattr(self, "apply_" + self.kind)(*inputs)

    def bias_of(self, size):
        return self.weights.next(size) if self.bias else None

    def affine_of(self, size, count=2):
        return [self.weights.next(size) if self.affine else None for _ in range(count)]

    def apply_Dense(self, x):
        weight = self.weights.next(x.shape[-1], self.units).T
        return F.linear(x, weight, self.bias_of(self.units))

    def kernel(self, x, size):
        filters = self.out_channels
        weight = self.weights.next(*size, x.shape[-1] // self.groups, filters)
        return weight.movedim((-1, -2), (0, 1)).contiguous()

    def apply_Conv2d(self, x):
        weight = self.kernel(x, self.arguments["kernel"])
        return self.convolve(x, weight, self.bias_of(self.out_channels))

    def apply_Conv3d(self, x):
        weight = self.kernel(x, self.arguments["kernel"])
        options = dict(stride=self.stride, dilation=self.dilation, groups=self.groups)
        return channels_last(F.conv3d(self.padded(x), weight, self.bias_of(self.out_channels), **options))

    def sides(self, sizes, kernels, padding, strides, dilations):
        """The padding before and after each axis, the last one first, as `F.pad` takes it."""
        sides = []
        for axis, size in enumerate(sizes):
            reach = dilations[axis] * (kernels[axis] - 1) + 1
            if padding == "same":
                rest = max(reach - ((size - 1) % strides[axis] + 1), 0)
                both = [rest // 2, rest - rest // 2]
            elif padding == "causal":
                both = [reach - 1, 0]
            elif len(padding) == 2 * len(sizes):
                both = padding[2 * axis : 2 * axis + 2]
            else:
                both = [padding[axis]] * 2
            sides = both + sides
        return sides

    def padded(self, x, fill=0.0):
        """A volume, an image or steps, channels first, with the padding of a convolution or a pool."""
        x = channels_first(x)
        sizes = x.shape[2:]
        each = lambda value: value if isinstance(value, list) else [value] * len(sizes)  # noqa: E731
        padding = self.padding
        padding = each(padding) if not isinstance(padding, str) else padding
        stride = self.arguments.get("stride", self.arguments["kernel"])
        dilation = self.arguments.get("dilation", 1)
        sides = self.sides(sizes, each(self.arguments["kernel"]), padding, each(stride), each(dilation))
        return F.pad(x, sides, value=fill)

    def convolve(self, x, weight, bias):
        options = dict(stride=self.stride, dilation=self.dilation, groups=self.groups)
        return channels_last(F.conv2d(self.padded(x), weight, bias, **options))

    def apply_WSConv2d(self, x):
        weight = self.kernel(x, self.arguments["kernel"])
        bias, gain = self.bias_of(self.out_channels), self.weights.next(self.out_channels)
        # As timm's ScaledStdConv2d, which normalises by `batch_norm`.
        flat = weight.reshape(1, self.out_channels, -1)
        scale = gain * flat.shape[-1] ** -0.5
        flat = F.batch_norm(flat, None, None, scale, training=True, momentum=0.0, eps=self.eps)
        return self.convolve(x, flat.reshape(weight.shape), bias)

    def weight_norm(self, weight):
        """The normalised weight, and the bias. Bias and gain come after the weight."""
        bias, gain = self.bias_of(len(weight)), self.weights.next(len(weight))
        return torch._weight_norm(weight, gain.reshape(-1, *[1] * (weight.dim() - 1)), 0), bias

    def apply_WNDense(self, x):
        return F.linear(x, *self.weight_norm(self.weights.next(x.shape[-1], self.units).T))

    def apply_WNConv2d(self, x):
        return self.convolve(x, *self.weight_norm(self.kernel(x, self.arguments["kernel"])))

    def apply_WNConv1d(self, x):
        return self.convolve_steps(x, *self.weight_norm(self.kernel(x, [self.arguments["kernel"]])))

    def apply_Conv1d(self, x):
        weight = self.kernel(x, [self.arguments["kernel"]])
        return self.convolve_steps(x, weight, self.bias_of(self.out_channels))

    def convolve_steps(self, x, weight, bias):
        options = dict(stride=self.stride, dilation=self.dilation, groups=self.groups)
        return channels_last(F.conv1d(self.padded(x), weight, bias, **options))

    def apply_ConvTranspose2d(self, x):
        channels, groups = x.shape[-1], self.groups
        weight = self.weights.next(*self.arguments["kernel"], self.out_channels // groups, channels)
        bias = self.bias_of(self.out_channels)
        options = dict(
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=groups,
        )
        weight = weight.movedim((-1, -2), (0, 1)).contiguous()
        return channels_last(F.conv_transpose2d(channels_first(x), weight, bias, **options))

    def apply_ConvTranspose1d(self, x):
        weight = self.weights.next(self.arguments["kernel"], self.out_channels // self.groups, x.shape[-1])
        options = dict(
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=self.groups,
        )
        weight = weight.movedim((-1, -2), (0, 1)).contiguous()
        return channels_last(F.conv_transpose1d(channels_first(x), weight, self.bias_of(self.out_channels), **options))

    def pool(self, f, x, fill, **options):
        kernel = self.arguments["kernel"]
        stride = self.arguments.get("stride", kernel)
        y = f(self.padded(x, fill), kernel, stride, ceil_mode=self.ceil_mode, **options)
        # Without a window that begins in the padding after the input.
        return channels_last(y[(..., *(slice(size) for size in self.output[:-1]))])

    def average(self, f, x):
        y = self.pool(f, x, 0.0)
        return y if self.count_include_pad else y / self.pool(f, torch.ones_like(x), 0.0)

    def apply_MaxPool1d(self, x):
        return self.pool(F.max_pool1d, x, -math.inf, dilation=self.dilation)

    def apply_MaxPool2d(self, x):
        return self.pool(F.max_pool2d, x, -math.inf, dilation=self.dilation)

    def apply_MaxPool3d(self, x):
        return self.pool(F.max_pool3d, x, -math.inf, dilation=self.dilation)

    def apply_AvgPool3d(self, x):
        def pool(x, kernel, stride, ceil_mode):
            # Along the depth, then of planes: `F.avg_pool3d` refuses kernels that fit only with `ceil_mode`.
            options = dict(ceil_mode=ceil_mode)
            along = F.avg_pool2d(x.flatten(0, 1).flatten(2), (kernel[0], 1), (stride[0], 1), **options)
            along = along.unflatten(2, x.shape[3:]).unflatten(0, x.shape[:2])
            planes = F.avg_pool2d(along.flatten(0, 2)[:, None], kernel[1:], stride[1:], **options)
            return planes[:, 0].unflatten(0, along.shape[:3])

        return self.average(pool, x)

    def apply_AdaptiveAvgPool3d(self, x):
        return channels_last(F.adaptive_avg_pool3d(channels_first(x), self.output[:-1]))

    def apply_AdaptiveMaxPool3d(self, x):
        return channels_last(F.adaptive_max_pool3d(channels_first(x), self.output[:-1]))

    def apply_AvgPool1d(self, x):
        return self.average(F.avg_pool1d, x)

    def apply_AvgPool2d(self, x):
        return self.average(F.avg_pool2d, x)

    def apply_GlobalAvgPool(self, x):
        return x.flatten(1, -2).mean(1)

    def apply_GlobalMaxPool(self, x):
        return x.flatten(1, -2).max(1).values

    def apply_Upsample(self, x):
        options = dict(align_corners=self.align_corners) if self.mode != "nearest" else {}
        return channels_last(F.interpolate(channels_first(x), self.output[:2], mode=self.mode, **options))

    def apply_AdaptiveAvgPool1d(self, x):
        return channels_last(F.adaptive_avg_pool1d(channels_first(x), self.output[:-1]))

    def apply_AdaptiveMaxPool1d(self, x):
        return channels_last(F.adaptive_max_pool1d(channels_first(x), self.output[0]))

    def apply_AdaptiveAvgPool2d(self, x):
        return channels_last(F.adaptive_avg_pool2d(channels_first(x), self.output[:-1]))

    def apply_AdaptiveMaxPool2d(self, x):
        return channels_last(F.adaptive_max_pool2d(channels_first(x), self.output[:-1]))

    def apply_PixelShuffle(self, x):
        return channels_last(F.pixel_shuffle(channels_first(x), self.factor))

    def pad(self, x, axes):
        padding = self.padding if isinstance(self.padding, list) else [self.padding]
        sides = self.sides(x.shape[1:-1], [1] * axes, padding, [1] * axes, [1] * axes)
        options = dict(value=self.value) if self.mode == "constant" else {}
        return channels_last(F.pad(channels_first(x), sides, self.mode, **options))

    def apply_Pad1d(self, x):
        return self.pad(x, 1)

    def apply_Pad2d(self, x):
        return self.pad(x, 2)

    def apply_Slice(self, x):
        end = self.arguments.get("end", self.shape[self.axis])
        return x[(slice(None),) * (self.axis + 1) + (slice(self.start, end, self.step),)]

    def apply_Split(self, x):
        axis = self.arguments.get("axis", len(self.shape) - 1)
        return x.chunk(self.parts, axis + 1)[self.arguments.get("part", 0)]

    def apply_Transpose(self, x):
        return x.transpose(self.first + 1, self.second + 1)

    def apply_Reduce(self, x):
        if self.mode == "max":
            return x.max(self.axis + 1).values
        return {"mean": torch.mean, "sum": torch.sum}[self.mode](x, self.axis + 1)

    def apply_ClassToken(self, x):
        return torch.cat([self.weights.next(x.shape[-1]).expand(len(x), 1, -1), x], 1)

    def recurrent(self, module, gates, *values, **options):
        x, projection = values[0], self.arguments.get("projection", 0)
        inputs, units, directions = x.shape[-1], self.units, 1 + self.bidirectional
        outputs = projection or units
        module = module(
            inputs,
            units,
            self.layers,
            bias=self.bias,
            bidirectional=self.bidirectional,
            batch_first=True,
            dropout=self.dropout if self.training else 0.0,
            **options,
        )
        weights = []
        for layer in range(self.layers):
            for _ in range(directions):
                read = inputs if layer == 0 else directions * outputs
                weights += [self.weights.next(n, gates * units).T for n in (read, outputs)]
                weights += [self.weights.next(gates * units) for _ in range(2 * self.bias)]
                weights += [self.weights.next(units, outputs).T] if projection else []
        names = [name for name, _ in module.named_parameters()]
        cells = self.layers * directions
        states = [("state", outputs), ("cell", units)] if module.mode == "LSTM" else [("state", units)]
        begin = [self.begin(values, name, cells, size) for name, size in states]
        begin = tuple(begin) if len(begin) > 1 else begin[0]
        y, h = torch.func.functional_call(module, dict(zip(names, weights)), (x, begin))
        if self.arguments["output"] == "sequence":
            return y
        h = h[0] if isinstance(h, tuple) else h
        return torch.cat(list(h[-directions:]), -1)

    def begin(self, values, name, cells, size):
        """`h_0` or `c_0`: a value of all cells side by side, or zeros."""
        if name not in self.arguments:
            return values[0].new_zeros(cells, len(values[0]), size)
        return values[self.arguments[name]].reshape(-1, cells, size).transpose(0, 1).contiguous()

    def apply_RNN(self, *values):
        return self.recurrent(torch.nn.RNN, 1, *values, nonlinearity=self.nonlinearity)

    def apply_LSTM(self, *values):
        options = {"proj_size": self.arguments.get("projection", 0)}
        return self.recurrent(torch.nn.LSTM, 4, *values, **options)

    def apply_GRU(self, *values):
        return self.recurrent(torch.nn.GRU, 3, *values)

    def apply_MultiHeadAttention(self, *values):
        x, memory = values[0], values[self.arguments.get("memory", 0)]
        (batch, steps, width), heads = x.shape, self.heads
        keys = width // heads * self.arguments.get("kv_heads", heads)
        columns = width + 2 * keys
        in_proj, out_proj = self.weights.next(width, columns), self.weights.next(width, width)
        in_bias, out_bias = self.bias_of(columns), self.bias_of(width)
        of_x, of_memory = (F.linear(value, in_proj.T, in_bias) for value in (x, memory))
        parts = [of_x[..., :width], *of_memory[..., width:].split((keys, keys), -1)]
        q, k, v = (part.unflatten(-1, (-1, width // heads)).transpose(1, 2) for part in parts)
        if self.rotary:
            q, k = self.rotate(q), self.rotate(k)
        mask = torch.zeros(heads, steps, memory.shape[1], dtype=x.dtype)
        if self.alibi:
            distances = torch.arange(steps)[:, None] - torch.arange(steps)
            mask = mask - slopes(heads, x.dtype)[:, None, None] * distances.abs()
        if self.causal:
            mask = mask + torch.full((steps, steps), -math.inf, dtype=x.dtype).triu(1)
        y = F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
        return F.linear(y.transpose(1, 2).reshape(x.shape), out_proj.T, out_bias)

    @staticmethod
    def rotate(x):
        steps, size = x.shape[-2:]
        exponents = torch.arange(size // 2, dtype=torch.float64) * (-2 / size)
        angles = torch.arange(steps, dtype=torch.float64)[:, None] * 10_000**exponents
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        a, b = x.chunk(2, -1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def apply_Embedding(self, x):
        return F.embedding(x.long(), self.weights.next(self.vocabulary, self.dimension))

    def apply_PositionalEmbedding(self, x):
        return x + self.weights.next(*x.shape[1:])

    def apply_PositionalEncoding(self, x):
        steps, width = x.shape[1:]
        positions = torch.arange(steps, dtype=torch.float64)[:, None]
        even = torch.arange(0, width, 2, dtype=torch.float64)
        angles = positions * torch.exp(even * (-math.log(10_000) / width))
        encoding = torch.zeros(steps, width, dtype=torch.float64)
        encoding[:, 0::2] = angles.sin()
        encoding[:, 1::2] = angles.cos()[:, : width // 2]
        return x + encoding.to(x.dtype)

    def apply_Flatten(self, x):
        return x.flatten(1)

    def apply_OneStep(self, x):
        return x.flatten(0, 1)

    def apply_AllSteps(self, x):
        return x.unflatten(0, (-1, self.steps))

    def apply_Reshape(self, x):
        return x.reshape(len(x), *self.output)

    def apply_BatchNorm(self, x):
        channels = x.shape[-1]
        weight, bias = self.affine_of(channels)
        mean, variance = (self.weights.next(channels).detach().clone() for _ in range(2))
        self.weights.next(1)
        rows = x.reshape(-1, channels)
        y = F.batch_norm(rows, mean, variance, weight, bias, self.training, self.momentum, self.eps)
        return y.reshape(x.shape)

    def apply_LayerNorm(self, x):
        sizes = x.shape[-self.axes :]
        weight = self.weights.next(*sizes) if self.affine else None
        bias = self.weights.next(*sizes) if self.affine and self.bias else None
        return F.layer_norm(x, sizes, weight, bias, self.eps)

    def apply_RMSNorm(self, x):
        size = x.shape[-1]
        return F.rms_norm(x, (size,), *self.affine_of(size, 1), eps=self.eps)

    def group_norm(self, x, groups):
        weight, bias = self.affine_of(x.shape[-1])
        # Not `F.group_norm`, which refuses groups of one element.
        return channels_last(torch.group_norm(channels_first(x), groups, weight, bias, self.eps))

    def apply_GroupNorm(self, x):
        return self.group_norm(x, self.arguments["groups"])

    def apply_InstanceNorm(self, x):
        return self.group_norm(x, x.shape[-1])

    def apply_Scale(self, x):
        if not self.trained:
            return x * self.init
        return x * self.weights.next(x.shape[-1] if self.per_channel else 1)

    def apply_PReLU(self, x):
        slopes = self.weights.next(x.shape[-1] if self.per_channel else 1)
        return F.prelu(x.reshape(-1, x.shape[-1]), slopes).reshape(x.shape)

    def apply_Dropout(self, x):
        return F.dropout(x, self.p, self.training)

    def apply_GaussianNoise(self, x):
        return x + self.std * torch.randn_like(x) if self.training else x

    def apply_ReLU(self, x):
        return F.relu(x)

    def apply_LeakyReLU(self, x):
        return F.leaky_relu(x, self.slope)

    def apply_ELU(self, x):
        return F.elu(x, self.alpha)

    def apply_GELU(self, x):
        return F.gelu(x, approximate=self.approximate)

    def apply_SiLU(self, x):
        return F.silu(x)

    def apply_Sigmoid(self, x):
        return torch.sigmoid(x)

    def apply_Tanh(self, x):
        return torch.tanh(x)

    def apply_Softplus(self, x):
        return F.softplus(x, self.beta, self.threshold)

    def apply_HardSwish(self, x):
        return F.hardswish(x)

    def apply_ReLU6(self, x):
        return F.relu6(x)

    def apply_HardSigmoid(self, x):
        return F.hardsigmoid(x)

    def apply_HardTanh(self, x):
        return F.hardtanh(x, self.min, self.max)

    def apply_Mish(self, x):
        return F.mish(x)

    def apply_SELU(self, x):
        return F.selu(x)

    def apply_CELU(self, x):
        return F.celu(x, self.alpha)

    def apply_Softsign(self, x):
        return F.softsign(x)

    def apply_LogSigmoid(self, x):
        return F.logsigmoid(x)

    def apply_Threshold(self, x):
        return F.threshold(x, self.threshold, self.value)

    def apply_Identity(self, x):
        return x

    def apply_Softmax(self, x):
        return torch.softmax(x, self.arguments.get("axis", x.dim() - 2) + 1)

    def apply_GLU(self, x):
        return F.glu(x, -1)

    def apply_SwiGLU(self, x):
        a, b = x.chunk(2, -1)
        return F.silu(a) * b

    def apply_Abs(self, x):
        return x.abs()

    def apply_Neg(self, x):
        return -x

    def apply_Clip(self, x):
        return torch.clamp(x, self.arguments.get("min"), self.arguments.get("max"))

    def apply_LogSoftmax(self, x):
        return torch.log_softmax(x, -1)

    def aligned(self, inputs):
        """The inputs of a join with as many axes as the output: those that are missing are the first of a sample."""
        rank = len(self.output)
        return [x.reshape(len(x), *[1] * (rank + 1 - x.dim()), *x.shape[1:]) for x in inputs]

    def apply_Add(self, *inputs):
        first, *others = self.aligned(inputs)
        for other in others:
            first = first + other
        return first

    def apply_Mul(self, *inputs):
        first, *others = self.aligned(inputs)
        for other in others:
            first = first * other
        return first

    def apply_Sub(self, *inputs):
        first, *others = self.aligned(inputs)
        for other in others:
            first = first - other
        return first

    def apply_Min(self, *inputs):
        return torch.minimum(*self.aligned(inputs))

    def apply_Max(self, *inputs):
        return torch.maximum(*self.aligned(inputs))

    def apply_Concat(self, *inputs):
        return torch.cat(inputs, -1)


def is_random(network):
    rates = [layer["arguments"].get(name, 0) for layer in network["layers"] for name in ("p", "dropout", "std")]
    return any(rate > 0 for rate in rates)


def run(case, dtype, training):
    """The output, the leaf of all weights, and those of all inputs."""
    network = case["network"]
    shapes = network["inputs"]
    lengths = [math.prod(shape) for shape in shapes]
    flat = torch.tensor(case["inputs"], dtype=dtype).reshape(-1, sum(lengths))
    values = [x.reshape(-1, *shape) for x, shape in zip(flat.split(lengths, 1), shapes)]
    inputs = values = [x.clone().requires_grad_() for x in values]
    values = list(values)
    weights = Weights(case["weights"], dtype)
    begins = []
    for layer in network["layers"]:
        arguments = [values[i] for i in layer["inputs"]]
        # Weights that are shared are read again.
        begin, end = begins[layer["first"]] if "first" in layer else weights.at, weights.at
        begins.append(begin)
        weights.at = begin
        module = Layer(layer, [x.shape[1:] for x in arguments], weights, training)
        value = module.apply(*arguments)
        weights.at = max(weights.at, end)
        assert list(value.shape[1:]) == layer["output"], (layer, value.shape)
        values.append(value)
    assert weights.at == len(weights.flat), "all weights are read"
    return values[-1], weights.flat, inputs


def results(case, dtype):
    """The output at inference and the gradients of weights and inputs, as far as they are no random numbers."""
    with torch.no_grad():
        y = run(case, dtype, training=False)[0]
    found = {"output": y.flatten()}
    if not is_random(case["network"]):
        y, weights, inputs = run(case, dtype, training=True)
        targets = torch.tensor(case["targets"], dtype=dtype).reshape(y.shape)
        gradients = torch.autograd.grad(F.mse_loss(y, targets), [weights, *inputs], allow_unused=True)
        d_weights, *d_inputs = gradients
        d_inputs = [torch.zeros_like(x) if d is None else d for d, x in zip(d_inputs, inputs)]
        found["training output"] = y.detach().flatten()
        found["d_weights"] = d_weights
        found["d_inputs"] = torch.cat([d.flatten(1) for d in d_inputs], 1).flatten()
    return found


def ours(case):
    names = {"output": "outputs", "training output": "trained", "d_weights": "d_weights", "d_inputs": "d_inputs"}
    return {name: torch.tensor(case[field]) for name, field in names.items()}


def error(found, expected):
    return ((found.double() - expected).norm() / expected.norm().clamp(min=SMALLEST_NORM)).item()


def main():
    torch.manual_seed(0)
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.json"), key=lambda path: int(path.stem))
    pairs = {}
    for path in files:
        case = json.loads(path.read_text())
        expected, other, found = results(case, torch.float64), results(case, torch.float32), ours(case)
        errors = {name: (error(found[name], e), error(other[name], e)) for name, e in expected.items()}
        print(case["seed"], *(f"{name} {a:.1e} ({b:.1e})" for name, (a, b) in errors.items()), sep="\t")
        if any(a > max(LARGE, 4 * b) for a, b in errors.values()):
            print(case["source"])
        for name, pair in errors.items():
            pairs.setdefault(name, []).append((*pair, case["seed"]))
    for name, all_pairs in pairs.items():
        a, b = (torch.tensor(column, dtype=torch.float64) for column in list(zip(*all_pairs))[:2])
        worst = max(all_pairs)
        ratio = (a.clamp(min=1e-9) / b.clamp(min=1e-9)).log().mean().exp()
        print(
            f"{name}: {len(a)} networks, {(a <= b).sum()} with at most PyTorch's error, mean ratio {ratio:.2f}, median"
            f" {a.median():.1e} ({b.median():.1e}), largest {worst[0]:.1e} ({b.max():.1e}) of seed {worst[2]}"
        )


main()
