"""safetensors files written by PyTorch load in weft once what they do not say is given; else a
clear refusal."""

import safetensors.torch
import torch

import common
import torch_nets

HINTS = {"--activation": "gelu", "--output": "softmax", "--scale": "unit"}


def train(x, y):
    """A few hundred steps in PyTorch."""
    torch.manual_seed(1)
    net = torch_nets.sequential([784, 50, 30, 10], HINTS["--activation"])
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for step in range(400):
        rows = slice(step * 128, (step + 1) * 128)
        loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net


def check_missing_hints(weft, path):
    """Every hint is needed: without it exit 3 and a message that names it."""
    for missing in [None, *HINTS]:
        given = [] if missing is None else [
            word for name, value in HINTS.items() if name != missing for word in (name, value)
        ]  # fmt: skip
        _, stderr = weft.run("eval", path, common.MNIST, *given, exit_code=3)
        for name in HINTS if missing is None else [missing]:
            common.require(name in stderr, f"no word of {name} in: {stderr}")
        common.require(str(path) in stderr, f"the file is not named in: {stderr}")


def check(weft):
    x, y = common.mnist("train")
    net = train(torch_nets.pixels(x), torch.from_numpy(y))
    path = weft.dir / "pytorch.safetensors"
    safetensors.torch.save_file(net.state_dict(), path)

    x, y = common.mnist("t10k")
    labels = torch.from_numpy(y)
    with torch.no_grad():
        logits = net(torch_nets.pixels(x))
        loss = torch.nn.functional.cross_entropy(logits.double(), labels).item()
        right = (logits.argmax(dim=1) == labels).sum().item()
    common.require(right > 8000, f"PyTorch's own accuracy is only {right / len(y)}")

    given = [word for name, value in HINTS.items() for word in (name, value)]
    result = weft.eval(path, common.MNIST, *given)
    common.require(result["samples"] == len(y), f"{result['samples']} samples")
    common.require(
        round(result["accuracy"] * len(y)) == right,
        f"accuracy {result['accuracy']}, PyTorch's {right / len(y)}",
    )
    common.require(
        abs(result["loss"] - loss) <= 1e-5 * loss, f"loss {result['loss']}, PyTorch's {loss}"
    )
    check_missing_hints(weft, path)
    return f"accuracy {right / len(y):.4f} as in PyTorch, loss {result['loss']:.6f} ({loss:.6f})"


if __name__ == "__main__":
    common.main(check, __doc__)
