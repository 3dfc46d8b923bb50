"""Writes learning.txt, what test_learning.c holds weft's optimisers and schedules against: the
parameters after 50 steps of PyTorch's optimisers and the rates of its schedulers, in float64.
usage: python tests/golden/learning.py     (with torch 2.13.0)
"""

import math
import pathlib

import torch

INPUTS, HIDDEN, OUTPUTS, SAMPLES, STEPS = 5, 4, 3, 12, 50


def network():
    """tanh between two layers; its parameters, the data and the labels as in test_learning.c."""
    net = torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, OUTPUTS)
    ).double()
    k = 0
    with torch.no_grad():
        for param in net.parameters():
            for i in range(param.numel()):
                param.view(-1)[i] = ((5 * k + 3) % 13 - 6) / 16
                k += 1
    x = torch.tensor(
        [[((7 * i + 3 * j + i * j) % 11 - 5) / 4 for j in range(INPUTS)] for i in range(SAMPLES)]
    ).double()
    y = torch.tensor([(i * i + i // 2) % OUTPUTS for i in range(SAMPLES)])
    return net, x, y


def train(make_optimizer, decay=0.0, l1=0.0, clip_norm=None, clip_value=None,
          label_smoothing=0.0):
    """The parameters in one list. Weight decay is of weights only."""
    net, x, y = network()
    weights = [p for p in net.parameters() if p.dim() > 1]
    biases = [p for p in net.parameters() if p.dim() == 1]
    optimizer = make_optimizer(
        [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    )
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y, label_smoothing=label_smoothing).backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
        if clip_value is not None:
            torch.nn.utils.clip_grad_value_(net.parameters(), clip_value)
        for w in weights:
            w.grad += l1 * torch.sign(w.detach())
        optimizer.step()
    return [float(v) for p in net.parameters() for v in p.detach().view(-1)]


OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1),
    "momentum": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9),
    "nesterov": lambda groups: torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=0.01, alpha=0.95, eps=1e-6),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.02, betas=(0.8, 0.98), eps=1e-6),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.02, betas=(0.8, 0.98), eps=1e-6),
}

WAYS = {
    "plain": {},
    "decay": {"decay": 0.1},
    "l1": {"l1": 0.01},
    "norm": {"clip_norm": 0.1},
    "value": {"clip_value": 0.02},
    "smoothing": {"label_smoothing": 0.2},
    # Without l1: which side of 0 a weight is on would depend on its last bits.
    "all": {"decay": 0.1, "clip_norm": 0.2, "clip_value": 0.1},
}


UNITS, LR = 60, 0.5


def scheduled(make_scheduler, losses=None):
    """The learning rate at each of UNITS steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, dtype=torch.float64)], lr=LR)
    scheduler = make_scheduler(optimizer)
    rates = []
    for t in range(UNITS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if losses is None:
            scheduler.step()
        else:
            scheduler.step(losses[t])
    return rates


def warmed_up(make_scheduler, warmup=10):
    lr = torch.optim.lr_scheduler
    return lambda optimizer: lr.SequentialLR(
        optimizer,
        [lr.LinearLR(optimizer, 1 / (warmup + 1), 1.0, warmup), make_scheduler(optimizer)],
        [warmup],
    )


def schedules():
    lr = torch.optim.lr_scheduler
    cosine = lr.CosineAnnealingLR
    yield "linear", scheduled(lambda o: lr.LinearLR(o, 1.0, 0.1, UNITS))
    yield "step", scheduled(lambda o: lr.StepLR(o, 7, 0.5))
    yield "exponential", scheduled(lambda o: lr.ExponentialLR(o, 0.9))
    yield "cosine", scheduled(lambda o: cosine(o, UNITS, eta_min=0.01))
    yield "restarts", scheduled(lambda o: lr.CosineAnnealingWarmRestarts(o, 5, 2, eta_min=0.01))
    yield "one_cycle", scheduled(lambda o: lr.OneCycleLR(o, LR, UNITS, cycle_momentum=False))
    yield "warmup constant", scheduled(warmed_up(lambda o: lr.ConstantLR(o, 1.0)))
    yield "warmup linear", scheduled(warmed_up(lambda o: lr.LinearLR(o, 1.0, 0.1, UNITS - 10)))
    yield "warmup cosine", scheduled(warmed_up(lambda o: cosine(o, UNITS - 10, eta_min=0.01)))
    losses = [1 / (1 + t) if t < 10 else 0.1 + (7 * t % 5) / 1000 - t / 5000 for t in range(UNITS)]
    plateau = lambda o: lr.ReduceLROnPlateau(o, factor=0.5, patience=3, min_lr=0.05)
    yield "plateau", scheduled(plateau, losses)


def lines():
    for name, rates in schedules():
        yield f"lr {name}", rates
    for name, make in OPTIMIZERS.items():
        for way, options in WAYS.items():
            yield f"{name} {way}", train(make, **options)


def main():
    assert torch.__version__.startswith("2.13.0"), torch.__version__
    with open(pathlib.Path(__file__).with_suffix(".txt"), "w", encoding="ascii") as file:
        for title, values in lines():
            assert all(math.isfinite(v) for v in values)
            file.write(title + ": " + " ".join(f"{v:.12g}" for v in values) + "\n")


if __name__ == "__main__":
    main()
