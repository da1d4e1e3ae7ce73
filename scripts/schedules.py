"""Prints the learning rates that nn-runtime/src/optim/schedule.rs expects: PyTorch, with the initial rate 0.8."""

import torch
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

LOSSES = [1.0, 0.9, 0.89995, 0.95, 0.9, 0.91, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]

SCHEDULES = {
    "constant": lambda o: ConstantLR(o, factor=0.25, total_iters=3),
    "step": lambda o: StepLR(o, step_size=3, gamma=0.5),
    "multi-step": lambda o: MultiStepLR(o, milestones=[2, 3, 6], gamma=0.5),
    "sequential": lambda o: SequentialLR(
        o,
        [ConstantLR(o, factor=0.25, total_iters=9), StepLR(o, step_size=2, gamma=0.5), ExponentialLR(o, gamma=0.9)],
        milestones=[2, 6],
    ),
    "exponential": lambda o: ExponentialLR(o, gamma=0.9),
    "cosine": lambda o: CosineAnnealingLR(o, T_max=8, eta_min=0.1),
    "cosine with warm-up": lambda o: SequentialLR(
        o,
        [LinearLR(o, start_factor=0.25, total_iters=3), CosineAnnealingLR(o, T_max=5)],
        milestones=[3],
    ),
    "one cycle": lambda o: OneCycleLR(o, max_lr=0.5, total_steps=10),
    "one cycle with options": lambda o: OneCycleLR(
        o, max_lr=0.5, total_steps=8, pct_start=0.5, div_factor=10, final_div_factor=100
    ),
    "plateau": lambda o: ReduceLROnPlateau(o, factor=0.5, patience=1),
    "plateau with options": lambda o: ReduceLROnPlateau(
        o, factor=0.25, patience=0, threshold=0.2, cooldown=1, min_lr=0.02
    ),
}

for name, make in SCHEDULES.items():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.8)
    schedule = make(optimizer)
    rates = []
    for loss in LOSSES if "plateau" in name else LOSSES[:8]:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(loss) if "plateau" in name else schedule.step()
    print(f"{name}: {', '.join(f'{rate:.12f}' for rate in rates)}")
