"""The cases of elementwise functions, joins, and layers that rearrange, pad or reduce values. See make.py."""

import torch
from make import Branches, as_is, case, named, one
from torch import nn
from torch.nn import functional as F


class Function(nn.Module):
    """A function without weights."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def functions(*all):
    return named({str(i): Function(function) for i, function in enumerate(all)})


def dense_branches(function):
    """Two branches of features: one of any values, one of values above 0."""
    return Branches(lambda v: function(*v), **{
        "0": one("dense", nn.Linear(6, 5)), "1": named({"dense": nn.Linear(6, 5), "softplus": nn.Softplus()})})


def channels_of_steps(x):
    """Joins of steps with features of all of them."""
    x = x - x.mean(1, keepdim=True)
    x = x / F.softplus(x.amax(1, keepdim=True))
    x = torch.minimum(x, x.amax(1, keepdim=True) * 0.5)
    return torch.maximum(x, x.mean(1, keepdim=True) - 0.5)


def elementwise():
    case("exp", functions(torch.exp), (37,))
    case("log", functions(F.softplus, torch.log), (37,))
    case("powers", functions(lambda x: torch.clamp(x.abs(), 0.05, 3.0).sqrt().pow(-1.5), torch.neg), (37,), spread=2.0)
    case("clip_one_side", functions(lambda x: torch.clamp(x, max=0.5)), (37,))
    case("pow", functions(lambda x: x.pow(2.0), lambda x: x.pow(3.0)), (37,))
    case("glu", functions(lambda x: F.glu(x, -1)), (5, 8), layout=as_is)
    case("glu_conv2d_flatten_dense", named({
        "conv2d": nn.Conv2d(2, 6, 2), "glu": nn.GLU(1), "flatten": nn.Flatten(), "dense": nn.Linear(27, 5)}), (2, 4, 4))
    case("swi_glu", functions(lambda x: F.silu(x.chunk(2, -1)[0]) * x.chunk(2, -1)[1]), (5, 8), layout=as_is)


def joins():
    for name, function in {"sub": torch.sub, "div": torch.div, "min": torch.minimum, "max": torch.maximum}.items():
        case(name, named({name: dense_branches(function)}), (6,))
    case("joins_with_channels", named({
        "dense": nn.Linear(4, 5), "joins": Function(channels_of_steps)}), (7, 4), layout=as_is)
    case("add_to_channels", named({
        "add": Branches(lambda v: v[0] + v[1][:, :, None, None], **{
            "0": one("conv2d", nn.Conv2d(3, 4, 3)),
            "1": named({"pool": Function(lambda x: x.mean((2, 3))), "dense": nn.Linear(3, 4)})}),
        "flatten": nn.Flatten(), "dense": nn.Linear(24, 5)}), (3, 5, 4))


def rearranged():
    case("slice", functions(lambda x: x[:, 1:6:2]), (7, 5), layout=as_is)
    case("slice_of_channels", functions(lambda x: x[:, 2:]), (5, 3, 4))
    case("split", functions(lambda x: x.chunk(3, 1)[1]), (6, 5), layout=as_is)
    case("split_of_channels", functions(lambda x: x.chunk(3, 1)[2]), (6, 3, 4))
    case("split_gated", named({
        "both": nn.Linear(6, 6), "gate": Function(lambda x: x.chunk(2, 2)[0] * x.chunk(2, 2)[1].sigmoid()),
        "flatten": nn.Flatten(), "dense": nn.Linear(21, 5)}), (7, 6), layout=as_is)
    case("split_conv1d_flatten_dense", named({
        "conv1d": nn.Conv1d(3, 4, 3), "split": Function(lambda x: x.chunk(2, 1)[1]), "flatten": nn.Flatten(),
        "dense": nn.Linear(12, 5)}), (3, 8))
    case("slice_conv1d_flatten_dense", named({
        "conv1d": nn.Conv1d(3, 4, 3), "slice": Function(lambda x: x[:, :, 1:5]), "flatten": nn.Flatten(),
        "dense": nn.Linear(16, 5)}), (3, 8))
    case("transpose", functions(lambda x: x.transpose(1, 2)), (7, 5), layout=as_is)
    case("transpose_conv1d_flatten_dense", named({
        "conv1d": nn.Conv1d(3, 4, 3), "transpose": Function(lambda x: x.transpose(1, 2)), "flatten": nn.Flatten(),
        "dense": nn.Linear(24, 5)}), (3, 8))
    case("repeat_steps", named({
        "flatten": nn.Flatten(), "repeat": Function(lambda x: x.unsqueeze(1).expand(-1, 3, -1)),
        "dense": nn.Linear(24, 5)}), (2, 3, 4), layout=lambda x: x.movedim(1, -1) if x.dim() == 4 else x)
    case("pixel_shuffle", one("x", nn.PixelShuffle(2)), (12, 3, 2))
    case("reduce_mean", functions(lambda x: x.mean(1)), (7, 5), layout=as_is)
    case("reduce_sum", functions(lambda x: x.sum(3)), (3, 5, 4))
    case("reduce_max_conv2d_flatten_dense", named({
        "conv2d": nn.Conv2d(2, 3, 2), "reduce": Function(lambda x: x.amax(2)), "flatten": nn.Flatten(),
        "dense": nn.Linear(9, 5)}), (2, 4, 4))
    case("reduce_channels_flatten_dense", named({
        "conv2d": nn.Conv2d(2, 3, 2), "reduce": Function(lambda x: x.mean(1)), "flatten": nn.Flatten(),
        "dense": nn.Linear(12, 5)}), (2, 4, 5))
    case("reduce_pixels_of_dense_flatten_dense", named({
        "dense": nn.Linear(2, 6), "reduce": Function(lambda x: x.sum(2)), "flatten": nn.Flatten(),
        "dense_2": nn.Linear(18, 5)}), (3, 4, 2), layout=as_is)
    case("softmax_of_steps", functions(lambda x: x.softmax(1)), (7, 5), layout=as_is, spread=3.0)


def padded(layer, *padding, value=0.0):
    """A layer with its input padded; `padding` is of the last axis first, as in PyTorch."""
    layer.register_forward_pre_hook(lambda _, x: F.pad(x[0], padding, value=value))
    return layer


def paddings():
    case("conv2d_sides", one("conv2d", padded(nn.Conv2d(3, 4, 3), 2, 0, 0, 1)), (3, 6, 5))
    # TensorFlow's `same` with a stride: of 7, 4 come out, for which 2 zeros are needed; of 8, 4, for which 1 is.
    case("conv2d_same_stride", one("conv2d", padded(nn.Conv2d(3, 4, 3, stride=2), 0, 1, 1, 1)), (3, 7, 8))
    case("conv1d_sides", one("conv1d", padded(nn.Conv1d(3, 4, 4), 1, 2)), (3, 9))
    case("conv1d_same_stride", one("conv1d", padded(nn.Conv1d(3, 4, 4, stride=2), 1, 1)), (3, 10))
    least = float("-inf")
    case("max_pool2d_sides", one("x", padded(nn.MaxPool2d(2, 1), 1, 0, 0, 1, value=least)), (3, 4, 5))
    case("max_pool2d_same", one("x", padded(nn.MaxPool2d(3, 2), 0, 1, 1, 1, value=least)), (3, 7, 8))
    case("max_pool2d_ceil_mode", one("x", nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)), (3, 6, 8))
    case("avg_pool2d_ceil_mode", one("x", nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)), (3, 6, 8))
    case("avg_pool2d_ceil_mode_not_counted", one("x", nn.AvgPool2d(
        2, 3, ceil_mode=True, count_include_pad=False)), (3, 7, 10))
    case("max_pool2d_same_dilation", one("x", padded(
        nn.MaxPool2d(3, 1, dilation=(2, 3)), 3, 3, 2, 2, value=least)), (3, 5, 7))
    case("max_pool1d_causal_dilation", one("x", padded(nn.MaxPool1d(3, 2, dilation=3), 6, 0, value=least)), (3, 8))
    case("avg_pool1d_causal", one("x", padded(nn.AvgPool1d(4, 1), 3, 0)), (3, 8))
    case("avg_pool1d_causal_not_counted", functions(
        lambda x: F.avg_pool1d(F.pad(x, (3, 0)), 4, 1) / F.avg_pool1d(F.pad(torch.ones_like(x), (3, 0)), 4, 1)), (3, 8))
    case("max_pool1d_ceil_mode", one("x", nn.MaxPool1d(3, 2, ceil_mode=True)), (3, 8))
    case("avg_pool1d_ceil_mode", one("x", nn.AvgPool1d(3, 2, padding=1, ceil_mode=True)), (3, 8))


def padded_values():
    case("pad1d", functions(lambda x: F.pad(x, (2, 1), value=-0.5)), (3, 5))
    case("pad1d_reflect", functions(lambda x: F.pad(x, (2, 1), "reflect")), (3, 5))
    case("pad2d", functions(lambda x: F.pad(x, (2, 0, 1, 3))), (3, 5, 4))
    case("pad2d_replicate", functions(lambda x: F.pad(x, (2, 0, 1, 3), "replicate")), (3, 5, 4))
    case("pad2d_circular", functions(lambda x: F.pad(x, (2, 2, 1, 1), "circular")), (3, 5, 4))
    case("pad2d_conv2d_flatten_dense", named({
        "conv2d": nn.Conv2d(2, 3, 2), "pad": nn.ReflectionPad2d((1, 0, 0, 1)), "flatten": nn.Flatten(),
        "dense": nn.Linear(48, 5)}), (2, 4, 4))


def sizes():
    case("adaptive_avg_pool1d", one("x", nn.AdaptiveAvgPool1d(4)), (3, 7))
    case("adaptive_max_pool1d", one("x", nn.AdaptiveMaxPool1d(4)), (3, 7))
    case("adaptive_avg_pool2d", one("x", nn.AdaptiveAvgPool2d((3, 4))), (3, 5, 7))
    case("adaptive_max_pool2d", one("x", nn.AdaptiveMaxPool2d((3, 4))), (3, 5, 7))
    for name, mode, corners in [
        ("nearest", "nearest", None), ("bilinear", "bilinear", False), ("bilinear_corners", "bilinear", True),
        ("bicubic", "bicubic", False), ("bicubic_corners", "bicubic", True),
    ]:
        case(f"upsample_size_{name}", one("x", nn.Upsample(size=(7, 3), mode=mode, align_corners=corners)), (3, 4, 5))
    case("conv_transpose1d", one("conv_transpose1d", nn.ConvTranspose1d(3, 5, 3)), (3, 4))
    case("conv_transpose1d_everything", one("conv_transpose1d", nn.ConvTranspose1d(
        4, 6, 3, stride=2, padding=1, output_padding=2, groups=2, bias=False, dilation=3)), (4, 3))


class Attention(nn.Module):
    """The attention of timm's vision transformers."""

    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x):
        q, k, v = self.qkv(x).reshape(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape))


