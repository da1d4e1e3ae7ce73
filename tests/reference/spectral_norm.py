"""The reference cases of spectral normalisation, which make.py writes with the others."""

from make import Pointwise, case, named, one
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def spectral_norms():
    def of(layer):
        return one("layer", spectral_norm(layer))

    case("sn_dense", of(nn.Linear(7, 5)), (7,))
    case("sn_dense_without_bias", of(nn.Linear(131, 67, bias=False)), (131,))
    case("sn_dense_on_each_pixel", of(Pointwise(3, 4)), (3, 5, 4))
    case("sn_conv1d", of(nn.Conv1d(3, 5, 4, padding=2)), (3, 9))
    case("sn_conv2d", of(nn.Conv2d(3, 5, 3, padding=1)), (3, 5, 4))
    case("sn_conv2d_everything", of(nn.Conv2d(
        4, 6, (3, 2), stride=(2, 1), padding=(1, 1), dilation=(1, 2), groups=2, bias=False)), (4, 7, 6))
    case("sn_conv2d_flatten_sn_dense", named({
        "conv": spectral_norm(nn.Conv2d(3, 4, 3)), "relu": nn.ReLU(), "flatten": nn.Flatten(),
        "dense": spectral_norm(nn.Linear(24, 5))}), (3, 5, 4))
