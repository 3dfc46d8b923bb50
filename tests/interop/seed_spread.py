"""Both older jobs to their end (not part of scripts/interop: about half an hour).

cats: 20 seeds; test accuracies of weft and of the NumPy implementation from the same initial
weights. mnist: once. Run as scripts/interop runs a check: seed_spread.py --weft W --build B.
"""

import numpy as np

import common
import seed_jobs

SEEDS = 20


def test_accuracy(run):
    """The last line of metrics.jsonl has the evaluation at the end."""
    return common.read_metrics(run)[-1]["test_accuracy"]


def spread(values):
    return (
        f"mean {np.mean(values):.4f}, standard deviation {np.std(values, ddof=1):.4f}, "
        f"{np.min(values):.2f} to {np.max(values):.2f}"
    )


def cats(weft):
    """One line for each seed, then the spread of both."""
    job = seed_jobs.CATS
    x, y = job.arrays("train")
    test_x, test_y = job.arrays("test")
    ours, theirs = [], []
    for seed in range(1, SEEDS + 1):
        start = job.weft(weft, "start", 0, "--seed", seed)
        net = job.numpy_net(start)
        costs = net.train(x, y, job.lr, job.iterations)
        theirs.append(net.accuracy(test_x, test_y))
        run = job.weft(weft, "run", job.iterations, "--seed", seed)
        ours.append(test_accuracy(run))
        loss = common.read_metrics(run)[-1]["train_loss"]
        print(
            f"seed {seed:2}: test accuracy weft {ours[-1]:.2f}, NumPy {theirs[-1]:.2f}; "
            f"last loss {loss:.6f}, {costs[-1]:.6f}",
            flush=True,
        )
    print(f"cats, {SEEDS} seeds, weft:  {spread(ours)}")
    print(f"cats, {SEEDS} seeds, NumPy: {spread(theirs)}")


def check(weft):
    cats(weft)
    run = seed_jobs.MNIST.weft(weft, "mnist", seed_jobs.MNIST.iterations)
    accuracy = test_accuracy(run)
    common.require(accuracy >= 0.93, f"mnist: test accuracy {accuracy}, wanted 0.93")
    return f"mnist: test accuracy {accuracy:.4f}"


if __name__ == "__main__":
    common.main(check, __doc__)
