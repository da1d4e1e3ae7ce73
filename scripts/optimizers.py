"""Prints the weights that nn-runtime/src/optim/tests.rs expects: PyTorch in float64.

Four weights, twelve steps, the gradient of weight i at step t: sin(t + 2 i) + 0.1 * weight.
"""

import inspect
import math

import torch
import torch.optim._muon as _muon
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, RAdam, RMSprop


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of https://arxiv.org/abs/2302.06675; PyTorch has no Lion."""

    def __init__(self, weights, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(weights, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    def step(self):
        for group in self.param_groups:
            (beta1, beta2), lr = group["betas"], group["lr"]
            for weight in group["params"]:
                mean = self.state[weight].setdefault("exp_avg", torch.zeros_like(weight))
                direction = torch.sign(beta1 * mean + (1 - beta1) * weight.grad)
                weight -= lr * (direction + group["weight_decay"] * weight)
                self.state[weight]["exp_avg"] = beta2 * mean + (1 - beta2) * weight.grad

class LAMB(torch.optim.Optimizer):
    """Algorithm 2 of https://arxiv.org/abs/1904.00962; PyTorch has no LAMB."""

    def __init__(self, weights, lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(weights, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                state = self.state[weight]
                state["step"] = state.get("step", 0) + 1
                state["mean"] = beta1 * state.get("mean", 0.0) + (1 - beta1) * weight.grad
                state["square"] = beta2 * state.get("square", 0.0) + (1 - beta2) * weight.grad**2
                mean, square = state["mean"] / (1 - beta1 ** state["step"]), state["square"] / (1 - beta2 ** state["step"])
                direction = mean / (square.sqrt() + group["eps"]) + group["weight_decay"] * weight
                norms = weight.norm(), direction.norm()
                weight -= group["lr"] * (norms[0] / norms[1] if 0 not in norms else 1.0) * direction


OPTIMIZERS = {
    "SGD": lambda w: SGD(w, lr=0.1),
    "SGD with weight decay": lambda w: SGD(w, lr=0.1, weight_decay=0.05),
    "momentum": lambda w: SGD(w, lr=0.1, momentum=0.9),
    "all but Nesterov": lambda w: SGD(w, lr=0.1, momentum=0.8, dampening=0.3, weight_decay=0.05),
    "Nesterov": lambda w: SGD(w, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    "Adam": lambda w: Adam(w, lr=0.05),
    "Adam with options": lambda w: Adam(w, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "Adam, amsgrad": lambda w: Adam(w, lr=0.05, betas=(0.8, 0.9), amsgrad=True),
    "AdamW": lambda w: AdamW(w, lr=0.05),
    "AdamW with options": lambda w: AdamW(w, lr=0.05, weight_decay=0.2, amsgrad=True),
    "RMSprop": lambda w: RMSprop(w, lr=0.05),
    "RMSprop with momentum": lambda w: RMSprop(w, 0.02, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.8),
    "RMSprop, centered": lambda w: RMSprop(w, lr=0.02, alpha=0.95, centered=True),
    "RMSprop, all": lambda w: RMSprop(w, 0.02, 0.9, 1e-4, 0.05, 0.7, centered=True),
    "NAdam": lambda w: NAdam(w, lr=0.05),
    "NAdam with options": lambda w: NAdam(w, 0.05, (0.8, 0.95), 1e-3, 0.1, momentum_decay=0.1),
    "NAdam, decoupled": lambda w: NAdam(w, lr=0.05, weight_decay=0.2, decoupled_weight_decay=True),
    "RAdam": lambda w: RAdam(w, lr=0.05),
    "RAdam with options": lambda w: RAdam(w, 0.05, (0.8, 0.9), 1e-3, 0.1),
    "RAdam, decoupled": lambda w: RAdam(w, 0.05, (0.8, 0.9), weight_decay=0.2, decoupled_weight_decay=True),
    "Lion": lambda w: Lion(w, lr=0.05),
    "Lion with options": lambda w: Lion(w, lr=0.05, betas=(0.7, 0.9), weight_decay=0.2),
    "Adagrad": lambda w: Adagrad(w, lr=0.1),
    "Adagrad with options": lambda w: Adagrad(w, 0.2, 0.05, 0.1, 0.3, eps=1e-3),
}

for name, make in OPTIMIZERS.items():
    weights = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64)
    optimizer = make([weights])
    for step in range(12):
        slopes = torch.tensor([math.sin(step + 2 * i) for i in range(4)], dtype=torch.float64)
        weights.grad = slopes + 0.1 * weights
        optimizer.step()
    print(f"{name}: {', '.join(f'{w:.12f}' for w in weights.tolist())}")


def groups(optimizer, **options):
    """The first weight at a tenth of the learning rate, the second without weight decay."""
    def make(weights):
        first, second, *rest = weights
        lr = options["lr"]
        return optimizer([{"params": [first], "lr": 0.1 * lr}, {"params": [second], "weight_decay": 0.0}, {"params": rest}], **options)
    return make


GROUPS = {
    "SGD": groups(SGD, lr=0.1, momentum=0.9, weight_decay=0.1),
    "Adam": groups(Adam, lr=0.05, weight_decay=0.1),
    "AdamW": groups(AdamW, lr=0.05, weight_decay=0.2, amsgrad=True),
    "NAdam": groups(NAdam, lr=0.05, weight_decay=0.1),
    "RAdam": groups(RAdam, lr=0.05, betas=(0.8, 0.9), weight_decay=0.2, decoupled_weight_decay=True),
    "LAMB": groups(LAMB, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2),
    "Lion": groups(Lion, lr=0.05, weight_decay=0.2),
    "RMSprop": groups(RMSprop, lr=0.02, momentum=0.8, weight_decay=0.1),
    "Adagrad": groups(Adagrad, lr=0.2, lr_decay=0.05, weight_decay=0.1),
}

for name, make in GROUPS.items():
    weights = [torch.tensor(w, dtype=torch.float64) for w in (0.5, -1.0, 2.0, 0.0)]
    optimizer = make(weights)
    for step in range(12):
        for i, weight in enumerate(weights):
            weight.grad = math.sin(step + 2 * i) + 0.1 * weight
        optimizer.step()
    print(f"{name} with groups: {', '.join(f'{w:.12f}' for w in weights)}")

weights = [torch.tensor(w, dtype=torch.float64) for w in ([0.5, -1.0], [2.0, 0.0])]
optimizer = LAMB(weights, lr=0.05)
for step in range(12):
    for i, weight in enumerate(weights):
        weight.grad = torch.tensor([math.sin(step + 4 * i), math.sin(step + 4 * i + 2)], dtype=torch.float64) + 0.1 * weight
    optimizer.step()
print(f"LAMB on two tensors: {', '.join(f'{w:.12f}' for weight in weights for w in weight)}")

# Muon computes in bfloat16; here in float64. Weights: a matrix [3, 2]; two others; a matrix [2, 3], whose elements are counted
# column by column.
source = inspect.getsource(_muon._zeropower_via_newtonschulz).replace("bfloat16", "float64")
exec(source, vars(_muon))


def muon(matrix_options, other_options, groups=False):
    weights = torch.tensor([math.cos(i) for i in range(14)], dtype=torch.float64)
    tensors = [weights[:6].view(3, 2), weights[6:8], weights[8:].view(3, 2).T]
    matrices = torch.optim.Muon([{"params": [tensors[0]]}, {"params": [tensors[2]]}], **matrix_options)
    others = AdamW([tensors[1]], betas=(0.9, 0.95), eps=1e-10, **other_options)
    if groups:
        matrices.param_groups[0]["lr"] *= 0.1
        matrices.param_groups[1]["weight_decay"] = 0.0
    for step in range(12):
        slopes = torch.tensor([math.sin(step + 2 * i) for i in range(14)], dtype=torch.float64)
        gradient = slopes + 0.1 * weights
        tensors[0].grad, tensors[1].grad = gradient[:6].view(3, 2), gradient[6:8]
        tensors[2].grad = gradient[8:].view(3, 2).T
        matrices.step()
        others.step()
    return ", ".join(f"{w:.12f}" for w in weights.tolist())


print("Muon:", muon({"lr": 0.02}, {"lr": 0.02 * 0.015, "weight_decay": 0.1}))
print("Muon with options:", muon({"lr": 0.05, "momentum": 0.8, "weight_decay": 0.2}, {"lr": 0.025, "weight_decay": 0.2}))
print("Muon with groups:", muon({"lr": 0.05}, {"lr": 0.05 * 0.015, "weight_decay": 0.1}, groups=True))
