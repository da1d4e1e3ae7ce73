"""The reference cases of weight normalisation, which make.py writes with the others."""

import warnings

import torch
from make import Causal, Pointwise, case, named, one
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


def older(layer):
    """The same by hooks, with the names `weight_g` and `weight_v`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nn.utils.weight_norm(layer)


def weight_norms():
    def of(layer):
        return one("layer", weight_norm(layer))

    case("wn_dense", of(nn.Linear(7, 5)), (7,))
    case("wn_dense_without_bias", of(nn.Linear(131, 67, bias=False)), (131,))
    case("wn_dense_on_each_pixel", of(Pointwise(3, 4)), (3, 5, 4))
    case("wn_conv1d", of(nn.Conv1d(3, 5, 4, padding=2)), (3, 9))
    case("wn_conv1d_causal", of(Causal(3, 5, 3, stride=2, dilation=3, bias=False)), (3, 11))
    case("wn_conv1d_weight_g", one("layer", older(nn.Conv1d(3, 5, 4))), (3, 9))
    case("wn_conv2d", of(nn.Conv2d(3, 5, 3, padding=1)), (3, 5, 4))
    case("wn_conv2d_everything", of(nn.Conv2d(
        4, 6, (3, 2), stride=(2, 1), padding=(1, 1), dilation=(1, 2), groups=2, bias=False)), (4, 7, 6))
    case("wn_conv2d_flatten_wn_dense", named({
        "conv": weight_norm(nn.Conv2d(3, 4, 3)), "relu": nn.ReLU(), "flatten": nn.Flatten(),
        "dense": older(nn.Linear(24, 5))}), (3, 5, 4))
