"""Models saved by weft load into torch.nn.Sequential as they are and give the same logits."""

import numpy as np
import safetensors.torch
import torch

import common
import torch_nets

TOLERANCE = 1e-5  # of max(1, largest |logit|): float32 against float32, summed in another order


def weft_logits(weft, activation, tensors):
    """What the last layer gives: the same tensors in a file that says nothing of softmax."""
    path = weft.dir / "bare.safetensors"
    safetensors.torch.save_file(tensors, path)
    return weft.predict(
        path, common.MNIST, "--activation", activation, "--output", "identity", "--scale", "unit"
    )


def compare(weft, activation, norm, hidden, digits):
    """Trains for an epoch, loads the file in PyTorch; the largest difference of any logit, the
    largest logit, and the largest difference of any probability."""
    run = weft.train(
        activation, common.MNIST, "--hidden", ",".join(map(str, hidden)),
        "--activation", activation, "--norm", norm, "--epochs", 1, "--batch-size", 128, "--lr", 0.05,
    )  # fmt: skip
    model = run / "model.safetensors"
    tensors = safetensors.torch.load_file(model)
    net = torch_nets.sequential([784, *hidden, 10], activation, norm)
    net.load_state_dict(tensors, strict=True)
    net.eval()
    with torch.no_grad():
        wanted = net(torch_nets.pixels(digits))
        wanted_p = torch.softmax(wanted, dim=1).numpy()
    wanted = wanted.numpy()

    got = weft_logits(weft, activation, tensors)
    common.require(got.shape == wanted.shape, f"{activation}: shapes {got.shape}, {wanted.shape}")
    largest, error = np.abs(wanted).max(), np.abs(got - wanted).max()
    common.require(
        error <= TOLERANCE * max(1, largest),
        f"{activation}: logits differ by {error:.3g}, the largest is {largest:.3g}",
    )
    predictions = weft.predict(model, common.MNIST, "--proba")
    common.require(
        np.array_equal(predictions[:, 0], got.argmax(axis=1)), f"{activation}: other classes"
    )
    p_error = np.abs(predictions[:, 1:] - wanted_p).max()
    common.require(p_error <= TOLERANCE, f"{activation}: probabilities differ by {p_error:.3g}")
    return error, largest, p_error


def check(weft):
    digits, _ = common.mnist("t10k")
    results = []
    for index, activation in enumerate(torch_nets.ACTIVATIONS):
        hidden = [[128], [64, 32], [33, 20, 17]][index % 3]
        results.append(compare(weft, activation, "none", hidden, digits))
    for norm in ("batch", "layer"):
        for activation, hidden in (("relu", [64, 32]), ("gelu", [40])):
            results.append(compare(weft, activation, norm, hidden, digits))
    error, largest, _ = max(results)
    return (
        f"{len(results)} networks, logits of {len(digits)} digits: worst difference {error:.2g} "
        f"(largest logit of that network {largest:.3g}); of probabilities "
        f"{max(result[2] for result in results):.2g}"
    )


if __name__ == "__main__":
    common.main(check, __doc__)
