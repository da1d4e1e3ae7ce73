#!/usr/bin/env python3
"""Writes lbfgs.safetensors for tests/pytorch/lbfgs.rs: `torch.optim.LBFGS` in float64.

    python tests/reference/lbfgs.py          # needs torch and safetensors

A network of two layers has `input.0`, `target` and the initial `weights.*`; for each case NAME of `CASES` the file has
`NAME.losses`, the result of each step, and `NAME.weights`, the vector of the parameters after all of them. `rosenbrock.NAME` has the two
numbers, from (-1.2, 1), after each step on Rosenbrock's function.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import LBFGS

CASES = {
    "fixed": (3, {"lr": 0.5, "max_iter": 3}),
    "fixed_short_history": (3, {"lr": 0.25, "max_iter": 4, "history_size": 2}),
    "iterations": (5, {"lr": 0.4, "max_iter": 1}),
    "wolfe": (2, {"max_iter": 4, "line_search_fn": "strong_wolfe"}),
    "wolfe_short_history": (3, {"lr": 3.0, "max_iter": 3, "history_size": 2, "line_search_fn": "strong_wolfe"}),
    "wolfe_max_eval": (3, {"lr": 0.05, "max_iter": 4, "max_eval": 3, "line_search_fn": "strong_wolfe"}),
    "tolerance_grad": (2, {"max_iter": 9, "tolerance_grad": 0.1, "line_search_fn": "strong_wolfe"}),
    "tolerance_change": (2, {"max_iter": 9, "tolerance_change": 0.05, "line_search_fn": "strong_wolfe"}),
}

ROSENBROCK = {
    "wolfe": (4, {"max_iter": 3, "line_search_fn": "strong_wolfe"}),
    "wolfe_long": (4, {"line_search_fn": "strong_wolfe"}),
    "fixed": (6, {"lr": 0.2, "max_iter": 3}),
}


def run(optimizer, steps, evaluate, after):
    def closure():
        optimizer.zero_grad()
        loss = evaluate()
        loss.backward()
        return loss

    for _ in range(steps):
        after(optimizer.step(closure).item())


def network(file):
    torch.manual_seed(3)
    x = torch.randn(16, 3).float().double()
    y = (torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:]).float().double()
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    names = {"0": "dense", "2": "dense_2"}
    initial = {key: value.clone() for key, value in net.state_dict().items()}
    named = lambda key: ".".join([names[key.split(".")[0]], key.split(".")[1]])
    file |= {"input.0": x, "target": y}
    file |= {f"weights.{named(key)}": value.double() for key, value in initial.items()}
    net = net.double()
    for case, (steps, options) in CASES.items():
        net.load_state_dict(initial)
        losses = []
        run(LBFGS(net.parameters(), **options), steps, lambda: nn.functional.mse_loss(net(x), y), losses.append)
        print(case, losses)
        file[f"{case}.losses"] = torch.tensor(losses, dtype=torch.float64)
        file[f"{case}.weights"] = nn.utils.parameters_to_vector(net.parameters()).detach().clone()


def rosenbrock(file):
    for case, (steps, options) in ROSENBROCK.items():
        point = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
        points = []
        evaluate = lambda: (1 - point[0]) ** 2 + 100 * (point[1] - point[0] ** 2) ** 2
        run(LBFGS([point], **options), steps, evaluate, lambda _: points.append(point.detach().clone()))
        print(case, *(p.tolist() for p in points))
        file[f"rosenbrock.{case}"] = torch.stack(points)


if __name__ == "__main__":
    file = {}
    network(file)
    rosenbrock(file)
    save_file(file, Path(__file__).resolve().parent / "lbfgs.safetensors")
