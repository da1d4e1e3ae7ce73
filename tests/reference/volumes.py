"""The cases of layers on volumes. See make.py."""

import torch
from make import GlobalPool, Residual, case, named, one
from torch import nn
from torch.nn import functional as F


class Padded(nn.Module):
    """A convolution of a volume with zeros of its own on each side: the last axis first, as `F.pad` takes them."""

    def __init__(self, sides, conv):
        super().__init__()
        self.sides, self.conv3d = sides, conv

    def forward(self, x):
        return self.conv3d(F.pad(x, self.sides))


def conv(*args, **kwargs):
    return one("conv3d", nn.Conv3d(*args, **kwargs))


def convolutions():
    case("conv3d", conv(2, 3, 3), (2, 4, 5, 4))
    case("conv3d_without_bias", conv(2, 3, 2, bias=False), (2, 3, 3, 4))
    case("conv3d_kernel_per_axis", conv(2, 3, (1, 2, 3)), (2, 2, 4, 4))
    case("conv3d_stride", conv(2, 3, 3, stride=2), (2, 5, 6, 7))
    case("conv3d_stride_per_axis", conv(2, 3, 2, stride=(1, 2, 3)), (2, 3, 4, 5))
    case("conv3d_padding", conv(2, 3, 3, padding=1), (2, 3, 4, 3))
    case("conv3d_padding_per_axis", conv(2, 3, 3, padding=(2, 0, 1)), (2, 2, 4, 3))
    case("conv3d_sides", Padded((1, 0, 0, 2, 1, 0), nn.Conv3d(2, 3, 2)), (2, 2, 3, 3))
    case("conv3d_same_even_kernel", conv(2, 3, 2, padding="same"), (2, 3, 4, 3))
    case("conv3d_dilation", conv(2, 3, 2, dilation=(2, 1, 3)), (2, 4, 3, 5))
    case("conv3d_groups", conv(4, 6, 2, groups=2), (4, 3, 3, 2))
    case("conv3d_depthwise", conv(5, 5, 3, groups=5, padding=1), (5, 3, 4, 3))
    case("conv3d_everything", conv(
        4, 6, (3, 2, 1), stride=(2, 1, 2), padding=(1, 1, 0), dilation=(1, 2, 1), groups=2, bias=False), (4, 4, 5, 3))
    case("conv3d_wide", conv(17, 19, 2, padding=1), (17, 2, 1, 2))


def pools():
    case("max_pool3d", one("x", nn.MaxPool3d(2)), (2, 5, 4, 6))
    case("max_pool3d_stride_padding", one("x", nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))), (2, 3, 6, 5))
    case("max_pool3d_dilation", one("x", nn.MaxPool3d(2, stride=1, dilation=(1, 2, 3))), (2, 3, 4, 5))
    case("max_pool3d_ceil_mode", one("x", nn.MaxPool3d(2, stride=3, ceil_mode=True)), (2, 4, 5, 6))
    case("avg_pool3d", one("x", nn.AvgPool3d(2)), (2, 5, 4, 6))
    case("avg_pool3d_padding", one("x", nn.AvgPool3d(3, stride=2, padding=1)), (2, 4, 5, 3))
    case("avg_pool3d_padding_not_counted", one("x", nn.AvgPool3d(
        (3, 2, 3), stride=(2, 1, 2), padding=1, count_include_pad=False)), (2, 4, 3, 3))
    case("avg_pool3d_ceil_mode", one("x", nn.AvgPool3d(3, stride=2, padding=1, ceil_mode=True)), (2, 4, 5, 6))
    case("adaptive_avg_pool3d", one("x", nn.AdaptiveAvgPool3d((2, 3, 1))), (2, 3, 5, 4))
    case("adaptive_max_pool3d", one("x", nn.AdaptiveMaxPool3d((2, 3, 4))), (2, 3, 5, 7))
    case("global_avg_pool_of_volumes", GlobalPool(torch.mean), (5, 2, 3, 4))
    case("global_max_pool_of_volumes", GlobalPool(torch.amax), (5, 2, 3, 4))


def others():
    case("batch_norm_volumes", one("batch_norm", nn.BatchNorm3d(3)), (3, 2, 3, 4))
    case("group_norm_of_volumes", one("group_norm", nn.GroupNorm(2, 6)), (6, 2, 3, 2))
    case("instance_norm_of_volumes", one("instance_norm", nn.InstanceNorm3d(3, affine=True)), (3, 2, 3, 4))
    case("conv3d_flatten_dense", named({
        "conv3d": nn.Conv3d(2, 3, 2), "flatten": nn.Flatten(), "dense": nn.Linear(3 * 2 * 3 * 4, 5),
    }), (2, 3, 4, 5))
    case("residual_of_volumes", Residual({
        "conv3d": nn.Conv3d(3, 3, 3, padding=1, bias=False), "batch_norm": nn.BatchNorm3d(3), "gelu": nn.GELU(),
        "conv3d_2": nn.Conv3d(3, 3, 1), "dropout": nn.Dropout(0.0), "prelu": nn.PReLU(3),
    }), (3, 3, 4, 2))
    # The stem and a block of torchvision's r3d_18, smaller.
    case("video_classifier", named({
        "stem": nn.Conv3d(3, 4, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
        "batch_norm": nn.BatchNorm3d(4), "relu": nn.ReLU(),
        "conv3d": nn.Conv3d(4, 6, 3, stride=2, padding=1, bias=False), "batch_norm_2": nn.BatchNorm3d(6), "relu_2": nn.ReLU(),
        "pool": GlobalPool(torch.mean), "dense": nn.Linear(6, 5),
    }), (3, 4, 12, 12))


def volumes():
    convolutions()
    pools()
    others()


if __name__ == "__main__":
    volumes()
