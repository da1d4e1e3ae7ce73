"""Prints the losses that the tests in nn-runtime/src/loss expect: PyTorch in float64."""

import torch
from torch.nn.functional import (
    binary_cross_entropy_with_logits, cosine_similarity, cross_entropy, ctc_loss, gaussian_nll_loss, huber_loss, kl_div,
    l1_loss, log_softmax, margin_ranking_loss, multi_margin_loss, nll_loss, normalize, poisson_nll_loss,
    triplet_margin_loss,
)
from torchvision.ops import sigmoid_focal_loss

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


def show(name, value):
    print(f"{name:20} {value.item()!r}")


def focal(scores, classes, gamma, weights=torch.ones(4)):
    """The weighted mean, as that of `cross_entropy`."""
    log_p = log_softmax(scores, 1).gather(1, classes[:, None])[:, 0]
    w = weights[classes]
    return (-w * (1 - log_p.exp()) ** gamma * log_p).sum() / w.sum()


def dice(p, t, smooth):
    """The mean over the columns."""
    return (1 - (2 * (p * t).sum(0) + smooth) / (p.sum(0) + t.sum(0) + smooth)).mean()


print("binary_cross_entropy.rs, weights of labels")
y = torch.tensor([[0.5, -1.25], [2.0, -30.0]])
t = torch.tensor([[1.0, 1.0], [0.25, 0.0]])
show("POS_WEIGHTS", binary_cross_entropy_with_logits(y, t, pos_weight=torch.tensor([3.0, 0.5])))

print("nll.rs")
y = torch.tensor([[-0.5, -1.25, -2.0], [-3.0, -0.25, -1.5], [-0.75, -1.0, -1.75], [-2.0, -0.125, -4.0]])
t = torch.tensor([2, 0, 1, 9])
show("mean", nll_loss(y, t, ignore_index=9))
show("WEIGHTED", nll_loss(y, t, torch.tensor([0.5, 2.0, 3.0]), ignore_index=9))

print("kl_divergence.rs")
y = y[:2]
t = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.75, 0.25]])
show("PROBABILITIES", kl_div(y, t, reduction="batchmean"))
t = torch.tensor([[-1.0, -0.75, -2.5], [-0.25, -2.0, -3.0]])
show("LOG_PROBABILITIES", kl_div(y, t, reduction="batchmean", log_target=True))

print("gaussian_nll.rs")
mean, var = torch.tensor([0.5, -1.25, 2.0]), torch.tensor([0.5, 2.0, 1.25])
t = torch.tensor([1.0, 0.5, 0.25])
show("MEAN", gaussian_nll_loss(mean, t, var))
show("FULL", gaussian_nll_loss(mean, t, var, full=True))

print("poisson_nll.rs")
y, t = torch.tensor([0.5, -1.25, 2.0, -0.5]), torch.tensor([1.0, 0.0, 5.0, 2.0])
show("LOG_INPUT", poisson_nll_loss(y, t))
show("FULL", poisson_nll_loss(y, t, full=True))
y = torch.tensor([0.5, 1.25, 2.0, 3.0])
show("COUNTS", poisson_nll_loss(y, t, log_input=False))
show("COUNTS_EPS", poisson_nll_loss(y, t, log_input=False, eps=0.5))

print("hinge.rs")
y, t = torch.tensor([0.5, -1.25, 2.0, 0.75]), torch.tensor([1.0, 1.0, 1.0, -1.0])
show("mean", (1 - t * y).relu().mean())
show("SQUARED", ((0.25 - t * y).relu() ** 2).mean())

print("multi_margin.rs")
y = torch.tensor([[0.5, -1.25, 2.0, 0.75], [1.0, 0.125, -0.5, 0.25]])
w = torch.tensor([0.5, 2.0, 3.0, 1.5])
show("mean", multi_margin_loss(y, torch.tensor([3, 0])))
show("SQUARED", multi_margin_loss(y, torch.tensor([3, 1]), p=2, margin=0.5, weight=w))

print("quantile.rs")
missing = torch.tensor([1.0, 0.5, 0.25, 0.0]) - torch.tensor([0.5, -1.25, 2.0, -30.0])
for q in (0.9, 0.5):
    show(f"{q}", torch.maximum(q * missing, (q - 1) * missing).mean())

print("focal.rs")
y = torch.tensor([[0.5, -1.25, 2.0, 0.75], [1.0, 0.0, -0.5, 0.25]])
show("CLASSES", focal(y, torch.tensor([3, 0]), 2))
show("WEIGHTED", focal(y, torch.tensor([3, 1]), 0.5, w))
t = torch.tensor([1.0, 0.0, 0.0, 1.0])
show("BINARY", sigmoid_focal_loss(y[0], t, reduction="mean"))
show("BINARY_ALPHA", sigmoid_focal_loss(y[0], t, alpha=0.75, gamma=0.5, reduction="mean"))
show("BINARY_WITHOUT", sigmoid_focal_loss(y[0], t, alpha=-1, reduction="mean"))

print("dice.rs")
y = torch.tensor([[0.5, 0.25], [0.125, 0.75], [1.0, 0.0]])
t = torch.tensor([[1.0, 0.0], [0.0, 0.5], [1.0, 1.0]])
show("PROBABILITIES", dice(y, t, 1))
show("LOGITS", dice(y.sigmoid(), t, 0.25))
show("ONE_AXIS", dice(torch.tensor([[0.5], [0.25], [0.125]]), torch.tensor([[1.0], [0.0], [1.0]]), 1))

print("ctc.rs")
y = torch.tensor(
    [[-0.5, -1.25, -2.0], [-3.0, -0.25, -1.5], [-1.0, -1.25, -1.0], [-0.25, -2.0, -3.5], [-1.5, -2.0, -0.5]]
)


def ctc(labels, steps=5, **options):
    labels = torch.tensor([labels], dtype=torch.long)
    lengths = torch.tensor([steps]), torch.tensor([labels.shape[1]])
    return ctc_loss(y[:, None], labels, *lengths, **options)


show("TWO", ctc([1, 2]))
show("REPEATED", ctc([1, 1, 2]))
show("NONE", ctc([]))
show("BLANK", ctc([0, 1, 0], blank=2))
show("SHORTER", ctc([1, 2], steps=3))

print("triplet.rs")
y = torch.tensor(
    [[0.5, -1.25, 2.0], [1.0, 0.0, -0.5], [0.25, -1.0, 1.5], [-0.5, 1.0, 0.75], [1.25, -0.5, 1.0], [3.0, 2.0, -1.0]]
)
show("MEAN", triplet_margin_loss(*y.split(2)))
show("SWAP", triplet_margin_loss(*y.split(2), margin=3.0, swap=True))

print("margin_ranking.rs")
first, second = torch.tensor([[[0.5, -1.25], [1.0, 0.25]], [[0.25, 1.0], [-0.5, 1.75]]])
show("mean", margin_ranking_loss(first, second, torch.ones(2, 2)))
show("MARGIN", margin_ranking_loss(first, second, torch.ones(2, 2), margin=0.5))

print("info_nce.rs, nt_xent.rs")
y[1, 1] = 0.5
unit = normalize(y)
scores = unit[:3] @ unit[3:].T
pairs = torch.arange(3)
show("QUERIES", cross_entropy(scores / 0.5, pairs))
show("SYMMETRIC", (cross_entropy(scores / 0.25, pairs) + cross_entropy(scores.T / 0.25, pairs)) / 2)
scores = (unit @ unit.T / 0.5).fill_diagonal_(-torch.inf)
show("MEAN", cross_entropy(scores, torch.tensor([3, 4, 5, 0, 1, 2])))
