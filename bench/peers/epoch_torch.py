"""The epochs of bench_epoch in PyTorch on the CPU, and weft's beside them.

Same networks, same batches of 128, plain gradient descent, cross-entropy; float32 tensors of all
samples in memory, a new order each epoch, one gather a batch. With --weft BENCH_EPOCH every round
also runs that program once with the same number of threads, so that both meet the same machine.

usage: epoch_torch.py [--weft build/release/bench/bench_epoch] [--threads 1,2] [--rounds 7]
       [--json FILE]
"""

import argparse
import gzip
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

MNIST = pathlib.Path(__file__).resolve().parents[2] / "data" / "mnist"
NETS = {"784-128-10": [784, 128, 10], "784-512-512-10": [784, 512, 512, 10]}
BATCH = 128


def load(name, header):
    with gzip.open(MNIST / name, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def split(prefix):
    x = load(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    y = load(f"{prefix}-labels-idx1-ubyte.gz", 8)
    return torch.from_numpy(x.astype(np.float32) / 255), torch.from_numpy(y.astype(np.int64))


def build(widths):
    torch.manual_seed(1)
    modules = []
    for n_in, n_out in zip(widths, widths[1:]):
        modules += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def epoch(net, x, y):
    """Seconds of one epoch."""
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    cross_entropy = torch.nn.functional.cross_entropy
    start = time.perf_counter()
    order = torch.randperm(len(x))
    for rows in order.split(BATCH):
        optimiser.zero_grad(set_to_none=True)
        cross_entropy(net(x[rows]), y[rows]).backward()
        optimiser.step()
    return time.perf_counter() - start


def checked_epoch(widths, train, test):
    net = build(widths)
    seconds = epoch(net, *train)
    with torch.no_grad():
        accuracy = (net(test[0]).argmax(dim=1) == test[1]).float().mean().item()
    if accuracy < 0.85:
        sys.exit(f"error: {widths}: accuracy {accuracy} after an epoch")
    return seconds


def weft_epoch(program, name, threads):
    """Seconds of one epoch of bench_epoch, which warms up by itself."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [program, "--rounds", "1", "--threads", str(threads), "--only", name]
        subprocess.run([*command, "--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return json.load(file)["results"][0]["median_s"]


def result(name, who, threads, seconds):
    """Prints a line; the same as an object for the JSON file."""
    median, least, most = statistics.median(seconds), min(seconds), max(seconds)
    print(
        f"{name:16} {who:6} {threads} threads: median {median:.4f} s "
        f"({least:.4f} to {most:.4f}, {len(seconds)} rounds)",
        flush=True,
    )
    return {
        "name": name, "program": who, "threads": threads, "rounds": len(seconds),
        "median_s": median, "min_s": least, "max_s": most, "seconds": seconds,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weft", help="the program bench_epoch")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    train, test = split("train"), split("t10k")
    results = []
    for threads in map(int, arguments.threads.split(",")):
        torch.set_num_threads(threads)
        seconds = {(name, who): [] for name in NETS for who in ("torch", "weft")}
        for name in NETS:
            checked_epoch(NETS[name], train, test)  # warm-up
        for _ in range(arguments.rounds):
            for name, widths in NETS.items():
                seconds[name, "torch"].append(checked_epoch(widths, train, test))
                if arguments.weft:
                    seconds[name, "weft"].append(weft_epoch(arguments.weft, name, threads))
        for (name, who), values in seconds.items():
            if values:
                results.append(result(name, who, threads, values))
    if arguments.json:
        machine = {"torch": torch.__version__, "blas": torch.__config__.parallel_info()}
        with open(arguments.json, "w", encoding="utf-8") as file:
            report = {"benchmark": "epoch_torch", "machine": machine, "results": results}
            json.dump(report, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
