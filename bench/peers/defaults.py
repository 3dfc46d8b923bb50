"""Plain `weft train` beside scikit-learn's MLPClassifier as it comes, on six data sets.

Small tables (iris, wine, breast cancer, digits) are cut ten times into four fifths to train on and a
fifth to test, each class with its share; MNIST and Fashion-MNIST have test sets of their own and are
run with a few seeds. weft reads NumPy archives or IDX files, and its seconds are those of the whole
process. scikit-learn gets arrays in memory, standardised (pixels divided by 255), and its seconds
are those of fit() alone. Runs are appended to a file and not repeated.

usage: build/venv/bin/python bench/peers/defaults.py --weft build/release/weft --out FILE.jsonl
       [--only TEXT] [--large-seeds 2] [--threads 2] [--table]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
FASHION = pathlib.Path(os.environ.get("WEFT_FASHION_DIR", "/usr/share/datasets/fashion-mnist"))
LARGE = {"mnist": ROOT / "data" / "mnist", "fashion-mnist": FASHION}
SMALL = ["iris", "wine", "breast_cancer", "digits"]
SMALL_SEEDS = 10


def small(name, seed):
    import sklearn.datasets
    from sklearn.model_selection import train_test_split

    data = getattr(sklearn.datasets, f"load_{name}")()
    return train_test_split(
        data.data, data.target, test_size=0.2, stratify=data.target, random_state=seed
    )


def large(name):
    import gzip

    import numpy as np

    def read(file, head):
        with gzip.open(LARGE[name] / file) as stream:
            return np.frombuffer(stream.read(), dtype=np.uint8, offset=head)

    x = [read(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784) for part in ("train", "t10k")]
    y = [read(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")]
    return x[0], x[1], y[0], y[1]


def weft(program, name, seed, threads, folder):
    import numpy as np

    if name in LARGE:
        data = [LARGE[name]]
    else:
        x, test_x, y, test_y = small(name, seed)
        path = folder / "data.npz"
        np.savez(path, x_train=x, y_train=y, x_test=test_x, y_test=test_y)
        data = [path, "--test", path]
    command = [program, "train", *data, "--seed", seed, "--threads", threads, "--json", "-q"]
    start = time.monotonic()
    done = subprocess.run(
        [*map(str, command), "--out", str(folder / "run")],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)["test"]["accuracy"], time.monotonic() - start


def sklearn(name, seed):
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # that 200 epochs may be too few
    if name in LARGE:
        x, test_x, y, test_y = large(name)
        x, test_x = x / 255, test_x / 255
    else:
        x, test_x, y, test_y = small(name, seed)
        scaler = StandardScaler().fit(x)
        x, test_x = scaler.transform(x), scaler.transform(test_x)
    net = MLPClassifier(random_state=seed)
    start = time.monotonic()
    net.fit(x, y)
    return net.score(test_x, test_y), time.monotonic() - start


def table(rows):
    print(f"{'data':16}{'runs':>5}{'weft %':>9}{'sd':>6}{'s':>8}{'sklearn %':>11}{'sd':>6}{'s':>9}")
    for name in [*SMALL, *LARGE]:
        found = [row for row in rows if row["data"] == name]
        if not found:
            continue
        line = f"{name:16}{len(found):5}"
        for who in ("weft", "sklearn"):
            accuracy = [100 * row[who]["accuracy"] for row in found]
            seconds = statistics.median(row[who]["seconds"] for row in found)
            width = 9 if who == "weft" else 11
            line += f"{statistics.mean(accuracy):{width}.2f}{statistics.pstdev(accuracy):6.2f}"
            line += f"{seconds:{8 if who == 'weft' else 9}.2f}"
        print(line)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weft", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="", help="data sets with this in their name")
    parser.add_argument("--large-seeds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--table", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        if os.environ.get(name) != str(arguments.threads):
            os.environ[name] = str(arguments.threads)
            os.execv(sys.executable, [sys.executable, *sys.argv])  # read when NumPy is loaded
    rows = []
    if arguments.out.exists():
        rows = [json.loads(line) for line in arguments.out.read_text(encoding="utf-8").splitlines()]
    info = json.loads(subprocess.run([arguments.weft, "info", "--json"], check=True,
                                     capture_output=True, text=True).stdout)  # fmt: skip
    for name in [*SMALL, *LARGE]:
        if arguments.table or arguments.only not in name:
            continue
        if name in LARGE and not LARGE[name].exists():
            print(f"left out: {name}, its files are not here")
            continue
        for seed in range(1, (arguments.large_seeds if name in LARGE else SMALL_SEEDS) + 1):
            key = {"data": name, "seed": seed, "threads": arguments.threads, "isa": info["isa"]}
            if any(all(row[k] == v for k, v in key.items()) for row in rows):
                continue
            with tempfile.TemporaryDirectory(prefix="weft-defaults-") as folder:
                ours = weft(arguments.weft, name, seed, arguments.threads, pathlib.Path(folder))
            theirs = sklearn(name, seed)
            rows.append(
                key
                | {
                    "compiler": info["compiler"],
                    "weft": {"accuracy": ours[0], "seconds": round(ours[1], 3)},
                    "sklearn": {"accuracy": theirs[0], "seconds": round(theirs[1], 3)},
                }
            )
            with open(arguments.out, "a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    table(rows)


if __name__ == "__main__":
    main()
