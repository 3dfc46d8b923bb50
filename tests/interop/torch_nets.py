"""weft's networks as PyTorch modules."""

import torch

ACTIVATIONS = {
    "identity": torch.nn.Identity,
    "relu": torch.nn.ReLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
    "elu": torch.nn.ELU,
    "selu": torch.nn.SELU,
}


NORMS = {"none": [], "batch": [torch.nn.BatchNorm1d], "layer": [torch.nn.LayerNorm]}


def sequential(widths, activation, norm="none"):
    """Linear layers of these widths with normalisation and activation between them, for evaluation."""
    modules = []
    for n_in, n_out in zip(widths[:-1], widths[1:-1]):
        modules += [torch.nn.Linear(n_in, n_out), *[make(n_out) for make in NORMS[norm]]]
        modules += [ACTIVATIONS[activation]()]
    modules += [torch.nn.Linear(*widths[-2:])]
    return torch.nn.Sequential(*modules)


def pixels(x):
    """Bytes to [0, 1] in float32, as weft scales them."""
    return torch.from_numpy(x.astype("float32")) * torch.tensor(1 / 255, dtype=torch.float32)
