"""Prints the losses that the tests in nn-runtime/src/loss expect: PyTorch in float64."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cosine_similarity, cross_entropy, huber_loss, l1_loss

torch.set_default_dtype(torch.float64)

y = torch.tensor([[0.5, -1.25, 2.0, 0.75], [1.0, 0.0, -0.5, 0.25]])
print("cross_entropy.rs")
print(cross_entropy(y[0], torch.tensor(2)).item())
print(cross_entropy(y[0], torch.tensor(1)).item())
print(cross_entropy(y[0], torch.tensor(1), label_smoothing=0.1).item())
print(cross_entropy(y, torch.tensor([3, 0]), label_smoothing=0.25).item())
y = torch.tensor(
    [
        [0.5, -1.25, 2.0, 0.75],
        [1.0, 0.0, -0.5, 0.25],
        [-0.75, 0.5, 1.5, 0.0],
        [0.25, 2.0, -1.0, 1.0],
        [3.0, -2.0, 0.5, 0.0],
        [0.5, 0.5, -0.5, 1.25],
    ]
)
t = torch.tensor([3, 0, 9, 2, 9, 9])
w = torch.tensor([0.5, 2.0, 3.0, 1.5])
print(cross_entropy(y, t, ignore_index=9).item())
print(cross_entropy(y, t, w, ignore_index=9).item())
print(cross_entropy(y, t, w, ignore_index=9, label_smoothing=0.2).item())

y = torch.tensor([0.5, -1.25, 2.0, -30.0])
t = torch.tensor([1.0, 0.0, 0.25, 0.0])
print("binary_cross_entropy.rs")
print(binary_cross_entropy_with_logits(y, t).item())
print(binary_cross_entropy_with_logits(y, t, pos_weight=torch.tensor(3.0)).item())

t = torch.tensor([1.0, 0.5, 0.25, 0.0])
print("huber.rs")
print(huber_loss(y, t).item())
print(huber_loss(y, t, delta=1.8).item())
print("mean_absolute_error.rs")
print(l1_loss(y, t).item())

y = torch.tensor([0.5, -1.25, 2.0, -3.0])
t = torch.tensor([1.0, 0.5, 0.25, 0.0])
print("cosine_similarity.rs")
print((1 - cosine_similarity(y, t, dim=-1)).mean().item())
print((1 - cosine_similarity(y.view(2, 2), t.view(2, 2), dim=-1)).mean().item())

y = torch.tensor([0.5, -1.25, 2.0, 0.75])
mixed = 0.75 * torch.tensor([0.0, 0.0, 1.0, 0.0]) + 0.25 * torch.tensor([0.0, 1.0, 0.0, 0.0])
print("mixed.rs")
print(cross_entropy(y, mixed).item())
