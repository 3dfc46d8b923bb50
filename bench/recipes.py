"""Recipes over many seeds: accuracy on the test set and time from process start to exit.

Each run is one line appended to a file; runs that are in it already, with the same recipe text and
machine, are not repeated, so an interrupted measurement goes on where it stopped. Prints a table of
what the file holds. Hyper-parameters were chosen on held-out training samples, never with this.

usage: bench/recipes.py --weft build/release/weft --out bench/results/recipes.jsonl
       [--only TEXT] [--seeds N] [--threads N] [--table]
"""

import argparse
import csv
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECIPES = ROOT / "scripts" / "recipes"
MNIST = ROOT / "data" / "mnist"
FASHION = pathlib.Path(os.environ.get("WEFT_FASHION_DIR", "/usr/share/datasets/fashion-mnist"))
CATS = pathlib.Path(os.environ.get("WEFT_CATS_DIR", "cats"))
FOLDS = 10


def cats():
    train, test = CATS / "train_catvnoncat.h5", CATS / "test_catvnoncat.h5"
    return [train, "--test", test] if train.exists() else None


def fold(seed, folder):
    """Fold number `seed` of ten of the table, each with its share of both classes."""
    with open(ROOT / "data" / "wdbc.csv", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file))
    rows.sort(key=lambda row: (row[0], hashlib.sha256(",".join(row).encode()).digest()))
    parts = {"test": rows[(seed - 1) % FOLDS :: FOLDS]}
    parts["train"] = [row for row in rows if row not in parts["test"]]
    for name, part in parts.items():
        with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *part])
    return [folder / "train.csv", "--label", "diagnosis", "--test", folder / "test.csv"]


# recipe ("" is plain `weft train`), what it is run on, seeds
JOBS = [
    ("mnist-fast", lambda seed, folder: [MNIST], 10),
    ("mnist-99", lambda seed, folder: [MNIST], 10),
    ("mnist-permutation-invariant", lambda seed, folder: [MNIST], 10),
    ("fashion", lambda seed, folder: [FASHION] if FASHION.exists() else None, 10),
    ("wdbc", fold, FOLDS),
    ("cats", lambda seed, folder: cats(), 20),
    ("seed-cats", lambda seed, folder: cats(), 20),
    ("", lambda seed, folder: [MNIST], 10),
]


def run(weft, name, data, seed, threads):
    """Accuracy, seconds and epochs of one run."""
    with tempfile.TemporaryDirectory(prefix="weft-recipe-") as folder:
        folder = pathlib.Path(folder)
        arguments = data(seed, folder)
        if arguments is None:
            return None
        if name:
            arguments += ["-c", RECIPES / f"{name}.ini"]
        command = [weft, "train", *arguments, "--seed", seed, "--threads", threads, "--json", "-q"]
        start = time.monotonic()
        done = subprocess.run(
            [*map(str, command), "--out", str(folder / "run")],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        seconds = time.monotonic() - start
    result = json.loads(done.stdout)
    return {
        "accuracy": result["test"]["accuracy"],
        "loss": result["test"]["loss"],
        "epochs": result["epochs"],
        "seconds": round(seconds, 3),
    }


def table(rows):
    print(f"{'recipe':30}{'seeds':>6}{'mean %':>9}{'sd':>7}{'min':>8}{'max':>8}{'median s':>10}")
    groups = {}
    for row in rows:
        groups.setdefault((row["recipe"], row["digest"], row["threads"], row["isa"]), []).append(row)
    for (name, *_), found in groups.items():
        accuracy = [100 * row["accuracy"] for row in found]
        print(
            f"{name or '(plain weft train)':30}{len(found):6}{statistics.mean(accuracy):9.3f}"
            f"{statistics.pstdev(accuracy):7.3f}{min(accuracy):8.2f}{max(accuracy):8.2f}"
            f"{statistics.median(row['seconds'] for row in found):10.2f}"
        )


def revision():
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def cpu():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weft", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--only", help="the recipe of that name alone")
    parser.add_argument("--seeds", type=int, help="instead of the usual number")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--table", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    info = json.loads(subprocess.run([arguments.weft, "info", "--json"], check=True,
                                     capture_output=True, text=True).stdout)  # fmt: skip
    about = {
        "cpu": cpu(),
        "threads": arguments.threads,
        "isa": info["isa"],
        "compiler": info["compiler"],
        "revision": revision(),
    }
    rows = []
    if arguments.out.exists():
        rows = [json.loads(line) for line in arguments.out.read_text(encoding="utf-8").splitlines()]
    for name, data, n_seeds in JOBS:
        if arguments.table or arguments.only not in (None, name):
            continue
        text = (RECIPES / f"{name}.ini").read_bytes() if name else b""
        for seed in range(1, (arguments.seeds or n_seeds) + 1):
            key = {"recipe": name, "digest": hashlib.sha256(text).hexdigest()[:12], "seed": seed}
            key |= {name: about[name] for name in ("cpu", "threads", "isa")}
            if any(all(row[k] == v for k, v in key.items()) for row in rows):
                continue
            found = run(arguments.weft, name, data, seed, arguments.threads)
            if found is None:
                print(f"left out: {name}, its data are not here")
                break
            rows.append(key | about | found)
            with open(arguments.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    table(rows)


if __name__ == "__main__":
    main()
