"""What the peers share: the digits, and the conversation with epochs.py.

A peer is a process that reads names of jobs and answers each with a line: the seconds of the job,
and the share of them that its threads, ready to run, waited for a core.
"""

import gzip
import os
import pathlib
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH = 128
NETS = {"784-128-10": [784, 128, 10], "784-512-512-10": [784, 512, 512, 10]}


def read(name, header):
    with gzip.open(ROOT / "data" / "mnist" / name, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def digits(prefix, dtype=np.float32):
    """Pixels from 0 to 1, and classes; prefix is "train" or "t10k"."""
    x = read(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    y = read(f"{prefix}-labels-idx1-ubyte.gz", 8)
    return x.astype(dtype) / dtype(255), y.astype(np.int64)


def waited():
    """Seconds that the threads of this process have waited for a core (Linux)."""
    total = 0
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[1])
        except OSError:
            pass  # the thread has ended
    return total * 1e-9


def rest():
    """Until the threads of this process have stopped spinning; half a second at most."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.005)
        if time.process_time() - before < 5e-4:
            return


def serve(make):
    """make(name) returns prepare, run, check. run is timed; check tells whether it worked."""
    jobs = {}
    for line in sys.stdin:
        name = line.strip()
        first = name not in jobs
        if first:
            jobs[name] = make(name)
        prepare, run, check = jobs[name]
        if first:
            prepare()
            run()  # the warm-up
        prepare()
        waited_before, start = waited(), time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        share = (waited() - waited_before) / seconds
        if not check():
            sys.exit(f"{name}: wrong result")
        rest()
        print(f"{seconds:.6f} {share:.4f}", flush=True)
