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


def sequential(widths, activation):
    """Linear layers of these widths with the activation between them."""
    modules = []
    for n_in, n_out in zip(widths, widths[1:]):
        modules += [torch.nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*modules[:-1])


def pixels(x):
    """Bytes to [0, 1] in float32, as weft scales them."""
    return torch.from_numpy(x.astype("float32")) * torch.tensor(1 / 255, dtype=torch.float32)
