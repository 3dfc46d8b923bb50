"""Files that NumPy, scikit-learn and h5py write are read as what they are: the same predictions for
the same samples from all of them, and shapes, ranges and classes as NumPy sees them."""

import gzip
import json

import h5py
import numpy as np
from sklearn.datasets import dump_svmlight_file

import common
from common import require

TYPES = ["?", "u1", "i1", "<i2", ">i4", "<i8", "<f2", ">f4", "<f8", ">f8", "<u2", ">u8"]


def survey(weft, path, *options):
    """What `weft inspect --json` says of a file."""
    stdout, _ = weft.run("inspect", path, "--json", *options)
    return json.loads(stdout)


def check_survey(found, x, y, what):
    require(found["samples"] == len(x), f"{what}: {found['samples']} samples, wanted {len(x)}")
    require(found["shape"] == list(x.shape[1:]), f"{what}: shape {found['shape']}")
    wide = x.astype(np.float32).astype(np.float64)
    for name, wanted in (("min", wide.min()), ("max", wide.max()), ("mean", wide.mean())):
        near = abs(found[name] - wanted) <= 1e-9 * max(1, abs(wanted))
        require(near, f"{what}: {name} {found[name]}, wanted {wanted}")
    counts = {entry["name"]: entry["samples"] for entry in found["classes"]}
    values, sizes = np.unique(y, return_counts=True)
    wanted = {str(int(value)): int(size) for value, size in zip(values, sizes)}
    require(counts == wanted, f"{what}: classes {counts}, wanted {wanted}")


def check_types(weft, rng):
    """Every type in both orders, in .npy, .npz and .npz deflated."""
    y = rng.integers(0, 4, 50)
    n = 0
    for name in TYPES:
        dtype = np.dtype(name)
        low = 0 if dtype.kind in "bu" else -100
        values = rng.integers(low, 2 if dtype.kind == "b" else 100, (50, 3, 4))
        x = (values / 8 if dtype.kind == "f" else values).astype(dtype)
        for order in "CF":
            ordered = np.array(x, order=order)
            np.save(weft.dir / "X.npy", ordered)
            np.save(weft.dir / "y.npy", y.astype(np.int32))
            np.savez(weft.dir / "stored.npz", X=ordered, y=y)
            np.savez_compressed(weft.dir / "deflated.npz", x_train=ordered, y_train=y)
            pair = f"{weft.dir / 'X.npy'},{weft.dir / 'y.npy'}"
            for path in (pair, weft.dir / "stored.npz", weft.dir / "deflated.npz"):
                check_survey(survey(weft, path), x, y, f"{name}, {order} order, {path}")
                n += 1
    return n


def check_predictions(weft, rng):
    """One model on the same samples from files of every format."""
    x = np.round(rng.normal(size=(200, 7)), 3)
    x[rng.random(x.shape) < 0.3] = 0
    x[:, 6] = 0
    x[0, 6] = 1
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    table = weft.dir / "table.csv"
    np.savetxt(table, np.column_stack([y, x]), delimiter=",", fmt="%.9g")
    run = weft.train("formats", table, "--hidden", "5", "--epochs", "2", "--lr", "0.1")
    wanted = weft.predict(run, table, "--proba")
    paths = []
    for zero_based in (False, True):
        paths.append(weft.dir / f"sparse{zero_based}.txt")
        dump_svmlight_file(x, y, str(paths[-1]), zero_based=zero_based, comment="made by a test")
    packed = weft.dir / "sparse.gz"
    packed.write_bytes(gzip.compress(paths[0].read_bytes()))
    np.savez(weft.dir / "F.npz", X=np.asfortranarray(x), y=y)
    with h5py.File(weft.dir / "data.h5", "w") as file:
        file.create_dataset("x", data=x, chunks=(13, 3), compression="gzip", shuffle=True)
        file.create_dataset("y", data=y)
    for path in (*paths, packed, weft.dir / "F.npz", weft.dir / "data.h5"):
        found = weft.predict(run, path, "--proba")
        require(np.array_equal(found, wanted), f"{path}: other predictions than from CSV")
    lacking = weft.dir / "lacking.txt"  # its samples have no value of the last feature
    dump_svmlight_file(x[1:], y[1:], str(lacking), zero_based=False)
    found = weft.predict(run, lacking, "--proba")
    require(np.array_equal(found, wanted[1:]), f"{lacking}: other predictions than from CSV")
    result = weft.eval(run, paths[0])
    require(result["samples"] == 200, f"{paths[0]}: eval of {result['samples']} samples")


def check(weft):
    rng = np.random.default_rng(5)
    n = check_types(weft, rng)
    check_predictions(weft, rng)
    return f"{n} NumPy files, and LIBSVM and HDF5 files that predict as CSV does"


if __name__ == "__main__":
    common.main(check, __doc__)
