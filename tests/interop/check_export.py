"""Files of `weft export`: the onnx checker and onnxruntime take the ONNX ones, NumPy the NPZ ones, and
both compute what `weft predict` says of 10,000 digits, for every activation, output and scaling.
"""

import json
import math

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

import common

TOLERANCE = 1e-5
ACTIVATIONS = "relu leaky_relu tanh sigmoid gelu silu elu selu identity".split()
NAMES = ['a "b" \\ ??/ */', "</script><b>&amp;", "two\nlines", "Zürich 🐈"]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


erf = np.vectorize(math.erf, otypes=[np.float64])

FUNCTIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z < 0, 0.01 * z, z),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "gelu": lambda z: z / 2 * (1 + erf(z / np.sqrt(2))),
    "silu": lambda z: z * sigmoid(z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: 1.0507009873554805
    * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0))),
}


def by_onnx(path, x):
    """The arrays that the model gives, by name; in one batch as in several."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    (given,) = session.get_inputs()
    common.require(given.shape == ["batch", x.shape[1]], f"{path}: takes {given.shape}")
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {given.name: x})))
    for name, one in zip(names, session.run(None, {given.name: x[:1]})):
        common.require(np.allclose(one, found[name][:1], atol=1e-6), f"{name} of a batch of one")
    return found, json.loads(session.get_modelmeta().custom_metadata_map["weft.class_names"])


def by_numpy(path, x):
    """What an NPZ file says of x, in float64."""
    net = np.load(path, allow_pickle=False)
    a = x.astype(np.float64)
    if "shift" in net:
        a = (a - net["shift"]) * net["scale"]
    for layer, activation in enumerate([*net["activations"], "identity"], 1):
        a = FUNCTIONS[activation](a @ net[f"W{layer}"].T + net[f"b{layer}"])
    output = str(net["output"])
    if output == "sigmoid":
        a = sigmoid(a)
        a = np.hstack([1 - a, a]) if a.shape[1] == 1 else a
    elif output == "softmax":
        a = np.exp(a - a.max(axis=1, keepdims=True))
        a /= a.sum(axis=1, keepdims=True)
    return a, list(net["class_names"])


def compare(weft, what, model, *given):
    """Exports a model and compares all that it says of the digits; returns the largest error."""
    x, _ = common.mnist("t10k")
    x = x.astype(np.float32)
    wanted = weft.predict(model, common.MNIST, "--proba", *given)
    for ending in ("onnx", "npz"):
        weft.run("export", model, weft.dir / f"model.{ending}", *given)
    found, _ = by_onnx(weft.dir / "model.onnx", x)
    numpy, names = by_numpy(weft.dir / "model.npz", x)
    common.require(len(names) >= 1, f"{what}: no names")
    if "values" in found:
        got, scale = found["values"], max(1, np.abs(wanted).max())
    elif found["label"].ndim == 2:
        got, scale = np.hstack([found["label"], found["probabilities"]]), 1
        numpy = np.hstack([wanted[:, : numpy.shape[1]], numpy])
    else:
        got, scale = np.column_stack([found["label"], found["probabilities"]]), 1
        numpy = np.column_stack([wanted[:, 0], numpy])
    common.require(got.shape == wanted.shape, f"{what}: {got.shape}, wanted {wanted.shape}")
    worst = 0
    for reader, values in (("onnxruntime", got), ("NumPy", numpy)):
        error = np.abs(values - wanted).max() / scale
        common.require(error <= TOLERANCE, f"{what}: {reader} differs by {error:.3g}")
        worst = max(worst, error)
    return worst


def check_outputs(weft, run):
    """The other outputs, with the weights of a trained network; and those weights as others store
    them, without a word of what they are.
    """
    tensors = {name: value for name, value in load_file(run / "model.safetensors").items()}
    worst = 0
    cases = (("sigmoid", 1), ("sigmoid", 10), ("identity", 10), ("identity", 1), ("softmax", 10))
    for output, n in cases:
        scale = "none" if output == "softmax" else "unit"
        path = weft.dir / "cut.safetensors"
        cut = dict(tensors)
        for name in ("2.weight", "2.bias"):
            cut[name] = tensors[name][:n].copy()
        if scale == "none":
            cut["0.weight"] = tensors["0.weight"] / np.float32(255)
        save_file(cut, path, metadata={"weft.unknown": "?", "author": "<b>"})
        given = ["--activation", "relu", "--output", output, "--scale", scale]
        worst = max(worst, compare(weft, f"{output} of {n}", path, *given))
    return worst


def check_names(weft):
    """Class names come back as they were."""
    table = weft.dir / "names.csv"
    rows = [f'"{name.replace(chr(34), chr(34) * 2)}",{i},1' for i, name in enumerate(NAMES)]
    table.write_text("\n".join(["label,a,b", *rows * 3]) + "\n", encoding="utf-8")
    run = weft.train("names", table, "--epochs", 1, "--hidden", "none")
    for ending in ("onnx", "npz"):
        weft.run("export", run, weft.dir / f"names.{ending}")
    x = np.ones((1, 2), np.float32)
    _, by_runtime = by_onnx(weft.dir / "names.onnx", x)
    _, by_array = by_numpy(weft.dir / "names.npz", x)
    wanted = sorted(NAMES, key=lambda name: name.encode())
    common.require(by_runtime == wanted, f"names by onnxruntime: {by_runtime}")
    common.require(by_array == wanted, f"names by NumPy: {by_array}")


def check(weft):
    worst = 0
    for activation in ACTIVATIONS:
        run = weft.train(
            "run", common.MNIST, "--hidden", "32", "--activation", activation, "--epochs", 1,
            "--lr", 0.05,
        )  # fmt: skip
        worst = max(worst, compare(weft, activation, run))
        if activation == "relu":
            worst = max(worst, check_outputs(weft, run))
    run = weft.train(
        "run", common.MNIST, "--hidden", "24,16,8", "--activation", "tanh,gelu,gelu",
        "--epochs", 1, "--lr", 0.02, "--scale", "standard",
    )  # fmt: skip
    worst = max(worst, compare(weft, "a scaling for each feature", run))
    check_names(weft)
    versions = f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}"
    return f"15 models, 10,000 digits each, largest error {worst:.2g}; {versions}"


if __name__ == "__main__":
    common.main(check, __doc__)
