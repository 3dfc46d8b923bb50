"""Writes norms.txt, what test_regularise.c holds weft's normalisations against: parameters and running
statistics after 50 steps of PyTorch, in float64.
usage: python tests/golden/norms.py     (with torch 2.13.0)
"""

import math
import pathlib

import torch

INPUTS, HIDDEN, OUTPUTS, SAMPLES, STEPS = 5, 18, 3, 12, 50

NORMS = {"batch": torch.nn.BatchNorm1d, "layer": torch.nn.LayerNorm}
OPTIMIZERS = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.1),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.05, momentum=0.9),
}


def train(norm, optimizer, clip_norm):
    """Weights, biases, gamma and beta by layer, then running statistics, in one list."""
    net = torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN),
        NORMS[norm](HIDDEN),
        torch.nn.Tanh(),
        torch.nn.Linear(HIDDEN, OUTPUTS),
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
    optimizer = OPTIMIZERS[optimizer](net.parameters())
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
        optimizer.step()
    values = [float(v) for p in net.parameters() for v in p.detach().view(-1)]
    if norm == "batch":
        values += [float(v) for v in net[1].running_mean] + [float(v) for v in net[1].running_var]
    return values


def main():
    assert torch.__version__.startswith("2.13.0"), torch.__version__
    with open(pathlib.Path(__file__).with_suffix(".txt"), "w", encoding="ascii") as file:
        for norm in NORMS:
            for optimizer in OPTIMIZERS:
                for clip_norm in (0, 0.1):
                    values = train(norm, optimizer, clip_norm)
                    assert all(math.isfinite(v) for v in values)
                    title = f"{norm} {optimizer} {'clipped' if clip_norm else 'plain'}"
                    file.write(title + ": " + " ".join(f"{v:.12g}" for v in values) + "\n")


if __name__ == "__main__":
    main()
