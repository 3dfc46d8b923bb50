"""Ten iterations of the older project's algorithm in float64 NumPy, as the recipe seed-mnist.ini has
it: 784-32-16-10, all 60,000 digits in each iteration.
usage: peer_numpy.py"""

import sys

import numpy as np
import peer

sys.path.insert(0, str(peer.ROOT / "tests" / "interop"))
from numpy_net import NumpyNet  # noqa: E402

WIDTHS = [784, 32, 16, 10]
ITERATIONS = 10


def make(_name):
    x, y = peer.digits("train", np.float64)
    nets, costs = [], []

    def prepare():
        random = np.random.default_rng(1)
        weights = [
            random.normal(size=(n_out, n_in)) * np.sqrt(2 / n_in)
            for n_in, n_out in zip(WIDTHS, WIDTHS[1:])
        ]
        nets[:] = [NumpyNet(weights, [np.zeros(n) for n in WIDTHS[1:]], "softmax")]

    def run():
        costs[:] = nets[0].train(x, y, 0.1, ITERATIONS)

    def check():
        return costs[-1] < costs[0]

    return prepare, run, check


peer.serve(make)
