"""The algorithm of the older NumPy project in float64: fully connected layers, ReLU between them,
softmax or a single sigmoid at the end, full-batch gradient descent with a constant learning rate.

Written from the formulas, without a line of weft: loss = -1/m sum log p of the true class, its
gradient for the last layer's logits (p - y) / m, and the chain rule below it.
"""

import numpy as np
from safetensors.numpy import load_file


def log_sigmoid(z):
    return -np.logaddexp(0, -z)


class NumpyNet:
    """weights[l] is [n_out, n_in], biases[l] is [n_out]; output is "softmax" or "sigmoid"."""

    def __init__(self, weights, biases, output):
        self.weights = [w.astype(np.float64) for w in weights]
        self.biases = [b.astype(np.float64) for b in biases]
        self.output = output

    @classmethod
    def from_safetensors(cls, path, output):
        """The weights of a model file: 0.weight, 0.bias, 2.weight, ... as in nn.Sequential."""
        tensors = load_file(path)
        numbers = sorted(int(name.split(".")[0]) for name in tensors if name.endswith(".weight"))
        return cls(
            [tensors[f"{number}.weight"] for number in numbers],
            [tensors[f"{number}.bias"] for number in numbers],
            output,
        )

    def forward(self, x):
        """Activations of all layers, x first, logits last."""
        activations = [x]
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            z = activations[-1] @ weight.T + bias
            activations.append(z if layer + 1 == len(self.weights) else np.maximum(z, 0))
        return activations

    def cost(self, z, y):
        """The mean loss for logits z and classes y, and (p - y) / m."""
        m = len(y)
        if self.output == "sigmoid":
            z = z[:, 0]
            cost = -np.mean(y * log_sigmoid(z) + (1 - y) * log_sigmoid(-z))
            return cost, ((np.exp(log_sigmoid(z)) - y) / m)[:, None]
        log_p = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
        dz = np.exp(log_p)
        dz[np.arange(m), y] -= 1
        return -np.mean(log_p[np.arange(m), y]), dz / m

    def step(self, x, y, learning_rate):
        """One iteration; returns the cost before it."""
        activations = self.forward(x)
        cost, dz = self.cost(activations[-1], y)
        for layer in reversed(range(len(self.weights))):
            below = activations[layer]
            dw, db = dz.T @ below, dz.sum(axis=0)
            if layer > 0:
                dz = (dz @ self.weights[layer]) * (below > 0)
            self.weights[layer] -= learning_rate * dw
            self.biases[layer] -= learning_rate * db
        return cost

    def train(self, x, y, learning_rate, iterations):
        """The cost before each iteration."""
        return np.array([self.step(x, y, learning_rate) for _ in range(iterations)])

    def accuracy(self, x, y):
        z = self.forward(x)[-1]
        guess = (z[:, 0] >= 0).astype(np.int64) if self.output == "sigmoid" else z.argmax(axis=1)
        return np.mean(guess == y)
