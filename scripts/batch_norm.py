"""Prints the values that the test in nn-runtime/src/layers/batch_norm.rs expects: PyTorch in float64."""

import torch

torch.set_default_dtype(torch.float64)

# 4 samples of 3 steps of 2 channels, the same as in `agrees_with_pytorch`.
x = torch.tensor([i * 37 % 23 / 4 - 2 for i in range(24)]).reshape(4, 3, 2).requires_grad_()
d_y = torch.tensor([i * 29 % 19 / 8 - 1 for i in range(24)]).reshape(4, 3, 2)
layer = torch.nn.BatchNorm1d(2, eps=1e-3, momentum=0.25)
with torch.no_grad():
    layer.weight.copy_(torch.tensor([0.5, -2.0]))
    layer.bias.copy_(torch.tensor([0.25, 1.0]))
y = layer(x.transpose(1, 2)).transpose(1, 2)
(y * d_y).sum().backward()
layer.eval()
inferred = layer(x.transpose(1, 2)).transpose(1, 2)

for name, numbers in {
    "y": y,
    "d_x": x.grad,
    "d_weight, d_bias": torch.cat([layer.weight.grad, layer.bias.grad]),
    "running_mean, running_var": torch.cat([layer.running_mean, layer.running_var]),
    "inferred": inferred,
}.items():
    print(f"// {name}\n[{', '.join(f'{number:.9e}' for number in numbers.flatten().tolist())}],")