class Encoder(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn = Attention(width, heads)
        self.mlp = named({"fc1": nn.Linear(width, 4 * width), "act": nn.GELU(), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """timm's `VisionTransformer`, with the names of its weights."""

    def __init__(self, image, patch, width, depth, heads, classes):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, width) * 0.02)
        self.patch_embed = one("proj", nn.Conv2d(3, width, patch, stride=patch))
        self.blocks = nn.Sequential(*[Encoder(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class GaussianNoise(nn.Module):
    """Keras's layer of that name."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + self.std * torch.randn_like(x) if self.training else x


def noise():
    # Random numbers differ between PyTorch and `unrolled`, so only this standard deviation can be compared.
    case("gaussian_noise_of_none", named({"dense": nn.Linear(6, 5), "noise": GaussianNoise(0.0)}), (6,))


def transformers():
    case("vision_transformer", VisionTransformer(8, 4, 6, 2, 2, 5), (3, 8, 8))
    layer = nn.TransformerEncoderLayer(6, 2, 10, 0.0, "gelu", batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(6), enable_nested_tensor=False)
    case("transformer_encoder_stack", encoder, (5, 6), layout=as_is)


class Gathered(nn.Module):
    """Steps of a sequence in the order of indices, and layers before and after them."""

    def __init__(self, before, **after):
        super().__init__()
        self.before, self.after = before, named(after)

    def forward(self, x, index):
        x = self.before(x)
        return self.after(torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[2])))

    def state_dict(self, *args, **kwargs):
        return {k.split(".", 1)[1]: v for k, v in super().state_dict(*args, **kwargs).items()}

    def named_parameters(self, *args, **kwargs):
        for name, parameter in super().named_parameters(*args, **kwargs):
            yield name.split(".", 1)[1], parameter


def gathered():
    case("gather", Gathered(nn.Identity()), (6, 3), (4,), layout=as_is, tokens=(None, 6))
    case("gather_between_layers", Gathered(named({"read": nn.Linear(3, 4), "tanh": nn.Tanh()}), dense=nn.Linear(4, 2)),
         (6, 3), (9,), layout=as_is, tokens=(None, 6))


def operators():
    gathered()
    padded_values()
    sizes()
    transformers()
    noise()
    paddings()
    elementwise()
    joins()
    rearranged()
