"""An epoch in PyTorch on the CPU: float32 tensors of all samples in memory, a new order each epoch,
one gather a batch, cross-entropy, plain gradient descent.

usage: peer_torch.py eager|fused|compile|bf16|compile-bf16
fused: as eager, with the optimiser's fused step; bf16: under autocast; compile: torch.compile of
forward pass and loss, and the fused step.
"""

import contextlib
import os
import sys

import peer
import torch

MODE = sys.argv[1]
THREADS = int(os.environ["OMP_NUM_THREADS"])


def build(widths):
    torch.manual_seed(1)
    modules = []
    for n_in, n_out in zip(widths, widths[1:]):
        modules += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def precision():
    if "bf16" in MODE:
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def tensors(prefix):
    return tuple(map(torch.from_numpy, peer.digits(prefix)))


def make(name):
    train_x, train_y = tensors("train")
    test_x, test_y = tensors("t10k")
    net = build(peer.NETS[name])
    start = {key: value.clone() for key, value in net.state_dict().items()}
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, fused=MODE != "eager")

    def loss(x, y):
        with precision():
            return torch.nn.functional.cross_entropy(net(x), y)

    if "compile" in MODE:
        loss = torch.compile(loss, dynamic=False)

    def prepare():
        net.load_state_dict(start)

    def run():
        order = torch.randperm(len(train_x))
        for rows in order.split(peer.BATCH):
            optimiser.zero_grad(set_to_none=True)
            loss(train_x[rows], train_y[rows]).backward()
            optimiser.step()

    def check():
        with torch.no_grad():
            return (net(test_x).argmax(dim=1) == test_y).float().mean().item() > 0.85

    return prepare, run, check


torch.set_num_threads(THREADS)
peer.serve(make)
