"""The two jobs of the older project, by weft and by numpy_net from the same initial weights."""

import numpy as np

import common
from numpy_net import NumpyNet


class Job:
    """recipe: its file; data: weft's arguments; lr and output: what the recipe says."""

    def __init__(self, recipe, lr, output, iterations, read):
        self.recipe = common.RECIPES / recipe
        self.lr = lr
        self.output = output
        self.iterations = iterations
        self._read = read

    def data(self):
        """What `weft train` is given."""
        if self._read is common.mnist:
            return [common.MNIST]
        where = common.cats_dir()
        return [where / "train_catvnoncat.h5", "--test", where / "test_catvnoncat.h5"]

    def arrays(self, split):
        """x / 255 in float64, and the classes; split is "train" or "test"."""
        if self._read is common.mnist:
            split = {"train": "train", "test": "t10k"}[split]
        x, y = self._read(split)
        return x.astype(np.float64) / 255, y

    def weft(self, weft, name, epochs, *arguments):
        """Trains with weft; returns the run directory."""
        return weft.train(name, *self.data(), "-c", self.recipe, "--epochs", epochs, *arguments)

    def numpy_net(self, run):
        """The other implementation, from the weights of a run."""
        return NumpyNet.from_safetensors(run / "model.safetensors", self.output)


MNIST = Job("seed-mnist.ini", 0.1, "softmax", 800, common.mnist)
CATS = Job("seed-cats.ini", 0.0075, "sigmoid", 2900, common.cats)


def compare_losses(weft, job, iterations=100, tolerance=1e-4):
    """Both loss curves from the same start; fails where they part by more than `tolerance`."""
    if job is CATS:
        common.cats_dir()
        if "hdf5" not in weft.run("info")[0].lower():
            raise common.Skip("this build of weft knows no HDF5")
    start = job.weft(weft, "start", 0)
    net = job.numpy_net(start)
    x, y = job.arrays("train")
    wanted = net.train(x, y, job.lr, iterations)
    run = job.weft(weft, "run", iterations)
    got = np.array([line["train_loss"] for line in common.read_metrics(run)])
    common.require(len(got) == iterations, f"{len(got)} lines of metrics, wanted {iterations}")
    error = np.abs(got - wanted) / np.abs(wanted)
    worst = int(error.argmax())
    common.require(
        error[worst] <= tolerance,
        f"loss of iteration {worst + 1}: weft {got[worst]:.9g}, NumPy {wanted[worst]:.9g}, "
        f"relative error {error[worst]:.2g}, bound {tolerance:g}",
    )
    common.require(wanted[-1] < wanted[0], "the loss did not fall")
    return (
        f"{iterations} losses from {got[0]:.6f} to {got[-1]:.6f}, "
        f"worst relative error {error[worst]:.2g} (bound {tolerance:g})"
    )
