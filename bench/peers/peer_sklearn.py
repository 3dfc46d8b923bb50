"""An epoch in scikit-learn: MLPClassifier, float32, plain gradient descent, no penalty.
usage: peer_sklearn.py"""

import peer
from sklearn.neural_network import MLPClassifier


def make(name):
    x, y = peer.digits("train")
    test_x, test_y = peer.digits("t10k")
    nets = []

    def prepare():
        net = MLPClassifier(
            hidden_layer_sizes=peer.NETS[name][1:-1],
            activation="relu",
            solver="sgd",
            alpha=0,
            batch_size=peer.BATCH,
            learning_rate_init=0.1,
            momentum=0,
            nesterovs_momentum=False,
            random_state=1,
        )
        net.partial_fit(x[: peer.BATCH], y[: peer.BATCH], classes=range(10))
        nets[:] = [net]

    def run():
        nets[0].partial_fit(x, y)

    def check():
        return nets[0].score(test_x, test_y) > 0.85

    return prepare, run, check


peer.serve(make)
