"""The cases of flattened features: PyTorch flattens channels first, `unrolled` channels last. See make.py."""

import torch
from make import Branches, GlobalPool, case, named, one
from torch import nn


class View(nn.Module):
    """`x.view`: the same elements in another shape."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(x.shape[0], *self.shape)


class FlatResidual(nn.Module):
    """A skip connection around a linear layer that reads flattened features."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(24, 24)
        self.dense_2 = nn.Linear(24, 5)

    def forward(self, x):
        x = x.flatten(1)
        return self.dense_2(x + torch.relu(self.dense(x)))


def features():
    conv = lambda: nn.Conv2d(2, 3, 2)  # noqa: E731
    case("order_of_nested_image", named(
        {"body": one("conv2d", conv()), "flatten": nn.Flatten(), "dense": nn.Linear(27, 5)}), (2, 4, 4))
    case("order_of_nested_flatten", named(
        {"body": named({"conv2d": conv(), "flatten": nn.Flatten()}), "dense": nn.Linear(27, 5)}), (2, 4, 4))
    case("order_of_nested_dense", named({
        "flatten": nn.Flatten(),
        "head": named({"dense": nn.Linear(24, 6), "relu": nn.ReLU(), "dense_2": nn.Linear(6, 5)})}), (2, 3, 4))
    case("order_of_nested_steps", named(
        {"body": one("conv1d", nn.Conv1d(3, 4, 3)), "flatten": nn.Flatten(), "dense": nn.Linear(24, 5)}), (3, 8))
    case("order_of_residual", FlatResidual(), (2, 3, 4))
    case("order_of_product", named({
        "flatten": nn.Flatten(),
        "mul": Branches(lambda v: v[0] * v[1], **{
            "0": nn.Identity(), "1": named({"dense": nn.Linear(24, 24), "sigmoid": nn.Sigmoid()})}),
        "layer_norm": nn.LayerNorm(24), "dense": nn.Linear(24, 5)}), (2, 3, 4))
    case("order_of_gated_steps", named({
        "conv1d": nn.Conv1d(3, 4, 3),
        "mul": Branches(lambda v: v[0] * v[1][:, :, None], **{
            "0": nn.Identity(),
            "1": named({"pool": GlobalPool(torch.mean), "dense": nn.Linear(4, 4), "sigmoid": nn.Sigmoid()})}),
        "flatten": nn.Flatten(), "dense": nn.Linear(24, 5)}), (3, 8))
    case("order_of_reshaped_features", named({
        "dense": nn.Linear(6, 48), "relu": nn.ReLU(), "view": View(3, 4, 4),
        "conv_transpose2d": nn.ConvTranspose2d(3, 2, 2, stride=2)}), (6,))
    case("order_of_tokens_on_two_axes", named({
        "embedding": nn.Embedding(11, 4), "flatten": nn.Flatten(), "dense": nn.Linear(24, 5)}),
        (2, 3), layout=lambda x: x, tokens=11)
    case("order_of_reshape_to_one_axis", named({
        "conv2d": conv(), "view": View(27), "dense": nn.Linear(27, 5)}), (2, 4, 4))


if __name__ == "__main__":
    features()
