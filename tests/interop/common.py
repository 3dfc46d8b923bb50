"""What the checks against other software share: arguments, running weft, reading data, the verdict.

A check is a program `check_NAME.py --weft PROGRAM --build DIRECTORY`. It prints one closing line
and exits 0 (passed), 1 (failed) or 77 (skipped).
"""

import argparse
import gzip
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
MNIST = ROOT / "data" / "mnist"
RECIPES = ROOT / "scripts" / "recipes"
SKIPPED = 77


class Failure(Exception):
    """What a check found wrong; its text ends the run."""


class Skip(Exception):
    """Why a check cannot run here."""


def require(condition, text):
    if not condition:
        raise Failure(text)


def main(check, description):
    """Runs `check(weft)`, which returns the text of the closing line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--weft", required=True, help="the program")
    parser.add_argument("--build", required=True, help="its build directory")
    arguments = parser.parse_args()
    name = pathlib.Path(sys.argv[0]).stem
    try:
        print(f"{name}: passed: {check(Weft(arguments.weft))}")
    except Skip as reason:
        print(f"{name}: skipped: {reason}")
        sys.exit(SKIPPED)
    except Failure as reason:
        print(f"{name}: FAILED: {reason}")
        sys.exit(1)


class Weft:
    """The program, with a directory of its own for what it writes."""

    def __init__(self, program):
        self.program = str(pathlib.Path(program).resolve())
        self._keep = tempfile.TemporaryDirectory(prefix="weft-interop-")
        self.dir = pathlib.Path(self._keep.name)

    def run(self, *arguments, exit_code=0):
        """Runs weft; stdout and stderr as texts. Fails on another exit code than the one wanted."""
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        require(
            done.returncode == exit_code,
            f"{' '.join(command)}: exit code {done.returncode}, wanted {exit_code}\n{done.stderr}",
        )
        return done.stdout, done.stderr

    def train(self, name, *arguments):
        """`weft train ARGUMENTS` into the run directory `name`; returns the directory."""
        out = self.dir / name
        self.run("train", *arguments, "--out", out, "--force", "-q")
        return out

    def eval(self, *arguments):
        """The object that `weft eval --json` prints as the last line."""
        stdout, _ = self.run("eval", *arguments, "--json")
        return json.loads(stdout.strip().splitlines()[-1])

    def predict(self, *arguments):
        """The numbers of `weft predict`, [samples, columns], without the header."""
        path = self.dir / "predictions.csv"
        self.run("predict", *arguments, "-o", path)
        return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)


def read_metrics(run):
    """The lines of metrics.jsonl."""
    with open(run / "metrics.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read_idx(path):
    """An IDX file of bytes, gzip-compressed."""
    with gzip.open(path, "rb") as file:
        content = file.read()
    zero, element, n_dims = struct.unpack_from(">HBB", content)
    require(zero == 0 and element == 8, f"{path}: not IDX of bytes")
    dims = struct.unpack_from(f">{n_dims}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dims).reshape(dims)


def mnist(split):
    """Images [n, 784] and labels [n] as bytes; split is "train" or "t10k"."""
    images = read_idx(MNIST / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(MNIST / f"{split}-labels-idx1-ubyte.gz")
    return images.reshape(len(images), -1), labels.astype(np.int64)


def cats_dir():
    """Where the cat/non-cat files are; skips the check where nothing says so."""
    where = os.environ.get("WEFT_CATS_DIR")
    if not where:
        raise Skip("WEFT_CATS_DIR is not set")
    return pathlib.Path(where)


def cats(split):
    """Pixels [n, 12288] and labels [n] as bytes; split is "train" or "test"."""
    import h5py

    with h5py.File(cats_dir() / f"{split}_catvnoncat.h5", "r") as file:
        x = file[f"{split}_set_x"][:]
        y = file[f"{split}_set_y"][:]
    return x.reshape(len(x), -1), y.astype(np.int64)
